"""Evicting Pods: with and without a PodDisruptionBudget (pkg/registry/core/pod/storage/eviction.go)."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.objects import condition_is_true
from grader.embedded.core.store import Obj
from tests.embedded.core.api.api_client import PODS, Api, pod

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
COUNTED = {"observedGeneration": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3}
NOT_READY = [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-09-21T14:00:00Z"}]
READY = [{**NOT_READY[0], "status": "True"}]


def running(api: Api, *, phase: str = "Running", conditions: list[Obj] = READY) -> None:
    api.create(PODS, pod())
    held = api.store.get("pods", "default", "p")
    assert held is not None
    spec = {**held["spec"], "nodeName": "n"}
    api.store.update("pods", {**held, "spec": spec, "status": {"phase": phase, "conditions": conditions}})


def budget(api: Api, allowed: int, name: str = "b", **spec: Any) -> None:
    body = {"minAvailable": 2, "selector": {}, **spec}
    api.create(
        BUDGETS,
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": body},
    )
    held = api.store.get("poddisruptionbudgets", "default", name)
    assert held is not None
    api.store.update("poddisruptionbudgets", {**held, "status": {**COUNTED, "disruptionsAllowed": allowed}})


def evict(api: Api, name: str = "p", **options: Any) -> tuple[int, Any]:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return api.call("POST", f"{PODS}/p/eviction", {**eviction, **({"deleteOptions": options} if options else {})})


def held(api: Api) -> Obj | None:
    return api.store.get("pods", "default", "p")


def status_of_budget(api: Api) -> Obj:
    found: Obj = api.get(f"{BUDGETS}/b")["status"]
    return found


def test_a_pod_without_a_budget_is_told_why_and_ends(api: Api) -> None:
    running(api)
    assert evict(api)[0] == 201
    left = held(api)
    assert left is not None and condition_is_true(left, "DisruptionTarget")
    assert left["metadata"]["deletionGracePeriodSeconds"] == 30


def test_the_client_chooses_the_grace(api: Api) -> None:
    running(api)
    evict(api, gracePeriodSeconds=7)
    left = held(api)
    assert left is not None and left["metadata"]["deletionGracePeriodSeconds"] == 7


def test_a_dry_run_leaves_everything(api: Api) -> None:
    running(api)
    budget(api, 1)
    assert evict(api, dryRun=["All"])[0] == 201
    left = held(api)
    assert left is not None and "deletionTimestamp" not in left["metadata"]
    assert status_of_budget(api)["disruptionsAllowed"] == 1


def test_a_budget_gives_what_it_has_and_remembers_for_whom(api: Api) -> None:
    running(api)
    budget(api, 1)
    assert evict(api)[0] == 201
    state = status_of_budget(api)
    assert state["disruptionsAllowed"] == 0 and list(state["disruptedPods"]) == ["p"]
    assert [(one["status"], one["reason"]) for one in state["conditions"]] == [("False", "InsufficientPods")]


def test_an_empty_budget_refuses_and_says_what_it_needs(api: Api) -> None:
    running(api)
    budget(api, 0)
    api.store.update(
        "poddisruptionbudgets",
        {
            **(api.store.get("poddisruptionbudgets", "default", "b") or {}),
            "status": {**COUNTED, "currentHealthy": 2, "disruptionsAllowed": 0},
        },
    )
    code, body = evict(api)
    assert (code, body["reason"], body["message"]) == (
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    assert body["details"]["causes"] == [
        {"reason": "DisruptionBudget", "message": "The disruption budget b needs 2 healthy pods and has 2 currently"}
    ]
    left = held(api)
    assert left is not None and "deletionTimestamp" not in left["metadata"]


def test_a_budget_that_was_just_changed_asks_to_wait(api: Api) -> None:
    running(api)
    budget(api, 1)
    api.patch(f"{BUDGETS}/b", {"spec": {"minAvailable": 3}}, "merge-patch+json")
    code, body = evict(api)
    assert code == 429 and body["details"]["retryAfterSeconds"] == 10


@pytest.mark.parametrize(
    ("spec", "allowed"), [({}, 201), ({"unhealthyPodEvictionPolicy": "AlwaysAllow"}, 201), ({"minAvailable": 4}, 429)]
)
def test_a_pod_that_is_not_ready_may_go_while_the_budget_is_kept(api: Api, spec: Obj, allowed: int) -> None:
    running(api, conditions=NOT_READY)
    budget(api, 0, **spec)
    if "minAvailable" in spec:
        kept = api.store.get("poddisruptionbudgets", "default", "b") or {}
        status = {**kept["status"], "desiredHealthy": 4}
        api.store.update("poddisruptionbudgets", {**kept, "status": status})
    assert evict(api)[0] == allowed


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_no_budget_protects_a_pod_that_does_not_serve(api: Api, phase: str) -> None:
    running(api, phase=phase)
    budget(api, 0)
    assert evict(api)[0] == 201


def test_two_budgets_for_one_pod_are_not_supported(api: Api) -> None:
    running(api)
    budget(api, 1)
    budget(api, 1, "c")
    code, body = evict(api)
    assert code == 500 and body["message"].startswith("This pod has more than one PodDisruptionBudget")


def test_the_eviction_names_its_pod(api: Api) -> None:
    running(api)
    assert evict(api, "q")[1]["message"] == "name in URL does not match name in Eviction object"


def test_a_pod_that_changed_meanwhile_is_not_evicted(api: Api) -> None:
    running(api)
    code, body = evict(api, preconditions={"resourceVersion": "1"})
    assert (code, body["reason"]) == (409, "Conflict")
    left = held(api)
    assert left is not None and not condition_is_true(left, "DisruptionTarget")
