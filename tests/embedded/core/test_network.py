"""Who is reached, by whom, as whom: kube-proxy's iptables mode and kind's networks."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kernel import ConnectionReset_, pair

CONTROL_PLANE, WORKER, WORKER2 = (f"services-course-{name}" for name in ("control-plane", "worker", "worker2"))
NODE_IPS = {CONTROL_PLANE: "172.18.0.4", WORKER: "172.18.0.2", WORKER2: "172.18.0.3"}


def test_a_cluster_ip_reaches_every_pod_of_the_service(cluster: Any) -> None:
    cluster.deployment("web", 3)
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    assert cluster.responders(cluster.probe(), ip) == cluster.names("web")


def test_a_selector_that_matches_nothing_is_refused(cluster: Any) -> None:
    cluster.deployment("web")
    ip = cluster.service("web", {"app": "wbe"})
    cluster.settle()
    assert cluster.get(cluster.probe(), ip) == "REFUSED"


def test_a_wrong_target_port_is_refused_by_the_pod(cluster: Any) -> None:
    cluster.deployment("web")
    ip = cluster.service("web", {"app": "web"}, ports=[{"port": 80, "targetPort": 9999}])
    cluster.settle()
    assert cluster.get(cluster.probe(), ip) == "REFUSED"


def test_a_slice_that_loses_its_label_stays_with_kube_proxy_until_it_is_made_and_deleted_with_it(cluster: Any) -> None:
    target = cluster.world.machine(cluster.probe(WORKER2)).ip
    ip = cluster.service("web")
    labelled = {"kubernetes.io/service-name": "web"}
    made = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "web-1", "namespace": "default", "labels": labelled},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [target], "conditions": {}}],
    }
    live = cluster.store.create("endpointslices", made)
    cluster.settle()
    assert cluster.responders(cluster.probe(), ip)
    cluster.store.update("endpointslices", {**live, "metadata": {**live["metadata"], "labels": {}}})
    cluster.settle()
    assert not cluster.slices("web")
    assert cluster.responders(cluster.probe(), ip)
    cluster.store.delete("endpointslices", "default", "web-1")
    assert cluster.responders(cluster.probe(), ip)
    cluster.store.create("endpointslices", made)
    cluster.store.delete("endpointslices", "default", "web-1")
    assert cluster.get(cluster.probe(), ip) == "REFUSED"


def test_the_headless_label_is_heeded_on_slices_but_not_on_services(cluster: Any) -> None:
    cluster.deployment("web", 1)
    ip = cluster.service("web", {"app": "web"})
    label = {"service.kubernetes.io/headless": ""}
    labelled(cluster, "services", "web", label)
    cluster.settle()
    assert cluster.responders(cluster.probe(), ip) == cluster.names("web")
    slice_ = cluster.slices("web")[0]
    assert not label.items() & slice_["metadata"]["labels"].items()
    by_hand = cluster.service("other")
    metadata = {"name": "other-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "other"}}
    cluster.store.create("endpointslices", {**slice_, "metadata": metadata, "ports": [{"name": "", "port": 8080}]})
    assert cluster.responders(cluster.probe(), by_hand) == cluster.names("web")
    labelled(cluster, "endpointslices", "other-1", label)
    assert cluster.get(cluster.probe(), by_hand) == "REFUSED"


def labelled(cluster: Any, resource: str, name: str, labels: dict[str, str]) -> None:
    """Add labels to an object of the default Namespace."""
    live = cluster.store.get(resource, "default", name)
    merged = {**(live["metadata"].get("labels") or {}), **labels}
    cluster.store.update(resource, {**live, "metadata": {**live["metadata"], "labels": merged}})


def test_a_port_that_the_service_does_not_have_and_an_address_nobody_has_time_out(cluster: Any) -> None:
    cluster.deployment("web")
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    assert cluster.get(cluster.probe(), ip, 81) == "TIMEOUT"
    assert cluster.get(cluster.probe(), "10.96.77.77") == "TIMEOUT"
    assert cluster.get(cluster.probe(), "10.244.1.200", 8080) == "TIMEOUT"


def test_an_address_of_the_nodes_network_that_nobody_has_is_unreachable(cluster: Any) -> None:
    assert cluster.get(cluster.probe(), "172.18.0.77", timeout=10) == "UNREACHABLE"
    assert cluster.get("outside", "172.18.0.77", timeout=2) == "TIMEOUT"


def test_pods_reach_each_other_directly_with_their_own_addresses(cluster: Any) -> None:
    target = cluster.world.machine(cluster.probe(WORKER2)).ip
    assert cluster.client_ip(cluster.probe(WORKER), target, 8080) == cluster.world.machine(cluster.probe(WORKER)).ip
    assert cluster.get(cluster.probe(WORKER), target, 8081) == "REFUSED"


def test_the_outside_reaches_neither_cluster_ips_nor_pods(cluster: Any) -> None:
    cluster.deployment("web")
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    assert cluster.get("outside", ip) == "TIMEOUT"
    assert cluster.get("outside", cluster.pods("web")[0]["status"]["podIP"], 8080) == "TIMEOUT"


def test_a_node_port_is_served_by_every_node(cluster: Any) -> None:
    cluster.deployment("web", 2, node=WORKER)
    cluster.service("web", {"app": "web"}, type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}])
    cluster.settle()
    for ip in NODE_IPS.values():
        for source in ("outside", "host", cluster.probe(WORKER2)):
            assert cluster.responders(source, ip, 30080) == cluster.names("web")
    assert cluster.get("outside", NODE_IPS[WORKER], 30081) == "REFUSED"


@pytest.mark.parametrize(
    ("source", "entry", "seen"),
    [
        (WORKER, WORKER, "10.244.1.1"),
        (WORKER2, WORKER, "10.244.1.1"),
        (WORKER, WORKER2, "172.18.0.3"),
        ("outside", WORKER, "10.244.1.1"),
        ("outside", WORKER2, "172.18.0.3"),
    ],
)
def test_a_node_port_masquerades(cluster: Any, source: str, entry: str, seen: str) -> None:
    cluster.deployment("web", 1, node=WORKER)
    cluster.service("web", {"app": "web"}, type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}])
    cluster.settle()
    where = source if source == "outside" else cluster.probe(source)
    assert cluster.client_ip(where, NODE_IPS[entry], 30080) == seen


def test_a_cluster_ip_keeps_the_source_of_a_pod_but_not_of_a_node(cluster: Any) -> None:
    cluster.deployment("web", 1, node=WORKER)
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    assert cluster.client_ip(cluster.probe(WORKER2), ip) == cluster.world.machine(cluster.probe(WORKER2)).ip
    assert cluster.client_ip(WORKER2, ip) == NODE_IPS[WORKER2]
    assert cluster.client_ip(WORKER, ip) == "10.244.1.1"


def test_a_pod_that_reaches_itself_through_its_service_is_masqueraded(cluster: Any) -> None:
    cluster.pod("self", labels={"app": "self"}, node=WORKER)
    ip = cluster.service("self", {"app": "self"})
    cluster.settle()
    assert cluster.client_ip(("default", "self"), ip) == "10.244.1.1"


def test_external_policy_local_keeps_the_client_and_serves_only_where_endpoints_are(cluster: Any) -> None:
    cluster.deployment("web", 1, node=WORKER)
    cluster.service(
        "web",
        {"app": "web"},
        type="NodePort",
        externalTrafficPolicy="Local",
        ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
    )
    cluster.settle()
    assert cluster.client_ip("outside", NODE_IPS[WORKER], 30080) == "172.18.0.100"
    assert cluster.get("outside", NODE_IPS[WORKER2], 30080) == "TIMEOUT"
    # a Pod to its own node: treated as Cluster
    assert cluster.get(cluster.probe(WORKER2), NODE_IPS[WORKER2], 30080) in cluster.names("web")
    # a Pod to another node leaves the Pod network first, so the policy holds
    assert cluster.get(cluster.probe(WORKER), NODE_IPS[WORKER2], 30080) == "TIMEOUT"


def test_internal_policy_local_serves_only_pods_of_the_same_node(cluster: Any) -> None:
    cluster.deployment("web", 1, node=WORKER)
    ip = cluster.service("web", {"app": "web"}, internalTrafficPolicy="Local")
    cluster.settle()
    assert cluster.get(cluster.probe(WORKER), ip) in cluster.names("web")
    assert cluster.get(cluster.probe(WORKER2), ip) == "TIMEOUT"


def test_health_check_node_port_counts_local_endpoints(cluster: Any) -> None:
    cluster.deployment("web", 2, node=WORKER)
    cluster.service(
        "web",
        {"app": "web"},
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        healthCheckNodePort=31000,
        ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
    )
    cluster.settle()
    assert '"localEndpoints": 2' in cluster.get("outside", NODE_IPS[WORKER], 31000, "/")
    assert cluster.get("outside", NODE_IPS[WORKER2], 31000, "/") == "HTTP/1.1 503 Service Unavailable"


def test_client_ip_affinity_sticks_and_is_forgotten_after_its_timeout(cluster: Any) -> None:
    cluster.deployment("web", 4)
    ip = cluster.service(
        "web",
        {"app": "web"},
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": 60}},
    )
    cluster.settle()
    first = cluster.get(cluster.probe(), ip)
    assert cluster.responders(cluster.probe(), ip) == {first}
    others = set()
    for _ in range(12):
        cluster.settle(61)
        others.add(cluster.get(cluster.probe(), ip))
    assert len(others) > 1


def test_without_affinity_one_client_reaches_several_pods(cluster: Any) -> None:
    cluster.deployment("web", 2)
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    assert len(cluster.responders(cluster.probe(), ip, tries=20)) == 2


def test_external_ips_are_served_at_the_node_that_has_them(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.service("web", {"app": "web"}, externalIPs=[NODE_IPS[WORKER2]])
    cluster.settle()
    assert cluster.get("outside", NODE_IPS[WORKER2], 80) in cluster.names("web")
    assert cluster.get("outside", NODE_IPS[WORKER], 80) == "REFUSED"


def test_the_same_seed_gives_the_same_answers(make_cluster: Any) -> None:
    def answers() -> list[str]:
        cluster = make_cluster(7)
        cluster.deployment("web", 3)
        ip = cluster.service("web", {"app": "web"})
        cluster.settle()
        return [cluster.get(cluster.probe(), ip) for _ in range(10)]

    assert answers() == answers()


def test_serving_terminating_pods_are_used_when_no_pod_is_ready(cluster: Any) -> None:
    cluster.pod("slow", labels={"app": "slow"}, node=WORKER, terminationGracePeriodSeconds=30, containers=[
        {
            "name": "web",
            "image": "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
            "args": ["netexec", "--http-port=8080", "--udp-port=-1", "--delay-shutdown=20"],
        }
    ])  # fmt: skip
    ip = cluster.service("slow", {"app": "slow"})
    cluster.settle()
    cluster.delete("pods", "slow")
    cluster.settle(5)
    conditions = cluster.slices("slow")[0]["endpoints"][0]["conditions"]
    assert conditions == {"ready": False, "serving": True, "terminating": True}
    assert cluster.get(cluster.probe(), ip) == "slow"
    cluster.settle(30)
    assert cluster.get(cluster.probe(), ip) == "REFUSED"


def test_udp_goes_through_services_too(cluster: Any) -> None:
    udp = {
        "name": "web",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
        "args": ["netexec", "--http-port=8080", "--udp-port=8081"],
    }
    cluster.pod("echo", labels={"app": "echo"}, containers=[udp])
    ip = cluster.service("echo", {"app": "echo"}, ports=[{"port": 53, "targetPort": 8081, "protocol": "UDP"}])
    cluster.settle()
    machine = cluster.world.machine(cluster.probe())
    assert cluster.run(cluster.world.network.udp(machine, ip, 53, b"hostname")) == b"echo"
    assert cluster.get(cluster.probe(), ip, 53) == "TIMEOUT"


def test_the_api_server_is_there_but_speaks_only_tls(cluster: Any) -> None:
    assert cluster.get(cluster.probe(), "10.96.0.1", 443).startswith("HTTP/1.0 400")


def test_a_proxy_goes_by_the_zone_that_its_node_is_in_now(cluster: Any) -> None:
    for node, name in ((WORKER, "one"), (WORKER2, "two")):
        cluster.pod(name, labels={"app": "web"}, node=node)
        cluster.zone(node, f"zone-{name}")
    ip = cluster.service("web", {"app": "web"}, trafficDistribution="PreferSameZone")
    cluster.settle()
    assert cluster.responders(cluster.probe(WORKER), ip) == {"one"}
    assert cluster.responders(cluster.probe(CONTROL_PLANE), ip) == {"one", "two"}
    cluster.zone(WORKER, "")
    assert cluster.responders(cluster.probe(WORKER), ip) == {"one", "two"}
    cluster.zone(WORKER, "zone-two")
    assert cluster.responders(cluster.probe(WORKER), ip) == {"two"}


def test_connections_that_are_over_are_held_by_nobody(cluster: Any) -> None:
    cluster.deployment("web")
    ip = cluster.service("web")
    cluster.settle()
    probe = cluster.probe()
    for _ in range(20):
        cluster.get(probe, ip)
    held = [stream for machine in cluster.world.network.machines.values() for stream in machine.streams]
    assert [stream for stream in held if stream.closed and stream.ended] == []
    assert len(held) < 20


def test_a_pod_that_goes_away_breaks_off_its_open_connections_only(cluster: Any) -> None:
    machine = cluster.world.machine(cluster.probe())
    (open_, far), (over, other) = pair(), pair()
    for stream in (open_, over):
        machine.remember(stream)
    told: list[bool] = []
    other.on_close(told.append)
    for stream in (over, other):
        stream.close()
    machine.reset_all()
    with pytest.raises(ConnectionReset_):
        far.send(b"x")
    assert told == [False]
