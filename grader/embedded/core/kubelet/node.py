"""What a kubelet has of its node: addresses for Pods, ports, files, and the cluster that it tells of them."""

from __future__ import annotations

import ipaddress
from collections import deque

from grader.embedded.core.controllers.base import ControllerContext
from grader.embedded.core.kubelet.machine import Nameserver
from grader.embedded.core.network import Network, Node
from grader.embedded.core.objects import key_of, with_metadata
from grader.embedded.core.store import Obj


class Addresses:
    """A node's Pod addresses, given out in order; one that was given back comes again last.

    Rule: CNI host-local takes the next free one after the last.
    """

    def __init__(self, cidr: str) -> None:
        network = ipaddress.ip_network(cidr)
        self._free = deque(str(ip) for ip in list(network)[2:-1])

    def take(self, wanted: str = "") -> str:
        """An address that nobody has: the one wanted, where it is free."""
        if wanted in self._free:
            self._free.remove(wanted)
            return wanted
        return self._free.popleft()

    def release(self, ip: str) -> None:
        """Give an address back."""
        self._free.append(ip)


class NodeState:
    """A node, as what runs its Pods sees it.

    Attributes:
        context: the cluster.
        node: the node's name.
        ip: the node's address.
        machine: the node's network namespace.
        pod_cidr: the addresses of its Pods.
        host_ports: where the node's host ports lead.
        disk: its own files, for what Pods keep on it: paths without a leading slash, and contents.

    """

    def __init__(self, context: ControllerContext, network: Network, nameserver: Nameserver, node: Node) -> None:
        self.context = context
        self.network = network
        self.nameserver = nameserver
        self.node = node.name
        self.machine = node.machine
        self.pod_cidr, self.host_ports = node.pod_cidr, node.host_ports
        self.ip = node.machine.ip
        self.addresses = Addresses(node.pod_cidr)
        self.disk: dict[str, bytes] = {}

    def erase(self, path: str) -> None:
        """Remove a folder of the node."""
        below = path.strip("/") + "/"
        for name in [name for name in self.disk if name.startswith(below)]:
            del self.disk[name]

    def remove(self, pod: Obj) -> None:
        """The Pod has ended: take it out of the store, unless a finalizer holds it."""
        key = key_of(pod)
        if pod["metadata"].get("finalizers"):
            if pod["metadata"].get("deletionGracePeriodSeconds"):
                self.context.store.update("pods", with_metadata(pod, deletionGracePeriodSeconds=0))
            return
        self.context.store.delete("pods", *key)
