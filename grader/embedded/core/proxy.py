"""What kube-proxy in iptables mode does with a connection: pure rules over Services and EndpointSlices.

Source: k8s.io/kubernetes/pkg/proxy 1.36: topology.go (CategorizeEndpoints), iptables/proxier.go (syncProxyRules),
serviceport.go, healthcheck/service_health.go. Each node has a proxy of its own; what differs between nodes is which
endpoints are local, and the affinity table.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from grader.embedded.core.index import cluster_ips, ingress_ips
from grader.embedded.core.objects import labels_of
from grader.embedded.core.store import Obj

Entry = Literal["cluster-ip", "external-ip", "load-balancer", "node-port"]
"""By which kind of address a connection came to the Service."""

SERVICE_PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
HEADLESS_LABEL = "service.kubernetes.io/headless"


@dataclass(frozen=True)
class Endpoint:
    """One address and port behind a service port, as a proxy sees it (pkg/proxy/endpoint.go).

    Attributes:
        ip: the address.
        port: the port.
        ready: ready condition (unset counts as ready).
        serving: serving condition (unset: as ready).
        terminating: terminating condition.
        node: the node, "" where unknown.
        node_hints: nodes that should prefer it.
        zone_hints: zones that should prefer it.

    """

    ip: str
    port: int
    ready: bool
    serving: bool
    terminating: bool
    node: str
    node_hints: tuple[str, ...] = ()
    zone_hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a connection comes from, as the node that handles it sees it.

    Attributes:
        ip: source address.
        is_pod: whether the address is one of the Pod network (kube-proxy's local detector, ClusterCIDR mode).
        is_node: whether it is an address of the very node (iptables `--src-type LOCAL`).
        is_bound: whether the program has chosen the address, and not the route.

    """

    ip: str
    is_pod: bool = False
    is_node: bool = False
    is_bound: bool = False


@dataclass(frozen=True)
class Verdict:
    """What becomes of the connection.

    Attributes:
        action: forward it, REJECT it (refused at once) or drop it (nothing is ever answered).
        endpoint: where it is forwarded to.
        masquerade: whether its source becomes the node's address.

    """

    action: Literal["forward", "reject", "drop"]
    endpoint: Endpoint | None = None
    masquerade: bool = False


@dataclass
class Affinity:
    """The `recent` lists of one node: when a client was last sent to an endpoint.

    Attributes:
        seen: seconds since the epoch, by Service UID, port name, endpoint and client.

    """

    seen: dict[tuple[str, str, str, int, str], float] = field(default_factory=dict)


def is_proxied(service: Obj) -> bool:
    """Whether kube-proxy handles the Service at all.

    Rule: cmd/kube-proxy/app/server.go (the informers' selectors: the headless label leaves out EndpointSlices only),
    pkg/proxy/util/utils.go ShouldSkipService.
    """
    return SERVICE_PROXY_NAME_LABEL not in labels_of(service) and bool(cluster_ips(service))


def endpoints_of(slices: Iterable[Obj], port_name: str, protocol: str) -> list[Endpoint]:
    """The endpoints of one service port, from all slices, without duplicates (pkg/proxy/endpointslicecache.go)."""
    found: dict[tuple[str, int], Endpoint] = {}
    for slice_ in slices:
        if slice_.get("addressType") != "IPv4" or HEADLESS_LABEL in labels_of(slice_):
            continue
        for port in slice_.get("ports") or ():
            if (port.get("name") or "") != port_name or (port.get("protocol") or "TCP") != protocol:
                continue
            if not port.get("port"):
                continue
            for raw in slice_.get("endpoints") or ():
                endpoint = _endpoint(raw, port["port"])
                known = found.get((endpoint.ip, endpoint.port))
                if known is None or (endpoint.ready and not known.ready):
                    found[(endpoint.ip, endpoint.port)] = endpoint
    return [found[key] for key in sorted(found)]


def _endpoint(raw: dict[str, Any], port: int) -> Endpoint:
    conditions = raw.get("conditions") or {}
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving")
    hints = raw.get("hints") or {}
    return Endpoint(
        ip=raw["addresses"][0],
        port=port,
        ready=ready,
        serving=ready if serving is None else bool(serving),
        terminating=bool(conditions.get("terminating")),
        node=raw.get("nodeName") or "",
        node_hints=tuple(hint["name"] for hint in hints.get("forNodes") or ()),
        zone_hints=tuple(hint["name"] for hint in hints.get("forZones") or ()),
    )


@dataclass(frozen=True)
class Categories:
    """Which endpoints each traffic policy uses (topology.go CategorizeEndpoints).

    Attributes:
        cluster: those that Cluster policy uses.
        local: those that Local policy uses.
        any: whether the service port has any usable endpoint anywhere.

    """

    cluster: tuple[Endpoint, ...]
    local: tuple[Endpoint, ...]
    any: bool


def categorize(endpoints: Sequence[Endpoint], service: Obj, node: str, zone: str = "") -> Categories:
    """Ready endpoints, or serving terminating ones where none is ready, for each traffic policy.

    Args:
        endpoints: all endpoints of the service port.
        service: the Service, for its policies.
        node: the node whose proxy this is.
        zone: the node's zone, "" where it has none.

    """
    internal_local, external_local = _policies(service)
    accessible = is_externally_accessible(service)
    uses_cluster = not internal_local or (accessible and not external_local) or external_local
    uses_local = internal_local or (external_local and accessible)
    cluster: list[Endpoint] = []
    if uses_cluster:
        mode = _topology_mode(endpoints, node, zone)
        cluster = [e for e in endpoints if e.ready and _available(e, mode, node, zone)]
        cluster = cluster or [e for e in endpoints if e.serving and e.terminating]
    local: list[Endpoint] = []
    any_ = bool(cluster)
    if uses_local:
        usable = [e for e in endpoints if e.ready or (e.serving and e.terminating)]
        any_ = any_ or bool(usable)
        here = [e for e in usable if e.node == node]
        local = [e for e in here if e.ready] or here
    return Categories(tuple(cluster), tuple(local), any_)


def is_externally_accessible(service: Obj) -> bool:
    """Whether the Service has addresses for clients outside of the cluster (serviceport.go ExternallyAccessible)."""
    spec = service["spec"]
    return bool(
        any(port.get("nodePort") for port in spec.get("ports") or ()) or spec.get("externalIPs") or ingress_ips(service)
    )


def _policies(service: Obj) -> tuple[bool, bool]:
    """Whether the internal and the external traffic policy is Local."""
    spec = service["spec"]
    return spec.get("internalTrafficPolicy") == "Local", spec.get("externalTrafficPolicy") == "Local"


def _topology_mode(endpoints: Sequence[Endpoint], node: str, zone: str) -> str:
    """Topology.go topologyModeFromHints."""
    ready = [endpoint for endpoint in endpoints if endpoint.ready]
    if not ready:
        return ""
    if all(e.node_hints for e in ready) and any(node in e.node_hints for e in ready):
        return "node"
    if all(e.zone_hints for e in ready) and any(zone in e.zone_hints for e in ready):
        return "zone"
    return ""


def _available(endpoint: Endpoint, mode: str, node: str, zone: str) -> bool:
    if mode == "node":
        return node in endpoint.node_hints
    return mode != "zone" or zone in endpoint.zone_hints


def decide(
    service: Obj,
    port: dict[str, Any],
    entry: Entry,
    source: Source,
    categories: Categories,
    choose: Callable[[Sequence[Endpoint]], Endpoint],
) -> Verdict:
    """What the node's proxy does with a new connection (proxier.go syncProxyRules).

    Args:
        service: the Service.
        port: the service port that was addressed.
        entry: by which kind of address.
        source: where it comes from.
        categories: the port's endpoints as this node sorts them.
        choose: picks one of several endpoints (affinity, then at random).

    """
    internal_local, external_local = _policies(service)
    if not categories.any:
        return Verdict("reject")
    if entry == "cluster-ip":
        pool = categories.local if internal_local else categories.cluster
        if not pool:
            return Verdict("drop")
        chosen = choose(pool)
        return Verdict("forward", chosen, not source.is_pod or chosen.ip == source.ip)
    if entry == "load-balancer" and not _in_source_ranges(service, source.ip):
        return Verdict("drop")
    if not external_local:
        return Verdict("forward", choose(categories.cluster), True)
    if source.is_pod or source.is_node:  # short-circuits the policy: up and out to a load balancer and back in
        chosen = choose(categories.cluster)
        return Verdict("forward", chosen, source.is_node or chosen.ip == source.ip)
    if not categories.local:
        return Verdict("drop")
    return Verdict("forward", choose(categories.local), False)


def _in_source_ranges(service: Obj, ip: str) -> bool:
    ranges = service["spec"].get("loadBalancerSourceRanges") or ()
    address = ipaddress.ip_address(ip)
    return not ranges or any(address in ipaddress.ip_network(cidr.strip(), strict=False) for cidr in ranges)


def chooser(
    service: Obj, port: dict[str, Any], client: str, affinity: Affinity, now: float, random_: random.Random
) -> Callable[[Sequence[Endpoint]], Endpoint]:
    """How this node picks an endpoint for a client (proxier.go writeServiceToEndpointRules).

    With ClientIP affinity the first endpoint that the client was sent to within timeoutSeconds wins, and each new
    connection renews it (`-m recent --rcheck --seconds N --reap`, `--set`). Otherwise each is equally likely.
    """
    spec = service["spec"]
    uid, name = service["metadata"]["uid"], port.get("name") or ""
    sticky = spec.get("sessionAffinity") == "ClientIP"
    config = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    timeout = 10800 if config is None else config

    def choose(pool: Sequence[Endpoint]) -> Endpoint:
        if not sticky:
            return random_.choice(pool)
        for endpoint in pool:
            last = affinity.seen.get((uid, name, endpoint.ip, endpoint.port, client))
            if last is not None and now - last < timeout:
                break
        else:
            endpoint = random_.choice(pool)
        affinity.seen[(uid, name, endpoint.ip, endpoint.port, client)] = now
        return endpoint

    return choose


def local_endpoint_count(service: Obj, slices: Iterable[Obj], node: str) -> int:
    """The endpoints that a node's healthCheckNodePort reports (pkg/proxy/endpointschangetracker.go).

    They are the distinct addresses of local ready endpoints, over all ports.
    """
    return len(
        {
            endpoint["addresses"][0]
            for slice_ in slices
            for endpoint in slice_.get("endpoints") or ()
            if endpoint.get("nodeName") == node and (endpoint.get("conditions") or {}).get("ready") is not False
        }
    )
