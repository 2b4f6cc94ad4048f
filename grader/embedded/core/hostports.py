"""Ports of a node that its Pods take: who may have them, and where they lead.

Sources: k8s.io/kubernetes/pkg/scheduler/util/utils.go GetHostPorts, framework/plugins/nodeports/node_ports.go;
k8s.io/kube-scheduler v0.36 framework/types.go HostPortInfo.CheckConflict; k8s.io/kubernetes/pkg/kubelet/kuberuntime/
kuberuntime_sandbox.go (the containers' ports, not those of init containers, go to the network plugin); the forwarding
is that of github.com/containernetworking/plugins v1.9 plugins/meta/portmap/portmap_iptables.go, which kind uses.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from grader.embedded.core.store import Obj

TAKEN = "node(s) didn't have free ports for the requested pod ports"
"""What scheduler and kubelet say (node_ports.go ErrReason)."""
ANY = "0.0.0.0"


@dataclass(frozen=True)
class HostPort:
    """A port of the node that a container asks for.

    Attributes:
        ip: the node's address that it is bound to, 0.0.0.0 for all of them.
        port: the port.
        protocol: TCP, UDP or SCTP.
        target: the container's port.

    """

    ip: str
    port: int
    protocol: str
    target: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether both cannot be on one node (CheckConflict)."""
        same = (self.port, self.protocol) == (other.port, other.protocol)
        return same and (self.ip == other.ip or ANY in (self.ip, other.ip))


def host_ports(pod: Obj, *, forwarded: bool = False) -> list[HostPort]:
    """The host ports of a Pod; those of sidecars count for the scheduler, but lead nowhere."""
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return [
        HostPort(port.get("hostIP") or ANY, port["hostPort"], port.get("protocol") or "TCP", port["containerPort"])
        for container in [*([] if forwarded else sidecars), *spec["containers"]]
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]


def fits(wanted: list[HostPort], others: Iterable[Obj]) -> bool:
    """Whether a node has the ports free beside the Pods that it has."""
    return not wanted or not any(
        port.conflicts(held) for other in others for held in host_ports(other) for port in wanted
    )


@dataclass(frozen=True)
class Forward:
    """Where a host port leads.

    Attributes:
        ip: the Pod's address.
        port: the Pod's port.
        subnet: the Pod network of the node: from there, and from the loopback interface, the source is translated.

    """

    ip: str
    port: int
    subnet: ipaddress.IPv4Network

    def masquerades(self, source: str) -> bool:
        """Whether the source address becomes the node's (fillDnatRules: `-s`, the hairpin and the localhost rule)."""
        return source == "127.0.0.1" or ipaddress.IPv4Address(source) in self.subnet


class Forwarding:
    """The rules of one node, in the order in which Pods came."""

    def __init__(self) -> None:
        self._rules: defaultdict[tuple[str, int], list[tuple[str, Forward]]] = defaultdict(list)

    def add(self, pod: Obj, ip: str, subnet: str) -> None:
        """Forward the ports of a Pod that has an address of its own (an ADD of the plugin)."""
        network = ipaddress.IPv4Network(subnet)
        for wanted in host_ports(pod, forwarded=True):
            self._rules[wanted.protocol, wanted.port].append((wanted.ip, Forward(ip, wanted.target, network)))

    def remove(self, ip: str) -> None:
        """Forward nothing to an address any more (a DEL)."""
        for key, rules in list(self._rules.items()):
            self._rules[key] = kept = [rule for rule in rules if rule[1].ip != ip]
            if not kept:
                del self._rules[key]

    def find(self, ip: str, port: int, protocol: str) -> Forward | None:
        """Where a connection to an address of the node goes, None where no rule is about it."""
        if not self._rules or ":" in ip:
            return None
        return next((to for bound, to in self._rules.get((protocol, port), ()) if bound in (ANY, ip)), None)
