"""Keeps replicas between the bounds of HorizontalPodAutoscalers; of metrics nothing is known, as on a new kind cluster.

Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler, rate_limiters.go (each 15 s).
An autoscaler is looked at 15 s after it or its target changed, not while nothing does.
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.status import qualified
from grader.embedded.core.api.kinds.registry import REGISTRY
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.objects import Key, key_of, set_condition
from grader.embedded.core.store import Change, Obj, timestamp

COMPONENT = "horizontal-pod-autoscaler"
PERIOD = 15.0  # seconds (pkg/controller/podautoscaler/config/v1alpha1/defaults.go HorizontalPodAutoscalerSyncPeriod)
TARGETS = {
    ("apps/v1", "Deployment"): "deployments",
    ("apps/v1", "ReplicaSet"): "replicasets",
    ("apps/v1", "StatefulSet"): "statefulsets",
    ("v1", "ReplicationController"): "replicationcontrollers",
}
NO_METRICS = (
    "unable to fetch metrics from resource metrics API: the server could not find the requested resource"
    " (get pods.metrics.k8s.io)"
)


class AutoscalerController(Controller):
    """Reconciles each HorizontalPodAutoscaler with its target."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """An autoscaler changed, or something that one scales."""
        if change.resource == "horizontalpodautoscalers":
            if change.type != "DELETED":
                self.queue.add_after(key_of(change.obj), PERIOD)
        elif change.resource in TARGETS.values():
            for autoscaler in self.store.list("horizontalpodautoscalers", change.obj["metadata"]["namespace"]):
                if _target(autoscaler) == (change.resource, change.obj["metadata"]["name"]):
                    self.queue.add_after(key_of(autoscaler), PERIOD)

    def sync(self, key: Key) -> None:
        """Reconcile one."""
        autoscaler = self.store.get("horizontalpodautoscalers", *key)
        if autoscaler is None:
            return
        resource, name = _target(autoscaler)
        target = self.store.get(resource, key[0], name) if resource else None
        status: dict[str, Any] = {"desiredReplicas": 0, **(autoscaler.get("status") or {})}
        if target is None:
            why = missing(autoscaler["spec"]["scaleTargetRef"])
            text = f"the HPA controller was unable to get the target's current scale: {why}"
            if self._tell(status, "AbleToScale", "False", "FailedGetScale", text):
                self.context.recorder.event(autoscaler, "Warning", "FailedGetScale", why, COMPONENT)
            self.context.update_status("horizontalpodautoscalers", autoscaler, status)
            return
        current = target["spec"].get("replicas", 1)
        status["currentReplicas"] = current
        wanted, why = bounded(autoscaler["spec"], current)
        got = "the HPA controller was able to get the target's current scale"
        if why:
            self.store.update(resource, {**target, "spec": {**target["spec"], "replicas": wanted}})
            done = f"the HPA controller was able to update the target scale to {wanted}"
            self._tell(status, "AbleToScale", "True", "SucceededRescale", done)
            message = f"New size: {wanted}; reason: {why}"
            self.context.recorder.event(autoscaler, "Normal", "SuccessfulRescale", message, COMPONENT)
            status |= {"desiredReplicas": wanted, "lastScaleTime": timestamp(self.context.now())}
        elif current == 0:
            self._tell(status, "AbleToScale", "True", "SucceededGetScale", got)
            off = "scaling is disabled since the replica count of the target is zero"
            self._tell(status, "ScalingActive", "False", "ScalingDisabled", off)
            status["desiredReplicas"] = 0
        else:
            self._tell(status, "AbleToScale", "True", "SucceededGetScale", got)
            error = unknown(autoscaler["spec"])
            text = f"the HPA was unable to compute the replica count: {error}"
            if self._tell(status, "ScalingActive", "False", "FailedGetResourceMetric", text):
                self.context.recorder.event(autoscaler, "Warning", "FailedGetResourceMetric", error, COMPONENT)
        self.context.update_status("horizontalpodautoscalers", autoscaler, status)

    def _tell(self, status: dict[str, Any], type_: str, value: str, reason: str, message: str) -> bool:
        """Put a condition into a status; whether that changed it."""
        before = status.get("conditions") or []
        new = {"type": type_, "status": value, "reason": reason, "message": message}
        status["conditions"] = set_condition(before, new, self.context.now())
        return bool(status["conditions"] != before)


def bounded(spec: dict[str, Any], current: int) -> tuple[int, str]:
    """The replicas that the bounds allow, and why that is another number; "" where it is not, or nothing runs."""
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    if current > most:
        return most, "Current number of replicas above Spec.MaxReplicas"
    if 0 < current < least:
        return least, "Current number of replicas below Spec.MinReplicas"
    return current, ""


def missing(reference: dict[str, Any]) -> str:
    """Why there is nothing to scale: no such object, a kind that has no scale, or no such kind."""
    version, kind, name = reference.get("apiVersion", ""), reference["kind"], reference["name"]
    group = version.rpartition("/")[0]
    if plural := TARGETS.get((version, kind)):
        return f'{qualified(plural, group)} "{name}" not found'
    if any((served.group, served.kind) == (group, kind) for served in REGISTRY):
        return "the server could not find the requested resource"
    return f'no matches for kind "{kind}" in group "{group}"'


def unknown(spec: dict[str, Any]) -> str:
    """Why no metric tells anything: the first one's error (computeStatusForResourceMetricGeneric)."""
    for metric in spec.get("metrics") or ():
        if resource := metric.get("resource") or metric.get("containerResource"):
            name = resource.get("name", "")
            what = "usage" if "averageValue" in (resource.get("target") or {}) else "utilization"
            return f"failed to get {name} {what}: unable to get metrics for resource {name}: {NO_METRICS}"
    return NO_METRICS


def _target(autoscaler: Obj) -> tuple[str, str]:
    """Plural and name of what is scaled, "" for a kind that cannot be."""
    reference = autoscaler["spec"]["scaleTargetRef"]
    return TARGETS.get((reference.get("apiVersion", ""), reference["kind"]), ""), reference["name"]
