"""Whom a Pod of higher priority drives out: the scheduler's plugin DefaultPreemption.

Sources (k8s.io/kubernetes 1.36.3, pkg/scheduler): framework/plugins/defaultpreemption/default_preemption.go
(SelectVictimsOnNode, PodEligibleToPreemptOthers, filterPodsWithPDBViolation), framework/preemption/preemption.go
(pickOneNodeForPreemption) and executor.go (NewExecutor). Of the nodes that are alike the first is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.embedded.core.controllers.base import ControllerContext
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.objects import (
    condition,
    is_deleting,
    label_selector_matches,
    labels_of,
    parse_time,
    set_condition,
    uid_of,
)
from grader.embedded.core.store import Obj

NEVER = "not eligible due to preemptionPolicy=Never."
WAITING = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS = "No preemption victims found for incoming pod"
REASON = "PreemptionByScheduler"


@dataclass(frozen=True)
class Victims:
    """Whom a Pod would drive out of a node.

    Attributes:
        pods: the Pods, the most important first; at least one.
        violations: how many of them a PodDisruptionBudget protects.
    """

    pods: Sequence[Obj]
    violations: int


def priority_of(pod: Obj) -> int:
    """The priority of a Pod, 0 where it has none."""
    return int(pod["spec"].get("priority") or 0)


def may_not(pod: Obj, held: Iterable[Obj]) -> str:
    """Why a Pod may drive nobody out, in the scheduler's words; "" where it may.

    Args:
        pod: the Pod that fits nowhere.
        held: the Pods of the node that it was nominated for.
    """
    if pod["spec"].get("preemptionPolicy") == "Never":
        return NEVER
    return WAITING if any(priority_of(each) < priority_of(pod) and _driven_out(each) for each in held) else ""


def _driven_out(pod: Obj) -> bool:
    told = condition(pod, "DisruptionTarget") if is_deleting(pod) else None
    return told is not None and (told["status"], told.get("reason")) == ("True", REASON)


def victims(
    pod: Obj, held: Sequence[Obj], why_not: Callable[[Sequence[Obj]], list[str]], budgets: Iterable[Obj]
) -> Victims | list[str]:
    """The fewest Pods of a node without which a Pod fits there; else what is still in its way.

    Args:
        pod: the Pod.
        held: the Pods of the node.
        why_not: what is in the Pod's way if only these are left on the node.
        budgets: all PodDisruptionBudgets.
    """
    lower = sorted((other for other in held if priority_of(other) < priority_of(pod)), key=_importance)
    if not lower:
        return [NO_VICTIMS]
    left = [other for other in held if priority_of(other) >= priority_of(pod)]
    if reasons := why_not(left):
        return reasons
    protected = _protected(lower, budgets)
    chosen: list[Obj] = []
    violations = 0
    for other in sorted(lower, key=lambda each: uid_of(each) not in protected):
        if why_not([*left, other]):
            chosen.append(other)
            violations += uid_of(other) in protected
        else:
            left.append(other)
    return Victims(sorted(chosen, key=_importance), violations) if chosen else [NO_VICTIMS]


def _importance(pod: Obj) -> tuple[int, float]:
    """Sorts the more important Pod first: of higher priority, then started earlier (MoreImportantPod)."""
    return -priority_of(pod), _started(pod)


def _started(pod: Obj) -> float:
    started = (pod.get("status") or {}).get("startTime")
    return parse_time(started) if started else float("inf")


def _protected(pods: Iterable[Obj], budgets: Iterable[Obj]) -> set[str]:
    """The uids of the Pods that would be more than their budgets let go, taken in this order."""
    held = [(budget, budget.get("status") or {}) for budget in budgets]
    allowed = [int(status.get("disruptionsAllowed", 0)) for _, status in held]
    found: set[str] = set()
    for pod in pods:
        meta, labels = pod["metadata"], labels_of(pod)
        for index, (budget, status) in enumerate(held):
            selector = (budget.get("spec") or {}).get("selector")
            if budget["metadata"]["namespace"] != meta["namespace"] or not labels or not selector:
                continue
            if label_selector_matches(selector, labels) and meta["name"] not in (status.get("disruptedPods") or {}):
                allowed[index] -= 1
                if allowed[index] < 0:
                    found.add(uid_of(pod))
    return found


def choose(candidates: Mapping[str, Victims]) -> str:
    """The node where the least is lost: budgets, priority of the highest, of all, their number, then the youngest."""

    def loss(node: str) -> tuple[int, int, int, int, float]:
        pods = candidates[node].pods
        highest = priority_of(pods[0])
        oldest = min(_started(pod) for pod in pods if priority_of(pod) == highest)
        return candidates[node].violations, highest, sum(priority_of(pod) + 2**31 for pod in pods), len(pods), -oldest

    return min(candidates, key=loss)


def evict(context: ControllerContext, pods: Iterable[Obj], node: str, pod: Obj, scheduler: str) -> None:
    """Delete Pods for the sake of another (executor.go PreemptPod)."""
    for victim in pods:
        if is_deleting(victim):
            continue
        told = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": REASON,
            "message": f"{scheduler}: preempting to accommodate a higher priority pod",
            "observedGeneration": victim["metadata"].get("generation", 1),
        }
        status = victim.get("status") or {}
        conditions = set_condition(status.get("conditions") or [], told, context.now())
        if marked := context.update_status("pods", victim, {**status, "conditions": conditions}):
            delete_in_background(context, "pods", marked)
            text = f"Preempted by pod {uid_of(pod)} on node {node}"
            context.recorder.event(victim, "Normal", "Preempted", text, scheduler)
