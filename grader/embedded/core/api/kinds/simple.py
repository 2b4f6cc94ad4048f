"""Kinds with few rules: configuration, names, events, endpoints, nodes, namespaces.

Sources: pkg/apis/{core,discovery}/v1/defaults.go, pkg/apis/{core,discovery}/validation (1.36).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from grader.embedded.core import leases
from grader.embedded.core.api.http.field import (
    FieldError,
    forbidden,
    invalid,
    not_supported,
    required,
)
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy, immutable
from grader.embedded.core.store import Obj, Store


class Plain(Strategy):
    """A namespaced kind that is stored as it comes."""


class ClusterScoped(Plain):
    """A kind outside of namespaces that is stored as it comes."""

    namespaced = False


class ConfigMapStrategy(Plain):
    """ConfigMaps."""

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateConfigMap."""
        errors: list[FieldError] = []
        for field in ("data", "binaryData"):
            for key in obj.get(field) or {}:
                errors += [invalid(f"{field}[{key}]", key, text) for text in names.config_map_key(key)]
                if field == "data" and key in (obj.get("binaryData") or {}):
                    errors.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
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

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateSecret."""
        errors: list[FieldError] = []
        for key, value in (obj.get("data") or {}).items():
            errors += [invalid(f"data[{key}]", key, text) for text in names.config_map_key(key)]
            try:
                base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                errors.append(invalid(f"data[{key}]", "<omitted>", "illegal base64 data"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateSecretUpdate."""
        errors = immutable(obj.get("type"), old.get("type"), "type")
        if old.get("immutable"):
            text = "field is immutable when `immutable` is set"
            errors += [forbidden(field, text) for field in ("immutable", "data") if obj.get(field) != old.get(field)]
        return errors + self.validate(obj, context)


class ServiceAccountStrategy(Plain):
    """ServiceAccounts."""


class LeaseStrategy(Plain):
    """Leases."""

    def before_read(self, store: Store) -> None:
        """Their holders have renewed them meanwhile."""
        leases.renew(store)


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

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """A new namespace is active and is kept until it is empty."""
        obj["status"] = {"phase": "Active"}
        finalizers = obj["spec"].get("finalizers") or []
        obj["spec"]["finalizers"] = finalizers if "kubernetes" in finalizers else [*finalizers, "kubernetes"]

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """Finalizers change by the finalize subresource only, the status by its own."""
        if context.subresource == "":
            obj["status"] = old["status"]
            obj["spec"] = old["spec"]


class NodeStrategy(Strategy):
    """Nodes."""

    namespaced = False

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
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

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
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
    if port.get("protocol") not in names.PROTOCOLS:
        errors.append(not_supported(f"{path}.protocol", port.get("protocol", ""), names.PROTOCOLS))
    return errors
