"""Attempts at all exercises at once: what is changed is the cluster that they share.

Every exercise stands, its reference answer applied; then one thing happens to the cluster, every exercise is judged,
and it is put back before the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress, silent
from grader.kube.client import KubeApi
from grader.model.exercise import Exercise
from grader.model.report import Report
from grader.workflow.check import check_with_evidence
from grader.workflow.proof.verify import PARALLEL, Attempt, VerifyResult, shown, standing

Undo = Callable[[], None]
AT_ONCE = 12
"""Exercises that stand at a time, at the most: the Pods of all of them would keep a small machine busy."""


@dataclass(frozen=True)
class Standing:
    """An exercise whose reference answer is applied.

    Attributes:
        exercise: the exercise.
        api: connections to the cluster.
    """

    exercise: Exercise
    api: KubeApi


@dataclass(frozen=True)
class Struck:
    """What a shock did.

    Attributes:
        undo: puts it back.
        names: words that tell what was changed.
    """

    undo: Undo
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Way:
    """How a cluster is reached, and how many things are asked of it at a time.

    Attributes:
        connect: opens connections.
        pool: makes what does so many things at a time.
    """

    connect: Callable[[], KubeApi]
    pool: Callable[[int], Executor]


@dataclass(frozen=True)
class Shock:
    """One thing that happens to a cluster.

    Attributes:
        name: what an attempt is called.
        strike: does it, to a cluster on which these exercises stand; None where the cluster has nothing of the kind.
        attempt: tells what came of it: of an exercise, its Report, what was done, and the seconds that the Report took.
        concerns: whether an exercise is judged after it.
    """

    name: str
    strike: Callable[[KubeApi, Sequence[Standing]], Struck | None]
    attempt: Callable[[Exercise, Report, Struck, float], Attempt]
    concerns: Callable[[Exercise], bool] = lambda exercise: True


def together(
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    shocks: Sequence[Shock],
    solve: Callable[[KubeApi, Exercise, ClusterInfo], None],
    progress: Progress | None = None,
    *,
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int | None = None,
    way: Way | None = None,
) -> VerifyResult:
    """Let everything happen to these exercises, as many of them at a time as the cluster bears.

    Args:
        exercises: which.
        cluster: where; its namespaces of these exercises are reset.
        shocks: what happens, in this order.
        solve: applies the answer, and waits until it stands where that matters.
        progress: as in `verify`.
        only: names of shocks; empty: all.
        deadline: seconds for each verdict.
        parallel: how many exercises at a time; None: as many as keep this kind of cluster busy.
        way: how it is reached; None: by its kubeconfig, and with threads.

    Raises as `verify`.
    """
    begun = time.monotonic()
    workers = min(parallel or PARALLEL[cluster.provider], AT_ONCE)
    threads = Way(lambda: KubeApi(cluster.kubeconfig), ThreadPoolExecutor)
    chosen = [shock for shock in shocks if not only or shock.name in only]
    found: list[Attempt] = []
    if chosen:
        for at in range(0, len(exercises), workers):
            some = exercises[at : at + workers]
            for attempt in _shaken(some, cluster, chosen, solve, deadline, way or threads):
                (progress or silent)("verify-attempt", shown(attempt))
                found.append(attempt)
    label = f"{cluster.provider.value} {cluster.version}"
    return VerifyResult(label, tuple(found), round(time.monotonic() - begun, 3))


def _shaken(
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    shocks: Sequence[Shock],
    solve: Callable[[KubeApi, Exercise, ClusterInfo], None],
    deadline: float,
    way: Way,
) -> Iterator[Attempt]:
    with ExitStack() as stack:
        executor = stack.enter_context(way.pool(len(exercises)))
        everywhere = stack.enter_context(way.connect())
        lock = threading.Lock()

        def stand(exercise: Exercise) -> Standing:
            with lock:
                api = stack.enter_context(way.connect())
                anew = stack.enter_context(standing(api, exercise))
            anew()
            solve(api, exercise, cluster)
            return Standing(exercise, api)

        grounds = list(executor.map(stand, exercises))

        def judged(ground: Standing) -> tuple[Report, float]:
            begun = time.monotonic()
            report, _ = check_with_evidence(ground.exercise, cluster, deadline=deadline, api=ground.api)
            return report, time.monotonic() - begun

        for shock in shocks:
            concerned = [ground for ground in grounds if shock.concerns(ground.exercise)]
            struck = shock.strike(everywhere, concerned) if concerned else None
            if struck is None:
                continue
            try:
                reports = list(executor.map(judged, concerned))
            finally:
                struck.undo()
            for ground, (report, seconds) in zip(concerned, reports, strict=True):
                yield shock.attempt(ground.exercise, report, struck, seconds)


def joined(results: Sequence[VerifyResult], order: Sequence[Exercise]) -> VerifyResult:
    """Make one result of several, exercise by exercise."""
    place: Mapping[str, int] = {exercise.id: index for index, exercise in enumerate(order)}
    attempts = sorted((item for result in results for item in result.attempts), key=lambda item: place[item.exercise])
    return VerifyResult(results[0].cluster, tuple(attempts), round(sum(result.seconds for result in results), 3))
