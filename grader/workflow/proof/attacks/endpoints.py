"""What works now and follows nothing: hand-made slices, and labels that a controller writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from grader.criteria.endpoints import Endpoints
from grader.criteria.reach import Reach
from grader.kube.client import Object as Live
from grader.model.kubernetes import SERVICE_NAME_LABEL, addresses_of, labels_of, name_of, uid_of
from grader.workflow.proof.attacks.hands import Act, Hands, drop, editing, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site, Thing

BY_HAND = "by-hand"
GENERATED = {"Deployment": "pod-template-hash", "StatefulSet": "controller-revision-hash"}


def hand_made(name: str, service: str, endpoints: list[Live], ports: list[Live]) -> Live:
    """Make a slice that no controller keeps."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {SERVICE_NAME_LABEL: service}},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    }


def endpoint_of(pod: Live) -> Live:
    """Make the endpoint that the controller would make of a ready Pod."""
    reference = {"kind": "Pod", "name": name_of(pod), "namespace": pod["metadata"]["namespace"], "uid": uid_of(pod)}
    return {
        "addresses": list(addresses_of(pod)),
        "conditions": {"ready": True},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": reference,
    }


def slice_ports(service: Thing, pod: Live) -> list[Live]:
    """Tell the ports of a Service as its slices have them."""
    declared = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    numbers = {port.get("name"): port["containerPort"] for port in declared}
    ports = []
    for port in service.spec.get("ports") or ():
        target = port.get("targetPort", port["port"])
        ports.append(
            {
                "name": port.get("name", ""),
                "port": numbers.get(target, port["port"]) if isinstance(target, str) else target,
                "protocol": port.get("protocol", "TCP"),
            }
        )
    return ports


def _hand_made_slices(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        yield Blow(service.title, (service.name, "selector"), _by_hand(service))


def _by_hand(service: Thing) -> Act:
    """Write today's Pods into a slice, in the place of the selector; what controllers wrote goes.

    Endpoints that are left behind would be mirrored into slices (pkg/controller/endpointslicemirroring).
    """

    def act(hands: Hands) -> None:
        pods = hands.pods(service.selector, service.namespace)
        _orphan(hands, service)
        hands.delete("Endpoints", service.name, service.namespace, gone=True)

        def cleared() -> bool:
            for name in (left := _slices(hands, service)):
                hands.delete("EndpointSlice", name, service.namespace)
            return not left

        hands.until(cleared)
        endpoints = [endpoint_of(pod) for pod in pods]
        hands.create(hand_made(BY_HAND, service.name, endpoints, slice_ports(service, pods[0])), service.namespace)

    return act


def _slices(hands: Hands, service: Thing) -> list[str]:
    found = hands.api.list("endpointslices", service.namespace, labels=f"{SERVICE_NAME_LABEL}={service.name}")
    return [name_of(item) for item in found]


def _orphan(hands: Hands, service: Thing) -> None:
    """Take the selector away once the controller has written its slices: they stay as they are."""
    hands.until(lambda: bool(_slices(hands, service)))
    hands.edit("Service", service.name, drop(("spec", "selector")), namespace=service.namespace)


def _left_over(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        yield Blow(service.title, (service.name, "selector"), _leaving(service))


def _leaving(service: Thing) -> Act:
    return lambda hands: _orphan(hands, service)


def _generated(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        owners = site.backing(service)
        if len(owners) == 1 and owners[0].kind in GENERATED:
            label = GENERATED[owners[0].kind]
            yield Blow(service.title, (service.name, label), _narrowed(service, label))


def _narrowed(service: Thing, label: str) -> Act:
    def act(hands: Hands) -> None:
        hash_ = labels_of(hands.pods(service.selector, service.namespace)[0])[label]
        hands.edit("Service", service.name, put(("spec", "selector", label), hash_), namespace=service.namespace)

    return act


def _further_slice(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        ports = [{"name": port.get("name", ""), "port": 8080} for port in service.spec.get("ports") or ()]
        dead = {"addresses": ["192.0.2.66"], "conditions": {"ready": True}}
        obj = hand_made("left-behind", service.name, [dead], ports)
        yield Blow(service.title, ("left-behind",), _creating_there(obj, service.namespace))


def _creating_there(obj: Live, namespace: str) -> Act:
    return lambda hands: hands.create(obj, namespace)


def _udp_port(site: Site) -> Iterator[Blow]:
    asked = {item.expect.service for item in site.exercise.criteria if isinstance(item.expect, Endpoints | Reach)}
    for service in site.selecting:
        if service.name in asked and len(service.spec.get("ports") or ()) == 1:
            act = editing(service, put(("spec", "ports", 0, "protocol"), "UDP"))
            yield Blow(service.title, (service.name, "UDP"), act)


# -- where slices by hand are what the task asks for ------------------------------------------------------------------


def _of_slices(change: Callable[[Live], None], word: str) -> Callable[[Site], Iterator[Blow]]:
    """Make the blows of an operator that edits the slices which the task has a learner write."""

    def strikes(site: Site) -> Iterator[Blow]:
        for item in site.exercise.criteria:
            if isinstance(item.expect, Endpoints) and item.expect.pods_in:
                yield Blow(f"Service/{item.expect.service}", (word,), _changing(item.expect.service, change))

    return strikes


def _changing(service: str, change: Callable[[Live], None]) -> Act:
    def act(hands: Hands) -> None:
        for item in hands.api.list("endpointslices", hands.namespace, labels=f"{SERVICE_NAME_LABEL}={service}"):
            hands.edit("EndpointSlice", name_of(item), change)
            hands.names.append(name_of(item))

    return act


def _together(obj: Live) -> None:
    addresses = [address for endpoint in obj["endpoints"] for address in endpoint["addresses"]]
    obj["endpoints"] = [{"addresses": addresses, "conditions": {"ready": True}}]


def _udp(obj: Live) -> None:
    for port in obj["ports"]:
        port["protocol"] = "UDP"


def _unserved(obj: Live) -> None:
    labels: dict[str, Any] = obj["metadata"]["labels"]
    labels["service.kubernetes.io/headless"] = ""


LASTING = "it goes on working when Pods are made anew"
OPERATORS = (
    Operator("hand-made-slices", LASTING, _hand_made_slices),
    Operator("left-over-slices", LASTING, _left_over),
    Operator("generated-label", LASTING, _generated),
    Operator("further-slice", "the endpoints are these Pods and nobody else", _further_slice),
    Operator("udp-port", "the port is one of TCP", _udp_port),
    Operator(
        "two-addresses", "each address is one endpoint: proxies take the first", _of_slices(_together, "addresses")
    ),
    Operator("udp-slice", "the port is one of TCP", _of_slices(_udp, "UDP")),
    Operator("headless-slice", "kube-proxy serves the slices", _of_slices(_unserved, "service.kubernetes.io/headless")),
)
