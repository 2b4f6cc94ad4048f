"""Binds Pods to nodes.

Source: k8s.io/kubernetes/pkg/scheduler (schedule_one.go, framework/plugins nodeunschedulable, tainttoleration,
nodeaffinity, nodename, nodeports, noderesources; spreading.py). Among the nodes that fit, the one that the Pod prefers
wins, then the one with the fewest Pods of the same owner or labels, then the one with the fewest Pods: what
PodTopologySpread's defaults and balanced allocation come to for equal nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Any

from grader.embedded.core.controllers import volumebinding
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.fit import exceeds, insufficient, requests
from grader.embedded.core.controllers.nodeaffinity import affinity_holds, liking
from grader.embedded.core.controllers.spreading import Around, matters, objection, preference
from grader.embedded.core.controllers.volumebinding import claims_of
from grader.embedded.core.hostports import TAKEN, fits, host_ports
from grader.embedded.core.objects import (
    Key,
    condition,
    condition_is_true,
    controller_of,
    is_deleting,
    is_pod_active,
    is_pod_finished,
    key_of,
    labels_of,
    set_condition,
)
from grader.embedded.core.store import Change, Obj

SCHEDULER = "default-scheduler"
_FREEING = ("nodes", "persistentvolumeclaims", "persistentvolumes", "storageclasses")
"""Resources whose changes may make a waiting Pod fit."""
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class Scheduler(Controller):
    """Gives each pending Pod a node, or says why it cannot."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._waiting: dict[Key, None] = {}

    def on_change(self, change: Change) -> None:
        """A Pod without a node came, or a node changed or was left by a Pod, so that waiting Pods may fit."""
        if change.resource == "pods" and change.type != "DELETED" and not change.obj["spec"].get("nodeName"):
            if change.type == "ADDED" or change.old is None or change.old["spec"] != change.obj["spec"]:
                self.queue.add(key_of(change.obj))
        elif change.resource in _FREEING or change.resource == "pods":  # room, or a Pod one wants near or away
            for key in self._waiting:
                self.queue.add(key)

    def sync(self, key: Key) -> None:
        """Bind one Pod."""
        pod = self.index.pod(key)
        self._waiting.pop(key, None)
        if pod is None or pod["spec"].get("nodeName") or is_deleting(pod):
            return
        if (pod["spec"].get("schedulerName") or SCHEDULER) != SCHEDULER or pod["spec"].get("schedulingGates"):
            return
        nodes = self.store.list("nodes")
        claims = claims_of(self.store, pod)
        if claims is not None and claims.refused:
            self._waiting[key] = None
            self._refuse(pod, f"0/{len(nodes)} nodes are available: {claims.refused}")
            return
        asked, around = requests(pod), self._around(pod, nodes)
        reasons = {node["metadata"]["name"]: self._why_not(pod, asked, node, claims, around) for node in nodes}
        fitting = [name for name, found in reasons.items() if not found]
        if not fitting:
            self._waiting[key] = None
            helpless = [bool(self._why_never(pod, node, claims)) or exceeds(asked, node) for node in nodes]
            self._refuse(pod, _why_nowhere(list(reasons.values()), sum(helpless)))
            return
        best = self._best(pod, [node for node in nodes if node["metadata"]["name"] in fitting], around)
        if claims is not None and claims.delayed:
            self._waiting[key] = None  # until they are bound
            chosen = next(node for node in nodes if node["metadata"]["name"] == best)
            volumebinding.choose(self.store, claims, chosen)
            return
        self._bind(pod, best)

    def _around(self, pod: Obj, nodes: list[Obj]) -> Around | None:
        """What is around a Pod, where that matters for it."""
        names = [node["metadata"]["name"] for node in nodes]
        if not matters(pod, (other for name in names for other in self.index.pods_on(name))):
            return None
        return Around(
            nodes,
            {name: tuple(self.index.pods_on(name)) for name in names},
            {item["metadata"]["name"]: labels_of(item) for item in self.store.list("namespaces")},
            lambda node: affinity_holds(pod["spec"], node),
            lambda node: not untolerated(pod["spec"].get("tolerations") or (), node, ("NoSchedule", "NoExecute")),
        )

    def _why_never(self, pod: Obj, node: Obj, claims: volumebinding.Claims | None) -> list[str]:
        """Why a Pod cannot run on a node, whatever else runs there."""
        if reason := why_not(pod, node):
            return [reason]
        return [] if claims is None else volumebinding.why_not(self.store, claims, node)

    def _why_not(
        self,
        pod: Obj,
        asked: dict[str, Fraction],
        node: Obj,
        claims: volumebinding.Claims | None,
        around: Around | None,
    ) -> list[str]:
        if found := self._why_never(pod, node, claims):
            return found
        held = [other for other in self.index.pods_on(node["metadata"]["name"]) if not is_pod_finished(other)]
        if not fits(host_ports(pod), held):  # the filters come in this order, and the first that objects is the last
            return [TAKEN]
        if missing := insufficient(asked, node, held):
            return missing
        reason = objection(pod, node, around) if around else ""
        return [reason] if reason else []

    def _best(self, pod: Obj, nodes: list[Obj], around: Around | None) -> str:
        owner = controller_of(pod)

        def score(node: Obj) -> tuple[int, tuple[int, int], int, int]:
            held = [p for p in self.index.pods_on(node["metadata"]["name"]) if is_pod_active(p)]
            same = sum(1 for other in held if _alike(pod, owner, other))
            preferred = preference(pod, node, around) if around else (0, 0)
            return -liking(pod["spec"], node), preferred, same, len(held)

        scores = {node["metadata"]["name"]: score(node) for node in nodes}
        best = min(scores.values())
        return str(self.context.random.choice([name for name, found in scores.items() if found == best]))

    def _bind(self, pod: Obj, node: str) -> None:
        namespace, name = key_of(pod)
        status = pod.get("status") or {}
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
        conditions = set_condition(status.get("conditions") or [], scheduled, self.context.now())
        bound = {
            **pod,
            "spec": {**pod["spec"], "nodeName": node},
            "status": {"phase": "Pending", **status, "conditions": conditions},
        }
        bound["metadata"] = {**pod["metadata"]}
        self.store.update("pods", bound)
        message = f"Successfully assigned {namespace}/{name} to {node}"
        self.context.recorder.event(pod, "Normal", "Scheduled", message, SCHEDULER)

    def _refuse(self, pod: Obj, message: str) -> None:
        unschedulable = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastProbeTime": None,
            "observedGeneration": pod["metadata"].get("generation", 1),
        }
        before = condition(pod, "PodScheduled")
        if before is None or before.get("message") != message:
            status = pod.get("status") or {}
            conditions = set_condition(status.get("conditions") or [], unschedulable, self.context.now())
            self.context.update_status("pods", pod, {"phase": "Pending", **status, "conditions": conditions})
            self.context.recorder.event(pod, "Warning", "FailedScheduling", message, SCHEDULER)


def _why_nowhere(reasons: list[list[str]], helpless: int) -> str:
    """What the scheduler says of Pods that fit nowhere (types.go FitError.Error).

    Args:
        reasons: what each node has against the Pod.
        helpless: on how many nodes no other Pod could make room (preemption.go).
    """
    if not reasons:
        return "no nodes available to schedule pods"
    total = len(reasons)
    hopes = Counter({"Preemption is not helpful for scheduling": helpless})
    if total > helpless:
        hopes["No preemption victims found for incoming pod"] = total - helpless
    counted = _counted(Counter(reason for found in reasons for reason in found))
    return (
        f"0/{total} nodes are available: {counted}. no new claims to deallocate, preemption: "
        f"0/{total} nodes are available: {_counted(+hopes)}."
    )


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))


def _alike(pod: Obj, owner: dict[str, Any] | None, other: Obj) -> bool:
    if pod["metadata"]["namespace"] != other["metadata"]["namespace"]:
        return False
    if owner is not None:
        reference = controller_of(other)
        return reference is not None and reference["uid"] == owner["uid"]
    return bool(labels_of(pod)) and labels_of(pod) == labels_of(other)


def why_not(pod: Obj, node: Obj) -> str:
    """Why a Pod cannot run on a node, in the scheduler's words; "" where it can."""
    tolerations = pod["spec"].get("tolerations") or ()
    if node["spec"].get("unschedulable") and not tolerates(tolerations, UNSCHEDULABLE):
        return "node(s) were unschedulable"
    if untolerated(tolerations, node, ("NoSchedule", "NoExecute")):
        return "node(s) had untolerated taint(s)"
    if not affinity_holds(pod["spec"], node):
        return "node(s) didn't match Pod's node affinity/selector"
    if not condition_is_true(node, "Ready"):
        return "node(s) had untolerated taint(s)"
    return ""


def untolerated(tolerations: Iterable[dict[str, Any]], node: Obj, effects: Collection[str]) -> bool:
    """Whether the node has a taint of such effects that none of the tolerations covers."""
    held = tuple(tolerations)
    taints = node["spec"].get("taints") or ()
    return any(taint["effect"] in effects and not tolerates(held, taint) for taint in taints)


def tolerates(tolerations: Iterable[dict[str, Any]], taint: dict[str, Any]) -> bool:
    """Whether one of the tolerations covers a taint (k8s.io/api/core/v1/toleration.go ToleratesTaint)."""
    return any(_covers(toleration, taint) for toleration in tolerations)


def _covers(toleration: dict[str, Any], taint: dict[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")
