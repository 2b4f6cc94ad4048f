"""Pods: defaults and the validation that learners meet.

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go, pkg/registry/core/pod/strategy.go,
plugin/pkg/admission/{serviceaccount,defaulttolerationseconds,priority} (1.36).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from grader.embedded.core.api import names
from grader.embedded.core.api.field import (
    FieldError,
    duplicate,
    forbidden,
    go_json,
    invalid,
    not_found,
    not_supported,
    required,
)
from grader.embedded.core.api.service_rules import port_or_name
from grader.embedded.core.api.status import forbidden as forbidden_request
from grader.embedded.core.api.strategy import Context, Strategy
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_EXECUTE = "node.kubernetes.io"
TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def default_spec(spec: Spec) -> None:
    """SetDefaults_PodSpec and what belongs to it."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    if spec.get("serviceAccount") and not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        _default_container(container, bool(spec.get("hostNetwork")))
    for volume in spec.get("volumes", ()):
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 420)
        for source in (volume.get("projected") or {}).get("sources", ()):
            if "serviceAccountToken" in source:
                source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        if isinstance(volume.get("hostPath"), dict):
            volume["hostPath"].setdefault("type", "")
        if set(volume) == {"name"}:
            volume["emptyDir"] = {}


def _default_container(container: Spec, host_network: bool) -> None:
    image = container.get("image", "")
    tag = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[2]
    latest = "@" not in image and tag in ("", "latest")
    container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
        if host_network:
            port.setdefault("hostPort", port.get("containerPort"))
    resources = container["resources"]
    for name, amount in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(name, amount)
    for variable in container.get("env", ()):
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")
    for name in _PROBES:
        if (probe := container.get(name)) is not None:
            _default_probe(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and "httpGet" in hook:
            _default_http(hook["httpGet"])


def _default_probe(probe: Spec) -> None:
    for field, value in (
        ("failureThreshold", 3),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("timeoutSeconds", 1),
    ):
        probe.setdefault(field, value)
    if "httpGet" in probe:
        _default_http(probe["httpGet"])
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _default_http(action: Spec) -> None:
    action.setdefault("path", "/")
    action.setdefault("scheme", "HTTP")


class PodStrategy(Strategy):
    """Pods; deletion is graceful and finished by the kubelet."""

    graceful = True

    def default(self, obj: Obj) -> None:
        """SetDefaults_Pod."""
        spec = obj.setdefault("spec", {})
        default_spec(spec)
        spec.setdefault("enableServiceLinks", True)

    def begin_create(self, obj: Obj, context: Context) -> None:
        """What the admission plugins add: ServiceAccount, tolerations, priority."""
        spec = obj["spec"]
        spec.setdefault("serviceAccountName", "default")
        _check_account(obj, context)
        spec["serviceAccount"] = spec["serviceAccountName"]
        tolerations = spec.setdefault("tolerations", [])
        for key in ("not-ready", "unreachable"):
            if not any(_tolerates(toleration, f"{_EXECUTE}/{key}") for toleration in tolerations):
                tolerations.append(
                    {"key": f"{_EXECUTE}/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                )
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        if spec.get("automountServiceAccountToken", True):
            _mount_token(spec, context)

    def prepare_create(self, obj: Obj, context: Context) -> None:
        """A new Pod is pending."""
        obj["status"] = {"phase": "Pending", "qosClass": _qos(obj["spec"])}

    def validate(self, obj: Obj, context: Context) -> list[FieldError]:
        """ValidatePodCreate."""
        return validate_spec(obj["spec"], "spec")

    def prepare_update(self, obj: Obj, old: Obj, context: Context) -> None:
        """The status has a subresource of its own."""
        if not context.subresource:
            obj["status"] = old.get("status", {})

    def validate_update(self, obj: Obj, old: Obj, context: Context) -> list[FieldError]:
        """ValidatePodUpdate: a Pod's spec is fixed, but for images and few other fields."""
        if context.subresource:
            return []
        spec, before = obj["spec"], old["spec"]
        errors: list[FieldError] = []
        for kind in ("containers", "initContainers"):
            for index, container in enumerate(spec.get(kind, ())):
                errors += _image(container, f"spec.{kind}[{index}]")
        kept = copy.deepcopy(spec)
        for field in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"):
            kept.pop(field, None)
            if field in before:
                kept[field] = before[field]
        for kind in ("containers", "initContainers"):
            if len(kept.get(kind, ())) != len(before.get(kind, ())):
                return [*errors, forbidden(f"spec.{kind}", "pod updates may not add or remove containers")]
            for container, known in zip(kept.get(kind, ()), before.get(kind, ()), strict=True):
                container["image"] = known.get("image")
        if kept != before:
            errors.append(forbidden("spec", _UPDATE_TEXT + _difference(before, kept)))
        return errors


_UPDATE_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


def _difference(before: Spec, after: Spec) -> str:
    changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    lines = [
        f"{sign} \t{key[0].upper()}{key[1:]}: {go_json(side.get(key))},"
        for key in changed
        for sign, side in (("-", before), ("+", after))
    ]
    return "@@ Spec @@\n" + "\n".join(lines) + "\n"


def _check_account(pod: Obj, context: Context) -> None:
    """The ServiceAccount is there; the default one may still be on its way (the plugin waits for it)."""
    meta, name = pod["metadata"], pod["spec"]["serviceAccountName"]
    if name != "default" and context.store.get("serviceaccounts", meta["namespace"], name) is None:
        why = f'error looking up service account {meta["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise forbidden_request("pods", "", meta.get("name", ""), why)


def _tolerates(toleration: Spec, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")


def _mount_token(spec: Spec, context: Context) -> None:
    """The projected volume that the ServiceAccount admission plugin adds."""
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    missing = [
        container
        for container in containers
        if not any(mount.get("mountPath") == TOKEN_MOUNT for mount in container.get("volumeMounts", ()))
    ]
    if not missing:
        return
    name = f"kube-api-access-{random_suffix(context)}"
    for container in missing:
        mount = {"mountPath": TOKEN_MOUNT, "name": name, "readOnly": True}
        container["volumeMounts"] = [*container.get("volumeMounts", ()), mount]
    namespace_item = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {"downwardAPI": {"items": [namespace_item]}},
    ]
    spec.setdefault("volumes", []).append({"name": name, "projected": {"defaultMode": 420, "sources": sources}})


def random_suffix(context: Context) -> str:
    """Five characters as k8s.io/apimachinery/pkg/util/rand makes them."""
    return "".join(context.store.random.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))


def _qos(spec: Spec) -> str:
    requests = [container.get("resources", {}).get("requests") for container in spec.get("containers", ())]
    limits = [container.get("resources", {}).get("limits") for container in spec.get("containers", ())]
    if not any(requests) and not any(limits):
        return "BestEffort"
    full = all(
        limit and {"cpu", "memory"} <= set(limit) and limit == request
        for request, limit in zip(requests, limits, strict=True)
    )
    return "Guaranteed" if full else "Burstable"


def validate_spec(spec: Spec, path: str) -> list[FieldError]:
    """ValidatePodSpec, as far as learners get it wrong."""
    errors: list[FieldError] = []
    volumes = _volumes(spec, path, errors)
    containers = spec.get("containers") or []
    if not containers:
        errors.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            errors += _container(container, f"{path}.{kind}[{index}]", seen, volumes)
    errors += _host_ports(containers, f"{path}.containers")
    policies: tuple[str, ...] = ("Always", "OnFailure", "Never")
    if spec.get("restartPolicy") not in policies:
        errors.append(not_supported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), policies))
    policies = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
    if spec.get("dnsPolicy") not in policies:
        errors.append(not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", ""), policies))
    errors += names.labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            errors += [invalid(f"{path}.{field}", spec[field], text) for text in names.dns_label(spec[field])]
    if spec.get("nodeName"):
        errors += [
            invalid(f"{path}.nodeName", spec["nodeName"], text) for text in names.dns_subdomain(spec["nodeName"])
        ]
    return errors


def _volumes(spec: Spec, path: str, errors: list[FieldError]) -> set[str]:
    seen: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        where, name = f"{path}.volumes[{index}].name", volume.get("name", "")
        if not name:
            errors.append(required(where))
        else:
            errors += [invalid(where, name, text) for text in names.dns_label(name)]
        if name in seen:
            errors.append(duplicate(where, name))
        seen.add(name)
    return seen


def _image(container: Spec, path: str) -> list[FieldError]:
    image = container.get("image", "")
    if not image.strip():
        return [required(f"{path}.image")]
    if image != image.strip():
        return [invalid(f"{path}.image", image, "must not have leading or trailing whitespace")]
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
    errors += _image(container, path)
    errors += _ports(container.get("ports") or [], f"{path}.ports")
    errors += _env(container.get("env") or [], f"{path}.env")
    mounted: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        where = f"{path}.volumeMounts[{index}]"
        if not mount.get("name"):
            errors.append(required(f"{where}.name"))
        elif mount["name"] not in volumes:
            errors.append(not_found(f"{where}.name", mount["name"]))
        if not mount.get("mountPath"):
            errors.append(required(f"{where}.mountPath"))
        elif mount["mountPath"] in mounted:
            errors.append(invalid(f"{where}.mountPath", mount["mountPath"], "must be unique"))
        mounted.add(mount.get("mountPath", ""))
    policies = ("Always", "IfNotPresent", "Never")
    if container.get("imagePullPolicy") not in policies:
        errors.append(not_supported(f"{path}.imagePullPolicy", container.get("imagePullPolicy", ""), policies))
    for probe in _PROBES:
        if probe in container:
            errors += _probe(container[probe], f"{path}.{probe}", probe)
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
        elif port["protocol"] not in ("SCTP", "TCP", "UDP"):
            errors.append(not_supported(f"{where}.protocol", port["protocol"], ("SCTP", "TCP", "UDP")))
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


def _probe(probe: Spec, path: str, kind: str) -> list[FieldError]:
    errors: list[FieldError] = []
    handlers = [name for name in ("exec", "httpGet", "tcpSocket", "grpc") if name in probe]
    if not handlers:
        errors.append(required(path, "must specify a handler type"))
    for extra in handlers[1:]:
        errors.append(forbidden(f"{path}.{extra}", "may not specify more than 1 handler type"))
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if probe.get(field, 0) < 0:
            errors.append(invalid(f"{path}.{field}", probe[field], "must be greater than or equal to 0"))
    if "exec" in probe and not probe["exec"].get("command"):
        errors.append(required(f"{path}.exec.command"))
    for handler in ("httpGet", "tcpSocket"):
        if handler in probe:
            errors += port_or_name(probe[handler].get("port", 0), f"{path}.{handler}.port")
    if "httpGet" in probe:
        if not probe["httpGet"].get("path"):
            errors.append(required(f"{path}.httpGet.path"))
        if probe["httpGet"].get("scheme") not in ("HTTP", "HTTPS"):
            scheme = probe["httpGet"].get("scheme", "")
            errors.append(not_supported(f"{path}.httpGet.scheme", scheme, ("HTTP", "HTTPS")))
    if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        errors.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    return errors


def container_names(pod: Obj) -> Iterator[str]:
    """Names of a Pod's containers: the ordinary ones, then init containers."""
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in pod["spec"].get(kind, ()):
            yield container["name"]


def default_container(pod: Obj) -> str:
    """The container that a request without one means, "" where it must be named."""
    annotated = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
    containers = [container["name"] for container in pod["spec"]["containers"]]
    if annotated in containers:
        return str(json.loads(json.dumps(annotated)))
    return containers[0] if len(containers) == 1 else ""
