"""The cluster's DNS zone: what CoreDNS answers from Services and EndpointSlices.

The rules are those of CoreDNS 1.14, plugin/kubernetes/handler.go and plugin/backend_lookup.go, by default with kind's
Corefile: zones cluster.local, in-addr.arpa and ip6.arpa, `ttl 30`, fall through for the reverse zones. What names stand
for is in `dnsnames.py`; the other plugins are in `coredns`. By itself it knows no other names: SERVFAIL.
`tests/e2e/test_coredns_live.py` asks both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

from grader.embedded.core.dnsnames import REVERSE_ZONES, ZONE, NameError_, Names, PodMode, View, within
from grader.embedded.core.dnsrecords import DnsReply, Record

TTL = 30
"""Seconds; `ttl 30` in kind's Corefile."""

# plugin/backend_lookup.go maxCnameChainLength: Services of type ExternalName that lead to one another end there.
MAX_CNAME_CHAIN = 10


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
        look_up: Callable[[str, str], DnsReply] | None = None,
    ) -> None:
        primary = next(zone for zone in zones if zone not in REVERSE_ZONES)
        self._names = Names(view, primary, pods)
        self._random = random
        self._zones = zones
        self._ttl = ttl
        self._look_up = look_up or self.query

    def query(self, qname: str, qtype: str, serial: int = 1) -> DnsReply:
        """Answer one question (handler.go ServeDNS).

        Args:
            qname: absolute name; a missing final dot is added. Case is kept in the answer and ignored in the look-up.
            qtype: record type, such as "A".
            serial: the SOA's serial number.

        """
        qname, qtype = _fqdn(qname), qtype.upper()
        found = next((zone for zone in self._zones if within(zone, qname.lower())), None)
        if found is None:
            return DnsReply("SERVFAIL", authoritative=False)
        if qtype in ("AXFR", "IXFR"):
            return DnsReply("REFUSED", authoritative=False)
        answer = self._answer(qname, qtype, found, serial)
        return answer if self._ttl == TTL else _lasting(answer, self._ttl)

    def _answer(self, qname: str, qtype: str, found: str, serial: int) -> DnsReply:
        zone = qname[-len(found) :]  # in the case of the question
        try:
            records, extra = self._records(qname, zone, qtype, serial)
        except NameError_:
            if found in REVERSE_ZONES:  # falls through to an upstream, which answers RFC 6303's empty zones itself
                return DnsReply("NXDOMAIN", authoritative=False)
            return DnsReply("NXDOMAIN", authority=(_soa(zone, serial),))
        if not records:
            return DnsReply("NOERROR", authority=(_soa(zone, serial),))
        return DnsReply("NOERROR", self._balanced(records), (), self._balanced(extra))

    def _records(self, qname: str, zone: str, qtype: str, serial: int) -> tuple[list[Record], list[Record]]:
        """Answer and additional section. Raises NameError_."""
        match qtype:
            case "A" | "AAAA":
                return self._addresses(qname, zone, qtype, ()), []
            case "SRV":
                return self._srv(qname, zone)
            case "CNAME":
                first = self._names.find(qname.lower(), zone, qtype)[:1]
                return [_rr(qname, "CNAME", _fqdn(target.host)) for target in first if target.type == "CNAME"], []
            case "TXT" | "PTR":
                return [_rr(qname, qtype, target.host) for target in self._names.find(qname.lower(), zone, qtype)], []
            case "SOA":  # for any other name: no data, whether it exists or not
                return [_soa(zone, serial)] if qname == zone else [], []
            case "NS" if qname.lower() == zone:  # so a zone that is not asked for in lower case has none
                servers = self._names.find(zone, zone, qtype)
                records = dict.fromkeys(_rr(qname, "NS", server.key) for server in servers)
                return list(records), [_rr(server.key, server.type, server.address) for server in servers]
            case _:
                self._names.find(qname.lower(), zone, "A")
                return [], []

    def _balanced(self, records: list[Record]) -> tuple[Record, ...]:
        """Put CNAMEs first and addresses last, those in any order (plugin/loadbalance/loadbalance.go roundRobin)."""
        addresses = [record for record in records if record.type in ("A", "AAAA")]
        if self._random is not None:
            self._random.shuffle(addresses)
        aliases = [record for record in records if record.type == "CNAME"]
        rest = [record for record in records if record.type not in ("A", "AAAA", "CNAME")]
        return (*aliases, *rest, *addresses)

    def _addresses(self, qname: str, zone: str, qtype: str, chain: tuple[str, ...]) -> list[Record]:
        """A or AAAA records, through CNAMEs inside the zone (backend_lookup.go A, AAAA). Raises NameError_."""
        records: list[Record] = []
        seen: set[str] = set()
        for target in self._names.find(qname.lower(), zone, qtype):
            if target.type == "CNAME":
                records += self._aliased(qname, zone, qtype, _fqdn(target.host), chain)
            elif target.type == qtype and target.host not in seen:
                seen.add(target.host)
                records.append(_rr(qname, qtype, target.address))
        return records

    def _aliased(self, qname: str, zone: str, qtype: str, host: str, chain: tuple[str, ...]) -> list[Record]:
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

    def _srv(self, qname: str, zone: str) -> tuple[list[Record], list[Record]]:
        """SRV records and the addresses of their targets (backend_lookup.go SRV). Raises NameError_."""
        targets = [target for target in self._names.find(qname.lower(), zone, "SRV") if target.type != "CNAME"]
        weight = max(1, math.floor(100.0 / (100 * len(targets)) * 100)) if targets else 0
        records: dict[tuple[str, int], Record] = {}
        extra: dict[tuple[str, str], Record] = {}
        for target in targets:
            if target.port != -1:
                srv = _rr(qname, "SRV", f"0 {weight} {target.port} {target.key}")
                records.setdefault((target.key, target.port), srv)
                extra.setdefault((target.key, target.host), _rr(target.key, target.type, target.address))
        return list(records.values()), list(extra.values())


def _fqdn(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _rr(name: str, type_: str, data: str) -> Record:
    return Record(name, type_, TTL, data)


def _lasting(answer: DnsReply, ttl: int) -> DnsReply:
    """The answer with another time to live than the usual one."""

    def lasting(record: Record) -> Record:
        if record.type != "SOA":
            return replace(record, ttl=ttl)
        return replace(record, ttl=min(ttl, 300), data=f"{record.data.rpartition(' ')[0]} {ttl}")

    sections = (answer.answers, answer.authority, answer.additional)
    answers, authority, additional = (tuple(map(lasting, section)) for section in sections)
    return replace(answer, answers=answers, authority=authority, additional=additional)


def _soa(zone: str, serial: int) -> Record:
    """backend_lookup.go SOA."""
    return Record(zone, "SOA", min(TTL, 300), f"ns.dns.{zone} hostmaster.{zone} {serial} 7200 1800 86400 {TTL}")
