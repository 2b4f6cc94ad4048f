"""Pods of higher priority drive out others (k8s.io/kubernetes 1.36.3, plugins/defaultpreemption)."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.controllers import preemption
from grader.embedded.core.objects import condition
from tests.embedded.core.conftest import AGNHOST

WORKERS = ("services-course-worker", "services-course-worker2")
FULL = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."


@pytest.fixture
def full(cluster: Any) -> Any:
    """A cluster whose workers are full: of a Pod each that gets 3 seconds to end."""
    for name, value in (("high", 1000), ("middle", 500), ("low", -5)):
        cluster.store.create("priorityclasses", priority_class(name, value))
    for node in WORKERS:
        asking(cluster, f"big-{node}", "1500m", node=node, terminationGracePeriodSeconds=3)
    cluster.settle()
    return cluster


def priority_class(name: str, value: int) -> dict[str, Any]:
    meta = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
    return {**meta, "value": value, "preemptionPolicy": "PreemptLowerPriority"}


def asking(cluster: Any, name: str, cpu: str, **fields: Any) -> Any:
    slow = {"preStop": {"sleep": {"seconds": 3}}}
    container = {"name": "main", "image": AGNHOST, "args": ["pause"], "lifecycle": slow}
    container["resources"] = {"requests": {"cpu": cpu}}
    return cluster.pod(name, containers=[container], labels={"app": name}, **fields)


def told(cluster: Any, name: str) -> str:
    scheduled = condition(cluster.store.get("pods", "default", name), "PodScheduled")
    assert scheduled is not None
    return str(scheduled["message"])


def state(cluster: Any, name: str) -> Any:
    return cluster.store.get("pods", "default", name)


def test_a_pod_of_higher_priority_takes_the_room_of_one_of_lower(full: Any) -> None:
    important = asking(full, "important", "1", priorityClassName="high")
    full.settle(1)
    assert told(full, "important") == FULL
    node = state(full, "important")["status"]["nominatedNodeName"]
    victim = state(full, f"big-{node}")
    uid = important["metadata"]["uid"]
    assert ("Preempted", f"Preempted by pod {uid} on node {node}") in full.events(f"big-{node}")
    target = condition(victim, "DisruptionTarget")
    assert target is not None
    assert (target["reason"], target["message"]) == (
        "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod",
    )  # fmt: skip
    full.settle(5)
    assert state(full, f"big-{node}") is None
    assert state(full, "important")["spec"]["nodeName"] == node
    assert "nominatedNodeName" not in state(full, "important")["status"]
    (other,) = set(WORKERS) - {node}
    assert condition(state(full, f"big-{other}"), "DisruptionTarget") is None


def test_the_room_made_for_a_pod_is_not_given_to_one_of_lower_priority(full: Any) -> None:
    asking(full, "important", "1500m", priorityClassName="high")
    full.settle(1)
    asking(full, "late", "1", priorityClassName="middle")
    full.settle(1)
    taken, other = (state(full, name)["status"]["nominatedNodeName"] for name in ("important", "late"))
    assert taken != other
    asking(full, "usual", "1")
    full.settle(6)
    assert state(full, "important")["spec"]["nodeName"] == taken
    assert state(full, "late")["spec"]["nodeName"] == other
    assert "nodeName" not in state(full, "usual")["spec"]


def test_a_pod_whose_policy_is_never_waits(full: Any) -> None:
    full.store.create("priorityclasses", {**priority_class("patient", 900), "preemptionPolicy": "Never"})
    asking(full, "patient", "1", priorityClassName="patient")
    full.settle()
    hope = "no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never."
    assert told(full, "patient") == f"{FULL} {hope}"
    assert all(condition(state(full, f"big-{node}"), "DisruptionTarget") is None for node in WORKERS)


def test_a_pod_waits_for_whom_it_drove_out_before_it_drives_out_more(full: Any) -> None:
    asking(full, "important", "1", priorityClassName="high")
    full.settle(1)
    asking(full, "other", "1m")  # a change, after which it is tried again
    full.settle(1)
    assert told(full, "important").endswith("preemption: not eligible due to a terminating pod on the nominated node.")
    assert sum(condition(state(full, f"big-{node}"), "DisruptionTarget") is not None for node in WORKERS) == 1


def test_nobody_is_driven_out_in_vain(full: Any) -> None:
    asking(full, "huge", "1000", priorityClassName="high")
    asking(full, "low", "1", priorityClassName="low")
    full.settle()
    hope = "no new claims to deallocate, preemption: 0/3 nodes are available:"
    assert told(full, "huge") == f"{FULL} {hope} 3 Preemption is not helpful for scheduling."
    assert told(full, "low") == (
        f"{FULL} {hope} 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )


def pod(name: str, priority: int, started: int = 0) -> Any:
    meta = {"name": name, "namespace": "default", "uid": name, "labels": {"app": name}}
    status = {"startTime": f"2026-01-01T00:00:{started:02}Z"}
    return {"metadata": meta, "spec": {"priority": priority}, "status": status}


def crowded(limit: int) -> Any:
    return lambda left: ["Too many pods"] if len(left) > limit else []


def names(found: preemption.Victims | list[str]) -> list[str]:
    assert isinstance(found, preemption.Victims)
    return [victim["metadata"]["name"] for victim in found.pods]


def test_the_least_important_go_and_those_that_a_budget_protects_last() -> None:
    held = [pod("young", 1, 9), pod("old", 1, 1), pod("important", 3), pod("equal", 5)]
    assert names(preemption.victims(pod("new", 5), held, crowded(3), [])) == ["young"]
    assert names(preemption.victims(pod("new", 5), held, crowded(2), [])) == ["old", "young"]
    budget = {
        "metadata": {"namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "young"}}},
        "status": {"disruptionsAllowed": 0},
    }
    assert names(preemption.victims(pod("new", 5), held, crowded(3), [budget])) == ["old"]
    every = preemption.victims(pod("new", 5), held, crowded(1), [budget])
    assert isinstance(every, preemption.Victims) and (len(every.pods), every.violations) == (3, 1)
    assert preemption.victims(pod("new", 5), held, crowded(0), []) == ["Too many pods"]
    assert preemption.victims(pod("new", 1), held, crowded(0), []) == [preemption.NO_VICTIMS]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (preemption.Victims([pod("a", 9)], 0), preemption.Victims([pod("b", 1)], 1)),
        (preemption.Victims([pod("a", 1), pod("b", 1)], 0), preemption.Victims([pod("c", 2)], 0)),
        (preemption.Victims([pod("a", 2), pod("b", -9)], 0), preemption.Victims([pod("c", 2), pod("d", 1)], 0)),
        (preemption.Victims([pod("a", 2, 9)], 0), preemption.Victims([pod("c", 2, 8)], 0)),
    ],
)
def test_the_node_is_chosen_where_the_least_is_lost(left: preemption.Victims, right: preemption.Victims) -> None:
    assert preemption.choose({"right": right, "left": left}) == "left"
