"""NetworkPolicies as kind's engine reads them: the rules by a table, the network by connections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from grader.embedded.core.policies import Packet, passes
from grader.embedded.core.store import Obj

CONTROL_PLANE, WORKER, WORKER2 = (f"services-course-{name}" for name in ("control-plane", "worker", "worker2"))
NODE_IPS = {CONTROL_PLANE: "172.18.0.4", WORKER: "172.18.0.2", WORKER2: "172.18.0.3"}
WEB, CLIENT, OTHER, OUTSIDE = "10.244.1.2", "10.244.1.3", "10.244.2.4", "172.18.0.100"
NAMESPACES = {"shop": {"team": "shop"}, "bank": {"team": "bank"}}


def pod(namespace: str, app: str, node: str, ports: list[Obj] | None = None) -> Obj:
    return {
        "metadata": {"namespace": namespace, "name": app, "labels": {"app": app}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "ports": ports or []}]},
    }


PORTS: list[Obj] = [
    {"name": "http", "containerPort": 8080, "protocol": "TCP"},
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
]
PODS = {
    WEB: pod("shop", "web", "a", PORTS),
    CLIENT: pod("shop", "client", "a"),
    OTHER: pod("bank", "client", "b"),
}


@dataclass(frozen=True)
class Seen:
    """A cluster of three Pods.

    Attributes:
        held: policies of the Namespace shop.
    """

    held: list[Obj] = field(default_factory=list)

    def pod_at(self, ip: str) -> Obj | None:
        return PODS.get(ip)

    def policies(self, namespace: str) -> Iterable[Obj]:
        return [policy for policy in self.held if policy["metadata"]["namespace"] == namespace]

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        return NAMESPACES[name]


def policy(app: str | None = "web", **spec: Any) -> Obj:
    """A policy of the Namespace shop, with the policyTypes that the API server would fill in."""
    types = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    selector = {"matchLabels": {"app": app}} if app else {}
    return {"metadata": {"namespace": "shop"}, "spec": {"podSelector": selector, "policyTypes": types, **spec}}


def allow(*peers: Obj, ports: list[Obj] | None = None) -> Obj:
    """A policy that isolates web, and lets some in."""
    return policy(ingress=[{**({"from": list(peers)} if peers else {}), **({"ports": ports} if ports else {})}])


def out(app: str, *peers: Obj, ports: list[Obj] | None = None) -> Obj:
    """A policy that lets Pods send to some only."""
    rule = {**({"to": list(peers)} if peers else {}), **({"ports": ports} if ports else {})}
    return policy(app, policyTypes=["Egress"], egress=[rule])


def tcp(port: int | str, **more: int) -> Obj:
    return {"port": port, "protocol": "TCP", **more}


def block(cidr: str, *exceptions: str) -> Obj:
    return {"ipBlock": {"cidr": cidr, "except": list(exceptions)}}


def labelled(**labels: str) -> Obj:
    return {"matchLabels": labels}


DENY_IN, DENY_OUT = policy(), policy("client", policyTypes=["Egress"])
CLIENTS, CATS = ({"podSelector": labelled(app=app)} for app in ("client", "cat"))
BANK = {"namespaceSelector": labelled(team="bank")}
TABLE: list[tuple[str, list[Obj], str, str, int, str, bool]] = [
    ("no policy", [], CLIENT, WEB, 8080, "TCP", True),
    ("a policy for others isolates nobody else", [policy("client")], CLIENT, WEB, 8080, "TCP", True),
    ("isolated", [DENY_IN], CLIENT, WEB, 8080, "TCP", False),
    ("isolated, from outside", [DENY_IN], OUTSIDE, WEB, 8080, "TCP", False),
    ("an empty selector selects all", [policy(None)], OTHER, WEB, 8080, "TCP", False),
    ("one direction only", [DENY_IN], WEB, CLIENT, 80, "TCP", True),
    ("an empty list of rules lets nobody in", [policy(ingress=[])], CLIENT, WEB, 8080, "TCP", False),
    ("an empty rule lets everybody in", [policy(ingress=[{}])], OUTSIDE, WEB, 1, "UDP", True),
    ("rules of a direction that is not a type count for nothing", [policy(policyTypes=["Egress"], ingress=[])],
     CLIENT, WEB, 8080, "TCP", True),
    ("policies add up", [DENY_IN, allow(CLIENTS)], CLIENT, WEB, 8080, "TCP", True),
    ("podSelector: the policy's own Namespace", [allow(CLIENTS)], OTHER, WEB, 8080, "TCP", False),
    ("podSelector does not match", [allow(CATS)], CLIENT, WEB, 8080, "TCP", False),
    ("an empty podSelector: all Pods here", [allow({"podSelector": {}})], CLIENT, WEB, 8080, "TCP", True),
    ("an empty podSelector: no Pod elsewhere", [allow({"podSelector": {}})], OTHER, WEB, 8080, "TCP", False),
    ("namespaceSelector", [allow(BANK)], OTHER, WEB, 8080, "TCP", True),
    ("another namespaceSelector", [allow({"namespaceSelector": labelled(team="x")})], OTHER, WEB, 8080, "TCP", False),
    ("all Namespaces, but Pods only", [allow({"namespaceSelector": {}})], OUTSIDE, WEB, 8080, "TCP", False),
    ("all Namespaces", [allow({"namespaceSelector": {}})], OTHER, WEB, 8080, "TCP", True),
    ("both selectors of one peer", [allow({**BANK, **CATS})],
     OTHER, WEB, 8080, "TCP", False),
    ("two peers are alternatives", [allow(BANK, CATS)],
     OTHER, WEB, 8080, "TCP", True),
    ("expressions", [allow({"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}})],
     CLIENT, WEB, 8080, "TCP", True),
    ("ipBlock", [allow(block("172.18.0.0/16"))], OUTSIDE, WEB, 8080, "TCP", True),
    ("ipBlock of others", [allow(block("172.18.0.0/16"))], CLIENT, WEB, 8080, "TCP", False),
    ("ipBlock holds Pods too", [allow(block("10.244.1.0/24"))], CLIENT, WEB, 8080, "TCP", True),
    ("except", [allow(block("0.0.0.0/0", "172.18.0.0/24"))], OUTSIDE, WEB, 8080, "TCP", False),
    ("not except", [allow(block("0.0.0.0/0", "10.0.0.0/8"))], OUTSIDE, WEB, 8080, "TCP", True),
    ("a port", [allow(ports=[tcp(8080)])], CLIENT, WEB, 8080, "TCP", True),
    ("another port", [allow(ports=[tcp(80)])], CLIENT, WEB, 8080, "TCP", False),
    ("another protocol", [allow(ports=[{"port": 8080, "protocol": "UDP"}])], CLIENT, WEB, 8080, "TCP", False),
    ("all ports of a protocol", [allow(ports=[{"protocol": "UDP"}])], CLIENT, WEB, 53, "UDP", True),
    ("a port's name", [allow(ports=[tcp("http")])], CLIENT, WEB, 8080, "TCP", True),
    ("a name of another protocol", [allow(ports=[tcp("dns")])], CLIENT, WEB, 53, "TCP", False),
    ("a name that is no Pod's", [allow(ports=[tcp("https")])], CLIENT, WEB, 8080, "TCP", False),
    ("endPort", [allow(ports=[tcp(8000, endPort=8080)])], CLIENT, WEB, 8080, "TCP", True),
    ("above endPort", [allow(ports=[tcp(8000, endPort=8079)])], CLIENT, WEB, 8080, "TCP", False),
    ("right port, wrong peer", [allow(CLIENTS, ports=[tcp(8080)])], OTHER, WEB, 8080, "TCP", False),
    ("egress denied", [DENY_OUT], CLIENT, WEB, 8080, "TCP", False),
    ("egress denied to the outside", [DENY_OUT], CLIENT, "8.8.8.8", 53, "UDP", False),
    ("egress of others", [DENY_OUT], WEB, CLIENT, 80, "TCP", True),
    ("egress to Pods", [out("client", {"podSelector": labelled(app="web")})], CLIENT, WEB, 8080, "TCP", True),
    ("egress to Pods only", [out("client", {"podSelector": {}})], CLIENT, "8.8.8.8", 53, "UDP", False),
    ("egress to a port's name is the destination's", [out("client", ports=[tcp("http")])],
     CLIENT, WEB, 8080, "TCP", True),
    ("egress to a name outside is none", [out("client", ports=[tcp("http")])],
     CLIENT, "8.8.8.8", 8080, "TCP", False),
    ("egress to a block", [out("client", block("8.8.8.8/32"))], CLIENT, "8.8.8.8", 53, "UDP", True),
    ("both ends must agree", [DENY_IN, out("client")], CLIENT, WEB, 8080, "TCP", False),
    ("both ends agree", [allow(CLIENTS), out("client")], CLIENT, WEB, 8080, "TCP", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("held", "source", "destination", "port", "protocol", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_a_packet_passes_where_a_rule_lets_it(
    held: list[Obj], source: str, destination: str, port: int, protocol: str, expected: bool
) -> None:
    assert passes(Seen(held), "a", Packet(source, destination, port, protocol)) is expected


def test_a_node_looks_only_at_what_concerns_pods_of_its_own_that_are_selected() -> None:
    packet = Packet(OTHER, WEB, 8080, "TCP")
    assert passes(Seen([DENY_IN]), "b", packet)
    assert not passes(Seen([DENY_IN]), "a", packet)


# --- in the network


def put(cluster: Any, name: str, obj: Obj, namespace: str = "default") -> None:
    """Store a policy."""
    meta = {"name": name, "namespace": namespace}
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": obj["spec"]}
    cluster.store.create("networkpolicies", body)


@pytest.fixture
def web(cluster: Any) -> str:
    """The ClusterIP of a server on the first worker, with a node port, and a client on each worker."""
    cluster.deployment("web", 1, node=WORKER)
    for name, node in (("near", WORKER), ("far", WORKER2)):
        cluster.pod(name, labels={"app": "client"}, node=node)
    ports = [{"port": 80, "targetPort": 8080, "nodePort": 30080}]
    ip: str = cluster.service("web", {"app": "web"}, type="NodePort", ports=ports)
    cluster.settle()
    return ip


NEAR, FAR = ("default", "near"), ("default", "far")


def server(cluster: Any) -> tuple[str, str]:
    """The Pod behind the Service."""
    return ("default", next(iter(cluster.names("web"))))


def resolved(cluster: Any) -> str:
    """What dig says of the Service in the near Pod."""
    argv = ["dig", "+short", "+time=1", "+tries=1", "web.default.svc.cluster.local"]
    process = cluster.world.exec(*NEAR, None, argv)
    found = bytearray()
    process.on_output(lambda _fd, data: found.extend(data))
    cluster.run(process.wait())
    return found.decode()


def test_ingress_is_judged_at_the_pods_port_and_denied_in_silence(cluster: Any, web: str) -> None:
    put(cluster, "deny", policy())
    for source in (NEAR, FAR, cluster.probe(), "outside"):
        target = (NODE_IPS[WORKER], 30080) if source == "outside" else (web, 80)
        assert cluster.get(source, *target) == "TIMEOUT"
    put(cluster, "service-port", allow(CLIENTS, ports=[tcp(80)]))
    assert cluster.get(NEAR, web) == "TIMEOUT"
    put(cluster, "pod-port", allow(CLIENTS, ports=[tcp(8080)]))
    assert {cluster.get(NEAR, web), cluster.get(FAR, web)} == cluster.names("web")
    assert cluster.get(cluster.probe(), web) == "TIMEOUT"
    assert cluster.get(server(cluster), cluster.world.machine(NEAR).ip, 8080) == "near"
    for name in ("deny", "service-port", "pod-port"):
        cluster.store.delete("networkpolicies", "default", name)
    assert cluster.get("outside", NODE_IPS[WORKER2], 30080) in cluster.names("web")


def test_a_masqueraded_client_is_its_node_to_another_node(cluster: Any, web: str) -> None:
    """The source is judged before a node translates it, and once more where the packet arrives."""
    put(cluster, "clients", allow(CLIENTS))
    assert cluster.get(NEAR, NODE_IPS[WORKER], 30080) in cluster.names("web")
    assert cluster.get(FAR, NODE_IPS[WORKER2], 30080) == "TIMEOUT"
    assert cluster.get("outside", NODE_IPS[WORKER2], 30080) == "TIMEOUT"
    put(cluster, "second-node", allow(block(f"{NODE_IPS[WORKER2]}/32")))
    assert cluster.get(FAR, NODE_IPS[WORKER2], 30080) in cluster.names("web")
    assert cluster.get("outside", NODE_IPS[WORKER2], 30080) in cluster.names("web")
    assert cluster.get("outside", NODE_IPS[WORKER], 30080) == "TIMEOUT"


def test_a_node_reaches_its_own_pods_and_no_others(cluster: Any, web: str) -> None:
    """Kubelets probe, and the API server, whose proxy reaches Pods, is on the control plane's node."""
    put(cluster, "deny", policy(None))
    ip = cluster.world.machine(server(cluster)).ip
    assert cluster.get(WORKER, ip, 8080) in cluster.names("web")
    assert cluster.get(WORKER, web) in cluster.names("web")
    assert cluster.get(WORKER2, ip, 8080) == "TIMEOUT"
    assert cluster.get(CONTROL_PLANE, ip, 8080) == "TIMEOUT"


def test_denied_egress_silences_dns_but_not_the_own_node(cluster: Any, web: str) -> None:
    put(cluster, "deny", policy("client", policyTypes=["Egress"]))
    assert cluster.get(NEAR, web) == "TIMEOUT"
    assert resolved(cluster) != f"{web}\n"
    assert cluster.get(NEAR, NODE_IPS[WORKER], 4242) == "REFUSED"
    assert cluster.get(NEAR, NODE_IPS[WORKER2], 4242) == "TIMEOUT"
    assert cluster.get(NEAR, "172.18.0.77", timeout=10) == "TIMEOUT"
    dns = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    put(cluster, "dns", out("client", dns, ports=[{"port": 53, "protocol": "UDP"}]))
    assert resolved(cluster) == f"{web}\n"
    assert cluster.get(NEAR, web) == "TIMEOUT"


def test_a_pod_that_reaches_itself_through_its_service_is_judged_too(cluster: Any, web: str) -> None:
    put(cluster, "deny", policy())
    assert cluster.get(server(cluster), web) == "TIMEOUT"
    assert cluster.get(server(cluster), "127.0.0.1", 8080) in cluster.names("web")


def test_a_connection_that_stands_stays_when_a_policy_comes(cluster: Any, web: str) -> None:
    stream = cluster.run(cluster.world.dial(NEAR, web, 80))
    put(cluster, "deny", policy())
    stream.send(b"GET /hostname HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    assert cluster.run(stream.recv()).startswith(b"HTTP/1.1 200")
