"""Check an exercise: observe and judge until there is a verdict, or the deadline."""

from __future__ import annotations

from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress
from grader.model.evidence import Evidence
from grader.model.exercise import Exercise
from grader.model.report import Report


def check(
    exercise: Exercise,
    cluster: ClusterInfo,
    *,
    manifest: Path | None = None,
    deadline: float = 60.0,
    progress: Progress | None = None,
) -> Report:
    """Give one verdict. Never raises for what a learner or a broken cluster can do: the Report says it.

    Args:
        exercise: the exercise.
        cluster: where.
        manifest: a file to apply first; None judges what is in the cluster.
        deadline: seconds after which a verdict that is still NOT_YET is given as it is.
        progress: told what is being waited for.
    """
    raise NotImplementedError


def observe_once(exercise: Exercise, cluster: ClusterInfo) -> Evidence:
    """Observe the objects and ask every question once, without waiting for anything."""
    raise NotImplementedError
