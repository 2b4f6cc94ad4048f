"""What the package's metadata says of where the project is: only what is true for whoever builds it.

REPO_URL and SITE_URL of the environment are that; without them the metadata names no URL at all (site/mkdocs.yml takes
the same SITE_URL). hatchling runs this: `[tool.hatch.metadata.hooks.custom]` in pyproject.toml.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


def urls(environment: Mapping[str, str]) -> dict[str, str]:
    """Name the URLs of the project by well-known labels (packaging.python.org, Well-known Project URLs)."""
    found = {}
    if site := environment.get("SITE_URL", "").rstrip("/"):
        found |= {"Homepage": f"{site}/", "Documentation": f"{site}/"}
    if repository := environment.get("REPO_URL", "").rstrip("/"):
        files = f"{repository}/blob/main"
        found |= {
            "Source": repository,
            "Issues": f"{repository}/issues",
            "Changelog": f"{files}/CHANGELOG.md",
            "Security": f"{files}/SECURITY.md",
        }
    return found


class ProjectUrls(MetadataHookInterface):
    """Adds the URLs to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        metadata["urls"] = urls(os.environ)
