"""Begin an exercise: namespace, given workload and probe Pod in the cluster, the starter file in the work folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress, silent
from grader.errors import EnvironmentError_
from grader.kube.client import ApiRefused, KubeApi, connected
from grader.model.evidence import ManifestResult
from grader.model.exercise import Exercise
from grader.paths import write_atomically
from grader.workflow.ground.instruments import ensure_probe
from grader.workflow.ground.laying import ensure_namespaces, lay_given
from grader.workflow.ground.record import record_clusters_own
from grader.workflow.handin.handed import Head


@dataclass(frozen=True)
class StartResult:
    """What `start` or `reset` did.

    Attributes:
        namespace: the exercise's namespace.
        starter: where the learner edits: `work/<exercise>.yaml`.
        laid: whether the starter was written now; False where the learner's file was there and is kept.
        given: what the API server said of the given workload.
        removed: "Kind/name" of what `reset` deleted.
        left: "Kind/name" of what stands in the namespace `default` although it belongs to the exercise.
        reset: whether everything was made new.
        kept: where `reset` kept what the learner had written, None where there was nothing.
    """

    namespace: str
    starter: Path
    laid: bool
    given: tuple[ManifestResult, ...]
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    reset: bool = False
    kept: Path | None = None


def start(
    exercise: Exercise,
    cluster: ClusterInfo,
    work: Path,
    progress: Progress | None = None,
    *,
    api: KubeApi | None = None,
) -> StartResult:
    """Apply the given workload and lay the starter file.

    A second start keeps the learner's file and objects: of what was given, it applies again only what the learner is
    not asked to change. `api` is the cluster's API server, where connections to it are open already.

    Raises ClusterUnreachable where the API server does not answer, EnvironmentError_ where the workload cannot be
    applied, OSError where the work folder cannot be written.
    """
    report = progress or silent
    with connected(cluster.kubeconfig, api) as server:
        report("apply-given", {"exercise": exercise.id, "namespace": exercise.namespace})
        try:
            ensure_namespaces(server, exercise)
            record_clusters_own(server, cluster)
            given = lay_given(server, exercise)
            ensure_probe(server, exercise.namespace)
        except ApiRefused as error:
            raise refused(exercise, error) from error
    report("lay-starter", {"exercise": exercise.id})
    starter = starter_path(exercise, work)
    laid = not starter.exists()
    if laid:
        write_atomically(starter, starter_text(exercise))
    return StartResult(exercise.namespace, starter, laid, given)


def starter_path(exercise: Exercise, work: Path) -> Path:
    """Tell where the learner edits an exercise."""
    return work / f"{exercise.id}.yaml"


def starter_text(exercise: Exercise) -> str:
    """Give what the learner edits; where values vary, it tells whose they are, for whoever grades it elsewhere."""
    return f"{Head(learner=exercise.learner)}{exercise.starter}"


def refused(exercise: Exercise, error: ApiRefused) -> EnvironmentError_:
    """Turn a refusal of what the course itself needs into an error of the environment."""
    return EnvironmentError_("given-refused", exercise=exercise.id, object=exercise.namespace, reason=error.message)
