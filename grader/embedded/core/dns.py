"""The cluster's DNS zone: what CoreDNS answers from Services and EndpointSlices.

The rules are those of CoreDNS 1.14, plugin/kubernetes (parse.go, kubernetes.go, reverse.go, handler.go) and
plugin/backend_lookup.go, with kind's Corefile: zones cluster.local, in-addr.arpa and ip6.arpa, `pods insecure`,
`ttl 30`, fall through for the reverse zones. Names outside of the cluster have no upstream here: SERVFAIL.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from grader.embedded.core.index import SERVICE_NAME_LABEL, cluster_ips
from grader.embedded.core.objects import Key, labels_of
from grader.embedded.core.store import Obj

TTL = 30
"""Seconds; `ttl 30` in kind's Corefile."""

ZONE = "cluster.local."

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


class View(Protocol):
    """What the zone reads of the cluster."""

    def service(self, key: Key) -> Obj | None:
        """A Service by namespace and name."""

    def slices(self, service: Key) -> Iterable[Obj]:
        """All EndpointSlices of a Service."""

    def services_at(self, ip: str) -> Iterable[Obj]:
        """The Services that have an address."""

    def slices_with_ip(self, ip: str) -> Iterable[Obj]:
        """All EndpointSlices that hold an address."""

    def has_namespace(self, name: str) -> bool:
        """Whether the namespace exists."""


class NameError_(Exception):  # noqa: N801 - the built-in name is taken
    """The name does not exist: NXDOMAIN (errNoItems, errNsNotExposed, errInvalidRequest)."""


@dataclass(frozen=True)
class _Request:
    """A name taken apart (parse.go recordRequest)."""

    kind: str = ""
    namespace: str = ""
    service: str = ""
    endpoint: str = ""
    port: str = ""
    protocol: str = ""


@dataclass(frozen=True)
class _Target:
    """One thing a name stands for (etcd/msg.Service).

    Attributes:
        host: an address, or a name for a CNAME.
        key: the name made up for an address, where a SRV record points.
        port: the port, -1 where there is none.

    """

    host: str
    key: str = ""
    port: int = 0

    @property
    def type(self) -> str:
        """A, AAAA or CNAME (msg.Service.HostType)."""
        try:
            return "A" if ipaddress.ip_address(self.host).version == 4 else "AAAA"
        except ValueError:
            return "CNAME"


class Zone:
    """Answers questions; holds no state of its own.

    Args:
        view: what it reads of the cluster.
        random: shuffles the addresses of each answer, as kind's `loadbalance` does; None: they keep their order.
    """

    def __init__(self, view: View, random: Random | None = None) -> None:
        self._view = view
        self._random = random

    def query(self, qname: str, qtype: str, serial: int = 1) -> Answer:
        """Answer one question.

        Args:
            qname: absolute name; a missing final dot is added. Case is kept in the answer and ignored in the look-up.
            qtype: record type, such as "A".
            serial: the SOA's serial number.

        """
        qname = qname if qname.endswith(".") else f"{qname}."
        name, qtype = qname.lower(), qtype.upper()
        zone = next((zone for zone in (ZONE, "in-addr.arpa.", "ip6.arpa.") if _within(zone, name)), None)
        if zone is None:
            return Answer("SERVFAIL", authoritative=False)
        if qtype in ("AXFR", "IXFR"):
            return Answer("REFUSED", authoritative=False)
        soa = (_soa(zone, serial),)
        extra: list[Rr] = []
        try:
            if qtype == "SOA" and name == zone:
                records = list(soa)
            elif qtype == "SRV":
                records, extra = self._srv(qname, name)
            elif qtype == "PTR":
                records = self._ptr(qname, name)
            elif qtype == "TXT":
                records = self._txt(qname, name)
            elif qtype == "CNAME":
                records = [_rr(qname, "CNAME", _fqdn(t.host)) for t in self._targets(name)[:1] if t.type == "CNAME"]
            elif qtype in ("A", "AAAA"):
                records = self._addresses(qname, qtype, ())
            elif qtype == "NS" and name == zone:
                address = self._dns_address()
                server = f"kube-dns.kube-system.svc.{ZONE}"
                records = [_rr(qname, "NS", server)] if address else []
                extra = [_rr(server, "A", address)] if address else []
            else:
                self._addresses(qname, "A", ())
                records = []
        except NameError_:
            if zone != ZONE:  # falls through to an upstream, which answers RFC 6303's empty zones itself
                return Answer("NXDOMAIN", authoritative=False)
            return Answer("NXDOMAIN", authority=soa)
        if not records:
            return Answer("NOERROR", authority=soa)
        return Answer("NOERROR", self._balanced(records), (), self._balanced(extra))

    def _balanced(self, records: list[Rr]) -> tuple[Rr, ...]:
        """Put addresses last, in any order (plugin/loadbalance/loadbalance.go roundRobin)."""
        addresses = [record for record in records if record.type in ("A", "AAAA")]
        if self._random is None or len(addresses) < 2:
            return tuple(records)
        self._random.shuffle(addresses)
        return (*(record for record in records if record.type not in ("A", "AAAA")), *addresses)

    def _addresses(self, qname: str, qtype: str, chain: tuple[str, ...]) -> list[Rr]:
        """A or AAAA records, through CNAMEs inside the zone (backend_lookup.go A)."""
        records: list[Rr] = []
        for target in self._targets(qname.lower()):
            if target.type == qtype:
                record = _rr(qname, qtype, target.host)
                if record not in records:
                    records.append(record)
            elif target.type == "CNAME":
                host = _fqdn(target.host)
                if host.lower() == qname.lower() or len(chain) > MAX_CNAME_CHAIN or host in chain:
                    continue
                alias = _rr(qname, "CNAME", host)
                if _within(ZONE, host.lower()):
                    try:
                        rest = self._addresses(host, qtype, (*chain, host))
                    except NameError_:
                        continue
                    if rest:
                        records += [alias, *rest]
                else:
                    records.append(alias)  # the target cannot be looked up: no upstream
        return records

    def _srv(self, qname: str, name: str) -> tuple[list[Rr], list[Rr]]:
        """SRV records and the addresses of their targets (backend_lookup.go SRV)."""
        targets = [target for target in self._targets(name) if target.type != "CNAME"]
        weight = max(1, math.floor(100.0 / (100 * len(targets)) * 100)) if targets else 0
        records: list[Rr] = []
        extra: list[Rr] = []
        for target in targets:
            if target.port == -1:
                continue
            record = _rr(qname, "SRV", f"0 {weight} {target.port} {target.key}")
            if record not in records:
                records.append(record)
            address = _rr(target.key, target.type, target.host)
            if address not in extra:
                extra.append(address)
        return records, extra

    def _txt(self, qname: str, name: str) -> list[Rr]:
        if name == f"dns-version.{ZONE}":
            return [_rr(qname, "TXT", '"1.1.0"')]  # its own TTL is 28800; the cache plugin caps it
        if not self._targets(name):
            raise NameError_(name)  # so that a bare zone or namespace has A as NODATA but TXT as NXDOMAIN
        return []

    def _ptr(self, qname: str, name: str) -> list[Rr]:
        """PTR records: the Service with that ClusterIP, or each endpoint with that address (reverse.go)."""
        ip = address_of_reverse(name)
        if ip is None:
            self._targets(name)
            return []
        for service in self._view.services_at(ip):
            if ip in cluster_ips(service):
                metadata = service["metadata"]
                return [_rr(qname, "PTR", f"{metadata['name']}.{metadata['namespace']}.svc.{ZONE}")]
        records: list[Rr] = []
        for slice_ in self._view.slices_with_ip(ip):
            service_name = labels_of(slice_).get(SERVICE_NAME_LABEL)
            for endpoint, address in _ready_addresses(slice_):
                if service_name and address == ip:
                    host = _endpoint_hostname(endpoint, address)
                    record = _rr(qname, "PTR", f"{host}.{service_name}.{slice_['metadata']['namespace']}.svc.{ZONE}")
                    if record not in records:
                        records.append(record)
        if not records:
            raise NameError_(name)
        return records

    def _targets(self, name: str) -> list[_Target]:
        """What a lower-case absolute name stands for (kubernetes.go Services, Records). Raises NameError_."""
        if name == f"ns.dns.{ZONE}":
            address = self._dns_address()
            return [_Target(address, name)] if address else []
        if not _within(ZONE, name):
            raise NameError_(name)
        request = _parse(name)
        if not request.kind:
            return []
        if request.namespace and not self._view.has_namespace(request.namespace):
            raise NameError_(name)
        if request.kind == "pod":
            return self._pod(request)
        return self._service(request, name)

    def _pod(self, request: _Request) -> list[_Target]:
        """The name that is a dashed address (kubernetes.go findPods, podModeInsecure)."""
        if not request.namespace:
            raise NameError_("pod")
        if not request.service:
            return []
        text = request.service
        ip = text.replace("-", ".") if text.count("-") == 3 and "--" not in text else text.replace("-", ":")
        try:
            ipaddress.ip_address(ip)
        except ValueError:
            raise NameError_(text) from None
        return [_Target(ip, f"{text}.{request.namespace}.pod.{ZONE}")]

    def _service(self, request: _Request, name: str) -> list[_Target]:
        """The name of a Service, its port or its endpoint (kubernetes.go findServices)."""
        if not request.namespace:
            raise NameError_(name)
        if not request.service:
            return []
        service = self._view.service((request.namespace, request.service))
        if service is None:
            raise NameError_(name)
        spec = service["spec"]
        base = f"{request.service}.{request.namespace}.svc.{ZONE}"
        if spec.get("type") == "ExternalName":
            target = _Target(spec.get("externalName", ""), base)
            if request.endpoint or request.port or request.protocol or target.type != "CNAME":
                raise NameError_(name)
            return [target]
        found: list[_Target] = []
        if request.endpoint or spec.get("clusterIP") == "None":
            for slice_ in self._view.slices((request.namespace, request.service)):
                ports = slice_.get("ports") or [{"port": -1}]
                for endpoint, address in _ready_addresses(slice_):
                    host = _endpoint_hostname(endpoint, address)
                    if request.endpoint and host.lower() != request.endpoint:
                        continue
                    found += [
                        _Target(address, f"{host}.{base}", port.get("port") or -1)
                        for port in ports
                        if _port_matches(request, port)
                    ]
        else:
            for port in spec.get("ports") or ():
                if _port_matches(request, port):
                    found += [_Target(ip, base, port["port"]) for ip in cluster_ips(service)]
        if not found:
            raise NameError_(name)
        return found

    def _dns_address(self) -> str:
        service = self._view.service(("kube-system", "kube-dns"))
        return next(iter(cluster_ips(service)), "") if service is not None else ""


def _parse(name: str) -> _Request:
    """Take a name inside the zone apart (parse.go parseRequest). Raises NameError_ where it cannot be one of ours."""
    labels = name[: -len(ZONE)].rstrip(".").split(".") if name != ZONE else []
    if labels in ([], ["svc"], ["pod"]):
        return _Request()
    labels.reverse()
    kind, *rest = labels
    if kind not in ("svc", "pod"):
        raise NameError_(name)
    namespace, service = (*rest[:2], "", "")[:2]
    match rest[2:]:
        case []:
            return _Request(kind, namespace, service)
        case [endpoint]:
            return _Request(kind, namespace, service, endpoint=endpoint)
        case [protocol, port]:
            return _Request(kind, namespace, service, port=port.removeprefix("_"), protocol=protocol.removeprefix("_"))
        case _:
            raise NameError_(name)


def _port_matches(request: _Request, port: dict[str, object]) -> bool:
    """Kubernetes.go matchPortAndProtocol."""
    name, protocol = str(port.get("name") or "").lower(), str(port.get("protocol") or "").lower()
    return request.port in ("", name) and request.protocol in ("", protocol)


def _ready_addresses(slice_: Obj) -> Iterable[tuple[Obj, str]]:
    """Endpoints that are ready (unset counts as ready) with each of their addresses (object/endpoint.go)."""
    for endpoint in slice_.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is not False:
            for address in endpoint.get("addresses") or ():
                yield endpoint, address


def _endpoint_hostname(endpoint: Obj, address: str) -> str:
    """The endpoint's hostname, or its address with dashes (kubernetes.go endpointHostname)."""
    if hostname := endpoint.get("hostname"):
        return str(hostname)
    if ":" in address:
        dashed = address.replace(":", "-")
        return f"{dashed}0" if dashed.endswith("-") else dashed
    return address.replace(".", "-")


def address_of_reverse(name: str) -> str | None:
    """The address that a name under in-addr.arpa or ip6.arpa stands for; None where it is none."""
    if name.endswith(".in-addr.arpa."):
        parts = name.removesuffix(".in-addr.arpa.").split(".")
        text = ".".join(reversed(parts))
    elif name.endswith(".ip6.arpa."):
        nibbles = "".join(reversed(name.removesuffix(".ip6.arpa.").split(".")))
        text = ":".join(nibbles[i : i + 4] for i in range(0, len(nibbles), 4))
    else:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _within(zone: str, name: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _fqdn(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _rr(name: str, type_: str, data: str) -> Rr:
    return Rr(name, type_, TTL, data)


def _soa(zone: str, serial: int) -> Rr:
    """backend_lookup.go SOA."""
    return Rr(zone, "SOA", min(TTL, 300), f"ns.dns.{zone} hostmaster.{zone} {serial} 7200 1800 86400 {TTL}")
