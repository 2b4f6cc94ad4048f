"""What a Pod must be, as far as learners get it wrong: pkg/apis/core/validation/validation.go (1.36)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.field import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from grader.embedded.core.api.kinds import names, volume_rules
from grader.embedded.core.api.kinds.handler_rules import probes_and_lifecycle
from grader.embedded.core.api.kinds.priority import policy_errors

Spec = dict[str, Any]
MAX_INT32 = 2**31 - 1
MAX_NAMESERVERS, MAX_SEARCHES, MAX_SEARCH_LETTERS = 3, 32, 2048
NOT_EPHEMERAL = (
    "ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy",
    "restartPolicy",
)  # fmt: skip
"""Fields of a container that an ephemeral one may not have (allowedEphemeralContainerFields)."""


def validate_spec(spec: Spec, path: str, *, is_pod: bool = False) -> list[FieldError]:
    """ValidatePodSpec, as far as learners get it wrong.

    Args:
        spec: a Pod's, or that of a template.
        path: where it is.
        is_pod: whether it is a Pod's: what defaults a Pod gets only when it is made, must then be there.

    """
    errors: list[FieldError] = []
    volumes = volume_rules.volumes(spec, path, errors)
    containers = spec.get("containers") or []
    if not containers:
        errors.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            where = f"{path}.{kind}[{index}]"
            errors += _container(container, where, seen, volumes)
            grace = spec.get("terminationGracePeriodSeconds", 30)
            errors += probes_and_lifecycle(container, where, grace, init=kind == "initContainers")
    errors += _host_ports(containers, f"{path}.containers")
    for container in spec.get("initContainers") or ():
        errors += _host_ports([container], f"{path}.initContainers")
    if spec.get("hostNetwork"):
        errors += _own_ports(containers, f"{path}.containers", is_pod=is_pod)
    policies: tuple[str, ...] = ("Always", "OnFailure", "Never")
    if spec.get("restartPolicy") not in policies:
        errors.append(not_supported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), policies))
    policies = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
    if spec.get("dnsPolicy") not in policies:
        errors.append(not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", ""), policies))
    errors += _dns_config(spec, f"{path}.dnsConfig")
    if (seconds := spec.get("activeDeadlineSeconds")) is not None and not 1 <= seconds <= MAX_INT32:
        text = f"must be between 1 and {MAX_INT32}, inclusive"
        errors.append(invalid(f"{path}.activeDeadlineSeconds", seconds, text))
    errors += names.labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            errors += [invalid(f"{path}.{field}", spec[field], text) for text in names.dns_label(spec[field])]
    if spec.get("nodeName"):
        errors += [
            invalid(f"{path}.nodeName", spec["nodeName"], text) for text in names.dns_subdomain(spec["nodeName"])
        ]
    if name := spec.get("priorityClassName"):
        errors += [invalid(f"{path}.priorityClassName", name, text) for text in names.dns_subdomain(name)]
    return errors + policy_errors(spec.get("preemptionPolicy"), f"{path}.preemptionPolicy")


def deadline_update(spec: Spec, before: Spec) -> list[FieldError]:
    """A deadline may be set, and made less (ValidatePodUpdate)."""
    path, new, old = (
        "spec.activeDeadlineSeconds",
        spec.get("activeDeadlineSeconds"),
        before.get("activeDeadlineSeconds"),
    )
    if new is None:
        text = "must not update from a positive integer to nil value"
        return [invalid(path, None, text)] if old is not None else []
    if not 0 <= new <= MAX_INT32:
        return [invalid(path, new, f"must be between 0 and {MAX_INT32}, inclusive")]
    if old is not None and old < new:
        return [invalid(path, new, "must be less than or equal to previous value")]
    return []


def _dns_config(spec: Spec, path: str) -> list[FieldError]:
    """What resolv.conf can hold (validatePodDNSConfig)."""
    config = spec.get("dnsConfig")
    nameservers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and not nameservers:
        if config is None:
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        return [required(f"{path}.nameservers", text)]
    errors: list[FieldError] = []
    if len(nameservers) > MAX_NAMESERVERS:
        text = f"must not have more than {MAX_NAMESERVERS} nameservers"
        errors.append(invalid(f"{path}.nameservers", nameservers, text))
    for index, address in enumerate(nameservers):
        errors += names.legacy_ip(f"{path}.nameservers[{index}]", address)
    searches = (config or {}).get("searches") or []
    if len(searches) > MAX_SEARCHES:
        errors.append(invalid(f"{path}.searches", searches, f"must not have more than {MAX_SEARCHES} search paths"))
    if len(" ".join(searches)) > MAX_SEARCH_LETTERS:
        text = f"must not have more than {MAX_SEARCH_LETTERS} characters (including spaces) in the search list"
        errors.append(invalid(f"{path}.searches", searches, text))
    for index, option in enumerate((config or {}).get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{path}.options[{index}]", "must not be empty"))
    return errors


def image(container: Spec, path: str) -> list[FieldError]:
    """ValidateContainerImage: there, and without white space around it."""
    value = container.get("image", "")
    if not value.strip():
        return [required(f"{path}.image")]
    if value != value.strip():
        return [invalid(f"{path}.image", value, "must not have leading or trailing whitespace")]
    return []


def _container(container: Spec, path: str, seen: set[str], volumes: set[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    name = container.get("name", "")
    if not name:
        errors.append(required(f"{path}.name"))
    else:
        errors += [invalid(f"{path}.name", name, text) for text in names.dns_label(name)]
        if name in seen:
            errors.append(duplicate(f"{path}.name", name))
        seen.add(name)
    errors += image(container, path)
    sources = ("File", "FallbackToLogsOnError")
    if container.get("terminationMessagePolicy") not in sources:
        value = container.get("terminationMessagePolicy", "")
        errors.append(not_supported(f"{path}.terminationMessagePolicy", value, sources))
    errors += _ports(container.get("ports") or [], f"{path}.ports")
    errors += _env(container.get("env") or [], f"{path}.env")
    errors += volume_rules.mounts(container, f"{path}.volumeMounts", volumes)
    policies = ("Always", "IfNotPresent", "Never")
    if container.get("imagePullPolicy") not in policies:
        errors.append(not_supported(f"{path}.imagePullPolicy", container.get("imagePullPolicy", ""), policies))
    return errors


def ephemeral(spec: Spec, before: Spec) -> list[FieldError]:
    """ValidatePodEphemeralContainersUpdate and validateEphemeralContainers."""
    path = "spec.ephemeralContainers"
    errors: list[FieldError] = []
    volumes = {volume.get("name", "") for volume in spec.get("volumes") or ()}
    others = {held["name"] for kind in ("containers", "initContainers") for held in spec.get(kind) or ()}
    seen = set(others)
    found = spec.get("ephemeralContainers") or []
    for index, container in enumerate(found):
        where = f"{path}[{index}]"
        errors += _container(container, where, seen, volumes)
        target = container.get("targetContainerName", "")
        if target and target not in others:
            errors.append(not_found(f"{where}.targetContainerName", target))
        errors += [
            forbidden(f"{where}.{field}", "cannot be set for an Ephemeral Container")
            for field in NOT_EPHEMERAL
            if container.get(field)
        ]
    by_name = {container.get("name"): container for container in found}
    for old in before.get("ephemeralContainers") or ():
        if old["name"] not in by_name:
            errors.append(forbidden(path, f'existing ephemeral containers "{old["name"]}" may not be removed\n'))
        elif by_name[old["name"]] != old:
            errors.append(forbidden(path, f'existing ephemeral containers "{old["name"]}" may not be changed\n'))
    return errors


def _ports(ports: list[Spec], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        if name := port.get("name", ""):
            found = names.port_name(name)
            errors += [invalid(f"{where}.name", name, text) for text in found]
            if not found and name in seen:
                errors.append(duplicate(f"{where}.name", name))
            seen.add(name)
        number = port.get("containerPort", 0)
        if not number:
            errors.append(required(f"{where}.containerPort"))
        else:
            errors += [invalid(f"{where}.containerPort", number, text) for text in names.port_number(number)]
        if port.get("hostPort"):
            errors += [invalid(f"{where}.hostPort", port["hostPort"], t) for t in names.port_number(port["hostPort"])]
        if not port.get("protocol"):
            errors.append(required(f"{where}.protocol"))
        elif port["protocol"] not in names.PROTOCOLS:
            errors.append(not_supported(f"{where}.protocol", port["protocol"], names.PROTOCOLS))
    return errors


def _host_ports(containers: list[Spec], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                key = f"{port.get('protocol')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if key in seen:
                    errors.append(duplicate(f"{path}[{index}].ports[{number}].hostPort", key))
                seen.add(key)
    return errors


def _own_ports(containers: list[Spec], path: str, *, is_pod: bool) -> list[FieldError]:
    """Ports of Pods in their node's network are the node's (validatePodHostNetworkDeps)."""
    text = "must match `containerPort` when `hostNetwork` is true"
    return [
        invalid(f"{path}[{index}].ports[{number}].hostPort", port.get("hostPort", 0), text)
        for index, container in enumerate(containers)
        for number, port in enumerate(container.get("ports") or ())
        if (is_pod or port.get("hostPort")) and port.get("hostPort", 0) != port.get("containerPort", 0)
    ]


def _env(variables: list[Spec], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        name = variable.get("name", "")
        if not name:
            errors.append(required(f"{path}[{index}].name"))
        elif not name.isascii() or not name.isprintable() or "=" in name:
            text = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            errors.append(invalid(f"{path}[{index}].name", name, text))
        if variable.get("value") and "valueFrom" in variable:
            text = "may not be specified when `value` is not empty"
            errors.append(invalid(f"{path}[{index}].valueFrom", "", text))
    return errors
