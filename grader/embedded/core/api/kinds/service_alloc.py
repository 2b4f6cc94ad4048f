"""ClusterIPs and node ports of Services.

Follows pkg/registry/core/service/storage/{alloc,storage}.go and the ip- and portallocator packages (1.36), for a
single-stack IPv4 cluster. What is taken is read from the stored Services, so there is nothing to reconcile. Automatic
values avoid the part at the front of a range that upstream keeps for static ones.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.field import FieldError, invalid
from grader.embedded.core.api.kinds.service_rules import (
    family_errors,
    headless,
    needs_health_check,
    same_cluster_ips,
)
from grader.embedded.core.api.kinds.strategy import HookContext
from grader.embedded.core.index import SERVICE_RANGE
from grader.embedded.core.store import Obj, Store

SERVICE_CIDR = ipaddress.ip_network(SERVICE_RANGE)
NODE_PORTS = range(30000, 32768)  # pkg/kubeapiserver/options/options.go DefaultServiceNodePortRange, which kind keeps
DRY_RUN_PORT = 32768  # numbers made up begin above the range: none of them is one that somebody holds
# ipallocator/bitmap.go calculateRangeOffset, of a /16: the lower part is left to those who name an address.
_IP_OFFSET = 256
_PORT_OFFSET = 86  # portallocator/allocator.go calculateRangeOffset, of 2,768 ports: likewise
Spec = dict[str, Any]


def _refuse(service: Obj, errors: list[FieldError]) -> status.ApiError:
    return status.invalid("Service", "", service["metadata"].get("name", ""), errors)


def _taken_ips(store: Store, but: str = "") -> set[str]:
    return {
        ip
        for service in store.list("services")
        if service["metadata"]["uid"] != but
        for ip in service["spec"].get("clusterIPs", ())
    }


def _taken_ports(store: Store) -> set[int]:
    taken: set[int] = set()
    for service in store.list("services"):
        spec = service["spec"]
        taken.update(port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort"))
        if spec.get("healthCheckNodePort"):
            taken.add(spec["healthCheckNodePort"])
    return taken


class Ports:
    """One allocation of node ports, dropped where the request fails.

    A dry run looks only for collisions, and makes numbers up (portallocator/operation.go).
    """

    def __init__(self, store: Store, taken: set[int], *, dry_run: bool) -> None:
        self._random = store.random
        self._taken = taken
        self._dry_run = dry_run
        self._mine: list[int] = []

    def take(self, port: int) -> str:
        """Take a given port; returns why that is not possible, "" where it is."""
        if port not in NODE_PORTS and not self._dry_run:
            return (
                f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
            )
        if port in self._taken:
            return "provided port is already allocated"
        self._taken.add(port)
        self._mine.append(port)
        return ""

    def next(self) -> int:
        """Take any free port. Raises ApiError (500) where there is none."""
        if self._dry_run:
            self._mine.append(max(self._mine, default=DRY_RUN_PORT) + 1)
            return self._mine[-1]
        free = [port for port in NODE_PORTS[_PORT_OFFSET:] if port not in self._taken]
        free = free or [port for port in NODE_PORTS if port not in self._taken]
        if not free:
            raise status.internal_error("failed to allocate a nodePort: range is full")
        port = self._random.choice(free)
        self._taken.add(port)
        return port


def allocate_create(service: Obj, context: HookContext) -> None:
    """Give a new Service its families, ClusterIP and node ports. Raises ApiError."""
    spec: Spec = service["spec"]
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    _families(service, None)
    _allocate_ip(service, context)
    ports = Ports(context.store, _taken_ports(context.store), dry_run=context.dry_run)
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _new_node_ports(service, ports)
    if needs_health_check(spec):
        _health_check_port(spec, ports)


def allocate_update(service: Obj, old: Obj, context: HookContext) -> None:
    """Keep, give and take back what a changed Service needs. Raises ApiError."""
    spec: Spec = service["spec"]
    before: Spec = old["spec"]
    _patch_allocated(spec, before)
    _normalize_ips(spec, before)
    _families(service, old)
    if before["type"] == "ExternalName" and spec["type"] != "ExternalName":
        _allocate_ip(service, context)
    ports = Ports(context.store, _taken_ports(context.store), dry_run=context.dry_run)
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _changed_node_ports(service, before, ports)
    if needs_health_check(spec) and not needs_health_check(before):
        _health_check_port(spec, ports)


def _families(service: Obj, old: Obj | None) -> None:
    """InitIPFamilyFields: fill in ipFamilyPolicy and ipFamilies, refuse what a single-stack cluster cannot do."""
    spec: Spec = service["spec"]
    if spec["type"] == "ExternalName":
        return
    before: Spec = old["spec"] if old else {}
    selectorless = spec.get("clusterIP") == "None" and not spec.get("selector")
    if "ipFamilyPolicy" not in spec:
        spec["ipFamilyPolicy"] = before.get("ipFamilyPolicy") or ("RequireDualStack" if selectorless else "SingleStack")
    known = tuple(before.get("clusterIPs", ()))
    if errors := family_errors(spec, known):
        raise _refuse(service, errors)
    policy = spec["ipFamilyPolicy"]
    errors = []
    if policy == "SingleStack" and old is not None:
        if same_cluster_ips(before, spec) and len(spec.get("clusterIPs", ())) > 1:
            spec["clusterIPs"] = spec["clusterIPs"][:1]
        if before.get("ipFamilies") == spec.get("ipFamilies") and len(spec.get("ipFamilies", ())) > 1:
            spec["ipFamilies"] = spec["ipFamilies"][:1]
    if policy == "SingleStack":
        for field, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
            if len(spec.get(field, ())) == 2:
                text = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
                errors.append(invalid("spec.ipFamilyPolicy", policy, text))
    families: list[str] = list(spec.get("ipFamilies", ()))
    for index, ip in enumerate(spec.get("clusterIPs", ())):
        if ip == "None":
            break
        family = "IPv6" if ":" in ip else "IPv4"
        if index >= len(families):
            if family == "IPv6":
                text = "IPv6 is not configured on this cluster"
                errors.append(invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], text))
            else:
                families.append(family)
    if errors:
        raise _refuse(service, errors)
    if selectorless:
        families = families or ["IPv4"]
        if len(families) < 2 and policy != "SingleStack":
            families.append("IPv6" if families[0] == "IPv4" else "IPv4")
        spec["ipFamilies"] = families
        return
    if policy == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        errors.append(invalid("spec.ipFamilyPolicy", policy, text))
    for index, family in enumerate(families):
        if family != "IPv4":
            errors.append(invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
    if errors:
        raise _refuse(service, errors)
    spec["ipFamilies"] = families or ["IPv4"]


def _allocate_ip(service: Obj, context: HookContext) -> None:
    spec: Spec = service["spec"]
    if spec["type"] == "ExternalName" or headless(spec) or spec.get("clusterIPs", ("",))[0] == "None":
        return
    taken = _taken_ips(context.store)
    wanted = spec.get("clusterIPs") or []
    if wanted and wanted[0]:
        ip = wanted[0]
        address = ipaddress.ip_address(ip)
        why = ""
        if address not in SERVICE_CIDR or address in (SERVICE_CIDR.network_address, SERVICE_CIDR.broadcast_address):
            why = "the provided network does not match the current range"
            if context.dry_run:  # ipallocator/ipallocator.go is asked without the choice of a range before it
                why = f"the provided IP ({ip}) is not in the valid range. The range of valid IPs is {SERVICE_CIDR}"
        elif ip in taken and not context.dry_run:
            why = "provided IP is already allocated"
        if why:
            raise _refuse(service, [invalid("spec.clusterIPs", wanted, f"failed to allocate IP {ip}: {why}")])
    elif context.dry_run:
        ip = str(SERVICE_CIDR.network_address)
    else:
        ip = _free_ip(context.store, taken)
        if not service["metadata"].get("name"):  # the IPAddress that records it would have no parent
            why = f'IPAddress.networking.k8s.io "{ip}" is invalid: spec.parentRef.name: Required value'
            raise _refuse(service, [invalid("spec.clusterIPs", [""], f"failed to allocate IP: {why}")])
    spec["clusterIPs"] = [ip, *wanted[1:]]
    spec["clusterIP"] = ip


def _free_ip(store: Store, taken: set[str]) -> str:
    first, size = int(SERVICE_CIDR.network_address), SERVICE_CIDR.num_addresses
    while True:
        ip = str(ipaddress.ip_address(first + store.random.randrange(_IP_OFFSET + 1, size - 1)))
        if ip not in taken:
            return ip


def _new_node_ports(service: Obj, ports: Ports) -> None:
    """InitNodePorts: ports that differ in protocol only share a node port."""
    spec: Spec = service["spec"]
    automatic = spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
    chosen: dict[int, int] = {}
    for index, port in enumerate(spec.get("ports", ())):
        if not port.get("nodePort") and not automatic:
            continue
        allocated = chosen.get(port["port"], 0)
        if not allocated:
            asked = next((p["nodePort"] for p in spec["ports"] if p["port"] == port["port"] and p.get("nodePort")), 0)
            if asked:
                _take(service, index, asked, ports)
            port["nodePort"] = chosen[port["port"]] = asked or ports.next()
        elif not port.get("nodePort"):
            port["nodePort"] = allocated
        elif port["nodePort"] != allocated:
            _take(service, index, port["nodePort"], ports)


def _changed_node_ports(service: Obj, before: Spec, ports: Ports) -> None:
    spec: Spec = service["spec"]
    automatic = spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
    held = {port["nodePort"] for port in before.get("ports", ()) if port.get("nodePort")}
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(spec.get("ports", ())):
        if port.get("nodePort"):
            if port["nodePort"] not in held:
                held.add(port["nodePort"])
                _take(service, index, port["nodePort"], ports)
        elif automatic:
            port["nodePort"] = ports.next()
        else:
            continue
        key = (port["protocol"], port["nodePort"])
        if key in seen:  # before validation, which would say it better
            raise status.unexpected(f"duplicate nodePort: {{{key[0]} {key[1]}}}")
        seen.add(key)


def _take(service: Obj, index: int, port: int, ports: Ports) -> None:
    if why := ports.take(port):
        raise _refuse(service, [invalid(f"spec.ports[{index}].nodePort", port, why)])


def _health_check_port(spec: Spec, ports: Ports) -> None:
    asked = spec.get("healthCheckNodePort", 0)
    if asked and (why := ports.take(asked)):
        raise status.internal_error(f"failed to allocate requested HealthCheck NodePort {asked}: {why}")
    spec["healthCheckNodePort"] = asked or ports.next()


def _patch_allocated(spec: Spec, before: Spec) -> None:
    """PatchAllocatedValues: what the writer left out keeps the value it was given."""
    if spec["type"] != "ExternalName" and before["type"] != "ExternalName":
        for field in ("clusterIP", "clusterIPs"):
            if not spec.get(field) and before.get(field):
                spec[field] = before[field]
    if _wants_node_ports(spec) and _wants_node_ports(before):
        old = {port["nodePort"] for port in before.get("ports", ()) if port.get("nodePort")}
        used = old & {port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort")}
        by_name = {port.get("name", ""): port.get("nodePort", 0) for port in before.get("ports", ())}
        for port in spec.get("ports", ()):
            known = by_name.get(port.get("name", ""), 0)
            if not port.get("nodePort") and known and known not in used:
                port["nodePort"] = known
    if needs_health_check(spec) and needs_health_check(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _wants_node_ports(spec: Spec) -> bool:
    return spec["type"] == "NodePort" or (
        spec["type"] == "LoadBalancer" and bool(spec.get("allocateLoadBalancerNodePorts", True))
    )


def _normalize_ips(spec: Spec, before: Spec) -> None:
    """NormalizeClusterIPs: keep clusterIP and clusterIPs in step where the writer changed one of them."""
    if before.get("clusterIPs") and not spec.get("clusterIPs") and before.get("clusterIP") == spec.get("clusterIP"):
        spec["clusterIPs"] = before["clusterIPs"]
    if before.get("clusterIP") == spec.get("clusterIP") or before.get("clusterIPs", []) != spec.get("clusterIPs", []):
        return
    if spec.get("clusterIP"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    else:
        spec.pop("clusterIPs", None)
