"""Generated Services and EndpointSlices: few names and addresses, so that they meet each other."""

from __future__ import annotations

from random import Random
from typing import Any

Tree = dict[str, Any]

NAMESPACES = ("alpha", "9lives", "svc", "pod")
SERVICES = ("web", "db", "a", "svc", "pod", "1st", "any", "x-1", "w" * 63, "peers", "cache", "http")
V4 = (*(f"10.20.{net}.{host}" for net in (0, 1) for host in (1, 2, 3, 10, 200)), "203.0.113.7", "198.51.100.255")
STRAY = "10.20.9.9"
"""The address in an EndpointSlice of no Service."""
V6 = ("fd77::1", "fd77::2", "2001:db8::", "2001:db8:0:0:1::1", "fd77:0:0:1:2:3:4:5", "FD77::AB", "::ffff:10.20.0.1")
HOSTNAMES = ("db-0", "db-1", "0", "10-20-0-1", "web", "fd77--1", "svc")
PORT_NAMES = ("http", "dns-tcp", "metrics", "80x", "tcp", "p")
PROTOCOLS = ("TCP", "TCP", "UDP", "SCTP")
TARGETS = (
    "example.com", "example.com.", "com", "192.0.2.1", "fd00::1", "cluster.local", "svc.cluster.local", "local",
    "web.alpha.svc.cluster.local", "db.9lives.svc.cluster.local.", "peers.alpha.svc.cluster.local",
    "db-0.peers.alpha.svc.cluster.local", "alpha.svc.cluster.local", "10-20-0-1.alpha.pod.cluster.local",
    "fd00--1.alpha.pod.cluster.local", "nosuch.alpha.svc.cluster.local", "ns.dns.cluster.local",
    "dns-version.cluster.local", "db.alpha.svc.cluster.local", "a.alpha.svc.cluster.local",
    "svc.in-addr.arpa", "ns.dns.in-addr.arpa", "1.0.96.10.in-addr.arpa", "in-addr.arpa",
)  # fmt: skip
SELECTED = {"app": "selected"}


def service(rng: Random, namespace: str, name: str) -> Tree:
    """A Service of any type; it may select Pods."""
    kind = rng.choices(("ClusterIP", "None", "ExternalName", "NodePort", "LoadBalancer"), (5, 6, 5, 1, 1))[0]
    spec: Tree = {"type": "ClusterIP" if kind == "None" else kind, "ports": service_ports(rng)}
    if kind == "None":
        spec["clusterIP"] = "None"
        if rng.random() < 0.2:
            spec["ports"] = []
    if kind == "ExternalName":
        spec["externalName"] = external_name(rng, namespace, name)
    if rng.random() < 0.15:
        spec["selector"] = SELECTED
    if rng.random() < 0.3:
        spec["publishNotReadyAddresses"] = True
    if rng.random() < 0.2 and kind in ("ClusterIP", "NodePort"):
        spec["externalIPs"] = [rng.choice(V4)]
    metadata: Tree = {"name": name, "namespace": namespace}
    if rng.random() < 0.15:
        metadata["finalizers"] = ["example.com/hold"]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def external_name(rng: Random, namespace: str, name: str) -> str:
    """A target outside, inside, or the Service itself and what is under it."""
    own = f"{name}.{namespace}.svc.cluster.local"
    other = f"{rng.choice(SERVICES)}.{rng.choice(NAMESPACES)}.svc.cluster.local"
    return rng.choice((rng.choice(TARGETS), rng.choice(TARGETS), own, f"db-0.{own}", other, other, f"{other}."))


def chain(namespace: str, length: int) -> list[Tree]:
    """ExternalNames of which each names the next one; the last names a Service that has an address."""
    targets = [f"chain-{i + 1}.{namespace}.svc.cluster.local" for i in range(length - 1)]
    targets.append("kubernetes.default.svc.cluster.local")
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"chain-{i}", "namespace": namespace},
            "spec": {"type": "ExternalName", "externalName": target},
        }
        for i, target in enumerate(targets)
    ]


def service_ports(rng: Random) -> list[Tree]:
    """One port without a name, or several with."""
    count = rng.choice((1, 1, 2, 3))
    names = rng.sample(PORT_NAMES, count)
    ports = [{"name": name, "port": rng.choice((80, 53, 8080)), "protocol": rng.choice(PROTOCOLS)} for name in names]
    unique = list({(port["port"], port["protocol"]): port for port in ports}.values())
    if len(unique) == 1 and rng.random() < 0.5:
        del unique[0]["name"]
    return unique


def slices(rng: Random, namespace: str, name: str) -> list[Tree]:
    """None to three EndpointSlices of a Service."""
    return [slice_(rng, namespace, name, f"{name[:40]}-{index}") for index in range(rng.choice((0, 1, 1, 2, 3)))]


def slice_(rng: Random, namespace: str, service_name: str, name: str) -> Tree:
    """An EndpointSlice that somebody wrote by hand."""
    family = rng.choices(("IPv4", "IPv6", "FQDN"), (8, 4, 1))[0]
    pool = {"IPv4": V4, "IPv6": V6, "FQDN": ("far.example.com",)}[family]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service_name},
        },
        "addressType": family,
        "ports": slice_ports(rng),
        "endpoints": [endpoint(rng, pool) for _ in range(rng.choice((0, 1, 2, 3, 5)))],
    }


def slice_ports(rng: Random) -> list[Tree]:
    """Ports with and without names and numbers, or none at all."""
    ports: list[Tree] = []
    for name in rng.sample(PORT_NAMES, rng.choice((0, 1, 1, 2, 3))):
        port: Tree = {"name": name, "protocol": rng.choice(PROTOCOLS)}
        if rng.random() < 0.9:
            port["port"] = rng.choice((80, 53, 8080, 65535))
        ports.append(port)
    if len(ports) == 1 and rng.random() < 0.4:
        ports[0]["name"] = ""
    return ports


def endpoint(rng: Random, pool: tuple[str, ...]) -> Tree:
    """An endpoint under any conditions."""
    conditions = {
        name: rng.random() < likely
        for name, likely in (("ready", 0.7), ("serving", 0.5), ("terminating", 0.3))
        if rng.random() < 0.6
    }
    made: Tree = {"addresses": rng.sample(pool, min(len(pool), rng.choice((1, 1, 1, 2))))}
    if conditions or rng.random() < 0.5:
        made["conditions"] = conditions
    if rng.random() < 0.4:
        made["hostname"] = rng.choice(HOSTNAMES)
    return made


def crowd(namespace: str, count: int) -> list[Tree]:
    """A headless Service whose answers do not fit into small messages."""
    endpoints = [{"addresses": [f"10.30.{i // 90}.{i % 90 + 10}"], "hostname": f"host-{i:03}"} for i in range(count)]
    metadata = {"name": f"crowd-{count}", "namespace": namespace}
    labels = {"kubernetes.io/service-name": f"crowd-{count}"}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": "None"}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
            "endpoints": endpoints,
        },
    ]


def stray(namespace: str) -> Tree:
    """An EndpointSlice without the label that names its Service."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "stray", "namespace": namespace, "labels": {}},
        "addressType": "IPv4",
        "ports": [],
        "endpoints": [{"addresses": [STRAY]}],
    }


def running(namespace: str) -> list[Tree]:
    """Pods that the cluster's own controllers make endpoints of: ready ones, and one that never is."""
    container: Tree = {"name": "main", "image": "registry.k8s.io/e2e-test-images/agnhost:2.63.0", "args": ["pause"]}
    unready = {**container, "readinessProbe": {"exec": {"command": ["false"]}}}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": namespace},
            "spec": {
                "serviceName": "stateful",
                "replicas": 2,
                "selector": {"matchLabels": {"app": "stateful"}},
                "template": {"metadata": {"labels": {"app": "stateful"}}, "spec": {"containers": [container]}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "unready", "namespace": namespace, "labels": SELECTED},
            "spec": {"hostname": "first", "subdomain": "peers", "containers": [unready]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "stateful", "namespace": namespace},
            "spec": {"clusterIP": "None", "selector": {"app": "stateful"}, "ports": [{"name": "http", "port": 80}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "eager", "namespace": namespace},
            "spec": {
                "clusterIP": "None",
                "selector": SELECTED,
                "publishNotReadyAddresses": True,
                "ports": [{"port": 80}],
            },
        },
    ]
