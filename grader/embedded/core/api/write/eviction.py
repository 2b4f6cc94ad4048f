"""The eviction of Pods, which asks PodDisruptionBudgets (pkg/registry/core/pod/storage/eviction.go, 1.36).

What a budget allows is counted by controllers/disruption.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.messages import Response
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.write import bodies, deletion
from grader.embedded.core.objects import (
    condition,
    disruption_allowed,
    is_deleting,
    is_pod_ready,
    label_selector_matches,
    labels_of,
    set_condition,
)
from grader.embedded.core.store import Obj, Store, timestamp

VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
TOO_MANY_REQUESTS = 429
"""RFC 6585."""


def evict(store: Store, call: Call) -> Response:
    """The eviction subresource of Pods. Raises ApiError; 429 where a budget does not allow it."""
    target = call.target
    eviction = bodies.decode_as(call.request, "policy", "v1", "Eviction")
    if eviction.get("metadata", {}).get("name") != target.name:
        raise status.bad_request("name in URL does not match name in Eviction object")
    pod = store.get("pods", target.namespace, target.name)
    if pod is None:
        raise status.not_found("pods", "", target.name)
    options = deletion.options_in(eviction.get("deleteOptions") or {}, call.request)
    if not _is_past_protection(pod):
        budgets = [
            budget
            for budget in store.list("poddisruptionbudgets", target.namespace)
            if label_selector_matches((budget.get("spec") or {}).get("selector"), labels_of(pod))
        ]
        if len(budgets) > 1:
            raise status.unexpected(SEVERAL)
        if budgets and not _is_of_no_account(pod, budgets[0]):
            _take(store, pod, budgets[0], dry_run=options.dry_run)
    if not options.dry_run:
        pod = _mark(store, pod, options)
        options = replace(options, version="")
    deletion.delete_pod(store, pod, options)
    return deletion.success(201)


def _is_past_protection(pod: Obj) -> bool:
    """One that does not serve yet or any more may go (canIgnorePDB)."""
    return is_deleting(pod) or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending")


def _is_of_no_account(pod: Obj, budget: Obj) -> bool:
    """One that is not ready takes nothing from a budget that is kept without it."""
    if is_pod_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    wanted = int(budget["status"]["desiredHealthy"])
    return int(budget["status"]["currentHealthy"]) >= wanted > 0


def _take(store: Store, pod: Obj, budget: Obj, *, dry_run: bool) -> None:
    """Take one disruption from the budget (checkAndDecrement). Raises ApiError."""
    name, state = budget["metadata"]["name"], budget["status"]
    if state.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refusal(f"The disruption budget {name} is still being processed by the server.", seconds=10)
    if not state["disruptionsAllowed"]:
        raise _refusal(_why(name, state, condition(budget, "DisruptionAllowed") or {}))
    if dry_run:
        return
    now = store.now()
    left = {**state, "disruptionsAllowed": state["disruptionsAllowed"] - 1}
    left["disruptedPods"] = {**(state.get("disruptedPods") or {}), pod["metadata"]["name"]: timestamp(now)}
    left["conditions"] = disruption_allowed(left, now)
    store.update("poddisruptionbudgets", {**budget, "status": left})


def _why(name: str, state: dict[str, Any], told: dict[str, Any]) -> str:
    if told.get("reason") == "SyncFailed":
        text = told["message"]
        return f"The disruption budget {name} does not allow evicting pods currently because it failed sync: {text}"
    wanted, healthy = state["desiredHealthy"], state["currentHealthy"]
    if healthy <= wanted:
        return f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
    return f"The disruption budget {name} does not allow evicting pods currently"


def _refusal(why: str, *, seconds: int = 0) -> status.ApiError:
    details: dict[str, Any] = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if seconds:
        details["retryAfterSeconds"] = seconds
    return status.ApiError(TOO_MANY_REQUESTS, "TooManyRequests", VIOLATED, details)


def _mark(store: Store, pod: Obj, options: deletion.Options) -> Obj:
    """Tell on the Pod why it goes (addConditionAndDeletePod). Raises ApiError."""
    deletion.check_preconditions(pod, options, "pods", "")
    state = pod.get("status") or {}
    told = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    conditions = set_condition(state.get("conditions") or [], told, store.now())
    return store.update("pods", {**pod, "status": {**state, "conditions": conditions}})
