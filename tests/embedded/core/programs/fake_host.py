from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.core.kernel import (
    Address,
    DatagramHandler,
    Event,
    Handler,
    Kernel,
    Stream,
    VirtualClock,
    drive,
    pair,
)
from grader.embedded.core.programs.host import AddressInUse, AddressNotAvailable, ConnectionRefused_, NoRoute
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.process import Process, Processes

SOA_DATA = "ns.dns.cluster.local. hostmaster.cluster.local. 1795391136 7200 1800 86400 30"
SOA = Record("cluster.local.", "SOA", 30, SOA_DATA)
RESOLV_CONF = """search programs.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
options ndots:5
"""
HOSTS = "127.0.0.1\tlocalhost\n{ip}\t{name}\n"


@dataclass
class Network:
    """A few hosts on one flat network, Services as plain address translations, and a DNS zone."""

    clock: VirtualClock = field(default_factory=lambda: VirtualClock(1_795_391_136.0))
    hosts: dict[str, FakeHost] = field(default_factory=dict)
    services: dict[Address, list[Address]] = field(default_factory=dict)
    zone: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    queries: list[tuple[str, str, str | None]] = field(default_factory=list)
    turns: int = 0

    def __post_init__(self) -> None:
        self.kernel = Kernel(self.clock)

    def host(self, name: str, ip: str, **env: str) -> FakeHost:
        self.hosts[ip] = FakeHost(self, name, ip, dict(env))
        return self.hosts[ip]

    def service(self, name: str, ip: str, port: int, *backends: Address) -> None:
        self.services[ip, port] = list(backends)
        full = f"{name}.programs.svc.cluster.local."
        self.zone[full, "A"] = [ip]
        self.zone[f"{'.'.join(reversed(ip.split('.')))}.in-addr.arpa.", "PTR"] = [full]
        self.zone[f"_http._tcp.{full}", "SRV"] = [f"0 100 {port} {full}"]

    async def route(self, ip: str, port: int) -> tuple[FakeHost, int]:
        if (ip, port) in self.services:
            backends = self.services[ip, port]
            if not backends:
                raise ConnectionRefused_
            self.turns += 1
            ip, port = backends[self.turns % len(backends)]
        if ip.startswith("10.96."):
            await Event().wait()
        if ip not in self.hosts:
            raise NoRoute
        return self.hosts[ip], port


class FakeHost:
    def __init__(self, network: Network, name: str, ip: str, env: dict[str, str]) -> None:
        self.network = network
        self.hostname = name
        self.ip = ip
        self.env = env
        self.kernel = network.kernel
        self.processes = Processes()
        self.files = {"/etc/resolv.conf": RESOLV_CONF.encode(), "/etc/hosts": HOSTS.format(ip=ip, name=name).encode()}
        self.listeners: dict[int, Handler] = {}
        self.datagrams: dict[int, DatagramHandler] = {}

    async def connect(self, ip: str, port: int, bound: str = "") -> Stream:
        if bound not in ("", self.ip, "127.0.0.1"):
            raise AddressNotAvailable
        target, number = (self, port) if ip == "127.0.0.1" else await self.network.route(ip, port)
        if number not in target.listeners:
            raise ConnectionRefused_
        near, far = pair()
        self.kernel.spawn(target.listeners[number](far, (self.ip, 45678)))
        return near

    def listen(self, port: int, handler: Handler) -> Callable[[], None]:
        if port in self.listeners:
            raise AddressInUse
        self.listeners[port] = handler

        def close() -> None:
            self.listeners.pop(port, None)

        return close

    async def udp(self, ip: str, port: int, data: bytes) -> bytes:
        target, number = await self.network.route(ip, port)
        if number not in target.datagrams:
            raise ConnectionRefused_
        answer = target.datagrams[number](data, (self.ip, 45678))
        if answer is None:
            await Event().wait()
        return answer or b""

    def listen_udp(self, port: int, handler: DatagramHandler) -> Callable[[], None]:
        self.datagrams[port] = handler

        def close() -> None:
            self.datagrams.pop(port, None)

        return close

    async def dns(self, name: str, type: str, server: str | None = None) -> DnsReply:
        self.network.queries.append((name, type, server))
        if server not in {None, "10.96.0.10"}:
            await Event().wait()
        if not name.endswith(("cluster.local.", "in-addr.arpa.")):
            return DnsReply("NXDOMAIN", authoritative=False)
        zone = self.network.zone
        if not any(owner == name for owner, _ in zone):
            return DnsReply("NXDOMAIN", authority=(SOA,))
        data = zone.get((name, type), [])
        answers = tuple(Record(name, type, 30, item) for item in data)
        return DnsReply("NOERROR", answers, () if answers else (SOA,))

    # --- for tests

    def start(self, image: str, *args: str, command: list[str] | None = None, **options: bool) -> Process:
        spec = images.find(image)
        assert spec is not None
        process = images.run(self, spec, spec.command(command, list(args)), init=True, **options)
        self.kernel.run()
        return process

    def run(self, image: str, *argv: str, stdin: str | None = None, limit: float = 3600.0) -> Result:
        spec = images.find(image)
        assert spec is not None
        process = images.run(self, spec, list(argv), stdin=stdin is not None)
        if stdin is not None:
            process.feed(stdin.encode())
            process.close_stdin()
        out: dict[int, list[bytes]] = {1: [], 2: []}
        merged: list[bytes] = []

        def collect(fd: int, data: bytes) -> None:
            out[fd].append(data)
            merged.append(data)

        process.on_output(collect)
        code = drive(self.kernel, self.network.clock, process.wait(), limit)
        return Result(code, *(b"".join(chunks).decode() for chunks in (out[1], out[2], merged)))


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str
    both: str


AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def backends() -> Network:
    """Two agnhost backends behind `backend-service`, an `empty` Service, and a probe Pod."""
    network = Network()
    for name, ip in (("backend-a", "10.244.1.4"), ("backend-b", "10.244.2.3")):
        network.host(name, ip).start(AGNHOST, "netexec", "--http-port=8080")
    network.service("backend-service", "10.96.244.56", 80, ("10.244.1.4", 8080), ("10.244.2.3", 8080))
    network.service("empty", "10.96.178.255", 80)
    network.zone["headless.programs.svc.cluster.local.", "A"] = ["10.244.1.4", "10.244.2.3"]
    network.host("probe", "10.244.2.4").start(AGNHOST, "netexec")
    return network


def logs(process: Process) -> str:
    """What a process has printed so far, to both outputs."""
    lines: list[bytes] = []
    process.on_output(lambda fd, data: lines.append(data))
    return b"".join(lines).decode()


def curl(probe: FakeHost, *args: str) -> str:
    """What curl prints on a host."""
    return probe.run(AGNHOST, "curl", "-s", *args).out
