"""PersistentVolumeClaims, PersistentVolumes and StorageClasses.

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/storage/v1/defaults.go,
pkg/apis/{core,storage}/validation/validation.go,
plugin/pkg/admission/storage/{storageobjectinuseprotection,persistentvolume/resize,storageclass/setdefault} (1.36).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core import quantity, storage
from grader.embedded.core.api.http.field import FieldError, forbidden, go_json, invalid, not_supported, required
from grader.embedded.core.api.http.status import forbidden as forbidden_request
from grader.embedded.core.api.kinds import names
from grader.embedded.core.api.kinds.strategy import HookContext, Strategy, WithStatus, immutable
from grader.embedded.core.api.kinds.volume_rules import SOURCES
from grader.embedded.core.store import Obj

Spec = dict[str, Any]
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_CLAIM_FIXED = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
)


def default_claim(spec: Spec) -> None:
    """SetDefaults_PersistentVolumeClaimSpec."""
    spec.setdefault("volumeMode", "Filesystem")


def claim_errors(spec: Spec, path: str) -> list[FieldError]:
    """ValidatePersistentVolumeClaimSpec."""
    modes = spec.get("accessModes") or []
    errors = [] if modes else [required(f"{path}.accessModes", "at least 1 access mode is required")]
    errors += _access_modes(modes, f"{path}.accessModes")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    where = f"{path}.resources[storage]"
    if size is None:
        errors.append(required(where))
    else:
        errors += _positive(size, where)
    if spec.get("storageClassName"):
        name = spec["storageClassName"]
        errors += [invalid(f"{path}.storageClassName", name, text) for text in names.dns_subdomain(name)]
    if spec.get("volumeMode", "Filesystem") not in VOLUME_MODES:
        errors.append(not_supported(f"{path}.volumeMode", spec["volumeMode"], VOLUME_MODES))
    return errors


def _access_modes(modes: list[str], path: str) -> list[FieldError]:
    errors = [not_supported(path, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    known = {mode for mode in modes if mode in ACCESS_MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        errors.append(forbidden(path, "may not use ReadWriteOncePod with other access modes"))
    return errors


def _positive(size: Any, path: str) -> list[FieldError]:
    return [] if quantity.amount(size) > 0 else [invalid(path, str(size), "must be greater than zero")]


class ClaimStrategy(WithStatus):
    """PersistentVolumeClaims."""

    def default(self, obj: Obj) -> None:
        """SetDefaults_PersistentVolumeClaim."""
        default_claim(obj.setdefault("spec", {}))

    def begin_create(self, obj: Obj, context: HookContext) -> None:
        """A new claim is pending, of the default class, and protected while it is used."""
        storage.admit_claim(context.store, obj)

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePersistentVolumeClaim."""
        return claim_errors(obj["spec"], "spec")

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePersistentVolumeClaimUpdate; a larger size is the admission plugin's matter."""
        if context.subresource:
            return []
        errors = claim_errors(obj["spec"], "spec")
        bound = old.get("status", {}).get("phase") == "Bound"
        kept = ({} if old["spec"].get("volumeName") else {"volumeName": None}) | ({"resources": None} if bound else {})
        new, before = ({**spec, **kept} for spec in (obj["spec"], old["spec"]))
        if new != before:
            return [*errors, forbidden("spec", _CLAIM_FIXED + _difference(before, new))]
        sizes = [quantity.amount(spec["resources"]["requests"]["storage"]) for spec in (obj["spec"], old["spec"])]
        if sizes[0] < sizes[1]:
            path = "spec.resources.requests.storage"
            errors.append(forbidden(path, "field can not be less than status.capacity"))
        held = context.store.get("storageclasses", "", storage.class_of(old))
        if sizes[0] > sizes[1] and not (held or {}).get("allowVolumeExpansion"):
            why = "the storageclass that provisions the pvc must support resize"
            why = f"only dynamically provisioned pvc can be resized and {why}"
            raise forbidden_request("persistentvolumeclaims", "", old["metadata"]["name"], why)
        return errors


def _difference(before: Spec, after: Spec) -> str:
    changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return "".join(
        f"{sign} \t{key[0].upper()}{key[1:]}: {go_json(side.get(key))},\n"
        for key in changed
        for sign, side in (("-", before), ("+", after))
    )


class VolumeStrategy(WithStatus):
    """PersistentVolumes."""

    namespaced = False

    def default(self, obj: Obj) -> None:
        """SetDefaults_PersistentVolume."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        if isinstance(spec.get("hostPath"), dict):
            spec["hostPath"].setdefault("type", "")
        if isinstance(spec.get("claimRef"), dict):
            spec["claimRef"].setdefault("apiVersion", "v1")
            spec["claimRef"].setdefault("kind", "PersistentVolumeClaim")

    def begin_create(self, obj: Obj, context: HookContext) -> None:
        """The admission plugin StorageObjectInUseProtection."""
        storage.protect(obj, storage.VOLUME_FINALIZER)

    def prepare_create(self, obj: Obj, context: HookContext) -> None:
        """A new volume is pending, until the controller has seen it."""
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePersistentVolumeSpec."""
        spec = obj["spec"]
        modes, capacity = spec.get("accessModes") or [], spec.get("capacity") or {}
        errors = [] if modes else [required("spec.accessModes")]
        errors += _access_modes(modes, "spec.accessModes")
        if not capacity:
            errors.append(required("spec.capacity"))
        if set(capacity) != {"storage"}:
            errors.append(not_supported("spec.capacity", capacity, ("storage",)))
        for name, size in capacity.items():
            errors += _positive(size, f"spec.capacity[{name}]")
        if spec["persistentVolumeReclaimPolicy"] not in RECLAIM_POLICIES:
            policy = spec["persistentVolumeReclaimPolicy"]
            errors.append(not_supported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES))
        found = [source for source in (*SOURCES, "local") if spec.get(source) is not None]
        if not found:
            errors.append(required("spec", "must specify a volume type"))
        errors += [forbidden(f"spec.{extra}", "may not specify more than 1 volume type") for extra in found[1:]]
        for source in ("hostPath", "local"):
            if source in found and not spec[source].get("path"):
                errors.append(required(f"spec.{source}.path"))
        if "local" in found and not (spec.get("nodeAffinity") or {}).get("required"):
            errors.append(required("spec.nodeAffinity", "Local volume requires node affinity"))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidatePersistentVolumeUpdate: the source stays."""
        if context.subresource:
            return []
        errors = self.validate(obj, context)
        sources = [{name: spec.get(name) for name in (*SOURCES, "local")} for spec in (obj["spec"], old["spec"])]
        if sources[0] != sources[1]:
            text = "spec.persistentvolumesource is immutable after creation\n"
            errors.append(forbidden("spec.persistentvolumesource", text + _difference(sources[1], sources[0])))
        return errors


class ClassStrategy(Strategy):
    """StorageClasses."""

    namespaced = False

    def default(self, obj: Obj) -> None:
        """SetDefaults_StorageClass."""
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def validate(self, obj: Obj, context: HookContext) -> list[FieldError]:
        """ValidateStorageClass."""
        errors: list[FieldError] = []
        if not obj.get("provisioner"):
            errors.append(required("provisioner"))
        else:
            lower = obj["provisioner"].lower()
            errors += [invalid("provisioner", lower, text) for text in names.label_key(lower)]
        for field, known in (("reclaimPolicy", ("Delete", "Retain")), ("volumeBindingMode", BINDING_MODES)):
            if obj[field] not in known:
                errors.append(not_supported(field, obj[field], known))
        return errors

    def validate_update(self, obj: Obj, old: Obj, context: HookContext) -> list[FieldError]:
        """ValidateStorageClassUpdate."""
        errors: list[FieldError] = []
        for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
            errors += immutable(obj.get(field), old.get(field), field)
        return errors


def modes_text(modes: list[str] | None) -> str:
    """The short form of access modes (pkg/apis/core/helper GetAccessModesAsString)."""
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(text for mode, text in short.items() if mode in (modes or ()))
