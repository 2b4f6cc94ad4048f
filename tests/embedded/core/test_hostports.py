"""Ports of a node: where they lead, from where, as whom; seen on kind."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kernel import TimeoutError_, with_timeout
from grader.embedded.core.programs.host import AddressNotAvailable, InvalidArgument
from tests.embedded.core.conftest import AGNHOST, WORKER, WORKER2

TAKEN = "node(s) didn't have free ports for the requested pod ports"


def web(**port: Any) -> dict[str, Any]:
    ports = [{"containerPort": 8080, "protocol": "TCP", **port}]
    args = ["netexec", "--http-port=8080", "--udp-port=8081"]
    return {"containers": [{"name": "web", "image": AGNHOST, "args": args, "ports": ports}]}


def test_a_host_port_leads_to_the_pod_from_everywhere_on_its_node_only(cluster: Any) -> None:
    ips = cluster.world.node_ips
    cluster.pod("kiosk", node=WORKER, **web(hostPort=8188))
    cluster.settle()
    for source in ("outside", "host", WORKER, WORKER2, cluster.probe(WORKER), cluster.probe(WORKER2)):
        assert cluster.get(source, ips[WORKER], 8188) == "kiosk"
        assert cluster.get(source, ips[WORKER2], 8188) == "REFUSED"
    assert cluster.get(WORKER, "127.0.0.1", 8188) == "kiosk"
    cluster.delete("pods", "kiosk", grace=0)
    cluster.settle()
    assert cluster.get("outside", ips[WORKER], 8188) == "REFUSED"


def test_whom_a_pod_behind_a_host_port_sees(cluster: Any) -> None:
    ips = cluster.world.node_ips
    cluster.pod("kiosk", node=WORKER, **web(hostPort=8188))
    cluster.settle()
    gateway = cluster.world.network.nodes[WORKER].gateway
    assert cluster.client_ip("outside", ips[WORKER], 8188) == "172.18.0.100"
    assert cluster.client_ip(cluster.probe(WORKER2), ips[WORKER], 8188) == ips[WORKER2]
    assert cluster.client_ip(cluster.probe(WORKER), ips[WORKER], 8188) == gateway
    assert cluster.client_ip(("default", "kiosk"), ips[WORKER], 8188) == gateway
    assert cluster.client_ip(WORKER, ips[WORKER], 8188) == ips[WORKER]
    assert cluster.client_ip(WORKER, "127.0.0.1", 8188) == gateway


def test_a_host_port_of_one_address_is_open_there_only(cluster: Any) -> None:
    cluster.pod("kiosk", node=WORKER, **web(hostPort=8188, hostIP="127.0.0.1"))
    cluster.settle()
    assert cluster.get(WORKER, "127.0.0.1", 8188) == "kiosk"
    for source in (WORKER, "outside"):
        assert cluster.get(source, cluster.world.node_ips[WORKER], 8188) == "REFUSED"


def test_a_udp_host_port_forwards_datagrams(cluster: Any) -> None:
    cluster.pod("kiosk", node=WORKER, **web(containerPort=8081, hostPort=8188, protocol="UDP"))
    cluster.settle()
    network, ip = cluster.world.network, cluster.world.node_ips[WORKER]
    assert cluster.run(network.udp(cluster.world.machine("outside"), ip, 8188, b"hostname")) == b"kiosk"
    assert cluster.get("outside", ip, 8188) == "REFUSED"


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        ({}, {}, False),
        ({}, {"protocol": "UDP"}, True),
        ({}, {"hostIP": "127.0.0.1"}, False),
        ({"hostIP": "127.0.0.1"}, {"hostIP": "0.0.0.0"}, False),
        ({"hostIP": "127.0.0.1"}, {"hostIP": "127.0.0.2"}, True),
    ],
)
def test_the_scheduler_counts_host_ports(cluster: Any, first: Any, second: Any, free: bool) -> None:
    here = {"nodeSelector": {"kubernetes.io/hostname": WORKER}}
    cluster.pod("first", **here, **web(hostPort=8188, **first))
    cluster.settle()
    cluster.pod("second", **here, **web(hostPort=8188, **second))
    cluster.settle()
    assert bool(cluster.world.index.pod(("default", "second"))["spec"].get("nodeName")) is free
    if not free:
        assert cluster.events("second") == [
            (
                "FailedScheduling",
                f"0/3 nodes are available: 1 {TAKEN}, 1 node(s) didn't match Pod's node affinity/selector, "
                "1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available: "
                "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
            )
        ]
        cluster.delete("pods", "first", grace=0)
        cluster.settle()
        assert cluster.world.index.pod(("default", "second"))["status"]["phase"] == "Running"


def test_a_kubelet_rejects_a_pod_that_no_scheduler_has_placed_where_the_port_is_taken(cluster: Any) -> None:
    for name in ("first", "second"):
        cluster.pod(name, node=WORKER, **web(hostPort=8188))
        cluster.settle()
    status = cluster.world.index.pod(("default", "second"))["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "NodePorts")
    assert status["message"] == f"Pod was rejected: Predicate NodePorts failed: {TAKEN}"
    assert cluster.events("second") == [("NodePorts", f"Predicate NodePorts failed: {TAKEN}")]


def test_a_program_may_choose_from_which_of_its_addresses_it_comes(cluster: Any) -> None:
    cluster.pod("kiosk", node=WORKER, **web(hostPort=8188, hostIP="127.0.0.1"))
    cluster.settle()
    node, ip = cluster.world.network.nodes[WORKER], cluster.world.node_ips[WORKER]
    kiosk = cluster.world.machine(("default", "kiosk")).ip

    def seen(source: Any, to: str, port: int, bound: str) -> str:
        path = cluster.run(cluster.world.network.arrive(cluster.world.machine(source), to, port, "TCP", bound))
        return str(path.seen)

    assert seen(WORKER, "127.0.0.1", 8188, ip) == ip
    assert seen(WORKER, "127.0.0.1", 8188, "127.0.0.1") == node.gateway
    assert seen(WORKER, "127.0.0.1", 8188, node.gateway) == node.gateway
    assert seen(WORKER, kiosk, 8080, ip) == ip
    assert seen(WORKER, kiosk, 8080, node.gateway) == node.gateway
    assert seen(("default", "kiosk"), "127.0.0.1", 8080, kiosk) == kiosk
    assert seen(("default", "kiosk"), "127.0.0.1", 8080, "127.0.0.1") == "127.0.0.1"


def test_an_address_that_the_machine_does_not_have_or_that_leads_nowhere_is_refused(cluster: Any) -> None:
    cluster.pod("kiosk", node=WORKER, **web())
    cluster.settle()
    network, here = cluster.world.network, cluster.world.machine(("default", "kiosk"))
    with pytest.raises(AddressNotAvailable):
        cluster.run(network.connect(here, "127.0.0.1", 8080, "10.244.9.9"))
    with pytest.raises(InvalidArgument):
        cluster.run(network.connect(here, cluster.world.node_ips[WORKER2], 8080, "127.0.0.1"))
    late = network.connect(
        cluster.world.machine(WORKER), cluster.world.machine(("default", "kiosk")).ip, 8080, "127.0.0.1"
    )
    with pytest.raises(TimeoutError_):
        cluster.run(with_timeout(3, late))
