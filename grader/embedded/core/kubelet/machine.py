"""The Host that programs in a container run on, over the virtual network."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping

from grader.embedded.core.dns import Rr, Zone
from grader.embedded.core.kernel import Event, Kernel, Stream
from grader.embedded.core.network import Machine, Network
from grader.embedded.core.programs.host import (
    ConnectionRefused_,
    DatagramHandler,
    DnsReply,
    Handler,
    Record,
)


class Nameserver:
    """Which machines answer DNS, and how: the CoreDNS Pods that run.

    Attributes:
        zone: what they answer.

    """

    def __init__(self, zone: Zone, serial: Callable[[], int]) -> None:
        self.zone = zone
        self._serial = serial
        self._machines: dict[Machine, None] = {}

    def serve(self, machine: Machine) -> Callable[[], None]:
        """A CoreDNS starts on a machine; the function returned stops it."""
        self._machines[machine] = None
        return lambda: self._machines.pop(machine, None)

    def serves(self, machine: Machine | None) -> bool:
        """Whether a CoreDNS runs there."""
        return machine in self._machines

    def reply(self, name: str, type_: str) -> DnsReply:
        """Answer one question."""
        answer = self.zone.query(name, type_, self._serial())
        return DnsReply(
            answer.rcode,
            _records(answer.answers),
            _records(answer.authority),
            _records(answer.additional),
            answer.authoritative,
        )


def _records(records: tuple[Rr, ...]) -> tuple[Record, ...]:
    return tuple(Record(record.name, record.type, record.ttl, record.data) for record in records)


class ContainerHost:
    """A machine as one container of it sees it.

    Attributes:
        hostname: the Pod's host name.
        ip: the machine's address.
        env: the container's environment.
        files: the container's files.
        kernel: the scheduler.
        machine: the network namespace, shared with the other containers of the Pod.

    """

    def __init__(
        self,
        network: Network,
        nameserver: Nameserver,
        kernel: Kernel,
        machine: Machine,
        hostname: str,
        env: dict[str, str],
        files: MutableMapping[str, bytes],
    ) -> None:
        self.hostname = hostname
        self.ip = machine.ip
        self.env = env
        self.files = files
        self.kernel = kernel
        self.machine = machine
        self._network = network
        self._nameserver = nameserver
        self._closers: list[Callable[[], None]] = []

    async def connect(self, ip: str, port: int) -> Stream:
        """See Host.connect."""
        return await self._network.connect(self.machine, ip, port)

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
        if self._nameserver.serves(path.machine):
            return self._nameserver.reply(name, type)
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
