"""How questions to a Service port are built: addresses, tries, controls. Shared by the kinds that ask who answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.causes.scene import Sight
from grader.causes.way import Way
from grader.model.choosing import backends, find_service, living, serving
from grader.model.evidence import ReachQuestion
from grader.model.kubernetes import (
    actual_slices,
    addresses_of,
    hostname_of,
    ingress_address,
    internal_ip,
    is_ready,
    name_of,
    routed,
    service_port,
)
from grader.model.objects import Objects, RawObject
from grader.model.vantage import At, Vantage

SOME_TRIES = 6  # where any Pod may answer: of two, one that does not is missed once in 64 runs
NAME_TRIES = 13  # of a name that may stand for several addresses; one of 2 answers alone once in 4,096 runs
# Endpoints asked by themselves to tell a silent Service from a silent Pod; more would not change what is told.
MOST_DIRECT = 16


def reach_questions(way: Way, sight: Sight) -> tuple[ReachQuestion, ...]:
    """Build one question a vantage and address; none where the objects give no address yet."""
    service = find_service(sight.objects, way.service)
    port = service_port(service, way.port) if service else None
    if service is None or port is None:
        return ()
    pods = serving(backends(sight.objects, way.answered_by, way.pods_in), way.readiness)
    want = tuple(hostname_of(pod) for pod in pods) if way.all_of_them else ()
    bound = tries_for(len(pods)) if way.all_of_them else SOME_TRIES
    least = NAME_TRIES if way.at is At.NAME and service["spec"].get("clusterIP") == "None" else 1
    return tuple(
        ReachQuestion(vantage, host, number, want, max(bound, least), least=least)
        for vantage, host, number in addresses(way, service, port, sight)
    )


def tries_for(pods: int) -> int:
    """Tell how many tries find each of so many Pods, where each try finds any of them."""
    return pods**2 + 30


def addresses(way: Way, service: RawObject, port: RawObject, sight: Sight) -> list[tuple[str, str, int]]:
    """List (vantage, host, port number) along a way, from each of its vantages."""
    return [found for source in way.sources for found in _addresses(way.at, source, service, port, sight)]


def _addresses(
    at: At, source: Vantage, service: RawObject, port: RawObject, sight: Sight
) -> list[tuple[str, str, int]]:
    number = int(port["port"])
    if at is At.NAME:
        name = name_of(service)
        return [(source.value, name if source is Vantage.SAME_NAMESPACE else f"{name}.{sight.namespace}", number)]
    if at is At.CLUSTER_IP:
        address = service.get("spec", {}).get("clusterIP", "")
        return [(source.value, address, number)] if address not in ("", "None") else []
    if at is At.LOAD_BALANCER:
        address = ingress_address(service)
        return [(source.value, address, number)] if address else []
    node_port = port.get("nodePort")
    if not node_port:
        return []
    if source is Vantage.LEARNER_HOST:
        host, _, mapped = sight.host_ports.get(node_port, "").rpartition(":")
        return [(source.value, host, int(mapped))] if host else []
    nodes = sorted(sight.objects.of("nodes"), key=name_of)
    found = []
    for index, node in enumerate(nodes):
        vantage = source.value
        if source is Vantage.OTHER_NODE:
            # kube-proxy treats a Pod on the node itself as Cluster, whatever the policy (pkg/proxy/iptables/proxier.go)
            vantage = f"node/{name_of(nodes[(index + 1) % len(nodes)])}"
        if internal_ip(node):
            found.append((vantage, internal_ip(node), int(node_port)))
    return found


def direct_questions(services: Iterable[str], objects: Objects) -> tuple[ReachQuestion, ...]:
    """Build questions to the endpoints themselves, past the Services: they tell a wrong port from a slow data plane."""
    found: dict[tuple[str, int], ReachQuestion] = {}
    for name in services:
        service = find_service(objects, name)
        if service is None:
            continue
        for endpoint in sorted(actual_slices(service, objects.of("endpointslices"))):
            if endpoint.port is not None and endpoint.ready and endpoint.protocol == "TCP":
                key = (endpoint.address, endpoint.port)
                found[key] = ReachQuestion(Vantage.SAME_NAMESPACE.value, *key)
    return tuple(found.values())[:MOST_DIRECT]


def control_questions(way: Way, objects: Objects) -> tuple[ReachQuestion, ...]:
    """Build the positive control of a negated reach: a ready Pod, directly, from each in-cluster vantage."""
    pods = [pod for pod in living(objects.of("pods"), way.answered_by) if is_ready(pod) and addresses_of(pod)]
    ports = tcp_ports(pods[0]) if pods else []
    if not ports:
        return ()
    vantages: dict[str, None] = {}
    for source in way.sources:
        if source is Vantage.OTHER_NODE:
            vantages.update(dict.fromkeys(f"node/{name_of(node)}" for node in objects.of("nodes")))
        elif source in (Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE):
            vantages[source.value] = None
    return tuple(ReachQuestion(vantage, addresses_of(pods[0])[0], ports[0]) for vantage in vantages)


def tcp_ports(pod: RawObject) -> list[int]:
    """List the TCP ports that a Pod's containers declare, in their order."""
    return [
        int(port["containerPort"])
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    ]


def local_endpoints(objects: Objects, service: RawObject, number: int) -> Mapping[str, tuple[str, ...]]:
    """List, for every node, the host names of the endpoints of a Service port that are on it."""
    port = service_port(service, number) or {}
    found = routed(
        item
        for item in actual_slices(service, objects.of("endpointslices"))
        if item.port_name == str(port.get("name", ""))
    )
    pods = {name_of(pod): pod for pod in objects.of("pods")}
    return {
        name_of(node): tuple(
            sorted(hostname_of(pods[item.name]) for item in found if item.node == name_of(node) and item.name in pods)
        )
        for node in sorted(objects.of("nodes"), key=name_of)
    }
