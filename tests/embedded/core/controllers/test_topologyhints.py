"""Hints by the annotation topology-mode: in proportion to processors, or none (k8s.io/endpointslice topologycache)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from grader.embedded.core.controllers.topologyhints import TopologyCache, allocations, cpu_ratios
from tests.embedded.core.conftest import WORKER, WORKER2

AUTO = {"service.kubernetes.io/topology-mode": "Auto"}
ENABLED = ("TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled, addressType: IPv4")


def lay(cluster: Any, annotations: dict[str, str], **pods: str) -> str:
    """Pods by name and node, and an annotated Service before them; returns its ClusterIP."""
    for name, node in pods.items():
        cluster.pod(name, labels={"app": "web"}, node=node)
    cluster.settle()
    ip: str = cluster.service("web", {"app": "web"})
    service = cluster.store.get("services", "default", "web")
    cluster.store.update("services", {**service, "metadata": {**service["metadata"], "annotations": annotations}})
    cluster.settle()
    return ip


def hints(cluster: Any) -> dict[str, str]:
    (slice_,) = cluster.slices("web")
    return {
        endpoint["targetRef"]["name"]: ",".join(
            hint["name"] for hint in (endpoint.get("hints") or {}).get("forZones") or ()
        )
        for endpoint in slice_["endpoints"] or ()
    }


def zones(cluster: Any) -> None:
    cluster.zone(WORKER, "zone-a")
    cluster.zone(WORKER2, "zone-b")


def test_each_zone_gets_its_own_endpoints_and_proxies_follow(cluster: Any) -> None:
    zones(cluster)
    ip = lay(cluster, AUTO, one=WORKER, two=WORKER2)
    assert hints(cluster) == {"one": "zone-a", "two": "zone-b"}
    assert cluster.events("web") == [ENABLED]
    assert cluster.responders(cluster.probe(WORKER), ip) == {"one"}
    assert cluster.responders(cluster.probe(WORKER2), ip) == {"two"}
    assert cluster.responders(cluster.probe("services-course-control-plane"), ip) == {"one", "two"}


def test_a_zone_with_more_than_its_share_gives_to_the_other(cluster: Any) -> None:
    zones(cluster)
    lay(cluster, AUTO, a=WORKER, b=WORKER, c=WORKER, d=WORKER)
    assert Counter(hints(cluster).values()) == {"zone-a": 2, "zone-b": 2}


@pytest.mark.parametrize(
    ("pods", "message"),
    [
        ({"one": WORKER}, "Insufficient number of endpoints (1 endpoints, 2 zones)"),
        (
            {"a": WORKER, "b": WORKER, "c": WORKER2},
            "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold "
            "(3 endpoints, 2 zones)",
        ),
    ],
)
def test_without_enough_endpoints_there_are_no_hints(cluster: Any, pods: dict[str, str], message: str) -> None:
    zones(cluster)
    lay(cluster, AUTO, **pods)
    assert set(hints(cluster).values()) == {""}
    assert cluster.events("web") == [("TopologyAwareHintsDisabled", f"{message}, addressType: IPv4")]


def test_without_zones_there_are_no_hints(cluster: Any) -> None:
    lay(cluster, AUTO, one=WORKER, two=WORKER2)
    text = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
    assert cluster.events("web") == [("TopologyAwareHintsDisabled", f"{text}, addressType: IPv4")]


def test_hints_go_with_the_annotation_and_with_the_zones(cluster: Any) -> None:
    zones(cluster)
    lay(cluster, AUTO, one=WORKER, two=WORKER2)
    cluster.zone(WORKER, "")
    cluster.settle()
    assert set(hints(cluster).values()) == {""}
    cluster.zone(WORKER, "zone-a")
    cluster.settle()
    service = cluster.store.get("services", "default", "web")
    touched = {**service["metadata"], "labels": {"touched": "yes"}}
    cluster.store.update("services", {**service, "metadata": touched})
    cluster.settle()
    assert hints(cluster) == {"one": "zone-a", "two": "zone-b"}
    cluster.store.update("services", {**service, "metadata": {**touched, "annotations": {}}})
    cluster.settle()
    assert set(hints(cluster).values()) == {""}
    gone = ("TopologyAwareHintsDisabled", "Topology Aware Hints has been disabled, addressType: IPv4")
    assert cluster.events("web")[-1] == gone


def test_hints_that_suit_are_left_alone_when_pods_come(cluster: Any) -> None:
    zones(cluster)
    lay(cluster, AUTO, one=WORKER, two=WORKER2)
    cluster.pod("three", labels={"app": "web"}, node=WORKER)
    cluster.pod("four", labels={"app": "web"}, node=WORKER2)
    cluster.settle()
    assert Counter(hints(cluster).values()) == {"zone-a": 2, "zone-b": 2}


def node(zone: str, cpu: str, **labels: str) -> Any:
    return {
        "metadata": {"name": zone, "labels": {"topology.kubernetes.io/zone": zone, **labels}},
        "status": {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_shares_are_those_of_processors_outside_of_the_control_plane() -> None:
    control_plane = node("c", "9", **{"node-role.kubernetes.io/control-plane": ""})
    assert cpu_ratios([node("a", "500m"), node("b", "1"), node("b", "500m"), control_plane]) == {"a": 0.25, "b": 0.75}
    assert cpu_ratios([node("a", "1")]) == cpu_ratios([node("a", "1"), node("", "1")]) == {}


def test_minimum_and_maximum_leave_a_fifth_of_overload() -> None:
    found = allocations({"a": 0.7, "b": 0.2, "c": 0.1}, 10)
    assert {zone: (item.minimum, item.maximum) for zone, item in found.items()} == {
        "a": (6, 7),
        "b": (2, 3),
        "c": (1, 2),
    }


def test_a_service_is_overloaded_when_a_zone_has_too_few() -> None:
    cache = TopologyCache()
    endpoints = [{"conditions": {"ready": True}, "zone": zone} for zone in "aabb"]
    cache.add(("default", "web"), {"a": 0.5, "b": 0.5}, [endpoints], [])
    assert cache.overloaded({"a": 0.5, "b": 0.5}) == []
    assert cache.overloaded({"a": 0.2, "b": 0.8}) == [("default", "web")]
    assert cache.overloaded({}) == [("default", "web")]
