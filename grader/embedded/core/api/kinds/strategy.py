"""How one kind of object is created, changed and deleted: the hooks of kube-apiserver's generic registry.

The order is that of k8s.io/apiserver/pkg/registry/generic/registry/store.go (1.36): default, then allocate
(`begin_create`), then `prepare_create` and `validate`; for updates likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.api.http.field import FieldError, forbidden, invalid, required, too_long
from grader.embedded.core.api.kinds import names
from grader.embedded.core.store import Obj, Store

IMMUTABLE = "field is immutable"
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
ANNOTATIONS_LIMIT = 256 * 1024  # bytes (apimachinery pkg/api/validation/objectmeta.go TotalAnnotationSizeLimitB)


@dataclass(frozen=True)
class HookContext:
    """What a hook may look at beside its object.

    Attributes:
        store: all objects.
        dry_run: nothing will be stored.
        subresource: "" or `status`, `scale`, …
    """

    store: Store
    dry_run: bool = False
    subresource: str = ""


class Strategy:
    """The hooks of a kind without rules of its own; objects handed in are private copies and may be changed."""

    name_form: Callable[[str], list[str]] = staticmethod(names.dns_subdomain)
    namespaced = True
    allow_create_on_update = False
    graceful = False
    """Whether deletion only marks the object and someone else (the kubelet) removes it."""

    def before_read(self, store: Store) -> None:
        """Bring up to date what changes by itself, and is looked at by readers only."""

    def default(self, obj: Obj) -> None:
        """Fill in defaults (pkg/apis/*/v1/defaults.go)."""

    def begin_create(self, obj: Obj, context: HookContext) -> None:
        """Allocate what the object needs. Raises ApiError."""

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """Clear what a creator must not set."""

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """Everything wrong with the object itself, metadata apart."""
        return []

    def begin_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """Allocate what the change needs. Raises ApiError."""

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """Clear or keep what an update must not set."""

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """Everything wrong with the change, metadata apart."""
        return self.validate(obj, context)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """What to tell a writer whose request is fine."""
        return []

    def after_delete(self, obj: Obj, context: HookContext) -> None:
        """Clean up beside the object."""


class WithStatus(Strategy):
    """A kind whose status has a subresource of its own: another write leaves it as it was."""

    def prepare_update(self, obj: Obj, old: Obj, context: HookContext) -> None:
        """Keep the status."""
        if not context.subresource:
            obj["status"] = old.get("status", {})


def validate_meta(obj: Obj, strategy: Strategy) -> list[FieldError]:
    """ValidateObjectMeta (k8s.io/apimachinery/pkg/api/validation/objectmeta.go)."""
    meta = obj.get("metadata") or {}
    errors: list[FieldError] = []
    if prefix := meta.get("generateName"):
        masked = prefix[:-1] + "a" if prefix.endswith("-") else prefix
        errors.extend(invalid("metadata.generateName", prefix, text) for text in strategy.name_form(masked))
    name = meta.get("name")
    if not name:
        errors.append(required("metadata.name", "name or generateName is required"))
    else:
        errors.extend(invalid("metadata.name", name, text) for text in strategy.name_form(name))
    if strategy.namespaced:
        errors.extend(
            invalid("metadata.namespace", meta["namespace"], text) for text in names.dns_label(meta["namespace"])
        )
    elif meta.get("namespace"):
        errors.append(forbidden("metadata.namespace", "not allowed on this type"))
    return errors + _common_meta(meta)


def _common_meta(meta: dict[str, Any]) -> list[FieldError]:
    errors = names.labels(meta.get("labels") or {}, "metadata.labels")
    annotations = meta.get("annotations") or {}
    for key in annotations:
        errors.extend(invalid("metadata.annotations", key, text) for text in names.label_key(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > ANNOTATIONS_LIMIT:
        errors.append(too_long("metadata.annotations", ANNOTATIONS_LIMIT))
    for index, owner in enumerate(meta.get("ownerReferences") or ()):
        path = f"metadata.ownerReferences[{index}]"
        for key, text in (
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ):
            if not owner.get(key):
                errors.append(invalid(f"{path}.{key}".replace(f"[{index}]", ""), "", text))
    for finalizer in meta.get("finalizers") or ():
        errors.extend(invalid("metadata.finalizers", finalizer, text) for text in names.label_key(finalizer))
    for index, finalizer in enumerate(meta.get("finalizers") or ()):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            errors.append(invalid(f"metadata.finalizers[{index}]", finalizer, text))
    return errors


def validate_meta_update(obj: Obj, old: Obj) -> list[FieldError]:
    """ValidateObjectMetaUpdate (k8s.io/apimachinery/pkg/api/validation/objectmeta.go)."""
    new, before = obj["metadata"], old["metadata"]
    errors: list[FieldError] = []
    if "deletionTimestamp" in before:
        extra = sorted(set(new.get("finalizers") or ()) - set(before.get("finalizers") or ()))
        if extra:
            shown = "[]string{" + ", ".join(f'"{name}"' for name in extra) + "}"
            text = f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
            errors.append(forbidden("metadata.finalizers", text))
    for key in ("name", "namespace", "uid", "creationTimestamp"):
        if new.get(key) != before.get(key):
            errors.append(invalid(f"metadata.{key}", new.get(key), IMMUTABLE))
    return errors + _common_meta(new)


def immutable(obj: Any, old: Any, path: str, value: Any = None) -> list[FieldError]:
    """One error where a value has changed (ValidateImmutableField)."""
    return [] if obj == old else [invalid(path, obj if value is None else value, IMMUTABLE)]
