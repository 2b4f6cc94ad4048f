"""Begin an exercise: namespace, given workload and probe Pod in the cluster, the starter file in the work folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress
from grader.model.evidence import ManifestResult
from grader.model.exercise import Exercise


@dataclass(frozen=True)
class StartResult:
    """What `start` or `reset` did.

    Attributes:
        namespace: the exercise's namespace.
        starter: where the learner edits: `work/<exercise>.yaml`.
        laid: whether the starter was written now; False where the learner's file was there and is kept.
        given: what the API server said of the given workload.
        removed: "Kind/name" of what `reset` deleted.
    """

    namespace: str
    starter: Path
    laid: bool
    given: tuple[ManifestResult, ...]
    removed: tuple[str, ...] = ()


def start(exercise: Exercise, cluster: ClusterInfo, work: Path, progress: Progress | None = None) -> StartResult:
    """Apply the given workload and lay the starter file; a second start keeps the learner's file and objects.

    Raises ClusterUnreachable where the API server does not answer, EnvironmentError_ where the workload cannot be
    applied, OSError where the work folder cannot be written.
    """
    raise NotImplementedError
