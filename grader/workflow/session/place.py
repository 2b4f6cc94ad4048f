"""Where a learner is in the course, and what comes next: from passes, and from the notebooks that were worked in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import zip_longest
from pathlib import Path

from grader.lessons.outline import Outline


def left_off(lessons: Sequence[Outline], passed: Collection[str], worked: Sequence[Path] = ()) -> Outline | None:
    """Find the lesson to go on with: that whose notebook was changed last, or where it is done the next open one.

    Args:
        lessons: all of them, in order.
        passed: ids of the exercises that have passed.
        worked: the notebooks that the learner changed or ran.

    Returns None where every exercise has passed.
    """
    open_ = [lesson for lesson in lessons if not set(lesson.exercises) <= set(passed)]
    latest = max(worked, key=lambda path: path.stat().st_mtime_ns, default=None)
    if latest is None:
        return open_[0] if open_ else None
    here = next((lesson.number for lesson in lessons if lesson.notebook == latest.name), 0)
    return next((lesson for lesson in open_ if lesson.number >= here), open_[0] if open_ else None)


def after(exercise: str, lessons: Sequence[Outline], passed: Collection[str]) -> str | Outline | None:
    """Tell what follows a pass: the lesson's next open exercise, else the next lesson; None after the last.

    Args:
        exercise: the exercise that passed.
        lessons: all of them, in order.
        passed: ids of the exercises that have passed.

    """
    for lesson, following in zip_longest(lessons, lessons[1:]):
        if exercise in lesson.exercises:
            rest = lesson.exercises[lesson.exercises.index(exercise) + 1 :]
            return next((name for name in rest if name not in passed), following)
    return None
