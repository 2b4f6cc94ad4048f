"""EndpointSlices: defaults, validation, warnings.

Sources: pkg/apis/discovery/v1/defaults.go, pkg/apis/discovery/validation/validation.go,
pkg/registry/discovery/endpointslice/strategy.go (1.36).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.field import FieldError, duplicate, invalid, not_supported, required, too_many
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy, immutable
from grader.embedded.core.index import MANAGED_BY_LABEL, MIRRORING_CONTROLLER, SLICE_CONTROLLER
from grader.embedded.core.store import Obj

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MOST_ADDRESSES, MOST_PORTS, MOST_ENDPOINTS, MOST_HINTS = 100, 20000, 1000, 8


class EndpointSliceStrategy(Strategy):
    """EndpointSlices."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_EndpointPort."""
        for port in obj.get("ports") or ():
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")
        for endpoint in obj.get("endpoints") or ():
            endpoint.setdefault("conditions", {})

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """PrepareForCreate: discovery.k8s.io/v1 does not write deprecatedTopology. Empty lists are stored as none."""
        for field in ("endpoints", "ports"):
            if not obj.get(field):
                obj.pop(field, None)
        for endpoint in obj.get("endpoints") or ():
            endpoint.pop("deprecatedTopology", None)

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """PrepareForUpdate."""
        self.prepare_create(obj, context)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """WarningsOnCreate, WarningsOnUpdate."""
        fqdn = old is None and obj.get("addressType") == "FQDN"
        found = ["spec.addressType: FQDN endpoints are deprecated"] if fqdn else []
        if (obj["metadata"].get("labels") or {}).get(MANAGED_BY_LABEL) in (SLICE_CONTROLLER, MIRRORING_CONTROLLER):
            return found
        for index, endpoint in enumerate(obj.get("endpoints") or ()):
            for number, address in enumerate(endpoint.get("addresses") or ()):
                found += names.ip_warnings(f"endpoints[{index}].addresses[{number}]", address)
        return found

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateEndpointSlice."""
        kind = obj.get("addressType", "")
        errors: list[FieldError] = []
        if not kind:
            errors.append(required("addressType"))
        elif kind not in ADDRESS_TYPES:
            errors.append(not_supported("addressType", kind, ADDRESS_TYPES))
        return errors + _ports(obj.get("ports") or []) + _endpoints(obj.get("endpoints") or [], kind)

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateEndpointSliceUpdate: the address type stays; endpoints that are as they were are not looked at."""
        same = (obj.get("endpoints") or []) == (old.get("endpoints") or [])
        errors = self.validate({**obj, "endpoints": []} if same else obj, context)
        return errors + immutable(obj.get("addressType"), old.get("addressType"), "addressType")


def _endpoints(endpoints: list[dict[str, Any]], kind: str) -> list[FieldError]:
    if len(endpoints) > MOST_ENDPOINTS:
        return [too_many("endpoints", len(endpoints), MOST_ENDPOINTS)]
    errors: list[FieldError] = []
    for index, endpoint in enumerate(endpoints):
        path = f"endpoints[{index}]"
        errors += _addresses(endpoint.get("addresses") or [], kind, f"{path}.addresses")
        if (node := endpoint.get("nodeName")) is not None:
            errors += [invalid(f"{path}.nodeName", node, text) for text in names.dns_subdomain(node)]
        if (hostname := endpoint.get("hostname")) is not None:
            errors += [invalid(f"{path}.hostname", hostname, text) for text in names.dns_label(hostname)]
        errors += _hints(endpoint.get("hints") or {}, f"{path}.hints")
    return errors


def _addresses(addresses: list[str], kind: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not addresses:
        errors.append(required(path, "must contain at least 1 address"))
    elif len(addresses) > MOST_ADDRESSES:
        errors.append(too_many(path, len(addresses), MOST_ADDRESSES))
    for index, address in enumerate(addresses):
        where = f"{path}[{index}]"
        if kind == "FQDN":
            errors += names.fqdn(where, address)
        elif kind in ("IPv4", "IPv6"):
            found = names.legacy_ip(where, address) if kind == "IPv4" else names.strict_ip(where, address)
            if not found and (":" in address) != (kind == "IPv6"):
                errors.append(invalid(path, address, f"must be an {kind} address"))
            errors += found or names.endpoint_ip(where, address)
    return errors


def _hints(hints: dict[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, form in (("forZones", names.label_value), ("forNodes", names.dns_subdomain)):
        given = [item.get("name", "") for item in hints.get(field) or ()]
        if len(given) > MOST_HINTS:
            return [*errors, too_many(f"{path}.{field}", len(given), MOST_HINTS)]
        for index, name in enumerate(given):
            where = f"{path}.{field}[{index}].name"
            if name in given[:index]:
                errors.append(duplicate(where, name))
            errors += [invalid(where, name, text) for text in form(name)]
    return errors


def _ports(ports: list[dict[str, Any]]) -> list[FieldError]:
    if len(ports) > MOST_PORTS:
        return [too_many("ports", len(ports), MOST_PORTS)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"ports[{index}]", port.get("name", "")
        if name:
            errors += [invalid(f"{path}.name", name, text) for text in names.dns_label(name)]
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
        if port.get("protocol") not in names.PROTOCOLS:
            errors.append(not_supported(f"{path}.protocol", port.get("protocol", ""), names.PROTOCOLS))
        if (application := port.get("appProtocol")) is not None:
            errors += [invalid(f"{path}.appProtocol", application, text) for text in names.label_key(application)]
    return errors
