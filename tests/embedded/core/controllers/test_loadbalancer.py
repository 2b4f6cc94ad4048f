"""Addresses for Services of type LoadBalancer, as MetalLB gives and announces them."""

from __future__ import annotations

from typing import Any

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
