"""Watch a work file: apply and judge it at every save, exercise after exercise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import dropwhile
from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress as Told
from grader.model.exercise import Exercise
from grader.model.report import Report
from grader.workflow import history, progress
from grader.workflow.check import check
from grader.workflow.start import StartResult, start, starter_text

LOOK_EVERY = 0.25
"""Seconds between two looks at the file: `stat` costs microseconds, and no notification works on every platform."""

Stamp = tuple[int, int] | None


def queue(exercises: Sequence[Exercise], first: Exercise | None) -> Iterator[Exercise]:
    """Give the exercises to work on: from `first`, else from the first that has not passed; passed ones are skipped.

    `first` is always given, passed or not.
    """
    if first is None:
        yield from (exercise for exercise in exercises if exercise.id not in progress.load().passed)
        return
    yield first
    rest = dropwhile(lambda exercise: exercise.id != first.id, exercises)
    next(rest, None)
    yield from (exercise for exercise in rest if exercise.id not in progress.load().passed)


def stamp(path: Path) -> Stamp:
    """Tell states of a file apart: its time of change (nanoseconds) and its size; None where it is missing."""
    try:
        known = path.stat()
    except FileNotFoundError:
        return None
    return known.st_mtime_ns, known.st_size


def saves(path: Path, pause: Callable[[float], None] = time.sleep) -> Iterator[Stamp]:
    """Give the file's stamp now and at every change; while an editor has it removed, nothing is given.

    Args:
        path: the file.
        pause: how to wait between two looks (seconds).

    """
    seen: Stamp = None
    while True:
        now = stamp(path)
        if now is not None and now != seen:
            seen = now
            yield now
        pause(LOOK_EVERY)


def begin(exercise: Exercise, cluster: ClusterInfo, work: Path, told: Told) -> StartResult:
    """Start an exercise. Raises as `grader.workflow.start.start`."""
    return start(exercise, cluster, work, told)


def verdict(exercise: Exercise, cluster: ClusterInfo, file: Path, *, deadline: float, progress: Told) -> Report:
    """Apply the file, judge, and take the verdict into the progress; what was judged is kept as a version."""
    from grader.workflow import progress as store

    history.keep(file, starter_text(exercise))
    report = check(exercise, cluster, manifest=file, deadline=deadline, progress=progress)
    store.record(report)
    return report
