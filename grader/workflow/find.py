"""Find what a person names, and where the name is wrong, the nearest one there is."""

from __future__ import annotations

from difflib import get_close_matches

from grader import exercises
from grader.errors import UsageError
from grader.model.exercise import Exercise


def exercise(name: str) -> Exercise:
    """Read an exercise. Raises UsageError, with the nearest name, for an unknown one, and ContentError."""
    known = exercises.ids()
    if name not in known and (near := get_close_matches(name, known, n=1, cutoff=0.4)):
        raise UsageError("exercise-unknown-near", exercise=name, near=near[0], known=", ".join(known))
    return exercises.load(name)
