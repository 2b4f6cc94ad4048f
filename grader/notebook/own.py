"""Whose values a notebook shows, where they differ from learner to learner.

The notebooks that `grader lab` lays show the learner's own; one from the site or of a class shows the canonical ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from grader import exercises
from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.workflow.handin.handed import read


def shows(exercise: Exercise) -> bool:
    """Tell whether this kernel's notebook shows an exercise with its learner's values; False where unknown."""
    path = Path(os.environ.get("JPY_SESSION_NAME") or "")  # jupyter_server/services/sessions/sessionmanager.py
    return any(read(body).learner == exercise.learner for body in _cells(path, exercise.id))


def refuse_others(exercise: Exercise, manifest: str) -> None:
    """Object to a cell that still has the values of somebody else: it would make what nobody asks this learner for.

    Raises UsageError ("values-of-others").
    """
    if not exercise.learner:
        return
    named = read(manifest).learner
    canonical = exercises.load(exercise.id, "").starter
    if named not in ("", exercise.learner) or (not named and _bare(manifest) == _bare(canonical)):
        raise UsageError("values-of-others", exercise=exercise.id)


def _bare(manifest: str) -> list[str]:
    lines = (line.split("#")[0].rstrip() for line in manifest.splitlines())
    return [line for line in lines if line]


def _cells(path: Path, exercise: str) -> Iterator[str]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for source in sources:
        first, _, body = source.partition("\n")
        if first.split() == ["%%apply", exercise]:
            yield body
