"""Counts how many Pods a PodDisruptionBudget can spare (k8s.io/kubernetes/pkg/controller/disruption/disruption.go)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.kinds.budget import EMPTY_STATUS
from grader.embedded.core.controllers.base import BATCH, Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.rollout import replicas_of, resolve
from grader.embedded.core.objects import (
    Key,
    controller_of,
    disruption_allowed,
    is_deleting,
    is_pod_ready,
    key_of,
    label_selector_matches,
    labels_of,
    parse_time,
    set_condition,
    uid_of,
)
from grader.embedded.core.store import Change, Obj

COMPONENT = "controllermanager"
DELETION_TIMEOUT = 120.0
"""Seconds that an evicted Pod is waited for (DeletionTimeout)."""
SCALED = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets", "ReplicationController": "replicationcontrollers"}
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the"
    " status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these"
    ' pods please set ".spec.minAvailable" field of the PDB to an integer value.'
)


class Uncountable(Exception):
    """The budget asks for a share of Pods whose number nobody tells."""


class DisruptionController(Controller):
    """Keeps the status of PodDisruptionBudgets."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A budget changed, or a Pod that one may count."""
        if change.resource == "poddisruptionbudgets":
            self.queue.add(key_of(change.obj))
        elif change.resource == "pods":
            labels = [labels_of(pod) for pod in (change.obj, change.old) if pod is not None]
            for budget in self.store.list("poddisruptionbudgets", change.obj["metadata"]["namespace"]):
                if any(label_selector_matches(budget["spec"].get("selector"), found) for found in labels):
                    self.queue.add_after(key_of(budget), BATCH)

    def sync(self, key: Key) -> None:
        """Bring one budget's status up to date."""
        budget = self.store.get("poddisruptionbudgets", *key)
        if budget is None:
            return
        pods = self.index.pods_selected(key[0], budget["spec"].get("selector"))
        if not pods:
            self.context.recorder.event(budget, "Normal", "NoPods", "No matching pods found", COMPONENT)
        old = budget.get("status") or {}
        now = self.context.now()
        try:
            expected, wanted = self._expected(budget, pods)
        except Uncountable as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self.context.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text, COMPONENT)
            self._write(budget, {**EMPTY_STATUS, **old, **_failed(old, str(error), now)})
            return
        disrupted = self._disrupted(key, old, pods, now)
        healthy = sum(
            not is_deleting(pod) and pod["metadata"]["name"] not in disrupted and is_pod_ready(pod) for pod in pods
        )
        status: dict[str, Any] = {
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": max(0, healthy - wanted) if expected > 0 else 0,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 0),
            "conditions": old.get("conditions") or [],
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        status["conditions"] = disruption_allowed(status, now)
        self._write(budget, status)

    def _write(self, budget: Obj, status: dict[str, Any]) -> None:
        if status != budget.get("status"):
            self.context.update_status("poddisruptionbudgets", budget, status)

    def _expected(self, budget: Obj, pods: list[Obj]) -> tuple[int, int]:
        """How many Pods there should be, and how many of them healthy (getExpectedPodCount). Raises Uncountable."""
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - resolve(spec["maxUnavailable"], expected, up=True))
        least = spec.get("minAvailable")
        if least is None:
            return 0, 0
        expected = len(pods) if isinstance(least, int) else self._scale(budget, pods)
        return expected, resolve(least, expected, up=True)

    def _scale(self, budget: Obj, pods: list[Obj]) -> int:
        """The sum of what the Pods' workloads are scaled to (getExpectedScale). Raises Uncountable."""
        scales: dict[str, int] = {}
        alone = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                alone = True
                continue
            workload = self._workload(pod["metadata"]["namespace"], reference)
            if workload is None:
                name = pod["metadata"]["name"]
                raise Uncountable(f'found no controllers for pod "{name}"')
            scales[uid_of(workload)] = replicas_of(workload)
        if alone:
            text = UNMANAGED.format(selector=_go_selector(budget["spec"].get("selector") or {}))
            self.context.recorder.event(budget, "Warning", "UnmanagedPods", text, COMPONENT)
        return sum(scales.values())

    def _workload(self, namespace: str, reference: dict[str, Any]) -> Obj | None:
        """What a Pod's controller is scaled by: the Deployment of a ReplicaSet that has one."""
        kind = reference["kind"]
        if kind not in SCALED:
            raise Uncountable(f"{_resource(reference)} does not implement the scale subresource")
        found = self.store.get(SCALED[kind], namespace, reference["name"])
        if found is None or uid_of(found) != reference["uid"]:
            return None
        above = controller_of(found)
        if kind != "ReplicaSet" or above is None or above["kind"] != "Deployment":
            return found
        deployment = self.store.get("deployments", namespace, above["name"])
        return deployment if deployment is not None and uid_of(deployment) == above["uid"] else None

    def _disrupted(self, key: Key, old: dict[str, Any], pods: list[Obj], now: float) -> dict[str, str]:
        """The evicted Pods that are still waited for (buildDisruptedPodMap)."""
        waited = {}
        for name, since in (old.get("disruptedPods") or {}).items():
            left = parse_time(since) + DELETION_TIMEOUT - now
            if left > 0 and any(pod["metadata"]["name"] == name and not is_deleting(pod) for pod in pods):
                waited[name] = since
                self.queue.add_after(key, left)
        return waited


def _failed(old: dict[str, Any], why: str, now: float) -> dict[str, Any]:
    """The status that nothing can be spared, since nothing can be counted (failSafe)."""
    told = {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": "SyncFailed",
        "message": why,
        "observedGeneration": old.get("observedGeneration", 0),
    }
    return {"disruptionsAllowed": 0, "conditions": set_condition(old.get("conditions") or [], told, now)}


def _resource(reference: dict[str, Any]) -> str:
    group = reference["apiVersion"].rpartition("/")[0]
    plural = f"{reference['kind'].lower()}s"
    return f"{plural}.{group}" if group else plural


def _go_selector(selector: dict[str, Any]) -> str:
    """A LabelSelector as its generated String() prints it (%v)."""
    labels = selector.get("matchLabels") or {}
    shown = "map[string]string{" + "".join(f"{key}: {labels[key]}," for key in sorted(labels)) + "}"
    return f"&LabelSelector{{MatchLabels:{shown},MatchExpressions:[]LabelSelectorRequirement{{}},}}"
