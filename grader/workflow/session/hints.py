"""The next hint of an exercise: hints open one after another, and stay open."""

from __future__ import annotations

from dataclasses import dataclass

from grader.errors import ContentError
from grader.model.exercise import Exercise
from grader.workflow.session import progress


@dataclass(frozen=True)
class Hint:
    """One hint.

    Attributes:
        number: its place, from 1.
        total: how many there are.
        text: Japanese Markdown.
        new: whether it was opened by this asking; False where all were open already and this is the last one again.

    """

    number: int
    total: int
    text: str
    new: bool


def next_hint(exercise: Exercise) -> Hint:
    """Open the next hint; where all are open, the last one again.

    Raises ContentError for an exercise without hints, OSError where the progress cannot be written.
    """
    total = len(exercise.hints)
    if not total:
        raise ContentError("hints-missing", exercise=exercise.id)
    opened = progress.load().of(exercise.id).hints
    number = min(opened + 1, total)
    progress.open_hints(exercise.id, number)
    return Hint(number, total, exercise.hints[number - 1], new=opened < total)


def opened(exercise: Exercise) -> tuple[Hint, ...]:
    """Give the hints that are open, in order."""
    total = len(exercise.hints)
    count = min(progress.load().of(exercise.id).hints, total)
    return tuple(Hint(number, total, exercise.hints[number - 1], new=False) for number in range(1, count + 1))
