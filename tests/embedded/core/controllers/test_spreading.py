"""Pods that want something of the Pods around them: spread, near, or away."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from grader.embedded.core.objects import condition

HOSTNAME = "kubernetes.io/hostname"
WEB = {"matchLabels": {"app": "web"}}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def node_of(cluster: Any, name: str) -> str | None:
    pod = cluster.store.get("pods", "default", name)
    found: str | None = pod["spec"].get("nodeName")
    return found


def refused(cluster: Any, name: str) -> str:
    return str(condition(cluster.store.get("pods", "default", name), "PodScheduled")["message"])


def spread(when: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": when, "labelSelector": WEB, **fields}]


def test_a_spread_that_must_hold_keeps_the_nodes_even_and_then_refuses(cluster: Any) -> None:
    for number in range(4):
        constraints = spread("DoNotSchedule")
        cluster.pod(f"p{number}", labels={"app": "web"}, topologySpreadConstraints=constraints)
        cluster.settle()
    # the control plane counts as a domain that has none: nodeTaintsPolicy is Ignore
    nodes = Counter(node_of(cluster, f"p{number}") for number in range(4))
    assert nodes == {"services-course-worker": 1, "services-course-worker2": 1, None: 2}
    assert "2 node(s) didn't match pod topology spread constraints" in refused(cluster, "p3")


def test_a_spread_that_honours_taints_leaves_out_nodes_that_take_no_pods(cluster: Any) -> None:
    for number in range(4):
        constraints = spread("DoNotSchedule", nodeTaintsPolicy="Honor")
        cluster.pod(f"p{number}", labels={"app": "web"}, topologySpreadConstraints=constraints)
        cluster.settle()
    nodes = Counter(node_of(cluster, f"p{number}") for number in range(4))
    assert nodes == {"services-course-worker": 2, "services-course-worker2": 2}


def test_a_spread_that_may_fail_is_a_preference(cluster: Any) -> None:
    for number in range(3):
        cluster.pod(f"held{number}", node="services-course-worker", labels={"app": "web"})
    for number in range(3):
        constraints = spread("ScheduleAnyway")
        cluster.pod(f"p{number}", labels={"app": "web"}, topologySpreadConstraints=constraints)
        cluster.settle()
    assert {node_of(cluster, f"p{number}") for number in range(3)} == {"services-course-worker2"}


def test_a_node_without_the_label_takes_no_pod_of_a_spread(cluster: Any) -> None:
    cluster.zone("services-course-worker", "a")
    constraints = spread("DoNotSchedule", topologyKey="topology.kubernetes.io/zone")
    for number in range(2):
        cluster.pod(f"p{number}", labels={"app": "web"}, topologySpreadConstraints=constraints)
    cluster.settle()
    assert {node_of(cluster, f"p{number}") for number in range(2)} == {"services-course-worker"}
    cluster.pod("more", labels={"app": "web"}, topologySpreadConstraints=spread(
        "DoNotSchedule", topologyKey="example.com/rack"
    ))  # fmt: skip
    cluster.settle()
    assert "didn't match pod topology spread constraints (missing required label)" in refused(cluster, "more")


@pytest.mark.parametrize("kind", ["podAffinity", "podAntiAffinity"])
def test_a_pod_goes_where_others_are_or_are_not(cluster: Any, kind: str) -> None:
    cluster.pod("db", node="services-course-worker", labels={"app": "db"})
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "db"}}}
    for number in range(3):
        cluster.pod(f"p{number}", affinity={kind: {REQUIRED: [term]}})
    cluster.settle()
    wanted = "services-course-worker" if kind == "podAffinity" else "services-course-worker2"
    assert {node_of(cluster, f"p{number}") for number in range(3)} == {wanted}


def test_a_pod_that_wants_its_like_near_may_be_the_first_and_others_wait_for_theirs(cluster: Any) -> None:
    term = {"topologyKey": HOSTNAME, "labelSelector": WEB}
    cluster.pod("first", labels={"app": "web"}, affinity={"podAffinity": {REQUIRED: [term]}})
    other = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "db"}}}
    cluster.pod("waits", affinity={"podAffinity": {REQUIRED: [other]}})
    cluster.settle()
    assert node_of(cluster, "first")
    assert "2 node(s) didn't match pod affinity rules" in refused(cluster, "waits")
    cluster.pod("db", node="services-course-worker2", labels={"app": "db"})
    cluster.settle()
    assert node_of(cluster, "waits") == "services-course-worker2"


def test_a_pod_that_wants_nobody_near_keeps_others_away(cluster: Any) -> None:
    term = {"topologyKey": HOSTNAME, "labelSelector": WEB}
    for number in range(3):
        cluster.pod(f"p{number}", labels={"app": "web"}, affinity={"podAntiAffinity": {REQUIRED: [term]}})
        cluster.settle()
    assert node_of(cluster, "p2") is None
    assert "2 node(s) didn't match pod anti-affinity rules" in refused(cluster, "p2")
    cluster.pod("plain", labels={"app": "web"})
    cluster.settle()
    assert "2 node(s) didn't satisfy existing pods anti-affinity rules" in refused(cluster, "plain")
    cluster.namespace("other")
    far = {"topologyKey": HOSTNAME, "labelSelector": WEB, "namespaces": ["other"]}
    cluster.pod("elsewhere", affinity={"podAntiAffinity": {REQUIRED: [far]}})
    cluster.settle()
    assert node_of(cluster, "elsewhere")


def test_what_is_preferred_wins_over_an_even_spread(cluster: Any) -> None:
    cluster.pod("db", node="services-course-worker", labels={"app": "db"})
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "db"}}}
    near = {"podAffinity": {PREFERRED: [{"weight": 10, "podAffinityTerm": term}]}}
    expression = {"key": HOSTNAME, "operator": "In", "values": ["services-course-worker2"]}
    there = {"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [expression]}}]}}
    for number in range(3):
        cluster.pod(f"near{number}", affinity=near)
        cluster.pod(f"there{number}", affinity=there)
        cluster.settle()
    assert {node_of(cluster, f"near{number}") for number in range(3)} == {"services-course-worker"}
    assert {node_of(cluster, f"there{number}") for number in range(3)} == {"services-course-worker2"}
