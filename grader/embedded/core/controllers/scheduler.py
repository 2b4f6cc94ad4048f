"""Binds Pods to nodes.

Source: k8s.io/kubernetes/pkg/scheduler (schedule_one.go, framework/plugins nodeunschedulable, tainttoleration,
nodeaffinity, nodename, nodeports, noderesources; spreading.py, preemption.py). Among the nodes that fit, the one that
the Pod prefers wins, then the one with the fewest Pods of the same owner or labels, then the one with the fewest Pods:
what PodTopologySpread's defaults and balanced allocation come to for equal nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from grader.embedded.core.controllers import preemption, volumebinding
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
    without,
)
from grader.embedded.core.store import Change, Obj

SCHEDULER = "default-scheduler"
_FREEING = ("nodes", "persistentvolumeclaims", "persistentvolumes", "storageclasses")
"""Resources whose changes may make a waiting Pod fit."""
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True)
class _Attempt:
    """What one try to place a Pod goes by.

    Attributes:
        pod: the Pod.
        asked: what it asks for.
        claims: its claims, None where it has none.
        around: what is around it, None where that does not matter for it.
        nominated: node → Pods of its priority or a higher one that wait for room there.
    """

    pod: Obj
    asked: dict[str, Fraction]
    claims: volumebinding.Claims | None
    around: Around | None
    nominated: dict[str, list[Obj]]


class Scheduler(Controller):
    """Gives each pending Pod a node, or says why it cannot, and drives out Pods of lower priority where that helps."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._waiting: dict[Key, None] = {}

    def on_change(self, change: Change) -> None:
        """A Pod without a node came, or a node changed or was left by a Pod, so that waiting Pods may fit."""
        if change.resource == "pods" and change.type != "DELETED" and not change.obj["spec"].get("nodeName"):
            if change.type == "ADDED" or change.old is None or change.old["spec"] != change.obj["spec"]:
                self.queue.add(key_of(change.obj))
        elif change.resource in _FREEING or (change.resource == "pods" and _makes_a_difference(change)):
            for pod in sorted(self._pending(), key=preemption.priority_of, reverse=True):  # PrioritySort
                self.queue.add(key_of(pod))

    def _pending(self) -> list[Obj]:
        """The Pods that fitted nowhere."""
        return [pod for key in self._waiting if (pod := self.index.pod(key)) is not None]

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
        attempt = _Attempt(pod, requests(pod), claims, self._around(pod, nodes), self._nominated(pod))
        reasons = {node["metadata"]["name"]: self._why_not(attempt, node) for node in nodes}
        fitting = [name for name, found in reasons.items() if not found]
        if not fitting:
            self._waiting[key] = None
            self._make_room(attempt, nodes, reasons)
            return
        best = _nominated_node(pod)
        if best not in fitting:
            best = self._best(pod, [node for node in nodes if node["metadata"]["name"] in fitting], attempt.around)
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

    def _nominated(self, pod: Obj) -> dict[str, list[Obj]]:
        """Who counts on each node as if it ran there already (runtime/framework.go addGENominatedPods)."""
        found: dict[str, list[Obj]] = {}
        for other in self._pending():
            node = _nominated_node(other)
            if node and other is not pod and preemption.priority_of(other) >= preemption.priority_of(pod):
                found.setdefault(node, []).append(other)
        return found

    def _held(self, node: Obj) -> list[Obj]:
        return [other for other in self.index.pods_on(node["metadata"]["name"]) if not is_pod_finished(other)]

    def _why_never(self, attempt: _Attempt, node: Obj) -> list[str]:
        """Why a Pod cannot run on a node, whatever else runs there."""
        if reason := why_not(attempt.pod, node):
            return [reason]
        return [] if attempt.claims is None else volumebinding.why_not(self.store, attempt.claims, node)

    def _why_not(self, attempt: _Attempt, node: Obj) -> list[str]:
        return self._why_never(attempt, node) or _why_not_beside(attempt, node, self._held(node))

    def _make_room(self, attempt: _Attempt, nodes: list[Obj], reasons: dict[str, list[str]]) -> None:
        """Drive out Pods of lower priority where that helps, and say why the Pod waits (preemption.go Preempt)."""
        pod, nominated = attempt.pod, _nominated_node(attempt.pod)
        helpful = [n for n in nodes if not self._why_never(attempt, n) and not exceeds(attempt.asked, n)]
        why = preemption.may_not(pod, [o for n in helpful if n["metadata"]["name"] == nominated for o in self._held(n)])
        if why:
            self._refuse(pod, _why_nowhere(reasons, why))
            return
        budgets = self.store.list("poddisruptionbudgets")
        candidates: dict[str, preemption.Victims] = {}
        hopes = Counter({"Preemption is not helpful for scheduling": len(nodes) - len(helpful)})
        for node in helpful:
            held = self._held(node)
            found = preemption.victims(pod, held, lambda left, n=node: _why_not_beside(attempt, n, left), budgets)  # type: ignore[misc]
            if isinstance(found, preemption.Victims):
                candidates[node["metadata"]["name"]] = found
            else:
                hopes.update(found)
        if not candidates:
            hope = f"0/{len(nodes)} nodes are available: {_counted(+hopes)}."
            self._refuse(pod, _why_nowhere(reasons, hope), nominated="")
            return
        best = preemption.choose(candidates)
        self._refuse(pod, _why_nowhere(reasons), nominated=best)
        for other in self._pending():  # getLowerPriorityNominatedPods
            if _nominated_node(other) == best and preemption.priority_of(other) < preemption.priority_of(pod):
                self.context.update_status("pods", other, without(other["status"], "nominatedNodeName"))
                self.queue.add(key_of(other))
        preemption.evict(self.context, candidates[best].pods, best, pod, SCHEDULER)

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
            # registry/core/pod/storage/storage.go setPodNodeAndMetadata (ClearingNominatedNodeNameAfterBinding)
            "status": {"phase": "Pending", **without(status, "nominatedNodeName"), "conditions": conditions},
        }
        bound["metadata"] = {**pod["metadata"]}
        self.store.update("pods", bound)
        message = f"Successfully assigned {namespace}/{name} to {node}"
        self.context.recorder.event(pod, "Normal", "Scheduled", message, SCHEDULER)

    def _refuse(self, pod: Obj, message: str, *, nominated: str | None = None) -> None:
        """Say why a Pod waits, and for which node (None: for the one that it waited for)."""
        unschedulable = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastProbeTime": None,
            "observedGeneration": pod["metadata"].get("generation", 1),
        }
        before = condition(pod, "PodScheduled")
        node = _nominated_node(pod) if nominated is None else nominated
        if before is None or before.get("message") != message or node != _nominated_node(pod):
            status = without(pod.get("status") or {}, "nominatedNodeName")
            conditions = set_condition(status.get("conditions") or [], unschedulable, self.context.now())
            more = {"nominatedNodeName": node} if node else {}
            self.context.update_status("pods", pod, {"phase": "Pending", **status, **more, "conditions": conditions})
            self.context.recorder.event(pod, "Warning", "FailedScheduling", message, SCHEDULER)


def _makes_a_difference(change: Change) -> bool:
    """Whether a Pod's change may make another fit (pkg/scheduler/framework/events.go PodSchedulingPropertiesChange)."""
    old, new = change.old, change.obj
    if change.type != "MODIFIED" or old is None:
        return True
    return (old["spec"], labels_of(old), is_pod_finished(old)) != (new["spec"], labels_of(new), is_pod_finished(new))


def _nominated_node(pod: Obj) -> str:
    """The node that a Pod waits for, where others make room for it; "" where none."""
    return str((pod.get("status") or {}).get("nominatedNodeName") or "")


def _why_not_beside(attempt: _Attempt, node: Obj, held: Sequence[Obj]) -> list[str]:
    """Why a Pod cannot run on a node beside such Pods, alone and with those that were promised room there.

    Source: pkg/scheduler/framework/runtime/framework.go RunFilterPluginsWithNominatedPods.
    """
    name = node["metadata"]["name"]
    promised = attempt.nominated.get(name)
    for others in ([*held, *promised], held) if promised else (held,):
        if not fits(host_ports(attempt.pod), others):  # the filters come in this order; the first objection is told
            return [TAKEN]
        if missing := insufficient(attempt.asked, node, others):
            return missing
        if attempt.around is not None:
            around = replace(attempt.around, pods={**attempt.around.pods, name: others})
            if reason := objection(attempt.pod, node, around):
                return [reason]
    return []


def _why_nowhere(reasons: dict[str, list[str]], hope: str = "") -> str:
    """What the scheduler says of Pods that fit nowhere (types.go FitError.Error).

    Args:
        reasons: what each node has against the Pod.
        hope: why nobody can make room for it (preemption.go); "" where somebody does.
    """
    if not reasons:
        return "no nodes available to schedule pods"
    counted = _counted(Counter(reason for found in reasons.values() for reason in found))
    preempting = f" no new claims to deallocate, preemption: {hope}" if hope else ""
    return f"0/{len(reasons)} nodes are available: {counted}.{preempting}"


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
