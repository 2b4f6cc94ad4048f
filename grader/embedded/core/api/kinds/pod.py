"""Pods: defaults and the validation that learners meet.

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go, pkg/registry/core/pod/strategy.go,
plugin/pkg/admission/{serviceaccount,defaulttolerationseconds,priority} (1.36).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from grader.embedded.core import limits
from grader.embedded.core.api.http.field import FieldError, forbidden, go_json
from grader.embedded.core.api.http.status import forbidden as forbidden_request
from grader.embedded.core.api.kinds.handler_rules import PROBES
from grader.embedded.core.api.kinds.pod_rules import deadline_update, ephemeral, image, validate_spec
from grader.embedded.core.api.kinds.priority import prioritize
from grader.embedded.core.api.kinds.strategy import HookContext, WithStatus
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
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
    for container in (c for kind in CONTAINERS for c in spec.get(kind, ())):
        _default_container(container)
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


def _default_container(container: Spec) -> None:
    image = container.get("image", "")
    tag = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[2]
    latest = "@" not in image and tag in ("", "latest")
    container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", ()):
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")
    for name in PROBES:
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


class PodStrategy(WithStatus):
    """Pods; deletion is graceful and finished by the kubelet."""

    graceful = True

    def default(self, obj: Obj) -> None:
        """SetDefaults_Pod."""
        spec = obj.setdefault("spec", {})
        default_spec(spec)
        for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
            resources = container["resources"]
            for name, amount in (resources.get("limits") or {}).items():
                resources.setdefault("requests", {}).setdefault(name, amount)
            if spec.get("hostNetwork"):
                for port in container.get("ports", ()):
                    port["hostPort"] = port.get("hostPort") or port.get("containerPort")
        spec.setdefault("enableServiceLinks", True)

    def begin_create(self, obj: Obj, context: HookContext) -> None:
        """What the admission plugins add: limits, ServiceAccount, tolerations, priority."""
        limits.default(context.store.list("limitranges", obj["metadata"]["namespace"]), obj)  # LimitRanger
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
        prioritize(obj, context.store)
        if _mounts_token(spec, obj["metadata"].get("namespace", ""), context):
            _mount_token(spec, context)

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """A new Pod is pending."""
        obj["status"] = {"phase": "Pending", "qosClass": _qos(obj["spec"])}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePodCreate."""
        errors = validate_spec(obj["spec"], "spec", is_pod=True)
        if obj["spec"].get("ephemeralContainers"):
            errors.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
        return errors

    def begin_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """What the admission plugin Priority gave stays where a writer leaves it out (admitPod)."""
        for field in ("priority", "preemptionPolicy"):
            if field in old["spec"]:
                obj["spec"].setdefault(field, old["spec"][field])

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """The status has a subresource of its own; that of ephemeral containers changes nothing else."""
        super().prepare_update(obj, old, context)
        if context.subresource == "ephemeralcontainers":  # strategy.go dropNonEphemeralContainerUpdates
            added = obj["spec"].get("ephemeralContainers")
            others = {field: value for field, value in old["spec"].items() if field != "ephemeralContainers"}
            obj["spec"] = {**others, **({"ephemeralContainers": added} if added else {})}
            obj["status"] = old.get("status", {})

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePodUpdate: a Pod's spec is fixed, but for images and few other fields."""
        if context.subresource == "ephemeralcontainers":
            return ephemeral(obj["spec"], old["spec"])
        if context.subresource:
            return []
        spec, before = obj["spec"], old["spec"]
        errors: list[FieldError] = []
        for kind in ("containers", "initContainers"):
            for index, container in enumerate(spec.get(kind, ())):
                errors += image(container, f"spec.{kind}[{index}]")
        errors += deadline_update(spec, before)
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


def _check_account(pod: Obj, context: HookContext) -> None:
    """The ServiceAccount is there; the default one may still be on its way (the plugin waits for it)."""
    meta, name = pod["metadata"], pod["spec"]["serviceAccountName"]
    if name != "default" and context.store.get("serviceaccounts", meta["namespace"], name) is None:
        why = f'error looking up service account {meta["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise forbidden_request("pods", "", meta.get("name", ""), why)


def _tolerates(toleration: Spec, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")


def _mounts_token(spec: Spec, namespace: str, context: HookContext) -> bool:
    """Whether a token is mounted: the Pod's word, else its account's (plugin/pkg/admission/serviceaccount)."""
    if (own := spec.get("automountServiceAccountToken")) is not None:
        return bool(own)
    account = context.store.get("serviceaccounts", namespace, spec["serviceAccountName"]) or {}
    return bool(account.get("automountServiceAccountToken", True))


def _mount_token(spec: Spec, context: HookContext) -> None:
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


def random_suffix(context: HookContext) -> str:
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


def container_names(pod: Obj) -> Iterator[str]:
    """Names of a Pod's containers: the ordinary ones, then init containers."""
    for kind in CONTAINERS:
        for container in pod["spec"].get(kind, ()):
            yield container["name"]


def default_container(pod: Obj) -> str:
    """The container that a request without one means, "" where it must be named."""
    annotated = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
    containers = [container["name"] for container in pod["spec"]["containers"]]
    if annotated in containers:
        return str(annotated)
    return containers[0] if len(containers) == 1 else ""
