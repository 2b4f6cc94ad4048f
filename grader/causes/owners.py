"""Whose Pods they are: those of the workloads that a task means, and strangers that merely carry their labels."""

from __future__ import annotations

from collections.abc import Mapping

from grader.model.exercise import Exercise
from grader.model.ground import Given, Ground
from grader.model.kubernetes import labels_of, name_of, workload_of
from grader.model.objects import Objects, RawObject

WORKLOADS: Mapping[str, str] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
}
# Set by controllers on the Pods that they make; the next Pods have other values, or may have.
GENERATED = frozenset(
    {
        "pod-template-hash",  # k8s.io/api/apps/v1/types.go DefaultDeploymentUniqueLabelKey
        "controller-revision-hash",  # ControllerRevisionHashLabelKey
        "pod-template-generation",  # DeprecatedTemplateGeneration
        "statefulset.kubernetes.io/pod-name",  # StatefulSetPodNameLabel
        "apps.kubernetes.io/pod-index",  # PodIndexLabel
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
    }
)

# A StatefulSet's Pods keep these.
STABLE = frozenset({"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"})


def meant(exercise: Exercise, ground: Ground | None) -> frozenset[Given] | None:
    """Name the workloads that the task speaks of: those given, and those that it asks for; None: nothing is known.

    Whatever else a learner makes is welcome, but its Pods are not the task's.
    """
    if ground is None:
        return None
    return exercise.ground.makes | {item.what for item in ground.laid if item.what.kind in WORKLOADS}


def owner_of(pod: RawObject, namespace: str) -> Given:
    """Name the workload that made a Pod of a Namespace; kind and name are "" for none."""
    return Given(namespace, *workload_of(pod))


def template_labels(objects: Objects, pod: RawObject, namespace: str = "") -> Mapping[str, str] | None:
    """Find the labels with which the Pod's workload makes its Pods; None where it was not listed."""
    kind, name = workload_of(pod)
    found = (item for item in objects.of(WORKLOADS.get(kind, ""), namespace) if name_of(item) == name)
    workload = next(found, None)
    return labels_of(workload.get("spec", {}).get("template", {})) if workload is not None else None
