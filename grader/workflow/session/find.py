"""Find what a person names, and where the name is wrong, the nearest one there is."""

from __future__ import annotations

from difflib import get_close_matches

from grader import exercises
from grader.errors import ContentError, UsageError
from grader.model.exercise import Exercise
from grader.workflow.ground import learner as who
from grader.workflow.session import progress


def exercise(name: str, learner: str | None = None) -> Exercise:
    """Read an exercise, with the values of a learner (None: of whoever is learning here).

    Raises UsageError, with the nearest name, for an unknown one, ContentError, OSError.
    """
    known = exercises.ids()
    if name not in known and (near := get_close_matches(name, known, n=1, cutoff=0.4)):
        raise UsageError("exercise-unknown-near", exercise=name, near=near[0], known=", ".join(known))
    return exercises.load(name, who.current() if learner is None else learner)


def readable() -> tuple[tuple[Exercise, ...], tuple[ContentError, ...]]:
    """Read the exercises, with the values of whoever is learning here, and tell of folders that are malformed."""
    return exercises.readable(who.current())


def every() -> tuple[Exercise, ...]:
    """Read the exercises that can be read, with the values of whoever is learning here."""
    return readable()[0]


def following(name: str) -> str:
    """Name the exercise to go on with after one: the next that has not passed, else the first such; "" after all."""
    known = exercises.ids()
    at = known.index(name) + 1
    passed = progress.load().passed
    return next((item for item in (*known[at:], *known[:at]) if item not in passed), "")
