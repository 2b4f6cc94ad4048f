"""Names to addresses as a container's C library does it: /etc/hosts, then DNS with the search list of /etc/resolv.conf.

Rules: resolv.conf(5) (search, ndots, timeout, attempts), hosts(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.embedded.core.dnsrecords import DnsReply, Record
from grader.embedded.core.kernel import TimeoutError_, with_timeout
from grader.embedded.core.programs.host import Host, NetworkError

HOSTS = "/etc/hosts"
RESOLV_CONF = "/etc/resolv.conf"


class NameNotFound(Exception):
    """No nameserver knows the name (EAI_NONAME), or it has no address (EAI_NODATA)."""


class NameserverTimeout(Exception):
    """No nameserver answered, or it answered with a failure (EAI_AGAIN).

    Attributes:
        rcode: what it answered, "" where there was no answer.
    """

    def __init__(self, name: str, rcode: str = "") -> None:
        super().__init__(name)
        self.rcode = rcode


@dataclass(frozen=True)
class ResolvConf:
    """What /etc/resolv.conf says.

    Attributes:
        nameservers: addresses, in order.
        search: domains to try, without trailing dot.
        ndots: a name with fewer dots is tried with the search list first.
        timeout: seconds to wait for one answer.
        attempts: how often each server is asked.
    """

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: float = 5.0
    attempts: int = 2

    @classmethod
    def parse(cls, text: str) -> ResolvConf:
        """Read the file's text."""
        servers: list[str] = []
        search: tuple[str, ...] = ()
        options: dict[str, int] = {}
        for line in text.splitlines():
            words = line.split("#")[0].split(";")[0].split()
            if not words:
                continue
            if words[0] == "nameserver":
                servers += words[1:2]
            elif words[0] in {"search", "domain"}:
                search = tuple(word.rstrip(".") for word in words[1:])
            elif words[0] == "options":
                for option in words[1:]:
                    name, _, value = option.partition(":")
                    if value.isdigit():
                        options[name] = int(value)
        return cls(
            nameservers=tuple(servers[:3]),
            search=search,
            ndots=min(options.get("ndots", 1), 15),
            timeout=float(options.get("timeout", 5)),
            attempts=options.get("attempts", 2),
        )

    @classmethod
    def of(cls, host: Host) -> ResolvConf:
        """What the host's file says."""
        return cls.parse(host.files.get(RESOLV_CONF, b"").decode())

    def candidates(self, name: str) -> Iterator[str]:
        """The absolute names to ask for, in order."""
        if name.endswith("."):
            yield name
            return
        absolute = f"{name}."
        if name.count(".") >= self.ndots:
            yield absolute
        for domain in self.search:
            yield f"{name}.{domain}."
        if name.count(".") < self.ndots:
            yield absolute


def is_ipv4(text: str) -> bool:
    """Whether the text is a dotted IPv4 address without leading zeros."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and str(int(part)) == part and int(part) < 256 for part in parts)


def from_hosts(host: Host, name: str) -> list[str]:
    """The IPv4 addresses that /etc/hosts gives a name."""
    return [words[0] for words in _lines_of_hosts(host, name)]


def canonical_from_hosts(host: Host, name: str) -> str:
    """The first name on the line of /etc/hosts that has a name: what the C library calls canonical. Else the name."""
    return next((words[1] for words in _lines_of_hosts(host, name)), name)


def _lines_of_hosts(host: Host, name: str) -> Iterator[list[str]]:
    wanted = name.rstrip(".").lower()
    for line in host.files.get(HOSTS, b"").decode().splitlines():
        words = line.split("#")[0].split()
        if len(words) > 1 and is_ipv4(words[0]) and wanted in (word.lower() for word in words[1:]):
            yield words


async def query(host: Host, name: str, type: str, conf: ResolvConf | None = None) -> DnsReply:
    """Ask for one absolute name, with the file's timeout and attempts. Raises NameserverTimeout."""
    conf = conf or ResolvConf.of(host)
    for _ in range(conf.attempts):
        for server in conf.nameservers or ("127.0.0.1",):
            try:
                return await with_timeout(conf.timeout, host.dns(name, type, server))
            except (TimeoutError_, NetworkError):
                continue
    raise NameserverTimeout(name)


async def search(host: Host, name: str, type: str, conf: ResolvConf | None = None) -> tuple[str, DnsReply]:
    """Ask along the search list until a name exists with records of that type.

    Returns the absolute name asked last and its reply: the one with answers, else the last one.
    Raises NameserverTimeout.
    """
    conf = conf or ResolvConf.of(host)
    asked, reply = f"{name}.", DnsReply("NXDOMAIN")
    for asked in conf.candidates(name):
        reply = await query(host, asked, type, conf)
        if reply.rcode == "NOERROR" and reply.answers:
            break
        if reply.rcode not in {"NOERROR", "NXDOMAIN"}:
            raise NameserverTimeout(name, reply.rcode)
    return asked, reply


def addresses(records: tuple[Record, ...], type: str = "A") -> list[str]:
    """The addresses among answer records, in order."""
    return [record.data for record in records if record.type == type]


async def resolve(host: Host, name: str) -> list[str]:
    """The IPv4 addresses of a name, as getaddrinfo(3) gives them to a program.

    Raises NameNotFound or NameserverTimeout.
    """
    if is_ipv4(name):
        return [name]
    if found := from_hosts(host, name):
        return found
    if not name or name == ".":
        raise NameNotFound(name)
    _, reply = await search(host, name, "A")
    if found := addresses(reply.answers):
        return found
    raise NameNotFound(name)


def reverse(address: str) -> str:
    """The in-addr.arpa name of an IPv4 address, absolute."""
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa."


async def name_of(host: Host, address: str, conf: ResolvConf | None = None) -> str:
    """The name of an address, as getnameinfo(3) gives it: of /etc/hosts, else of DNS; "" where there is none."""
    for line in host.files.get(HOSTS, b"").decode().splitlines():
        words = line.split("#")[0].split()
        if words[:1] == [address] and len(words) > 1:
            return words[1]
    try:
        reply = await query(host, reverse(address), "PTR", conf)
    except NameserverTimeout:
        return ""
    return next((name.rstrip(".") for name in addresses(reply.answers, "PTR")), "")
