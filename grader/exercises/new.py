"""Lay out a new exercise: a small one that is right as it stands, to be rewritten file by file."""

from __future__ import annotations

import json
import re
from pathlib import Path

from grader.errors import UsageError
from grader.exercises.schema import json_schema
from grader.model.exercise import Exercise
from grader.paths import write_atomically

SKELETON = Path(__file__).with_name("skeleton")
LEAST = {"hints": 3, "answers": 3, "wrong": 10}
"""How many of each an exercise has at least, by the names of `Exercise`."""
SCHEMA = "exercise.schema.json"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LAST = "exercise.yaml"  # a folder without it is no exercise yet: what was interrupted is laid again


def lay(root: Path, exercise: str, *, lesson: int, title: str) -> Path:
    """Lay the folder of an exercise, and return it.

    Args:
        root: the folder of all exercises.
        exercise: its id, a DNS label.
        lesson: the number of its lesson.
        title: its title.

    Raises UsageError ("exercise-id-bad", "exercise-exists"), OSError.
    """
    folder = root / exercise
    if not _NAME.fullmatch(exercise):
        raise UsageError("exercise-id-bad", exercise=exercise)
    if (folder / _LAST).exists():
        raise UsageError("exercise-exists", exercise=exercise, folder=folder)
    files = sorted((path for path in SKELETON.rglob("*") if path.is_file()), key=lambda path: path.name == _LAST)
    for path in files:
        text = path.read_text(encoding="utf-8").replace("new-exercise", exercise).replace("新しい演習", title)
        write_atomically(folder / path.relative_to(SKELETON), text.replace("lesson: 0", f"lesson: {lesson}"))
    return folder


def write_schema(root: Path) -> Path:
    """Write the JSON Schema of exercise.yaml, by which editors help, beside the exercises. Raises OSError."""
    path = root / SCHEMA
    write_atomically(path, json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")
    return path


def lacking(exercise: Exercise) -> dict[str, int]:
    """What an exercise has too few of, by the names of `LEAST`, with how many it has."""
    counts = {name: len(getattr(exercise, name)) for name in LEAST}
    return {name: count for name, count in counts.items() if count < LEAST[name]}
