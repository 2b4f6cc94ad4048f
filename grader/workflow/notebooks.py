"""Lay the lessons' notebooks into the learner's folder without ever losing what the learner wrote in them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from grader.lessons.build import build_notebooks
from grader.paths import write_atomically

LAID = ".laid.json"
"""Beside the notebooks: file name → hash of what was laid, so that an edited notebook is recognised."""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _laid(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / LAID).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def lay(folder: Path, learner: str = "") -> tuple[Path, ...]:
    """Write each lesson's notebook, in the order of lessons; one that the learner changed or ran is kept as it is.

    Args:
        folder: where.
        learner: whose values exercises show that differ from learner to learner.

    Raises ContentError for a malformed lesson, OSError where the folder cannot be written.
    """
    known = _laid(folder)
    paths = []
    with tempfile.TemporaryDirectory() as scratch:
        for built in build_notebooks(Path(scratch), learner=learner):
            path, text = folder / built.name, built.read_text(encoding="utf-8")
            untouched = not path.exists() or _hash(path.read_text(encoding="utf-8")) == known.get(path.name)
            if untouched:
                write_atomically(path, text)
                known[path.name] = _hash(text)
            paths.append(path)
    write_atomically(folder / LAID, json.dumps(known, indent=1))
    return tuple(paths)
