"""Try attempts on clusters inside of processes: no socket, and waiting costs nothing.

Each exercise has a cluster of its own, which makes its verdicts the same in every run. Scripts need a kubectl, and so a
socket: they are left out, and counted.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from grader.cluster.info import Provider
from grader.cluster.inprocess import Inside
from grader.cluster.provider import Progress, silent
from grader.embedded.core.addons import VERSION
from grader.model.exercise import Exercise
from grader.workflow.record import record_clusters_own
from grader.workflow.verify import Attempt, Task, VerifyResult, attempts_at, chosen, length, shown

NAME = "in-process"  # the nodes are called after it


def verify_in_process(
    exercises: Sequence[Exercise],
    progress: Progress | None = None,
    *,
    make: Callable[[Exercise], Sequence[Task]],
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int | None = None,
) -> tuple[VerifyResult, int]:
    """Try what can be tried without kubectl; return that, and how many attempts were left out.

    Args:
        exercises: which.
        progress: told about each attempt, as by `verify`.
        make: lists the attempts at an exercise; a function of a module.
        only: names of attempts; empty: all.
        deadline: seconds of the cluster's time for each verdict.
        parallel: how many processes; None: as many as there are processors.

    """
    begun = time.monotonic()
    tell = progress or silent
    found: dict[str, list[Attempt]] = {}
    left_out = 0
    with ProcessPoolExecutor(parallel or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        futures = {}
        for exercise in sorted(exercises, key=length, reverse=True):
            every = chosen(make(exercise), only)
            manifests = tuple(task for task in every if task.is_manifest)
            left_out += len(every) - len(manifests)
            futures[pool.submit(_tried, exercise, manifests, deadline)] = exercise.id
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            for attempt in found[futures[future]]:
                tell("verify-attempt", shown(attempt))
    attempts = tuple(attempt for exercise in exercises for attempt in found[exercise.id])
    label = f"{Provider.EMBEDDED.value} {VERSION}"
    return VerifyResult(label, attempts, round(time.monotonic() - begun, 3)), left_out


def _tried(exercise: Exercise, manifests: tuple[Task, ...], deadline: float) -> list[Attempt]:
    """Make the attempts at one exercise, in a cluster of its own."""
    gc.freeze()  # of what is imported nothing becomes garbage; what an attempt leaves is looked for less often
    gc.set_threshold(20_000, 20, 50)
    inside = Inside(NAME)
    with inside.api() as api:
        record_clusters_own(api, inside.info)
        return attempts_at(api, exercise, inside.info, manifests, silent, deadline, lull=1.0)
