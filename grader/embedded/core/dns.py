"""The cluster's DNS zone: what CoreDNS answers from Services and EndpointSlices.

The rules are those of CoreDNS 1.14, plugin/kubernetes/handler.go and plugin/backend_lookup.go, by default with kind's
Corefile: zones cluster.local, in-addr.arpa and ip6.arpa, `ttl 30`, fall through for the reverse zones. What names stand
for is in `dnsnames.py`; the other plugins are in `coredns`. By itself it knows no other names: SERVFAIL.
`tests/e2e/test_coredns_live.py` asks both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from grader.embedded.core.dnsnames import REVERSE_ZONES, ZONE, NameError_, Names, PodMode, Target, View, labels, within

TTL = 30
"""Seconds; `ttl 30` in kind's Corefile."""

VERSION = '"1.1.0"'
"""Of the DNS specification (kubernetes.go DNSSchemaVersion)."""

MAX_CNAME_CHAIN = 10


@dataclass(frozen=True)
class Rr:
    """One resource record.

    Attributes:
        name: absolute owner name, with its final dot.
        type: A, AAAA, CNAME, SRV, PTR, TXT, NS or SOA.
        ttl: seconds.
        data: the record's data as in a zone file; names in it are absolute.

    """

    name: str
    type: str
    ttl: int
    data: str


@dataclass(frozen=True)
class Answer:
    """The reply to one question.

    Attributes:
        rcode: NOERROR, NXDOMAIN, SERVFAIL, REFUSED.
        answers: the answer section.
        authority: the authority section (a SOA where the answer is negative).
        additional: the additional section (addresses of SRV targets).
        authoritative: the AA flag.

    """

    rcode: str
    answers: tuple[Rr, ...] = ()
    authority: tuple[Rr, ...] = ()
    additional: tuple[Rr, ...] = ()
    authoritative: bool = True

    @property
    def forwarded(self) -> bool:
        """Whether it is the upstream's: then recursion was available (the RA flag)."""
        return not self.authoritative and self.rcode != "REFUSED"


class Zone:
    """Answers questions; holds no state of its own.

    Args:
        view: what it reads of the cluster.
        random: shuffles the addresses of each answer, as kind's `loadbalance` does; None: they keep their order.
        zones: what it is authoritative for.
        ttl: seconds, of every record.
        pods: what the names of Pods' addresses stand for.
        look_up: answers for names outside of its zones, to which a CNAME leads; None: nothing does.
    """

    def __init__(
        self,
        view: View,
        random: Random | None = None,
        *,
        zones: tuple[str, ...] = (ZONE, *REVERSE_ZONES),
        ttl: int = TTL,
        pods: PodMode = "insecure",
        look_up: Callable[[str, str], Answer] | None = None,
    ) -> None:
        primary = next(zone for zone in zones if zone not in REVERSE_ZONES)
        self._names = Names(view, primary, pods)
        self._random = random
        self._zones = zones
        self._ttl = ttl
        self._look_up = look_up or self.query

    def query(self, qname: str, qtype: str, serial: int = 1) -> Answer:
        """Answer one question (handler.go ServeDNS).

        Args:
            qname: absolute name; a missing final dot is added. Case is kept in the answer and ignored in the look-up.
            qtype: record type, such as "A".
            serial: the SOA's serial number.

        """
        qname, qtype = _fqdn(qname), qtype.upper()
        found = next((zone for zone in self._zones if within(zone, qname.lower())), None)
        if found is None:
            return Answer("SERVFAIL", authoritative=False)
        if qtype in ("AXFR", "IXFR"):
            return Answer("REFUSED", authoritative=False)
        answer = self._answer(qname, qtype, found, serial)
        return answer if self._ttl == TTL else _lasting(answer, self._ttl)

    def _answer(self, qname: str, qtype: str, found: str, serial: int) -> Answer:
        zone = qname[-len(found) :]  # in the case of the question
        try:
            records, extra = self._records(qname, zone, qtype, serial)
        except NameError_:
            if found in REVERSE_ZONES:  # falls through to an upstream, which answers RFC 6303's empty zones itself
                return Answer("NXDOMAIN", authoritative=False)
            return Answer("NXDOMAIN", authority=(_soa(zone, serial),))
        if not records:
            return Answer("NOERROR", authority=(_soa(zone, serial),))
        return Answer("NOERROR", self._balanced(records), (), self._balanced(extra))

    def _records(self, qname: str, zone: str, qtype: str, serial: int) -> tuple[list[Rr], list[Rr]]:
        """Answer and additional section. Raises NameError_."""
        name = qname.lower()
        match qtype:
            case "A" | "AAAA":
                return self._addresses(qname, zone, qtype, ()), []
            case "SRV":
                return self._srv(qname, zone)
            case "TXT":
                return self._txt(qname, zone), []
            case "CNAME":
                first = self._services(name, zone, qtype)[:1]
                return [_rr(qname, "CNAME", _fqdn(target.host)) for target in first if target.type == "CNAME"], []
            case "PTR":
                return [_rr(qname, "PTR", host) for host in self._names.reverse(name, zone)], []
            case "SOA":  # for any other name: no data, whether it exists or not
                return [_soa(zone, serial)] if qname == zone else [], []
            case "NS" if name == zone:  # so a zone that is not asked for in lower case has none
                servers = self._names.servers(zone)
                records = dict.fromkeys(_rr(qname, "NS", server.key) for server in servers)
                return list(records), [_rr(server.key, server.type, server.address) for server in servers]
            case _:
                self._addresses(qname, zone, "A", ())
                return [], []

    def _balanced(self, records: list[Rr]) -> tuple[Rr, ...]:
        """Put CNAMEs first and addresses last, those in any order (plugin/loadbalance/loadbalance.go roundRobin)."""
        addresses = [record for record in records if record.type in ("A", "AAAA")]
        if self._random is not None:
            self._random.shuffle(addresses)
        aliases = [record for record in records if record.type == "CNAME"]
        rest = [record for record in records if record.type not in ("A", "AAAA", "CNAME")]
        return (*aliases, *rest, *addresses)

    def _services(self, name: str, zone: str, qtype: str) -> list[Target]:
        """What a lower-case name stands for, for one type (kubernetes.go Services). Raises NameError_."""
        if _is_server(name, zone):
            servers = self._names.servers(zone)
            return [server for server in servers if server.type == qtype]
        return self._names.records(name, zone)

    def _addresses(self, qname: str, zone: str, qtype: str, chain: tuple[str, ...]) -> list[Rr]:
        """A or AAAA records, through CNAMEs inside the zone (backend_lookup.go A, AAAA). Raises NameError_."""
        records: list[Rr] = []
        seen: set[str] = set()
        for target in self._services(qname.lower(), zone, qtype):
            if target.type == "CNAME":
                records += self._aliased(qname, zone, qtype, _fqdn(target.host), chain)
            elif target.type == qtype and target.host not in seen:
                seen.add(target.host)
                records.append(_rr(qname, qtype, target.address))
        return records

    def _aliased(self, qname: str, zone: str, qtype: str, host: str, chain: tuple[str, ...]) -> list[Rr]:
        """A CNAME and what it leads to; nothing where that is the name itself, under it, or nothing."""
        if within(qname.lower(), host.lower()) or len(chain) > MAX_CNAME_CHAIN or host in chain:
            return []
        alias = _rr(qname, "CNAME", host)
        if not within(zone.lower(), host.lower()):
            return [alias, *self._look_up(host, qtype).answers]
        try:
            rest = self._addresses(host, zone, qtype, (*chain, host))
        except NameError_:
            return []
        return [alias, *rest] if rest else []

    def _srv(self, qname: str, zone: str) -> tuple[list[Rr], list[Rr]]:
        """SRV records and the addresses of their targets (backend_lookup.go SRV). Raises NameError_."""
        targets = [target for target in self._services(qname.lower(), zone, "SRV") if target.type != "CNAME"]
        weight = max(1, math.floor(100.0 / (100 * len(targets)) * 100)) if targets else 0
        records: dict[tuple[str, int], Rr] = {}
        extra: dict[tuple[str, str], Rr] = {}
        for target in targets:
            if target.port != -1:
                srv = _rr(qname, "SRV", f"0 {weight} {target.port} {target.key}")
                records.setdefault((target.key, target.port), srv)
                extra.setdefault((target.key, target.host), _rr(target.key, target.type, target.address))
        return list(records.values()), list(extra.values())

    def _txt(self, qname: str, zone: str) -> list[Rr]:
        """The version of the specification, in each zone (kubernetes.go Services). Raises NameError_."""
        name = qname.lower()
        if labels(name)[: -len(labels(zone))] == ["dns-version"]:
            return [_rr(qname, "TXT", VERSION)]  # its own TTL is 28800; the cache plugin caps it
        if not self._names.records(name, zone):
            raise NameError_(name)  # so that a bare zone or namespace has A as NODATA but TXT as NXDOMAIN
        return []


def _is_server(name: str, zone: str) -> bool:
    """Whether a name is that of the zone's name server (ns.go isDefaultNS); not where the zone is not in lower case."""
    return name.startswith("ns.dns.") and name.find(zone) == len("ns.dns.")


def _fqdn(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _rr(name: str, type_: str, data: str) -> Rr:
    return Rr(name, type_, TTL, data)


def _lasting(answer: Answer, ttl: int) -> Answer:
    """The answer with another time to live than the usual one."""

    def lasting(record: Rr) -> Rr:
        if record.type != "SOA":
            return replace(record, ttl=ttl)
        return replace(record, ttl=min(ttl, 300), data=f"{record.data.rpartition(' ')[0]} {ttl}")

    sections = (answer.answers, answer.authority, answer.additional)
    answers, authority, additional = (tuple(map(lasting, section)) for section in sections)
    return replace(answer, answers=answers, authority=authority, additional=additional)


def _soa(zone: str, serial: int) -> Rr:
    """backend_lookup.go SOA."""
    return Rr(zone, "SOA", min(TTL, 300), f"ns.dns.{zone} hostmaster.{zone} {serial} 7200 1800 86400 {TTL}")
