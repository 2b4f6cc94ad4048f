"""What a name in the cluster's zones stands for: Services, their ports and endpoints, Pods, addresses.

The rules are those of CoreDNS 1.14, plugin/kubernetes (parse.go, kubernetes.go, reverse.go, ns.go, object/endpoint.go),
by default with `pods insecure`. The answers made of it are in `dns.py`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from grader.embedded.core.index import SERVICE_NAME_LABEL, cluster_ips
from grader.embedded.core.objects import Key, labels_of
from grader.embedded.core.store import Obj

ZONE = "cluster.local."
REVERSE_ZONES = ("in-addr.arpa.", "ip6.arpa.")

PodMode = Literal["disabled", "insecure", "verified"]
"""What the plugin kubernetes does with names of Pods' addresses: never heard of, any address, those of Pods."""

VERSION = '"1.1.0"'
"""Of the DNS specification (kubernetes.go DNSSchemaVersion)."""

_LABEL = re.compile(r"(?:\\.|[^.\\])+")


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

    def pod_at(self, ip: str) -> Obj | None:
        """The Pod that has an address of its own."""


class NameError_(Exception):  # noqa: N801 - the built-in name is taken
    """The name does not exist: NXDOMAIN (errNoItems, errNsNotExposed, errInvalidRequest)."""


@dataclass(frozen=True)
class Meaning:
    """One thing a name stands for (plugin/etcd/msg/service.go Service).

    Attributes:
        host: an address, a name for a CNAME or PTR, or the text of a TXT record.
        key: the name made up for an address, where a SRV record points.
        port: the port, -1 where there is none.

    """

    host: str
    key: str = ""
    port: int = 0

    @property
    def type(self) -> str:
        """A, AAAA or CNAME (plugin/etcd/msg/type.go HostType)."""
        ip = parse_ip(self.host)
        return "CNAME" if ip is None else "A" if ip.version == 4 else "AAAA"

    @property
    def address(self) -> str:
        """The address as it is written in a record."""
        return str(parse_ip(self.host) or self.host)


@dataclass(frozen=True)
class _Request:
    """A name taken apart (parse.go recordRequest)."""

    kind: str = ""
    namespace: str = ""
    service: str = ""
    endpoint: str = ""
    port: str = ""
    protocol: str = ""


class Names:
    """Looks names up; holds no state of its own. Names are absolute and in lower case, zones as they were asked for."""

    def __init__(self, view: View, primary: str = ZONE, pods: PodMode = "insecure") -> None:
        self._view = view
        self._primary = primary
        self._pods = pods

    def find(self, name: str, zone: str, qtype: str) -> list[Meaning]:
        """What a name stands for, to a question of a type (kubernetes.go Services, handler.go ServeDNS).

        Nothing where the name merely exists. Raises NameError_.
        """
        if qtype == "PTR":
            return [Meaning(host) for host in self._reverse(name, zone)]
        if qtype == "NS":
            return self._servers(zone)
        if qtype == "TXT":
            return self._text(name, zone)
        if _is_server(name, zone):
            return [server for server in self._servers(zone) if server.type == qtype]
        return self._records(name, zone)

    def _text(self, name: str, zone: str) -> list[Meaning]:
        """The version of the specification, in each zone; its own TTL is 28800, but the cache plugin caps it."""
        if labels(name)[: -len(labels(zone))] == ["dns-version"]:
            return [Meaning(VERSION)]
        if not self._records(name, zone):
            raise NameError_(name)  # so that a bare zone or namespace has A as NODATA but TXT as NXDOMAIN
        return []

    def _records(self, name: str, zone: str) -> list[Meaning]:
        """What a name stands for (kubernetes.go Records); nothing where it merely exists. Raises NameError_."""
        request = _parse(labels(name)[: -len(labels(zone))])
        if not request.kind:
            return []
        if name.endswith(tuple(f".{reverse}" for reverse in REVERSE_ZONES)):
            raise NameError_(name)
        if not self._view.has_namespace(request.namespace):
            raise NameError_(name)
        return self._pod(request, zone) if request.kind == "pod" else self._service(request, zone)

    def _reverse(self, name: str, zone: str) -> list[str]:
        """The Service with that ClusterIP, or each endpoint with that address (reverse.go). Raises NameError_."""
        ip = address_of_reverse(name)
        if ip is None:
            self._records(name, zone)
            return []
        for service in self._view.services_at(ip):
            if ip in cluster_ips(service):
                metadata = service["metadata"]
                return [f"{metadata['name']}.{metadata['namespace']}.svc.{self._primary}"]
        found: dict[str, None] = {}
        for slice_ in self._view.slices_with_ip(ip):
            service_name = labels_of(slice_).get(SERVICE_NAME_LABEL)
            for endpoint, address in _ready_addresses(slice_):
                if service_name and address == ip:
                    host = _endpoint_hostname(endpoint, address)
                    found[f"{host}.{service_name}.{slice_['metadata']['namespace']}.svc.{self._primary}"] = None
        if not found:
            raise NameError_(name)
        return list(found)

    def _servers(self, zone: str) -> list[Meaning]:
        """The addresses of the zone's own name server: the Service in front of CoreDNS (ns.go nsAddrs)."""
        service = self._view.service(("kube-system", "kube-dns"))
        ips = cluster_ips(service) if service is not None else []
        return [Meaning(ip, f"kube-dns.kube-system.svc.{zone}") for ip in ips]

    def _pod(self, request: _Request, zone: str) -> list[Meaning]:
        """The name that is a dashed address (kubernetes.go findPods); what is before it is ignored."""
        text = request.service
        if self._pods == "disabled":
            raise NameError_(text)
        if not text:
            return []
        ip = text.replace("-", ".") if text.count("-") == 3 and "--" not in text else text.replace("-", ":")
        if parse_ip(ip) is None:
            raise NameError_(text)
        if self._pods == "verified":
            pod = self._view.pod_at(ip)
            if pod is None or pod["metadata"]["namespace"] != request.namespace:
                raise NameError_(text)
        return [Meaning(ip, f"{text}.{request.namespace}.pod.{zone}")]

    def _service(self, request: _Request, zone: str) -> list[Meaning]:
        """The name of a Service, its port or its endpoint (kubernetes.go findServices)."""
        if not request.service:
            return []
        service = self._view.service((request.namespace, request.service))
        if service is None:
            raise NameError_(request.service)
        spec = service["spec"]
        base = f"{request.service}.{request.namespace}.svc.{zone}"
        found: list[Meaning] = []
        if spec.get("type") == "ExternalName":
            target = Meaning(spec.get("externalName", ""), base)
            if not (request.endpoint or request.port or request.protocol) and target.type == "CNAME":
                found.append(target)
        elif request.endpoint or spec.get("clusterIP") == "None":
            found = self._endpoints(request, base)
        else:
            for port in spec.get("ports") or ():
                if _port_matches(request, port):
                    found += [Meaning(ip, base, port["port"]) for ip in cluster_ips(service)]
        if not found:
            raise NameError_(request.service)
        return found

    def _endpoints(self, request: _Request, base: str) -> list[Meaning]:
        """Each ready address with each port that fits; a slice without ports has one that is none."""
        return [
            Meaning(address, f"{host}.{base}", port.get("port") or -1)
            for slice_ in self._view.slices((request.namespace, request.service))
            for endpoint, address in _ready_addresses(slice_)
            for host in [_endpoint_hostname(endpoint, address)]
            if request.endpoint in ("", host.lower())
            for port in slice_.get("ports") or [{}]
            if _port_matches(request, port)
        ]


def _is_server(name: str, zone: str) -> bool:
    """Whether a name is that of the zone's name server (ns.go isDefaultNS); not where the zone is not in lower case."""
    return name.startswith("ns.dns.") and name.find(zone) == len("ns.dns.")


def labels(name: str) -> list[str]:
    """The labels of a name as in a zone file; a dot behind a backslash is part of a label."""
    return _LABEL.findall(name)


def within(zone: str, name: str) -> bool:
    """Whether a name is a zone's or in it, both in lower case (dns.IsSubDomain)."""
    return name == zone or (name.endswith(f".{zone}") and labels(name)[-len(labels(zone)) :] == labels(zone))


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as Go reads it (net.ParseIP): one of IPv4 written as IPv6 is IPv4; no scopes."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    return None if ip.scope_id is not None else ip.ipv4_mapped or ip


def address_of_reverse(name: str) -> str | None:
    """The address that a name under in-addr.arpa or ip6.arpa stands for; None where it is none.

    plugin/pkg/dnsutil/reverse.go: of a name under ip6.arpa, what goes beyond whole groups of four is ignored.
    """
    for zone in REVERSE_ZONES:
        if name.endswith(f".{zone}"):
            parts = name.removesuffix(f".{zone}").split(".")[::-1]
            groups = ["".join(parts[i : i + 4]) for i in range(0, len(parts) - 3, 4)]
            ip = parse_ip(".".join(parts) if zone == "in-addr.arpa." else ":".join(groups))
            return None if ip is None else str(ip)
    return None


def _parse(wanted: list[str]) -> _Request:
    """Take apart what is before the zone (parse.go parseRequest). Raises NameError_ where it cannot be one of ours."""
    if wanted in ([], ["svc"], ["pod"]):
        return _Request()
    kind, *rest = reversed(wanted)
    if kind not in ("svc", "pod"):
        raise NameError_(kind)
    namespace, service = (*rest[:2], "", "")[:2]
    match rest[2:]:
        case []:
            return _Request(kind, namespace, service)
        case [endpoint]:
            return _Request(kind, namespace, service, endpoint=endpoint)
        case [protocol, port]:
            return _Request(kind, namespace, service, port=port.removeprefix("_"), protocol=protocol.removeprefix("_"))
        case _:
            raise NameError_(service)


def _port_matches(request: _Request, port: dict[str, object]) -> bool:
    """Whether a port is the one that a name asks for; unnamed parts match any (kubernetes.go matchPortAndProtocol)."""
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
    if "." in address:
        return address.replace(".", "-")
    dashed = address.replace(":", "-")
    return f"{dashed}0" if dashed.endswith("-") else dashed
