from __future__ import annotations

from dataclasses import replace

import pytest

from grader.cluster.probes import probe_name
from grader.cluster.readiness import Lack, View, lacks, node_status, to_replace
from tests.cluster.objects import BEFORE, SINCE, STARTED, Object, dns, going, lease, node, pod, proxy

NODES = ("a", "b")


def complete() -> View:
    return View(
        nodes=[node(name) for name in NODES],
        leases=[lease(name, SINCE) for name in NODES],
        system=[dns("a"), *map(proxy, NODES)],
        probes=[pod(probe_name(name), name) for name in NODES],
        namespaces=[{"metadata": {"name": "course-probe"}}],
        started=dict.fromkeys(NODES, STARTED),
    )


def test_a_complete_cluster_lacks_nothing() -> None:
    assert lacks(complete(), NODES) == ()


def test_a_node_that_should_exist_is_missed() -> None:
    assert lacks(complete(), (*NODES, "c"))[0] == Lack("node", "c")


def test_a_node_that_is_not_ready_is_told_with_its_reason() -> None:
    view = replace(complete(), nodes=[node("a", ready=False), node("b")])
    assert lacks(view)[0] == Lack("node", "a", "KubeletNotReady")


def test_readiness_from_a_node_s_last_life_does_not_count() -> None:
    view = replace(complete(), leases=[lease("a", BEFORE), lease("b", SINCE)])
    assert lacks(view) == (Lack("node", "a", "starting"),)


def test_pods_from_a_node_s_last_life_do_not_count() -> None:
    view = replace(complete(), probes=[pod(probe_name("a"), "a", started=BEFORE), pod(probe_name("b"), "b")])
    assert [lack.name for lack in lacks(view)] == [probe_name("a")]


def test_where_nodes_are_not_ours_readiness_is_believed() -> None:
    view = replace(complete(), started={}, leases=[], probes=[pod(probe_name(n), n, started=BEFORE) for n in NODES])
    assert lacks(view) == ()


def test_a_namespace_that_goes_away_is_waited_for_though_its_pods_look_well() -> None:
    view = replace(complete(), namespaces=[going({"metadata": {"name": "course-probe"}})])
    assert lacks(view) == (Lack("namespace", "course-probe", "Terminating"),)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ([proxy("a"), proxy("b")], [Lack("dns", "coredns", "missing")]),
        ([dns("a"), proxy("a")], [Lack("kube-proxy", "b")]),
        ([dns("a")], []),  # a cluster with another service proxy
        ([dns("a"), going(proxy("a")), proxy("b")], [Lack("kube-proxy", "a")]),
    ],
)
def test_dns_and_service_proxy_must_run(system: list[Object], expected: list[Lack]) -> None:
    assert list(lacks(replace(complete(), system=system))) == expected


def test_every_node_needs_a_probe_that_runs() -> None:
    view = replace(complete(), probes=[pod(probe_name("a"), "a", ready=False)])
    assert lacks(view) == (
        Lack("probe", probe_name("a"), "ImagePullBackOff"),
        Lack("probe", probe_name("b"), "missing"),
    )


def test_a_probe_is_replaced_when_it_ended_or_runs_something_else() -> None:
    good = pod("p", "a", image="probe:1")
    assert not to_replace(good, "probe:1")
    assert to_replace(good, "probe:2")
    ended = {**good, "status": {"phase": "Failed"}}
    assert to_replace(ended, "probe:1")
    assert not to_replace(going(ended), "probe:1")


def test_a_node_s_status_line_has_address_and_version() -> None:
    status = node_status(node("a"))
    assert (status.name, status.ready, status.address, status.version) == ("a", True, "172.18.0.9", "v1.36.3")


def test_a_lack_reads_as_one_phrase() -> None:
    assert str(Lack("probe", "p", "Pending")) == "probe p (Pending)"
    assert str(Lack("node", "a")) == "node a"
