"""Leave a record of the ground that was laid, so that every check can tell what became of it since."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from grader.cluster import probes
from grader.cluster.info import ClusterInfo, Provider
from grader.kube.client import ApiRefused, KubeApi
from grader.kube.ground import KINDS, read_record, record_cluster, record_name, write_record
from grader.model.exercise import Exercise
from grader.model.ground import Given, Ground, Laid, allocated, content_of
from grader.model.kubernetes import name_of, uid_of
from grader.model.vantage import PROBE_NAMESPACE
from grader.workflow.ground.apply import replace
from grader.workflow.ground.restore import documents


def digest(exercise: Exercise) -> str:
    """Digest the given workload."""
    return hashlib.sha256(exercise.given.encode()).hexdigest()


def known(api: KubeApi, exercise: Exercise) -> Ground | None:
    """Read what was laid, None where it was another given workload, or nothing. Raises ClusterUnreachable."""
    found = read_record(api, record_name(exercise.id))
    return found if found and found.given == digest(exercise) else None


def remember(api: KubeApi, exercise: Exercise, before: Ground | None = None) -> Ground:
    """Record the given objects as they are now: as laid, but for what a learner may have changed since `before`.

    Raises ApiRefused, ClusterUnreachable.
    """
    had = {item.what: item for item in before.laid} if before else {}
    live = live_given(api, exercise)
    laid = []
    for item in documents(exercise):
        what = given_of(item.content, exercise)
        now = live.get(what)
        old = had.get(what)
        if now is None:
            laid += [old] if old else []
        elif old and (old.uid == uid_of(now) or what in exercise.ground.may_differ or what in exercise.ground.kept):
            laid.append(old)
        else:
            changed_since = before is None and what in exercise.ground.may_differ
            content = content_of(_as_given(api, item.content, now, what.namespace) if changed_since else now)
            laid.append(Laid(what, uid_of(now), content, allocated(what.kind, item.content)))
    ground = Ground(tuple(laid), digest(exercise))
    if ground != (before or read_record(api, record_name(exercise.id))):
        write_record(api, record_name(exercise.id), ground)
    return ground


def given_of(obj: Mapping[str, Any], exercise: Exercise) -> Given:
    """Name a given object by its manifest."""
    metadata = obj["metadata"]
    return Given(str(metadata.get("namespace") or exercise.namespace), str(obj["kind"]), str(metadata["name"]))


def live_given(api: KubeApi, exercise: Exercise) -> dict[Given, Mapping[str, Any]]:
    """List the given objects that are there. Raises ApiRefused, ClusterUnreachable."""
    wanted = {given_of(item.content, exercise) for item in documents(exercise)}
    found = {}
    for kind, namespace in {(what.kind, what.namespace) for what in wanted}:
        for obj in api.list(KINDS[kind], namespace):
            found[Given(namespace, kind, name_of(obj))] = obj
    return {what: obj for what, obj in found.items() if what in wanted}


def _as_given(api: KubeApi, manifest: Mapping[str, Any], live: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """Ask the server what an object would be were it laid now: a learner may have changed it already."""
    try:
        swap = replace(api, manifest, namespace, dry_run=True)
    except ApiRefused as error:
        if error.reason != "Invalid":
            raise
        return live  # a Pod, most of which cannot be changed
    return swap[1] if swap else live


def record_clusters_own(api: KubeApi, cluster: ClusterInfo) -> None:
    """Record the cluster's own ground, where the cluster is the course's. Raises ApiRefused, ClusterUnreachable."""
    if api.read("namespaces", PROBE_NAMESPACE) is None:
        api.apply(probes.namespace())
    if cluster.provider is not Provider.CONTEXT:
        record_cluster(api)


def forget(api: KubeApi, exercise: Exercise) -> None:
    """Take an exercise's record away: what is there now is new. Raises ApiRefused, ClusterUnreachable."""
    api.delete("configmaps", record_name(exercise.id), PROBE_NAMESPACE)
