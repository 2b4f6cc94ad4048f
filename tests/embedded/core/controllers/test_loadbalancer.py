"""Addresses for Services of type LoadBalancer, as MetalLB gives and announces them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.conftest import WORKER, WORKER2

PORTS = [{"port": 80, "targetPort": 8080, "nodePort": 30080}]


def ingress(cluster: Any, name: str = "web") -> list[Any]:
    service = cluster.store.get("services", "default", name)
    return list((service["status"].get("loadBalancer") or {}).get("ingress") or [])


def test_a_load_balancer_gets_an_address_that_answers_outside(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.service("web", {"app": "web"}, type="LoadBalancer", ports=PORTS)
    cluster.settle()
    assert ingress(cluster) == [{"ip": "172.18.255.200", "ipMode": "VIP"}]
    assert cluster.responders("outside", "172.18.255.200") == cluster.names("web")
    assert cluster.responders(cluster.probe(), "172.18.255.200") == cluster.names("web")
    events = dict(cluster.events("web"))
    assert events["IPAllocated"] == 'Assigned IP ["172.18.255.200"]'
    assert events["nodeAssigned"].endswith('with protocol "layer2"')


def test_without_endpoints_nobody_announces_and_pods_are_refused(cluster: Any) -> None:
    cluster.service("web", {"app": "nobody"}, type="LoadBalancer", ports=PORTS)
    cluster.settle()
    ip = ingress(cluster)[0]["ip"]
    assert cluster.get("outside", ip, timeout=5) == "UNREACHABLE"
    assert cluster.get(cluster.probe(), ip) == "REFUSED"
    assert "nodeAssigned" not in dict(cluster.events("web"))


def test_a_port_that_the_load_balancer_lacks_is_unreachable(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.service("web", {"app": "web"}, type="LoadBalancer", ports=PORTS)
    cluster.settle()
    assert cluster.get("outside", ingress(cluster)[0]["ip"], 81, timeout=5) == "UNREACHABLE"


def test_the_address_is_kept_while_ports_change_and_given_back_with_the_type(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.service("web", {"app": "web"}, type="LoadBalancer", ports=PORTS)
    cluster.settle()
    before = ingress(cluster)
    cluster.change("services", "web", ports=[{"port": 8080, "targetPort": 8080, "protocol": "TCP", "nodePort": 30080}])
    cluster.settle()
    assert ingress(cluster) == before
    cluster.change("services", "web", type="ClusterIP")
    cluster.settle()
    assert ingress(cluster) == []
    cluster.service("other", {"app": "web"}, type="LoadBalancer", ports=[{"port": 80, "targetPort": 8080}])
    cluster.settle()
    assert ingress(cluster, "other") == before


def test_local_policy_is_announced_by_a_node_with_endpoints_and_keeps_the_client(cluster: Any) -> None:
    cluster.deployment("web", 1, node="services-course-worker2")
    cluster.service("web", {"app": "web"}, type="LoadBalancer", externalTrafficPolicy="Local", ports=PORTS)
    cluster.settle()
    assert 'from node "services-course-worker2"' in dict(cluster.events("web"))["nodeAssigned"]
    assert cluster.client_ip("outside", ingress(cluster)[0]["ip"]) == "172.18.0.100"


def test_source_ranges_drop_everybody_else(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.service("web", {"app": "web"}, type="LoadBalancer", loadBalancerSourceRanges=["192.0.2.0/24"], ports=PORTS)
    cluster.settle()
    assert cluster.get("outside", ingress(cluster)[0]["ip"]) == "TIMEOUT"


def test_an_address_outside_of_the_pool_is_not_had(cluster: Any) -> None:
    cluster.service("web", {"app": "web"}, type="LoadBalancer", loadBalancerIP="10.1.1.1", ports=PORTS)
    cluster.settle()
    assert ingress(cluster) == []
    assert cluster.events("web")[-1] == (
        "AllocationFailed",
        'Failed to allocate IP for "default/web": ["10.1.1.1"] is not allowed in config',
    )


def test_a_class_of_its_own_is_left_to_others(cluster: Any) -> None:
    cluster.service("web", {"app": "web"}, type="LoadBalancer", loadBalancerClass="example.com/other", ports=PORTS)
    cluster.settle()
    assert ingress(cluster) == []


def annotated(cluster: Any, name: str, port: int, annotations: dict[str, str], **spec: Any) -> None:
    ports = [{"port": port, "targetPort": 8080, "nodePort": 30000 + port}]
    cluster.service(name, {"app": name}, type="LoadBalancer", ports=ports, **spec)
    service = cluster.store.get("services", "default", name)
    cluster.store.update("services", {**service, "metadata": {**service["metadata"], "annotations": annotations}})
    cluster.settle()


def failed(cluster: Any, name: str) -> str:
    reason, message = cluster.events(name)[-1]
    assert reason == "AllocationFailed"
    assert ingress(cluster, name) == []
    return str(message).removeprefix(f'Failed to allocate IP for "default/{name}": ')


@pytest.mark.parametrize("prefix", ["metallb.io", "metallb.universe.tf"])
def test_services_with_one_sharing_key_and_other_ports_share_an_address(cluster: Any, prefix: str) -> None:
    share = {f"{prefix}/allow-shared-ip": "shop"}
    annotated(cluster, "web", 80, share)
    annotated(cluster, "api", 81, share)
    annotated(cluster, "again", 80, share)
    assert [ingress(cluster, name)[0]["ip"][-3:] for name in ("web", "api", "again")] == ["200", "200", "201"]


def test_what_a_shared_address_does_not_allow_is_told(cluster: Any) -> None:
    share = {"metallb.io/allow-shared-ip": "shop"}
    here = {"metallb.io/loadBalancerIPs": "172.18.255.210"}
    annotated(cluster, "web", 80, {**share, **here})
    annotated(cluster, "same-port", 80, {**share, **here})
    assert failed(cluster, "same-port") == 'port TCP/80 is already in use on "172.18.255.210"'
    annotated(cluster, "alone", 82, here)
    why = 'can\'t change sharing key for "default/alone", address also in use by default/web'
    assert failed(cluster, "alone") == why
    annotated(cluster, "local", 83, {**share, **here}, externalTrafficPolicy="Local")
    assert failed(cluster, "local") == why.replace("alone", "local")
    cluster.store.delete("services", "default", "web")
    cluster.settle()
    assert [len(ingress(cluster, name)) for name in ("same-port", "alone", "local")].count(1) == 1  # tried again


@pytest.mark.parametrize(
    ("annotations", "spec", "why"),
    [
        ({"address-pool": "other"}, {}, 'unknown pool "other"'),
        (
            {"address-pool": "other", "loadBalancerIPs": "172.18.255.210"},
            {},
            'requested loadBalancer IP(s) ["172.18.255.210"] is not compatible with requested address pool other',
        ),
        ({"loadBalancerIPs": "one"}, {}, 'invalid metallb.io/loadBalancerIPs: "one"'),
        (
            {"loadBalancerIPs": "172.18.255.210"},
            {"loadBalancerIP": "172.18.255.210"},
            "service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP",
        ),
        ({"loadBalancerIPs": "fd00::1"}, {}, 'requested loadBalancer IP(s) ["fd00::1"] does not match the ipFamily'),
    ],
)
def test_an_address_that_cannot_be_had_is_told(cluster: Any, annotations: Any, spec: Any, why: str) -> None:
    annotated(cluster, "before", 70, {})
    cluster.service("web", type="LoadBalancer", ports=PORTS, loadBalancerClass="other/wait", **spec)
    service = cluster.store.get("services", "default", "web")
    told = {f"metallb.io/{name}": value for name, value in annotations.items()}
    body = {key: value for key, value in service["spec"].items() if key != "loadBalancerClass"}
    cluster.store.update(
        "services", {**service, "spec": body, "metadata": {**service["metadata"], "annotations": told}}
    )
    cluster.settle()
    assert failed(cluster, "web").startswith(why)


def test_the_pool_can_be_asked_for_by_its_name(cluster: Any) -> None:
    annotated(cluster, "web", 80, {"metallb.io/address-pool": "services-course"})
    assert len(ingress(cluster)) == 1


def test_a_node_that_is_excluded_from_load_balancers_announces_nothing(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.service("web", {"app": "web"}, type="LoadBalancer", ports=PORTS)
    cluster.settle()
    service = cluster.store.get("services", "default", "web")
    left = [WORKER, WORKER2]
    while left:
        name = cluster.world.network.announcer(service)
        assert name in left  # the control plane is labelled from the start
        left.remove(name)
        node = cluster.store.get("nodes", "", name)
        labels = {**node["metadata"]["labels"], "node.kubernetes.io/exclude-from-external-load-balancers": ""}
        cluster.store.update("nodes", {**node, "metadata": {**node["metadata"], "labels": labels}})
        cluster.settle()
    assert cluster.world.network.announcer(service) is None
    assert cluster.get("outside", ingress(cluster)[0]["ip"], timeout=5) == "UNREACHABLE"
