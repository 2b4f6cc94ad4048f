"""Exercises: folders of data and prose, read and validated. An error names file, line and field.

Some values of an exercise may differ from learner to learner. Everything here takes a learner's id; "" stands for the
canonical values, which lessons, the site and `grader verify` show.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grader.errors import ContentError, UsageError
from grader.exercises.folder import read_folder
from grader.model.exercise import Exercise
from grader.paths import content_root

__all__ = ["all_exercises", "ids", "load", "read_folder", "readable"]


@cache
def _read(folder: Path, learner: str) -> Exercise:
    return read_folder(folder, learner)


def _folder(exercise_id: str) -> Path:
    return content_root() / "exercises" / exercise_id


def ids() -> tuple[str, ...]:
    """List the ids of all exercise folders, by name."""
    root = content_root() / "exercises"
    return tuple(sorted(path.parent.name for path in root.glob("*/exercise.yaml")))


def load(exercise_id: str, learner: str = "") -> Exercise:
    """Read one exercise with a learner's values.

    Raises UsageError for an id that does not exist, ContentError for a malformed folder.
    """
    if exercise_id not in ids():
        raise UsageError("exercise-unknown", exercise=exercise_id, known=", ".join(ids()))
    return _read(_folder(exercise_id), learner)


def readable(learner: str = "") -> tuple[tuple[Exercise, ...], tuple[ContentError, ...]]:
    """Read what can be read of the exercises, by lesson and id, and what is wrong with the other folders."""
    found: list[Exercise] = []
    malformed: list[ContentError] = []
    for name in ids():
        try:
            found.append(_read(_folder(name), learner))
        except ContentError as error:
            malformed.append(error)
    return tuple(sorted(found, key=lambda exercise: (exercise.lesson, exercise.id))), tuple(malformed)


def all_exercises(learner: str = "") -> tuple[Exercise, ...]:
    """Read all exercises with a learner's values, by lesson and id. Raises ContentError for a malformed folder."""
    found, malformed = readable(learner)
    if malformed:
        raise malformed[0]
    return found
