"""Fetch the descriptions that `kubectl explain` shows from the installed official client, once a version of it.

Importing the client takes about a second, so another process does it; its result is kept in the user's cache folder.
Run as `python -m grader.embedded.server.prose FILE` it writes that file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

from grader.embedded.core.api.describe.prose import Prose

log = logging.getLogger(__name__)


def cache_path() -> Path:
    """Where the descriptions of the installed client are kept."""
    from importlib.metadata import version

    from platformdirs import user_cache_path

    return user_cache_path("kubernetes-services-course") / f"prose-{version('kubernetes')}.json"


def collect() -> Prose:
    """Read the descriptions from the client's models (pydantic fields carry them since version 37)."""
    from kubernetes.client import models

    found: dict[str, dict[str, str]] = {}
    for name in dir(models):
        fields = getattr(getattr(models, name), "model_fields", None)
        if fields is None:
            continue
        words = {field.serialization_alias or key: field.description for key, field in fields.items()}
        lead = (getattr(models, name).__doc__ or "").strip().split("\n\n")[0]
        found[name] = {"": " ".join(lead.split()), **{key: text for key, text in words.items() if text}}
    return found


async def load(path: Path) -> Prose:
    """The descriptions, from the cache or made now; none where that fails, which only `explain` would show."""
    if not path.is_file():
        command = (sys.executable, "-m", __spec__.name, str(path))
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        if await process.wait():
            log.warning("no descriptions for explain: %s ended with %s", command, process.returncode)
            return {}
    try:
        prose: Prose = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        log.warning("no descriptions for explain: %s", error)
        return {}
    return prose


if __name__ == "__main__":
    from grader.paths import write_atomically

    write_atomically(Path(sys.argv[1]), json.dumps(collect()))
