"""Make an exercise new again: the learner's objects go, the given workload and the starter come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import Progress, silent
from grader.kube.client import ApiRefused, KubeApi
from grader.kube.ground import restore_cluster
from grader.model.exercise import Exercise
from grader.workflow.ground import ensure_namespaces
from grader.workflow.record import forget
from grader.workflow.restore import clear
from grader.workflow.start import StartResult, refused, start, starter_path, starter_text


def reset(exercise: Exercise, cluster: ClusterInfo, work: Path, progress: Progress | None = None) -> StartResult:
    """Delete what the learner made, make the given workload exactly as given and lay the starter file.

    The learner's edited file is kept beside it as `<exercise>.yaml.bak`. Raises as `start`.
    """
    report = progress or silent
    with KubeApi(cluster.kubeconfig) as api:
        report("clear-exercise", {"exercise": exercise.id, "namespace": exercise.namespace})
        try:
            ensure_namespaces(api, exercise)
            if cluster.provider is not Provider.CONTEXT:
                restore_cluster(api)
            removed = clear(api, exercise)
            forget(api, exercise)
        except ApiRefused as error:
            raise refused(exercise, error) from error
    starter = starter_path(exercise, work)
    if starter.is_file() and starter.read_text(encoding="utf-8", errors="replace") != starter_text(exercise):
        starter.replace(starter.with_name(f"{starter.name}.bak"))
    return replace(start(exercise, cluster, work, progress), removed=removed)
