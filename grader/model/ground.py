"""The ground: what was given, as it was laid, and how what is there now differs from it. Pure.

A restart, remade Pods, equal content applied again, and what controllers write are no difference. Labels and
annotations may be added, but for those that some component of the cluster reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.model.kubernetes import is_terminating, labels_of, uid_of


@dataclass(frozen=True, order=True)
class Given:
    """Names one object of the given workload.

    Attributes:
        namespace: its Namespace.
        kind: its kind.
        name: its name.
    """

    namespace: str
    kind: str
    name: str


@dataclass(frozen=True)
class GroundRule:
    """What a learner may do to the given workload. What is not named here must stay as it was laid.

    Attributes:
        says: the sentences of task.md that say so, quoted.
        may_differ: given object → its fields that may differ, as paths ("spec", "spec.template.spec.containers"); the
            object may also be deleted and made anew.
        kept: given objects that must stay the very same (metadata.uid), changed or not.
        may_go: given objects that may be deleted.
        makes: workloads that the task asks a learner to make.
    """

    says: tuple[str, ...] = ()
    may_differ: Mapping[Given, tuple[str, ...]] = field(default_factory=dict)
    kept: frozenset[Given] = frozenset()
    may_go: frozenset[Given] = frozenset()
    makes: frozenset[Given] = frozenset()


@dataclass(frozen=True)
class Laid:
    """One given object, as it was laid.

    Attributes:
        what: which object.
        uid: its metadata.uid.
        content: what it held (`content_of`).
        allocated: paths of fields that the cluster chose, since the manifest did not: others once the object is made
            anew.
    """

    what: Given
    uid: str
    content: Mapping[str, Any]
    allocated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One way in which the ground is no longer as it was laid.

    Attributes:
        what: which object.
        field: the field that differs, "spec.replicas"; "" where the object is gone.
        before: its value when it was laid, None where it had none.
        after: its value now, None where it has none.
    """

    what: Given
    field: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class Ground:
    """What `start` or `reset` laid, and what a hand-in tells of it.

    Attributes:
        laid: the given objects, and those of the cluster itself that verdicts rest on.
        given: digest of the given workload that was laid.
        told: changes that the head of a hand-in tells: they were seen where it was written.
    """

    laid: tuple[Laid, ...] = ()
    given: str = ""
    told: tuple[Change, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ground:
        """Read what `dataclasses.asdict` made of one. Raises KeyError or TypeError where it is not such an object."""
        return cls(
            tuple(
                Laid(Given(**item["what"]), item["uid"], item["content"], tuple(item["allocated"]))
                for item in data["laid"]
            ),
            data["given"],
            tuple(Change(**{**item, "what": Given(**item["what"])}) for item in data["told"]),
        )


NODE = "Node"
TELLING = ("spec", "type")  # what else differs with it follows from it
UID, DELETION = "metadata.uid", "metadata.deletionTimestamp"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
# Chosen by the cluster where a manifest does not say (pkg/registry/core/service/storage/alloc.go).
ALLOCATED: Mapping[str, tuple[str, ...]] = {
    "Service": ("spec.clusterIP", "spec.clusterIPs", "spec.healthCheckNodePort", "spec.ports.nodePort"),
}
_DOMAINS_READ = ("kubernetes.io", "k8s.io", "metallb.io", "metallb.universe.tf")
_DOMAINS_OF_TOOLS = frozenset(
    {"kubectl.kubernetes.io", "deployment.kubernetes.io", "app.kubernetes.io", "endpoints.kubernetes.io"}
)
_WRITTEN_BY_CONTROLLERS = frozenset(
    {
        "metallb.io/ip-allocated-from-pool",  # metallb controller/service.go
        "metallb.universe.tf/ip-allocated-from-pool",
        "node.alpha.kubernetes.io/ttl",  # pkg/controller/ttl
        "volumes.kubernetes.io/controller-managed-attach-detach",  # pkg/kubelet/kubelet_node_status.go
        "kubeadm.alpha.kubernetes.io/cri-socket",
    }
)
_TAINTS_OF_CONTROLLERS = "node.kubernetes.io/"  # pkg/controller/tainteviction; a cordon shows as spec.unschedulable


def has_effect(key: str) -> bool:
    """Tell whether some component of the cluster may read a label or annotation of this key."""
    domain = key.rpartition("/")[0]
    if domain in _DOMAINS_OF_TOOLS or key in _WRITTEN_BY_CONTROLLERS:
        return False
    return any(domain == known or domain.endswith(f".{known}") for known in _DOMAINS_READ)


def content_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of an object what its author decided: no status, nothing that only tells who wrote it, when, and why."""
    metadata = obj.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    kept = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    if obj.get("kind") == NODE:
        kept = _node(obj)
    content: dict[str, Any] = {
        "metadata": {
            "labels": dict(labels_of(obj)),
            "annotations": {key: text for key, text in annotations.items() if _is_own(key)},
        },
        **_plain(kept),
    }
    template = (content.get("spec") or {}).get("template")
    if isinstance(template, dict) and isinstance(template.get("metadata"), dict):
        notes = template["metadata"].get("annotations") or {}
        notes.pop(RESTARTED_AT, None)
        if not notes:
            template["metadata"].pop("annotations", None)
    return content


def _is_own(key: str) -> bool:
    return key.rpartition("/")[0] not in _DOMAINS_OF_TOOLS and key not in _WRITTEN_BY_CONTROLLERS


def _node(obj: Mapping[str, Any]) -> dict[str, Any]:
    spec = obj.get("spec") or {}
    taints = [item for item in spec.get("taints") or () if not str(item["key"]).startswith(_TAINTS_OF_CONTROLLERS)]
    return {"spec": {"taints": taints, "unschedulable": bool(spec.get("unschedulable"))}}


def _plain(value: Any) -> Any:
    """Copy a value without fields that hold null: they say the same as none."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def allocated(kind: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """List the fields that the cluster chooses for an object of this manifest."""
    return tuple(path for path in ALLOCATED.get(kind, ()) if not _says(manifest, path.split(".")))


def _says(value: Any, path: list[str]) -> bool:
    if isinstance(value, list):
        return any(_says(item, path) for item in value)
    if not isinstance(value, Mapping) or value.get(path[0]) in (None, ""):
        return False
    return len(path) == 1 or _says(value[path[0]], path[1:])


def changes(laid: Laid, live: Mapping[str, Any] | None, rule: GroundRule) -> Iterator[Change]:
    """Give how a live object differs from what was laid, but for what the rule lets a learner change."""
    what, allowed = laid.what, rule.may_differ.get(laid.what)
    if live is None:
        if what not in rule.may_go and allowed is None:
            yield Change(what)
        return
    if is_terminating(live):
        if allowed is None and what not in rule.may_go:
            yield Change(what, DELETION, None, str(live["metadata"]["deletionTimestamp"]))
        return
    same = uid_of(live) == laid.uid
    if what in rule.kept and not same:
        yield Change(what, UID, laid.uid, uid_of(live))
    ignored = () if same else laid.allocated
    different = sorted(_differences(laid.content, content_of(live), ()), key=lambda item: item[0] != TELLING)
    for path, before, after in different:
        field_ = ".".join(path[:3] if path[0] == "metadata" else path)
        if field_ in ignored or (allowed is not None and (path[0] == "metadata" or _within(field_, allowed))):
            continue
        if path[:2] in (("metadata", "labels"), ("metadata", "annotations")) and before is None:
            if not has_effect(path[2]):
                continue
        yield Change(what, field_, before, after)


def _within(path: str, allowed: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in allowed)


def _differences(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Give the innermost fields that differ; the items of a list stand at the list's own path."""
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _differences(before.get(key), after.get(key), (*path, str(key)))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from _differences(one, other, path)
    else:
        yield path, before, after
