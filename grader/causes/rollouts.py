"""Deployments and StatefulSets that are still making or replacing Pods: what their old Pods show says nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

from grader.causes.owners import WORKLOADS
from grader.causes.pods import State, state_of
from grader.causes.ruling import Ruling, fail, not_yet
from grader.causes.scene import Scene
from grader.model.choosing import alive
from grader.model.ground import Given
from grader.model.kubernetes import labels_of, name_of, workload_of
from grader.model.objects import RawObject
from grader.model.report import Hop

# The label by which a controller tells the Pods of one template from those of another.
HASHES = {"Deployment": "pod-template-hash", "StatefulSet": "controller-revision-hash"}


def rollout(scene: Scene, labels: Mapping[str, str] | None = None) -> Ruling | None:
    """Say that a workload is on its way to the Pods that its template asks for.

    One whose new Pods are broken for good gets no further by itself, and is not waited for; nor is one that is paused,
    or whose Pods the API server refuses (a quota): those fail.

    Args:
        scene: what was observed.
        labels: only workloads whose Pods have these; None: all.

    Sources: pkg/controller/deployment/util/deployment_util.go DeploymentComplete, for a StatefulSet
    k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go.
    """
    for kind, item in workloads(scene):
        asked = (labels or {}).items()
        if not asked <= labels_of(template_of(item)).items() or not _moving(scene, item):
            continue
        if kind == "Deployment" and item["spec"].get("paused") and not is_unseen(item):
            return fail("rollout-paused", Hop.ENDPOINT_SLICE, name=name_of(item))
        if reason := _refused(item):
            return fail("rollout-refused", Hop.ENDPOINT_SLICE, kind=kind, name=name_of(item), reason=reason)
        if not _stuck(scene, kind, item):
            return not_yet("rollout-moving", Hop.ENDPOINT_SLICE, kind=kind, name=name_of(item))
    return None


def unmade(scene: Scene) -> Ruling | None:
    """Say that a given workload does not have its Pods yet: whom they would be endpoints of cannot be seen before.

    One that the learner may change is the criteria's to judge; one whose Pods are broken for good is not waited for.
    """
    laid = scene.evidence.ground.laid if scene.evidence.ground else ()
    rule = scene.exercise.ground
    for what in (item.what for item in laid if item.what.kind in WORKLOADS):
        if what in rule.may_differ.keys() | rule.may_go or what.namespace not in scene.exercise.all_namespaces:
            continue
        home = scene.home(what.namespace)
        listed = scene.objects.of(WORKLOADS[what.kind], home)
        live = next((item for item in listed if name_of(item) == what.name), None)
        if live is not None and _lacks_pods(scene, live, what, home):
            return not_yet("rollout-moving", Hop.ENDPOINT_SLICE, kind=what.kind, name=what.name)
    return None


def _lacks_pods(scene: Scene, workload: RawObject, what: Given, home: str) -> bool:
    if is_unseen(workload):
        return True
    pods = [pod for pod in alive(scene.objects.of("pods", home)) if workload_of(pod) == (what.kind, what.name)]
    if len(pods) < pods_of(what.kind, workload, scene.exercise.ready.get(what.name)):
        return True
    return any(
        not pod.get("status", {}).get("podIPs")
        and state_of(pod, scene.now, scene.evidence.pace).state is not State.BROKEN
        for pod in pods
    )


def pods_of(kind: str, workload: RawObject, ready: int | None) -> int:
    """Count the Pods that a workload's controller makes, where only so many (None: all) ever become ready."""
    if kind == "DaemonSet":
        return int(workload.get("status", {}).get("desiredNumberScheduled", 0))
    wanted = int(workload["spec"].get("replicas", 1))
    if kind == "StatefulSet" and ready is not None and workload["spec"].get("podManagementPolicy") != "Parallel":
        return min(wanted, ready + 1)  # the next Pod is made when the one before it is ready
    return wanted


def workloads(scene: Scene) -> list[tuple[str, RawObject]]:
    """List the Deployments and StatefulSets of the exercise's own Namespace, each with its kind."""
    found = [("Deployment", item) for item in scene.objects.of("deployments")]
    return [*found, *(("StatefulSet", item) for item in scene.objects.of("statefulsets"))]


def _moving(scene: Scene, workload: RawObject) -> bool:
    status, replicas = workload.get("status", {}), workload.get("spec", {}).get("replicas", 1)
    return bool(
        is_unseen(workload)
        or status.get("updatedReplicas", 0) < replicas
        or status.get("replicas", 0) != replicas
        or len(scene.labelled(labels_of(template_of(workload)))) < replicas  # gone, and not yet missed
    )


def _refused(workload: RawObject) -> str:
    """Tell why the API server takes no more Pods of a workload, "" where it does (apps/v1 ReplicaFailure)."""
    conditions = workload.get("status", {}).get("conditions") or ()
    failing = (item for item in conditions if item.get("type") == "ReplicaFailure" and item.get("status") == "True")
    return next((str(item.get("message") or item.get("reason")) for item in failing), "")


def _stuck(scene: Scene, kind: str, workload: RawObject) -> bool:
    """Tell whether one of the Pods of the newest template is broken for good."""
    if is_unseen(workload) or not workload.get("status", {}).get("updatedReplicas"):
        return False
    pods = [pod for pod in scene.pods if workload_of(pod) == (kind, name_of(workload))]
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""), default=None)
    if newest is None:
        return False
    template = labels_of(newest).get(HASHES[kind])
    fresh = [pod for pod in pods if labels_of(pod).get(HASHES[kind]) == template]
    return any(state_of(pod, scene.now, scene.evidence.pace).state is State.BROKEN for pod in fresh)


def is_unseen(workload: RawObject) -> bool:
    """Tell whether the controller has not looked at the workload since it was changed."""
    return bool(workload.get("status", {}).get("observedGeneration", 0) < workload["metadata"].get("generation", 0))


def template_of(workload: RawObject) -> RawObject:
    """Read the template of a workload's Pods."""
    template: RawObject = workload.get("spec", {}).get("template", {})
    return template
