"""The Host that programs in a container run on, over the virtual network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from random import Random

from grader.embedded.core.coredns.server import Question, Upstream
from grader.embedded.core.dnsnames import View
from grader.embedded.core.dnsrecords import DnsReply
from grader.embedded.core.kernel import DatagramHandler, Event, Handler, Kernel, Stream
from grader.embedded.core.machines import Machine, Peer
from grader.embedded.core.network import Network
from grader.embedded.core.programs.host import ConnectionRefused_
from grader.embedded.core.programs.process import Processes

MAX_HOPS = 5
"""Servers that may pass a question on before a circle of them is seen as one that never answers."""

Serving = Callable[[Question, int], DnsReply | None]
"""Answers a question that came to a port; None where nothing serves there."""


class Nameserver:
    """Which machines answer DNS, and how: the CoreDNS Pods that run.

    Args:
        network: the ways between them.
        view: what they read of the cluster.
        random: the cluster's source of randomness.
        serial: gives the serial number of SOA records.

    """

    def __init__(self, network: Network, view: View, random: Random, serial: Callable[[], int]) -> None:
        self.view = view
        self.random = random
        self._network = network
        self._serial = serial
        self._machines: dict[Machine, Serving] = {}

    def serve(self, machine: Machine, serving: Serving) -> Callable[[], None]:
        """A CoreDNS starts on a machine; the function returned stops it."""
        self._machines[machine] = serving

        def stop() -> None:
            self._machines.pop(machine, None)

        return stop

    def ask(self, machine: Machine | None, port: int, name: str, type_: str, client: Peer) -> DnsReply | None:
        """What a machine answers to one question, None where it does not answer DNS on that port."""
        serving = self._machines.get(machine) if machine is not None else None
        return serving(Question(name, type_, *client, serial=self._serial()), port) if serving is not None else None

    def ask_any(self, name: str, type_: str) -> DnsReply:
        """What the first CoreDNS that runs answers to the learner's own machine."""
        for machine in self._machines:
            if (answer := self.ask(machine, 53, name, type_, ("127.0.0.1", 53))) is not None:
                return answer
        return DnsReply("SERVFAIL", authoritative=False)

    def from_machine(self, source: Machine) -> Upstream:
        """How a CoreDNS on a machine reaches other servers of the network: at once, or never."""

        def upstream(address: str, question: Question) -> DnsReply | None:
            path = self._network.route(source, address, 53, "UDP")
            serving = self._machines.get(path.machine) if path.machine is not None else None
            if serving is None or path.action != "deliver" or question.hops >= MAX_HOPS:
                return None
            port = source.ephemeral_port()
            return serving(replace(question, client=path.seen, port=port, hops=question.hops + 1), path.port)

        return upstream


class ContainerHost:
    """A machine as one container of it sees it.

    Attributes:
        hostname: the Pod's host name.
        ip: the machine's address.
        env: the container's environment.
        files: the container's files.
        kernel: the scheduler.
        processes: what runs in the container.
        machine: the network namespace, shared with the other containers of the Pod.

    """

    def __init__(
        self,
        network: Network,
        nameserver: Nameserver,
        kernel: Kernel,
        machine: Machine,
        hostname: str,
        env: Mapping[str, str],
        files: MutableMapping[str, bytes],
    ) -> None:
        self.hostname = hostname
        self.ip = machine.ip
        self.env = env
        self.files = files
        self.kernel = kernel
        self.processes = Processes()
        self.machine = machine
        self._network = network
        self._nameserver = nameserver
        self._closers: list[Callable[[], None]] = []

    async def connect(self, ip: str, port: int, bound: str = "") -> Stream:
        """See Host.connect."""
        return await self._network.connect(self.machine, ip, port, bound)

    def listen(self, port: int, handler: Handler) -> Callable[[], None]:
        """See Host.listen."""
        closer = self.machine.listen(port, handler)
        self._closers.append(closer)
        return closer

    async def udp(self, ip: str, port: int, data: bytes) -> bytes:
        """See Host.udp."""
        return await self._network.udp(self.machine, ip, port, data)

    def listen_udp(self, port: int, handler: DatagramHandler) -> Callable[[], None]:
        """See Host.listen_udp."""
        closer = self.machine.listen_udp(port, handler)
        self._closers.append(closer)
        return closer

    async def dns(self, name: str, type: str, server: str | None = None) -> DnsReply:
        """See Host.dns: the query goes through the network to a CoreDNS Pod."""
        path = await self._network.arrive(self.machine, server or self._first_nameserver(), 53, "UDP")
        client = (path.seen, self.machine.ephemeral_port())
        if (reply := self._nameserver.ask(path.machine, path.port, name, type, client)) is not None:
            return reply
        if path.machine is not None and path.machine.kind == "pod":
            raise ConnectionRefused_
        await Event().wait()
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """The container has ended: close what it listens on."""
        closers, self._closers = self._closers, []
        for closer in closers:
            closer()

    def _first_nameserver(self) -> str:
        for line in self.files.get("/etc/resolv.conf", b"").decode(errors="replace").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                return words[1]
        return "127.0.0.1"
