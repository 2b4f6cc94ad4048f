"""Find what a person names, and where the name is wrong, the nearest one there is."""

from __future__ import annotations

from collections.abc import Sequence

from grader import exercises
from grader.errors import ContentError, unknown_exercise
from grader.model.exercise import Exercise
from grader.workflow.ground import learner as who
from grader.workflow.session import progress


def exercise(name: str, learner: str | None = None) -> Exercise:
    """Read an exercise, with the values of a learner (None: of whoever is learning here).

    Raises UsageError, with the nearest name, for an unknown one, ContentError, OSError.
    """
    known = exercises.ids()
    if name not in known:
        raise unknown_exercise(name, known)
    return exercises.load(name, who.current() if learner is None else learner)


def readable() -> tuple[tuple[Exercise, ...], tuple[ContentError, ...]]:
    """Read the exercises, with the values of whoever is learning here, and tell of folders that are malformed."""
    return exercises.readable(who.current())


def every() -> tuple[Exercise, ...]:
    """Read the exercises that can be read, with the values of whoever is learning here."""
    return readable()[0]


def following(known: Sequence[Exercise], done: Exercise | None) -> Exercise | None:
    """Give the next exercise that has not passed: behind this one, else from the beginning; None where all have.

    Args:
        known: all of them, in order.
        done: what was worked on; None at the beginning.

    """
    passed = progress.load().passed | {done.id if done else ""}
    at = next((index for index, item in enumerate(known) if done and item.id == done.id), 0)
    return next((item for item in (*known[at:], *known[:at]) if item.id not in passed), None)
