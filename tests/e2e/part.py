"""Which part of what is large is asked of a real cluster: GRADER_E2E_PART=K/N, everything where it is not set.

Parts together are everything: whoever runs all N parts has left nothing out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from grader.model.exercise import Exercise
from grader.workflow.proof.verify import Task, tasks

T = TypeVar("T")
PART = "GRADER_E2E_PART"


def part() -> tuple[int, int]:
    """Read which of how many parts, counted from 0. Raises ValueError where it is no K/N with 1 <= K <= N."""
    text = os.environ.get(PART) or "1/1"
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError(f"{PART}={text}: K/N with 1 <= K <= N")
    return number - 1, count


def mine(items: Sequence[T], offset: int = 0) -> list[T]:
    """Choose every N-th item."""
    number, count = part()
    return [item for place, item in enumerate(items) if (place + offset) % count == number]


def attempts(exercise: Exercise) -> list[Task]:
    """The attempts of this run: the starter and the reference answer in each, the others by parts."""
    every = tasks(exercise)
    always = [task for task in every if task.name in ("starter", "reference")]
    # not the first of each exercise in the same part
    chosen = mine([task for task in every if task not in always], sum(exercise.id.encode()))
    return [task for task in every if task in always or task in chosen]
