"""The virtual network: who is reached when somebody connects to an address, and as whom they are seen.

It has the shape of a kind cluster: a Pod network 10.244.0.0/16 with a /24 for each node, joined by routes; a network
172.18.0.0/16 that the nodes share with outside clients; a kube-proxy on each node; source NAT for what leaves the Pod
network (kindnet's ip-masq); NetworkPolicies, which each node enforces; load balancer addresses announced by one node
over ARP (MetalLB's layer 2 mode).

A packet that nobody answers is *dropped*: the caller waits for ever. One that a proxy rejects, or that finds no
listener, is *refused*. An address of the shared network that no machine has is *unreachable*, after ARP has given up.
"""

from __future__ import annotations

import hashlib
import ipaddress
import random
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from grader.embedded.core import healthcheck, policies, proxy
from grader.embedded.core.hostports import Forwarding
from grader.embedded.core.index import Index, ingress_ips
from grader.embedded.core.kernel import Event, Handler, Kernel, Stream, pair, sleep, turn
from grader.embedded.core.machines import Machine, Peer
from grader.embedded.core.objects import key_of
from grader.embedded.core.programs.host import AddressNotAvailable, ConnectionRefused_, InvalidArgument, NoRoute
from grader.embedded.core.store import Obj

NODE_NETWORK = ipaddress.ip_network("172.18.0.0/16")
ARP_SECONDS = 3.0
"""How long Linux asks for a neighbour before it says "No route to host" (mcast_solicit 3, retrans_time 1 s)."""


@dataclass(frozen=True)
class Node:
    """A node's part of the network.

    Attributes:
        name: the node's name.
        machine: its own network namespace, at its InternalIP.
        pod_cidr: the addresses of its Pods.
        gateway: the node's address on the links to its Pods, which they see as the source of masqueraded traffic.
        affinity: the affinity table of its proxy.
        host_ports: where its host ports lead.

    """

    name: str
    machine: Machine
    pod_cidr: str
    gateway: str
    affinity: proxy.Affinity
    host_ports: Forwarding = field(default_factory=Forwarding)


@dataclass(frozen=True)
class Path:
    """Where a connection ends.

    Attributes:
        action: what becomes of it.
        machine: who gets it, where it is delivered.
        port: the port there.
        seen: the source address as the receiver sees it.
        health_of: the Service whose healthCheckNodePort was addressed, and the node.
        loopback: whether it is the machine's own 127.0.0.1 that was addressed.

    """

    action: Literal["deliver", "refuse", "drop", "unreachable"]
    machine: Machine | None = None
    port: int = 0
    seen: str = ""
    health_of: tuple[Obj, str] | None = None
    loopback: bool = False


REFUSED = Path("refuse")
DROPPED = Path("drop")
UNREACHABLE = Path("unreachable")


class Network:
    """All machines, and the rules between them.

    Attributes:
        nodes: the nodes by name.
        machines: all machines by address.

    """

    def __init__(self, index: Index, kernel: Kernel, random_: random.Random) -> None:
        self.nodes: dict[str, Node] = {}
        self.machines: dict[str, Machine] = {}
        self._index = index
        self._kernel = kernel
        self._random = random_

    def add_node(self, name: str, ip: str, pod_cidr: str) -> Node:
        """Join a node to the network."""
        machine = Machine(name, ip, "node", name)
        gateway = str(ipaddress.ip_network(pod_cidr)[1])
        node = Node(name, machine, pod_cidr, gateway, proxy.Affinity())
        self.nodes[name] = node
        self.machines[ip] = machine
        return node

    def add(self, machine: Machine) -> Machine:
        """Join a Pod or an outside client to the network."""
        self.machines[machine.ip] = machine
        return machine

    def remove(self, machine: Machine) -> None:
        """Take a machine off the network and break its connections."""
        if self.machines.get(machine.ip) is machine:
            del self.machines[machine.ip]
        machine.reset_all()

    async def connect(self, source: Machine, ip: str, port: int, bound: str = "") -> Stream:
        """Open a TCP connection, from `bound` where it is given; waits for ever where packets are dropped.

        Raises ConnectionRefused_, NoRoute, AddressNotAvailable, InvalidArgument.
        """
        await turn()
        path = await self.arrive(source, ip, port, "TCP", bound)
        local: Peer = (bound or source.ip, source.ephemeral_port())
        near, far = pair()
        near.local, near.peer = local, (ip, port)
        source.remember(near)
        if path.health_of is not None:
            self._kernel.spawn(self._answer_health(far, *path.health_of), "healthCheckNodePort")
            return near
        assert path.machine is not None
        handler = path.machine.tcp.get(path.port)
        if handler is None and path.loopback:
            handler = path.machine.loopback.get(path.port)
        if handler is None:
            raise ConnectionRefused_()
        far.local, far.peer = (path.machine.ip, path.port), (path.seen, local[1])
        path.machine.remember(far)
        self._kernel.spawn(_served(handler, far), f"{path.machine.name}:{path.port}")
        return near

    async def udp(self, source: Machine, ip: str, port: int, data: bytes) -> bytes:
        """Send a datagram and wait for the reply; for ever where none comes. Raises ConnectionRefused_, NoRoute."""
        await turn()
        path = await self.arrive(source, ip, port, "UDP")
        assert path.machine is not None
        handler = path.machine.udp.get(path.port)
        if handler is None:
            raise ConnectionRefused_()
        reply = handler(data, (path.seen, source.ephemeral_port()))
        if reply is None:
            await _never()
            raise AssertionError("unreachable")
        return reply

    async def arrive(self, source: Machine, ip: str, port: int, protocol: str, bound: str = "") -> Path:
        """Where a packet is delivered; waits for ever where it is dropped.

        Raises ConnectionRefused_, NoRoute, and for `bound` AddressNotAvailable, InvalidArgument.
        """
        path = self.route(source, ip, port, protocol) if not bound else self._bound(source, bound, ip, port, protocol)
        if path.action == "drop":
            await _never()
        if path.action == "unreachable":
            await sleep(ARP_SECONDS)
            raise NoRoute()
        if path.action == "refuse":
            raise ConnectionRefused_()
        return path

    def _bound(self, source: Machine, bound: str, ip: str, port: int, protocol: str) -> Path:
        """Where a connection ends whose source the program has chosen (bind before connect).

        From the loopback address nothing leaves a machine: a Pod's kernel refuses (Linux' net/ipv4/route.c
        __mkroute_output), and a node's, where kube-proxy sets route_localnet, sends what nobody answers.

        Raises AddressNotAvailable, InvalidArgument.
        """
        node = self.nodes.get(source.node) if source.kind == "node" else None
        address = ipaddress.ip_address(bound)
        if not (address.is_loopback or bound == source.ip or (node is not None and bound == node.gateway)):
            raise AddressNotAvailable
        if address.is_loopback and not _is_loopback(ip) and ip != source.ip:
            if node is None:
                raise InvalidArgument
            return DROPPED
        path = self.route(source, ip, port, protocol, bound)
        return path if path.machine is not source else replace(path, seen=bound)

    def route(self, source: Machine, ip: str, port: int, protocol: str = "TCP", bound: str = "") -> Path:
        """Where a new connection from a machine to an address ends. Chooses a backend, so it is not without effect.

        Args:
            source: the machine that connects.
            ip: the address it connects to.
            port: the port.
            protocol: TCP, UDP or SCTP.
            bound: the address of the machine that it comes from, "" where the route decides.

        """
        own = self.nodes.get(source.node)
        if own is None:
            return self._from_outside(source, ip, port, protocol)
        loopback = _is_loopback(ip)
        if source.kind == "pod":
            if loopback or ip == source.ip:
                return Path("deliver", source, port, ip if loopback else source.ip)
            return self._at_node(own, proxy.Source(source.ip, is_pod=True), ip, port, protocol)
        if loopback and (path := self._to_host_port(own, proxy.Source(bound or ip, is_node=True), ip, port, protocol)):
            return path
        asked = own.machine.ip if loopback else ip
        at = proxy.Source(bound or source.ip, is_node=True, is_bound=bool(bound))
        path = self._at_node(own, at, asked, port, protocol)
        return replace(path, loopback=True) if loopback and path.machine is own.machine else path

    def announcer(self, service: Obj) -> str | None:
        """The node that answers ARP for the Service's load balancer address, None where none does.

        Rule: MetalLB speaker/layer2_controller.go ShouldAnnounce, speakersForPool.
        """
        ips = ingress_ips(service)
        endpoints = [e for slice_ in self._index.slices(key_of(service)) for e in slice_.get("endpoints") or ()]
        active = [e for e in endpoints if _can_serve(e.get("conditions") or {})]
        if not ips or not active:
            return None
        nodes = [name for name in self.nodes if self._index.takes_load_balancers(name)]
        if service["spec"].get("externalTrafficPolicy") == "Local":
            here = {endpoint.get("nodeName") for endpoint in active}
            nodes = [node for node in nodes if node in here]
        return min(nodes, key=lambda node: hashlib.sha256(f"{node}#{ips[0]}".encode()).digest(), default=None)

    def _from_outside(self, source: Machine, ip: str, port: int, protocol: str) -> Path:
        if _is_loopback(ip) or ip == source.ip:
            return Path("deliver", source, port, ip)
        target = self.machines.get(ip)
        if target is not None and target.kind == "outside":
            return Path("deliver", target, port, source.ip)
        if target is not None and target.kind == "node":
            return self._at_node(self.nodes[target.node], proxy.Source(source.ip), ip, port, protocol)
        if not _is_of_nodes(ip):
            return DROPPED
        for service in self._index.services_at(ip):
            if ip in ingress_ips(service) and (name := self.announcer(service)):
                return self._at_node(self.nodes[name], proxy.Source(source.ip), ip, port, protocol)
        return UNREACHABLE

    def _at_node(self, node: Node, source: proxy.Source, ip: str, port: int, protocol: str) -> Path:
        """What a node does with a new connection that a Pod of it, it itself or the outside sends to an address."""
        for service in self._index.services_at(ip):
            if proxy.is_proxied(service):
                for service_port in service["spec"].get("ports") or ():
                    if service_port["port"] == port and (service_port.get("protocol") or "TCP") == protocol:
                        entry = _entry(service, ip)
                        return self._proxied(node, service, service_port, entry, source)
        if ip == node.machine.ip:
            return self._to_own_address(node, source, port, protocol)
        return self._forward(node, source, ip, port, protocol)

    def _to_own_address(self, node: Node, source: proxy.Source, port: int, protocol: str) -> Path:
        for service in self._index.services_at_node_port(port):
            if not proxy.is_proxied(service):
                continue
            if service["spec"].get("healthCheckNodePort") == port and protocol == "TCP":
                return Path("deliver", node.machine, port, source.ip, health_of=(service, node.name))
            for service_port in service["spec"].get("ports") or ():
                if service_port.get("nodePort") == port and (service_port.get("protocol") or "TCP") == protocol:
                    return self._proxied(node, service, service_port, "node-port", source)
        host_port = self._to_host_port(node, source, node.machine.ip, port, protocol)
        return host_port or Path("deliver", node.machine, port, source.ip)

    def _to_host_port(self, node: Node, source: proxy.Source, ip: str, port: int, protocol: str) -> Path | None:
        """To the Pod that has this host port, None where none has (portmap's rules come behind kube-proxy's)."""
        forward = node.host_ports.find(ip, port, protocol)
        target = self.machines.get(forward.ip) if forward else None
        if forward is None or target is None:
            return None
        if not self._leaves(node, source, target.ip, forward.port, protocol):
            return DROPPED
        return Path("deliver", target, forward.port, node.gateway if forward.masquerades(source.ip) else source.ip)

    def _forward(self, node: Node, source: proxy.Source, ip: str, port: int, protocol: str) -> Path:
        """No Service is concerned: route the packet on."""
        if not self._leaves(node, source, ip, port, protocol):
            return DROPPED
        target = self.machines.get(ip)
        if target is None:
            return UNREACHABLE if _is_of_nodes(ip) else DROPPED
        if target.kind == "pod":
            by_route = source.is_node and not source.is_bound and target.node == node.name
            seen = node.gateway if by_route else source.ip
            return self._enters(node, target, port, seen, protocol)
        seen = node.machine.ip if source.is_pod else source.ip
        if target.kind == "node":
            return self._at_node(self.nodes[target.node], proxy.Source(seen), ip, port, protocol)
        return Path("deliver", target, port, seen)

    def _proxied(
        self, node: Node, service: Obj, port: dict[str, Any], entry: proxy.Entry, source: proxy.Source
    ) -> Path:
        slices = self._index.slices_of_proxies(key_of(service))
        protocol = port.get("protocol") or "TCP"
        endpoints = proxy.endpoints_of(slices, port.get("name") or "", protocol)
        categories = proxy.categorize(endpoints, service, node.name, self._index.zone(node.name))
        choose = proxy.chooser(service, port, source.ip, node.affinity, self._kernel.monotonic(), self._random)
        verdict = proxy.decide(service, port, entry, source, categories, choose)
        if verdict.action == "reject":
            return REFUSED
        if verdict.endpoint is None:
            return DROPPED
        return self._to_endpoint(node, source, verdict.endpoint, verdict.masquerade, protocol)

    def _to_endpoint(
        self, node: Node, source: proxy.Source, endpoint: proxy.Endpoint, masquerade: bool, protocol: str
    ) -> Path:
        """Deliver after DNAT; MASQUERADE takes the address of the interface by which the packet leaves."""
        target = self.machines.get(endpoint.ip)
        if target is node.machine:
            return Path("deliver", target, endpoint.port, source.ip)
        if not self._leaves(node, source, endpoint.ip, endpoint.port, protocol):
            return DROPPED
        if target is None:
            return UNREACHABLE if _is_of_nodes(endpoint.ip) else DROPPED
        seen = source.ip
        if masquerade or source.is_node or (source.is_pod and target.kind != "pod"):
            local_pod = target.kind == "pod" and target.node == node.name
            seen = node.gateway if local_pod else node.machine.ip
        return self._enters(node, target, endpoint.port, seen, protocol)

    def _leaves(self, node: Node, source: proxy.Source, ip: str, port: int, protocol: str) -> bool:
        """Whether NetworkPolicies let a packet out of a node that it forwards; what it sends itself they do."""
        return source.is_node or self._passes(node.name, source.ip, ip, port, protocol)

    def _enters(self, node: Node, target: Machine, port: int, seen: str, protocol: str) -> Path:
        """Deliver what has left a node; to a Pod of another one, where NetworkPolicies let it through there as well."""
        elsewhere = target.kind == "pod" and target.node != node.name
        if elsewhere and not self._passes(target.node, seen, target.ip, port, protocol):
            return DROPPED
        return Path("deliver", target, port, seen)

    def _passes(self, node: str, source: str, ip: str, port: int, protocol: str) -> bool:
        packet = policies.Packet(source, ip, port, protocol)
        return not self._index.has_policies or policies.passes(self._index, node, packet)

    async def _answer_health(self, stream: Stream, service: Obj, node: str) -> None:
        count = proxy.local_endpoint_count(service, self._index.slices_of_proxies(key_of(service)), node)
        await healthcheck.answer(stream, key_of(service), count, self._kernel.now())


@lru_cache(4096)
def _is_loopback(ip: str) -> bool:
    return ipaddress.ip_address(ip).is_loopback


@lru_cache(4096)
def _is_of_nodes(ip: str) -> bool:
    """Whether an address is of the network that the nodes share."""
    return ipaddress.ip_address(ip) in NODE_NETWORK


def _entry(service: Obj, ip: str) -> proxy.Entry:
    if ip in ingress_ips(service):
        return "load-balancer"
    if ip in (service["spec"].get("externalIPs") or ()):
        return "external-ip"
    return "cluster-ip"


def _can_serve(conditions: dict[str, Any]) -> bool:
    """MetalLB internal/k8s/epslices/endpoint_slices.go EndpointCanServe."""
    return conditions.get("ready") is not False or bool(conditions.get("serving"))


async def _served(handler: Handler, stream: Stream) -> None:
    await handler(stream, stream.peer)


async def _never() -> None:
    await Event().wait()
