"""Make an exercise new again: the learner's objects go, the given workload and the starter come back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import Progress, silent
from grader.errors import CourseError, ManifestError
from grader.kube.client import ApiRefused, KubeApi, connected
from grader.kube.ground import KINDS, restore_cluster
from grader.model.exercise import Exercise, Form
from grader.model.kubernetes import name_of
from grader.workflow.ground.laying import ensure_namespaces
from grader.workflow.ground.manifests import Document, read_documents
from grader.workflow.ground.record import forget
from grader.workflow.ground.restore import clear, listed
from grader.workflow.handin.submit import submit
from grader.workflow.session import history
from grader.workflow.session.start import StartResult, refused, start, starter_path, starter_text

DEFAULT_NAMESPACE = "default"


def reset(
    exercise: Exercise,
    cluster: ClusterInfo,
    work: Path,
    progress: Progress | None = None,
    *,
    api: KubeApi | None = None,
) -> StartResult:
    """Delete what the learner made, make the given workload exactly as given and lay the starter file.

    What the learner wrote is kept (`history`); where nothing was written, what the commands made is.
    Arguments and errors as `start`.
    """
    report = progress or silent
    with connected(cluster.kubeconfig, api) as server:
        report("clear-exercise", {"exercise": exercise.id, "namespace": exercise.namespace})
        try:
            ensure_namespaces(server, exercise)
            starter = starter_path(exercise, work)
            kept = history.keep(starter, starter_text(exercise)) or _made_by_commands(
                server, exercise, cluster, starter
            )
            if cluster.provider is not Provider.CONTEXT:
                restore_cluster(server)
            removed = clear(server, exercise)
            forget(server, exercise)
            left = _left_elsewhere(server, exercise)
        except ApiRefused as error:
            raise refused(exercise, error) from error
    edited = starter.is_file() and starter.read_text(encoding="utf-8", errors="replace") != starter_text(exercise)
    if edited:
        starter.unlink()
    return replace(start(exercise, cluster, work, progress, api=api), removed=removed, left=left, kept=kept, reset=True)


def _made_by_commands(api: KubeApi, exercise: Exercise, cluster: ClusterInfo, starter: Path) -> Path | None:
    """Keep what stands in the cluster as a version of the work file, None where nothing can be told of it."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            result = submit(exercise, cluster, Path(scratch), api=api)
        except (CourseError, ApiRefused):  # there is nothing; or it cannot be told, and a reset is what mends that
            return None
        return history.keep_text(starter, result.path.read_text(encoding="utf-8")) if result.objects else None


def _left_elsewhere(api: KubeApi, exercise: Exercise) -> tuple[str, ...]:
    """Name what a command without `-n` made in the namespace `default`: objects that an answer makes here.

    Raises ApiRefused, ClusterUnreachable.
    """
    wanted = {
        (str(item.content["kind"]), str(item.content["metadata"]["name"]))
        for text in (exercise.starter, *(answer.text for answer in exercise.answers if answer.form is Form.MANIFEST))
        for item in _objects(text)
    }
    kinds = {kind for kind, _ in wanted} & KINDS.keys()
    found = {(kind, name_of(obj)) for kind in kinds for obj in listed(api, KINDS[kind], DEFAULT_NAMESPACE)}
    return tuple(f"{kind}/{name}" for kind, name in sorted(found & wanted))


def _objects(text: str) -> tuple[Document, ...]:
    try:
        return tuple(item for item in read_documents(text) if _named(item.content))
    except ManifestError:  # a starter may be something to be repaired
        return ()


def _named(obj: object) -> bool:
    return isinstance(obj, Mapping) and isinstance(obj.get("metadata"), Mapping) and "name" in obj["metadata"]
