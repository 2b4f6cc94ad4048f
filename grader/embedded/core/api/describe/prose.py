"""Descriptions of kinds and fields for `kubectl explain`: the official Python client's words, put into our schemas.

The client's models are generated from the same OpenAPI documents (kubernetes-client/gen), one class a definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Prose = Mapping[str, Mapping[str, str]]
"""Model class name → {JSON field: description}; the class's own description is under ""."""

Tree = dict[str, Any]


def class_names(definition: str) -> tuple[str, ...]:
    """Names that the client may give the class of a definition, the most specific first.

    Where two groups have a kind of one name, the client puts the group before it (CoreV1Event).
    """
    *_, package, version, kind = definition.split(".")
    plain = f"{version.capitalize()}{kind}"
    return f"{package.capitalize()}{plain}", plain


def describe(definition: str, node: Mapping[str, Any], prose: Prose) -> Tree:
    """A copy of a definition's schema with descriptions, as far as there are any."""
    words = next((prose[name] for name in class_names(definition) if name in prose), {})
    result: Tree = dict(node)
    if words.get(""):
        result["description"] = words[""]
    if "properties" in node:
        result["properties"] = {
            name: {**field, "description": words[name]} if name in words else field
            for name, field in node["properties"].items()
        }
    return result
