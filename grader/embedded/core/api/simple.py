"""Kinds with few rules: configuration, names, events, endpoints, nodes, namespaces.

Sources: pkg/apis/{core,discovery}/v1/defaults.go, pkg/apis/{core,discovery}/validation (1.36).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from grader.embedded.core.api import names
from grader.embedded.core.api.field import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_many,
)
from grader.embedded.core.api.strategy import Context, Strategy, immutable
from grader.embedded.core.store import Obj


class Plain(Strategy):
    """A namespaced kind that is stored as it comes."""


class ClusterScoped(Plain):
    """A kind outside of namespaces that is stored as it comes."""

    namespaced = False


class ConfigMapStrategy(Plain):
    """ConfigMaps."""

    def validate(self, obj: Obj, context: Context) -> list[FieldError]:
        """ValidateConfigMap."""
        errors: list[FieldError] = []
        for field in ("data", "binaryData"):
            for key in obj.get(field) or {}:
                errors += [invalid(f"{field}[{key}]", key, text) for text in names.config_map_key(key)]
                if field == "data" and key in (obj.get("binaryData") or {}):
                    errors.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: Context) -> list[FieldError]:
        """ValidateConfigMapUpdate: an immutable one stays as it is."""
        errors: list[FieldError] = []
        if old.get("immutable"):
            text = "field is immutable when `immutable` is set"
            errors += [forbidden(f, text) for f in ("immutable", "data", "binaryData") if obj.get(f) != old.get(f)]
        return errors + self.validate(obj, context)


class SecretStrategy(Plain):
    """Secrets."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_Secret; stringData goes into data."""
        obj.setdefault("type", "Opaque")
        if plain := obj.pop("stringData", None):
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
            obj["data"] = {**(obj.get("data") or {}), **encoded}

    def validate(self, obj: Obj, context: Context) -> list[FieldError]:
        """ValidateSecret."""
        errors: list[FieldError] = []
        for key, value in (obj.get("data") or {}).items():
            errors += [invalid(f"data[{key}]", key, text) for text in names.config_map_key(key)]
            try:
                base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                errors.append(invalid(f"data[{key}]", "<omitted>", "illegal base64 data"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: Context) -> list[FieldError]:
        """ValidateSecretUpdate."""
        errors = immutable(obj.get("type"), old.get("type"), "type")
        if old.get("immutable"):
            text = "field is immutable when `immutable` is set"
            errors += [forbidden(field, text) for field in ("immutable", "data") if obj.get(field) != old.get(field)]
        return errors + self.validate(obj, context)


class ServiceAccountStrategy(Plain):
    """ServiceAccounts."""


class EventStrategy(Plain):
    """Events, stored in their core form."""


class NamespaceStrategy(Strategy):
    """Namespaces; deletion waits for the namespace controller."""

    namespaced = False
    name_form = staticmethod(names.dns_label)

    def default(self, obj: Obj) -> None:
        """SetDefaults_Namespace: the label with its name; the status is Active until deletion."""
        meta = obj["metadata"]
        if meta.get("name"):
            meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
        obj.setdefault("spec", {})
        obj.setdefault("status", {}).setdefault("phase", "Active")

    def prepare_create(self, obj: Obj, context: Context) -> None:
        """A new namespace is active and is kept until it is empty."""
        obj["status"] = {"phase": "Active"}
        finalizers = obj["spec"].get("finalizers") or []
        obj["spec"]["finalizers"] = finalizers if "kubernetes" in finalizers else [*finalizers, "kubernetes"]

    def prepare_update(self, obj: Obj, old: Obj, context: Context) -> None:
        """Finalizers change by the finalize subresource only, the status by its own."""
        if context.subresource == "":
            obj["status"] = old["status"]
            obj["spec"] = old["spec"]


class NodeStrategy(Strategy):
    """Nodes."""

    namespaced = False

    def prepare_update(self, obj: Obj, old: Obj, context: Context) -> None:
        """The status has a subresource of its own."""
        if not context.subresource and "status" in old:
            obj["status"] = old["status"]


class EndpointsStrategy(Plain):
    """Endpoints, the API that EndpointSlice has replaced."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_Endpoints."""
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                port.setdefault("protocol", "TCP")

    def validate(self, obj: Obj, context: Context) -> list[FieldError]:
        """ValidateEndpoints."""
        errors: list[FieldError] = []
        for index, subset in enumerate(obj.get("subsets") or ()):
            path = f"subsets[{index}]"
            if not subset.get("addresses") and not subset.get("notReadyAddresses"):
                errors.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
            for field in ("addresses", "notReadyAddresses"):
                for number, address in enumerate(subset.get(field) or ()):
                    where = f"{path}.{field}[{number}].ip"
                    ip = address.get("ip", "")
                    errors += names.legacy_ip(where, ip) + names.endpoint_ip(where, ip)
            ports = subset.get("ports") or ()
            for number, port in enumerate(ports):
                errors += _endpoint_port(port, f"{path}.ports[{number}]", len(ports) > 1)
        return errors


def _endpoint_port(port: dict[str, Any], path: str, name_needed: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    if name_needed and not port.get("name"):
        errors.append(required(f"{path}.name"))
    elif port.get("name"):
        errors += [invalid(f"{path}.name", port["name"], text) for text in names.dns_label(port["name"])]
    number = port.get("port", 0)
    errors += [invalid(f"{path}.port", number, text) for text in names.port_number(number)]
    if port.get("protocol") not in ("SCTP", "TCP", "UDP"):
        errors.append(not_supported(f"{path}.protocol", port.get("protocol", ""), ("SCTP", "TCP", "UDP")))
    return errors


class EndpointSliceStrategy(Plain):
    """EndpointSlices (pkg/apis/discovery/validation/validation.go)."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_EndpointPort."""
        for port in obj.get("ports") or ():
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")
        for endpoint in obj.get("endpoints") or ():
            endpoint.setdefault("conditions", {})

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """WarningsOnCreate (pkg/registry/discovery/endpointslice/strategy.go)."""
        return ["spec.addressType: FQDN endpoints are deprecated"] if obj.get("addressType") == "FQDN" else []

    def validate(self, obj: Obj, context: Context) -> list[FieldError]:
        """ValidateEndpointSlice."""
        kinds = ("FQDN", "IPv4", "IPv6")
        kind = obj.get("addressType", "")
        errors: list[FieldError] = []
        if not kind:
            errors.append(required("addressType"))
        elif kind not in kinds:
            errors.append(not_supported("addressType", kind, kinds))
        endpoints = obj.get("endpoints") or []
        if len(endpoints) > 1000:
            errors.append(too_many("endpoints", len(endpoints), 1000))
        for index, endpoint in enumerate(endpoints):
            errors += self._addresses(endpoint, kind, f"endpoints[{index}]")
        ports = obj.get("ports") or []
        if len(ports) > 100:
            errors.append(too_many("ports", len(ports), 100))
        seen: set[str] = set()
        for index, port in enumerate(ports):
            errors += self._port(port, f"ports[{index}]", seen)
        return errors

    def _addresses(self, endpoint: dict[str, Any], kind: str, path: str) -> list[FieldError]:
        addresses = endpoint.get("addresses") or []
        errors: list[FieldError] = []
        if not addresses:
            errors.append(required(f"{path}.addresses", "must contain at least 1 address"))
        elif len(addresses) > 100:
            errors.append(too_many(f"{path}.addresses", len(addresses), 100))
        for number, address in enumerate(addresses):
            where = f"{path}.addresses[{number}]"
            if kind == "FQDN":
                errors += [invalid(where, address, text) for text in names.dns_subdomain(address.removesuffix("."))]
            elif kind in ("IPv4", "IPv6"):
                found = names.strict_ip(where, address)
                if not found and (":" in address) != (kind == "IPv6"):
                    found = [invalid(f"{path}.addresses", address, f"must be an {kind} address")]
                errors += found or names.endpoint_ip(where, address)
        if (hostname := endpoint.get("hostname")) is not None:
            errors += [invalid(f"{path}.hostname", hostname, text) for text in names.dns_label(hostname)]
        return errors

    def _port(self, port: dict[str, Any], path: str, seen: set[str]) -> list[FieldError]:
        errors: list[FieldError] = []
        name = port.get("name", "")
        if name:
            errors += [invalid(f"{path}.name", name, text) for text in names.dns_label(name)]
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
        if port.get("protocol") not in ("SCTP", "TCP", "UDP"):
            errors.append(not_supported(f"{path}.protocol", port.get("protocol", ""), ("SCTP", "TCP", "UDP")))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: Context) -> list[FieldError]:
        """ValidateEndpointSliceUpdate: the address type stays."""
        return self.validate(obj, context) + immutable(obj.get("addressType"), old.get("addressType"), "addressType")
