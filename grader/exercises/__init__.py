"""Exercises: folders of data and prose, read and validated. An error names file, line and field."""

from __future__ import annotations

from functools import cache

from grader.errors import UsageError
from grader.exercises.folder import read_folder
from grader.model.exercise import Exercise
from grader.paths import content_root

__all__ = ["all_exercises", "load", "read_folder"]


@cache
def _read(folder: str) -> Exercise:
    return read_folder(content_root() / "exercises" / folder)


def ids() -> tuple[str, ...]:
    """List the ids of all exercise folders, by name."""
    root = content_root() / "exercises"
    return tuple(sorted(path.parent.name for path in root.glob("*/exercise.yaml")))


def load(exercise_id: str) -> Exercise:
    """Read one exercise.

    Raises UsageError for an id that does not exist, ContentError for a malformed folder.
    """
    if exercise_id not in ids():
        raise UsageError("exercise-unknown", exercise=exercise_id, known=", ".join(ids()))
    return _read(exercise_id)


def all_exercises() -> tuple[Exercise, ...]:
    """Read all exercises, by lesson and id. Raises ContentError for a malformed folder."""
    return tuple(sorted(map(_read, ids()), key=lambda exercise: (exercise.lesson, exercise.id)))
