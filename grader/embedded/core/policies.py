"""Which connections NetworkPolicies let through: pure rules over policies, Pods and Namespaces.

Source: sigs.k8s.io/kube-network-policies v0.8.0, the engine of kind's network (pkg/networkpolicy/controller.go
evaluatePacket, syncNFTablesRules; networkpolicy.go). A node judges the first packet of a connection on its way out to a
Pod or out of one, after a Service's address has become an endpoint's and before the source is translated. It looks only
at what comes from, or goes to, a Pod of its own that some policy selects. Replies and what root processes of the node
itself send are not looked at; what is not let through is dropped.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from grader.embedded.core.objects import label_selector_matches, labels_of
from grader.embedded.core.store import Obj

Direction = Literal["Egress", "Ingress"]
PEERS = {"Egress": "to", "Ingress": "from"}
"""The field of a rule that tells who may be at the other end."""

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection.

    Attributes:
        source: source address.
        destination: destination address, after DNAT.
        port: destination port, after DNAT.
        protocol: TCP, UDP or SCTP.

    """

    source: str
    destination: str
    port: int
    protocol: str


class View(Protocol):
    """What a node knows of the cluster."""

    def pod_at(self, ip: str) -> Obj | None:
        """The Pod that has an address of its own."""

    def policies(self, namespace: str) -> Iterable[Obj]:
        """The NetworkPolicies of a Namespace."""

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """The labels of a Namespace."""


def passes(view: View, node: str, packet: Packet) -> bool:
    """Whether a node lets a packet through that another machine has sent, or a Pod of it.

    Args:
        view: what it knows.
        node: the node's name.
        packet: the packet.

    """
    source, destination = view.pod_at(packet.source), view.pod_at(packet.destination)
    leaving, entering = selecting(view, source), selecting(view, destination)
    here = [
        pod
        for pod, by in ((source, leaving), (destination, entering))
        if by and pod and pod["spec"]["nodeName"] == node
    ]
    if not here:
        return True
    return _allowed(view, leaving, "Egress", packet, destination, destination, packet.destination) and _allowed(
        view, entering, "Ingress", packet, destination, source, packet.source
    )


def selecting(view: View, pod: Obj | None) -> list[Obj]:
    """The policies that select a Pod (getNetworkPoliciesForPod)."""
    if pod is None:
        return []
    found = view.policies(pod["metadata"]["namespace"])
    return [policy for policy in found if label_selector_matches(policy["spec"].get("podSelector"), labels_of(pod))]


def _allowed(
    view: View,
    by: Iterable[Obj],
    direction: Direction,
    packet: Packet,
    destination: Obj | None,
    peer: Obj | None,
    address: str,
) -> bool:
    """Whether any rule of one direction allows the packet, or none isolates the Pod in it (evaluator)."""
    isolating = [policy for policy in by if direction in policy["spec"].get("policyTypes", ())]
    return not isolating or any(
        _matches_port(rule.get("ports") or (), destination, packet)
        and _matches_peer(view, rule.get(PEERS[direction]) or (), policy["metadata"]["namespace"], peer, address)
        for policy in isolating
        for rule in policy["spec"].get(direction.lower()) or ()
    )


def _matches_port(ports: Iterable[Spec], destination: Obj | None, packet: Packet) -> bool:
    """EvaluatePorts: the ports are those of the destination; no list means any."""
    ports = list(ports)
    return not ports or any(
        port.get("protocol", "TCP") == packet.protocol and _is_port(port, destination, packet) for port in ports
    )


def _is_port(port: Spec, destination: Obj | None, packet: Packet) -> bool:
    wanted = port.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted <= packet.port <= int(port.get("endPort", wanted))
    containers = destination["spec"]["containers"] if destination is not None else ()
    return any(
        (declared.get("name"), declared["containerPort"], declared.get("protocol", "TCP"))
        == (wanted, packet.port, packet.protocol)
        for container in containers
        for declared in container.get("ports") or ()
    )


def _matches_peer(view: View, peers: Iterable[Spec], namespace: str, pod: Obj | None, address: str) -> bool:
    """Whether somebody is among the peers of a rule; no list means everybody."""
    peers = list(peers)
    return not peers or any(
        in_block(peer["ipBlock"], address) if peer.get("ipBlock") else _is_selected(view, peer, namespace, pod)
        for peer in peers
    )


def _is_selected(view: View, peer: Spec, namespace: str, pod: Obj | None) -> bool:
    """EvaluateSelectors: without a namespaceSelector it is Pods of the policy's own Namespace."""
    if pod is None:
        return False
    pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
    own = pod["metadata"]["namespace"]
    if pods is not None and not label_selector_matches(pods, labels_of(pod)):
        return False
    if namespaces is None:
        return bool(own == namespace)
    return label_selector_matches(namespaces, view.namespace_labels(own))


def in_block(block: Spec, address: str) -> bool:
    """Whether an address is in a CIDR and in none of its exceptions (evaluateIPBlocks)."""
    return _in_cidr(block["cidr"], address) and not any(_in_cidr(cidr, address) for cidr in block.get("except") or ())


def _in_cidr(cidr: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
