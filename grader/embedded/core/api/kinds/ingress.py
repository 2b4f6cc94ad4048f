"""Ingresses: kept and checked, without a controller that would heed them.

Sources: pkg/apis/networking/validation/validation.go, pkg/apis/networking/v1/defaults.go,
pkg/registry/networking/ingress/strategy.go (1.36).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.field import FieldError, invalid, not_supported, required
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.strategy import HookContext, WithStatus
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_NOT_AT_ENDS = ("/..", "/.")


class IngressStrategy(WithStatus):
    """Ingresses."""

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """The status is a controller's."""
        obj["status"] = {"loadBalancer": {}}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateIngressSpec."""
        spec = obj.get("spec") or {}
        errors: list[FieldError] = []
        rules = spec.get("rules") or []
        if not rules and "defaultBackend" not in spec:
            text = "either `defaultBackend` or `rules` must be specified"
            errors.append(invalid("spec", spec.get("rules"), text))
        if "defaultBackend" in spec:
            errors += _backend(spec["defaultBackend"], "spec.defaultBackend")
        for index, rule in enumerate(rules):
            errors += _rule(rule, f"spec.rules[{index}]")
        for index, tls in enumerate(spec.get("tls") or ()):
            for number, host in enumerate(tls.get("hosts") or ()):
                errors += _host(host, f"spec.tls[{index}].hosts[{number}]")
            if secret := tls.get("secretName"):
                where = f"spec.tls[{index}].secretName"
                errors += [invalid(where, secret, text) for text in names.dns_subdomain(secret)]
        if name := spec.get("ingressClassName"):
            errors += [invalid("spec.ingressClassName", name, text) for text in names.dns_subdomain(name)]
        annotated = (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
        if not context.subresource and annotated is not None and name is not None and annotated != name:
            text = "must match `ingressClassName` when both are specified"
            errors.append(invalid(f"annotations.{CLASS_ANNOTATION}", annotated, text))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateIngressUpdate: the annotation is looked at when an Ingress is made only."""
        errors = self.validate(obj, context)
        return [error for error in errors if not error.field.startswith("annotations.")]

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """The annotation that came before the field."""
        annotated = CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {})
        if old is None and annotated and "ingressClassName" not in obj["spec"]:
            return [f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"]
        return []


def _rule(rule: Spec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if host := rule.get("host"):
        if names.parse_ip(host) is not None:
            errors.append(invalid(f"{path}.host", host, "must be a DNS name, not an IP address"))
        errors += _host(host, f"{path}.host")
    if "http" not in rule:
        return errors
    paths = rule["http"].get("paths") or []
    if not paths:
        errors.append(required(f"{path}.http.paths"))
    for index, one in enumerate(paths):
        errors += _path(one, f"{path}.http.paths[{index}]")
    return errors


def _host(host: str, path: str) -> list[FieldError]:
    form = names.wildcard_subdomain if "*" in host else names.dns_subdomain
    return [invalid(path, host, text) for text in form(host)]


def _path(one: Spec, path: str) -> list[FieldError]:
    kind, value = one.get("pathType"), one.get("path", "")
    if kind is None:
        return [required(f"{path}.pathType", "pathType must be specified")]
    errors: list[FieldError] = []
    if kind not in _PATH_TYPES:
        errors.append(not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    elif not value.startswith("/") and (value or kind != "ImplementationSpecific"):
        errors.append(invalid(f"{path}.path", value, "must be an absolute path"))
    if kind in ("Exact", "Prefix"):
        found = [f"must not contain '{part}'" for part in _NOT_IN_PATHS if part in value]
        found += [f"cannot end with '{end}'" for end in _NOT_AT_ENDS if value.endswith(end)]
        errors += [invalid(f"{path}.path", value, text) for text in found]
    return errors + _backend(one.get("backend") or {}, f"{path}.backend")


def _backend(backend: Spec, path: str) -> list[FieldError]:
    """Whether a backend names one thing (validateIngressBackend)."""
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return [required(f"{path}.resource.{field}") for field in ("kind", "name") if not resource.get(field)]
    if service is None:
        return [invalid(path, "", "resource or service backend is required")]
    errors: list[FieldError] = []
    if not service.get("name"):
        errors.append(required(f"{path}.service.name"))
    else:
        errors += [invalid(f"{path}.service.name", service["name"], text) for text in names.dns_label(service["name"])]
    port = service.get("port") or {}
    name, number = port.get("name"), port.get("number")
    if name and number:
        errors.append(invalid(path, "", "cannot set both port name & port number"))
    elif name:
        errors += [invalid(f"{path}.service.port.name", name, text) for text in names.port_name(name)]
    elif number:
        errors += [invalid(f"{path}.service.port.number", number, text) for text in names.port_number(number)]
    else:
        errors.append(required(path, "port name or number is required"))
    return errors
