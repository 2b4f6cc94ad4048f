"""Try attempts on clusters inside of processes: no socket, and waiting costs nothing.

Each exercise has a cluster of its own, which makes its verdicts the same in every run. Scripts need a kubectl, and so a
socket: they are left out, and counted.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import repeat
from multiprocessing import get_context

from grader.cluster.info import Provider
from grader.cluster.inprocess import AtOnce, Inside
from grader.cluster.provider import Progress, silent
from grader.embedded.core.addons import VERSION
from grader.kube.client import KubeApi
from grader.model.exercise import Exercise, Form
from grader.workflow.ground.record import record_clusters_own
from grader.workflow.proof.attacks.site import Site
from grader.workflow.proof.together import AT_ONCE, Way
from grader.workflow.proof.verify import Attempt, Task, VerifyResult, attempts_at, chosen, length, shown

NAME = "in-process"  # the nodes are called after it
LABEL = f"{Provider.EMBEDDED.value} {VERSION}"


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
    with _processes(parallel) as pool:
        futures = {}
        for exercise in sorted(exercises, key=length, reverse=True):
            futures[pool.submit(_tried, exercise, make, tuple(only), deadline)] = exercise.id
        for future in as_completed(futures):
            found[futures[future]], scripts = future.result()
            left_out += scripts
            for attempt in found[futures[future]]:
                tell("verify-attempt", shown(attempt))
    attempts = tuple(attempt for exercise in exercises for attempt in found[exercise.id])
    return VerifyResult(LABEL, attempts, round(time.monotonic() - begun, 3)), left_out


def _tried(
    exercise: Exercise, make: Callable[[Exercise], Sequence[Task]], only: Sequence[str], deadline: float
) -> tuple[list[Attempt], int]:
    """Make the attempts at one exercise, in a cluster of its own; tell how many were left out."""
    every = chosen(make(exercise), only)
    possible = [task for task in every if not task.needs_kubectl]
    with _cluster() as (inside, api):
        attempts = attempts_at(api, exercise, inside.info, possible, silent, deadline, lull=1.0)
    return attempts, len(every) - len(possible)


def shaken_in_process(
    exercises: Sequence[Exercise],
    progress: Progress | None = None,
    *,
    shake: Callable[..., VerifyResult],
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int | None = None,
) -> VerifyResult:
    """Let everything happen to a cluster on which exercises stand, as `shake` does: `attack_cluster`, `drain`.

    Exercises whose answer is a script are left out. Arguments as `verify_in_process`.
    """
    begun = time.monotonic()
    tell = progress or silent
    standing = [exercise for exercise in exercises if Site(exercise).answer.form is Form.MANIFEST]
    groups = [standing[at : at + AT_ONCE] for at in range(0, len(standing), AT_ONCE)]
    with _processes(parallel) as pool:
        results = list(pool.map(_shaken, groups, repeat(shake), repeat(tuple(only)), repeat(deadline)))
    attempts = tuple(attempt for result in results for attempt in result.attempts)
    for attempt in attempts:
        tell("verify-attempt", shown(attempt))
    return VerifyResult(LABEL, attempts, round(time.monotonic() - begun, 3))


def _shaken(
    exercises: Sequence[Exercise], shake: Callable[..., VerifyResult], only: Sequence[str], deadline: float
) -> VerifyResult:
    with _cluster() as (inside, _):
        way = Way(inside.api, AtOnce)
        return shake(exercises, inside.info, only=only, deadline=deadline, parallel=len(exercises), way=way)


def _processes(parallel: int | None) -> ProcessPoolExecutor:
    """Make workers, which have what is loaded here where that is safe: loading takes one as long as twenty attempts."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    context = get_context("fork" if alone else "spawn")
    return ProcessPoolExecutor(parallel or os.cpu_count(), mp_context=context, initializer=_collect_rarely)


def _collect_rarely() -> None:
    """Of what is imported nothing becomes garbage; what an attempt leaves is looked for less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@contextmanager
def _cluster() -> Iterator[tuple[Inside, KubeApi]]:
    inside = Inside(NAME)
    with inside.api() as api:
        record_clusters_own(api, inside.info)
        yield inside, api
