"""Make an exercise new again: the learner's objects go, the given workload and the starter come back."""

from __future__ import annotations

from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress
from grader.model.exercise import Exercise
from grader.workflow.start import StartResult


def reset(exercise: Exercise, cluster: ClusterInfo, work: Path, progress: Progress | None = None) -> StartResult:
    """Delete what the learner made in the namespace, apply the given workload anew and lay the starter file.

    The learner's edited file is kept beside it as `<exercise>.yaml.bak`. Raises as `start`.
    """
    raise NotImplementedError
