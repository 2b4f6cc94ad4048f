"""One server of a CoreDNS: a zone with its chain of plugins, in the order of plugin.cfg.

Source: github.com/coredns/coredns v1.14.2 plugin/{errors,log,cache,rewrite,hosts,kubernetes,forward}.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from grader.embedded.core.coredns.rewrite import Rule
from grader.embedded.core.dns import Zone
from grader.embedded.core.dnsnames import REVERSE_ZONES, address_of_reverse, within
from grader.embedded.core.dnsrecords import DnsReply, Record

LEAST = 5
"""Seconds that an answer lives at least behind the cache (plugin/pkg/dnsutil/ttl.go MinimalDefaultTTL)."""


class Failed(Exception):
    """A plugin could not answer: SERVFAIL; `str()` is what the plugin errors logs."""


@dataclass(frozen=True)
class Question:
    """What a client asks.

    Attributes:
        name: absolute name.
        type: record type, such as "A".
        client: the client's address as CoreDNS sees it.
        port: the client's port.
        serial: of SOA records.
        hops: how many servers have passed it on.

    """

    name: str
    type: str
    client: str = "127.0.0.1"
    port: int = 0
    serial: int = 1
    hops: int = 0


class Upstream(Protocol):
    """Reaches other servers from where this CoreDNS runs."""

    def __call__(self, address: str, question: Question) -> DnsReply | None:
        """What the server at an address answers, None where none answers."""


@dataclass(frozen=True)
class Kubernetes:
    """The plugin kubernetes.

    Attributes:
        zones: its zones.
        zone: what answers for them.
        fallthrough: zones in which names that do not exist are the next plugin's.

    """

    zones: tuple[str, ...]
    zone: Zone
    fallthrough: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hosts:
    """The plugin hosts.

    Attributes:
        origins: its zones.
        entries: addresses by lower-case absolute name.
        fallthrough: zones in which names that do not exist are the next plugin's.
        ttl: seconds.

    """

    origins: tuple[str, ...]
    entries: dict[str, list[str]]
    fallthrough: tuple[str, ...] = ()
    ttl: int = 3600


@dataclass(frozen=True)
class Forward:
    """A plugin forward.

    Attributes:
        origin: the zone it is for.
        upstreams: addresses of other servers; none where they are the host's, which has none.
        excepted: zones that it leaves alone.

    """

    origin: str
    upstreams: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()


@dataclass
class Cache:
    """The plugin cache.

    Attributes:
        origins: its zones.
        success: seconds that an answer is kept at the most.
        denial: seconds that a negative one is.
        success_not: zones whose answers are not kept.
        denial_not: zones whose negative answers are not.

    """

    origins: tuple[str, ...]
    success: int = 3600
    denial: int = 1800
    success_not: tuple[str, ...] = ()
    denial_not: tuple[str, ...] = ()
    held: dict[tuple[str, str], tuple[float, float, DnsReply]] = field(default_factory=dict)

    def find(self, question: Question, now: float) -> DnsReply | None:
        """An answer that is kept, with what is left of its time to live."""
        found = self.held.get((question.name.lower(), question.type))
        if found is None or found[1] <= now:
            return None
        age = int(now - found[0])

        def aged(records: tuple[Record, ...]) -> tuple[Record, ...]:
            return tuple(replace(record, ttl=max(0, record.ttl - age)) for record in records)

        answer = found[2]
        return replace(
            answer,
            answers=aged(answer.answers),
            authority=aged(answer.authority),
            additional=aged(answer.additional),
        )

    def keep(self, question: Question, answer: DnsReply, now: float) -> DnsReply:
        """Keep an answer, where it may be kept; the answer with the time to live that it then has (WriteMsg)."""
        name, sections = question.name.lower(), (answer.answers, answer.authority, answer.additional)
        if answer.rcode not in ("NOERROR", "NXDOMAIN"):
            return answer
        but, most = (self.success_not, self.success) if answer.answers else (self.denial_not, self.denial)
        told = {record.ttl for records in sections for record in records}
        lives = min(max(min(told, default=LEAST), LEAST), most)
        if told - {lives}:
            changed = [tuple(replace(record, ttl=lives) for record in records) for records in sections]
            answer = replace(answer, answers=changed[0], authority=changed[1], additional=changed[2])
        if told and not covers(but, name):
            self.held[(name, question.type)] = (now, now + lives, answer)
        return answer


@dataclass
class Server:
    """A server block at work.

    Attributes:
        zone: its zone.
        clock: seconds since the epoch.
        random: identifies queries and shuffles what is balanced.
        write: writes a line of the log.
        upstream: reaches other servers.
        errors: whether failures are logged.
        logged: zones whose queries are logged.
        classes: classes of answers that are ("all").
        cache: the plugin cache.
        rewrites: rules of the plugin rewrite.
        hosts: the plugin hosts.
        kubernetes: the plugin kubernetes.
        forwards: plugins forward.

    """

    zone: str
    clock: Callable[[], float]
    random: random.Random
    write: Callable[[str], None]
    upstream: Upstream
    errors: bool = False
    logged: tuple[str, ...] = ()
    classes: tuple[str, ...] = ("all",)
    cache: Cache | None = None
    rewrites: tuple[Rule, ...] = ()
    hosts: Hosts | None = None
    kubernetes: Kubernetes | None = None
    forwards: tuple[Forward, ...] = ()

    def answer(self, question: Question) -> DnsReply:
        """Answer a question, and log it where that is asked for."""
        try:
            answer, failure = self._cached(question), ""
        except Failed as failed:
            answer, failure = DnsReply("SERVFAIL", authoritative=False), str(failed)
        if self.logged and covers(self.logged, question.name.lower()):
            if "all" in self.classes or _class(answer) in self.classes:
                self.write(f"[INFO] {self._line(question, answer)}")
        if failure and self.errors:
            self.write(f"[ERROR] plugin/errors: 2 {question.name.lower()} {question.type}: {failure}")
        return answer

    def _line(self, question: Question, answer: DnsReply) -> str:
        """The common log format (plugin/log/README.md), for a query without EDNS."""
        asked = 12 + _wire(question.name) + 4
        records = (*answer.answers, *answer.authority, *answer.additional)
        size = asked + sum(_wire(record.name) + 10 + _data(record) for record in records)
        flags = "qr,aa,rd" if answer.authoritative else "qr,rd,ra" if answer.forwarded else "qr,rd"
        number, seconds = self.random.randrange(65536), self.random.randrange(60_000, 400_000) / 1e9
        return (
            f'{question.client}:{question.port} - {number} "{question.type} IN {question.name} udp {asked} false 512" '
            f"{answer.rcode} {flags} {size} {seconds:.9f}s"
        )

    def _cached(self, question: Question) -> DnsReply:
        cache = self.cache
        if cache is None or not covers(cache.origins, question.name.lower()):
            return self._rewritten(question)
        now = self.clock()
        found = cache.find(question, now)
        if found is None:
            found = self._rewritten(question)
            found = cache.keep(question, found, now)
        return found

    def _rewritten(self, question: Question) -> DnsReply:
        name, applied = question.name.lower(), []
        for rule in self.rewrites:
            if (new := rule.rewritten(name)) is not None:
                applied.append((rule, name, new))
                name = new
                if not rule.goes_on:
                    break
        if not applied:
            return self._resolved(question)
        answer = self._resolved(replace(question, name=name))
        for rule, old, new in reversed(applied):
            answer = rule.reverted(answer, old, new)
        return answer

    def _resolved(self, question: Question) -> DnsReply:
        name = question.name.lower()
        if self.hosts is not None and covers(self.hosts.origins, name):
            found = self._from_hosts(self.hosts, question)
            if found is not None:
                return found
        kubernetes = self.kubernetes
        if kubernetes is not None and covers(kubernetes.zones, name):
            answer = kubernetes.zone.query(question.name, question.type, question.serial)
            if answer.rcode != "NXDOMAIN" or not covers(kubernetes.fallthrough, name):
                return answer
        for forward in sorted(self.forwards, key=lambda item: -len(item.origin)):
            if within_zone(forward.origin, name) and not covers(forward.excepted, name):
                return self._forwarded(forward, question)
        raise Failed("no next plugin found")

    def _from_hosts(self, hosts: Hosts, question: Question) -> DnsReply | None:
        """What a hosts file says; None where the next plugin is to say (plugin/hosts/hosts.go ServeDNS)."""
        name = question.name.lower()
        addresses = hosts.entries.get(name, [])
        found = [ip for ip in addresses if (":" in ip) == (question.type == "AAAA")]
        if question.type in ("A", "AAAA") and found:
            return DnsReply("NOERROR", tuple(Record(question.name, question.type, hosts.ttl, ip) for ip in found))
        if question.type == "PTR" and (ip := address_of_reverse(name)):
            names = [host for host, ips in hosts.entries.items() if ip in ips]
            if names:
                return DnsReply("NOERROR", tuple(Record(question.name, "PTR", hosts.ttl, host) for host in names))
        if addresses:
            return DnsReply("NOERROR")
        if covers(hosts.fallthrough, name):
            return None
        return DnsReply("SERVFAIL", authoritative=False)

    def _forwarded(self, forward: Forward, question: Question) -> DnsReply:
        for address in forward.upstreams:
            if (answer := self.upstream(address, question)) is not None:
                return replace(answer, authoritative=False)
        if not forward.upstreams and covers(REVERSE_ZONES, question.name.lower()):
            return DnsReply("NXDOMAIN", authoritative=False)  # what an upstream answers of private addresses (RFC 6303)
        where = f"{forward.upstreams[0] if forward.upstreams else '172.18.0.1'}:53"
        raise Failed(f"read udp {question.client}:{question.port}->{where}: i/o timeout")


def within_zone(zone: str, name: str) -> bool:
    """Whether a lower-case name is in a zone, "." being all."""
    return zone == "." or within(zone, name)


def covers(zones: tuple[str, ...], name: str) -> bool:
    """Whether a lower-case name is in one of some zones."""
    return any(within_zone(zone, name) for zone in zones)


def _class(answer: DnsReply) -> str:
    """The class of an answer (plugin/pkg/response/classify.go)."""
    if answer.rcode == "NOERROR" and answer.answers:
        return "success"
    return "denial" if answer.rcode in ("NOERROR", "NXDOMAIN") else "error"


def _wire(name: str) -> int:
    return len(name) + 1 if name != "." else 1


def _data(record: Record) -> int:
    if record.type in ("A", "AAAA"):
        return 4 if record.type == "A" else 16
    words = record.data.split()
    return sum(_wire(word) if word.endswith(".") else 2 if record.type == "SRV" else 4 for word in words)
