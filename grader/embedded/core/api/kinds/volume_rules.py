"""What volumes and their mounts must be: pkg/apis/core/validation/validation.go (1.36) ValidateVolumes and below."""

from __future__ import annotations

from typing import Any

from grader.embedded.core import quantity
from grader.embedded.core.api.http.field import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from grader.embedded.core.api.kinds import names

Spec = dict[str, Any]
SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
"""In the order in which validateVolumeSource looks at them."""
PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_NAMED = {"secret": "secretName", "configMap": "name", "persistentVolumeClaim": "claimName", "hostPath": "path"}
"""The field without which a source is nothing."""


def volumes(spec: Spec, path: str, errors: list[FieldError]) -> set[str]:
    """The names of the volumes that are right; what is wrong with the others is added to `errors`."""
    right: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        where, name = f"{path}.volumes[{index}]", volume.get("name", "")
        found = _source(volume, where)
        if not name:
            found.append(required(f"{where}.name"))
        else:
            found += [invalid(f"{where}.name", name, text) for text in names.dns_label(name)]
        if name in right:
            found.append(duplicate(f"{where}.name", name))
        if not found:
            right.add(name)
        errors += found
    return right


def _source(volume: Spec, path: str) -> list[FieldError]:
    found = [source for source in SOURCES if source in volume]
    if not found:
        return [required(path, "must specify a volume type")]
    kind, source = found[0], volume[found[0]] or {}
    where = f"{path}.{kind}"
    errors: list[FieldError] = []
    if (field := _NAMED.get(kind)) and not source.get(field):
        errors.append(required(f"{where}.{field}"))
    elif kind == "hostPath":
        errors += _no_backsteps(source["path"], f"{where}.path")
        if source.get("type", "") not in PATH_TYPES:
            errors.append(not_supported(f"{where}.type", source["type"], PATH_TYPES))
    if kind == "emptyDir" and source.get("sizeLimit") and quantity.amount(source["sizeLimit"]) < 0:
        errors.append(forbidden(f"{where}.sizeLimit", "SizeLimit field must be a valid resource quantity"))
    if not 0 <= source.get("defaultMode", 0) <= 0o777:
        errors.append(invalid(f"{where}.defaultMode", source["defaultMode"], _MODE))
    if kind in ("configMap", "secret"):
        for index, item in enumerate(source.get("items") or ()):
            errors += _item(item, f"{where}.items[{index}]")
    return errors + [forbidden(f"{path}.{extra}", "may not specify more than 1 volume type") for extra in found[1:]]


def _item(item: Spec, path: str) -> list[FieldError]:
    """One key of a ConfigMap or Secret (validateKeyToPath)."""
    errors = [required(f"{path}.{field}") for field in ("key", "path") if not item.get(field)]
    errors += _descending(item.get("path", ""), f"{path}.path")
    if not 0 <= item.get("mode", 0) <= 0o777:
        errors.append(invalid(f"{path}.mode", item["mode"], _MODE))
    return errors


def mounts(container: Spec, path: str, known: set[str]) -> list[FieldError]:
    """ValidateVolumeMounts: the path of a subPath is told without the mount's index, as upstream has it."""
    errors: list[FieldError] = []
    mounted: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        where, place = f"{path}[{index}]", mount.get("mountPath", "")
        if not mount.get("name"):
            errors.append(required(f"{where}.name"))
        if mount.get("name", "") not in known:
            errors.append(not_found(f"{where}.name", mount.get("name", "")))
        if not place:
            errors.append(required(f"{where}.mountPath"))
        if place in mounted:
            errors.append(invalid(f"{where}.mountPath", place, "must be unique"))
        mounted.add(place)
        sub, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
        errors += _descending(sub, f"{path}.subPath")
        if sub and expression:
            text = "subPathExpr and subPath are mutually exclusive"
            errors.append(invalid(f"{where}.subPathExpr", expression, text))
        errors += _descending(expression, f"{path}.subPathExpr")
    return errors


def _descending(value: str, path: str) -> list[FieldError]:
    errors = [invalid(path, value, "must be a relative path")] if value.startswith("/") else []
    return errors + _no_backsteps(value, path)


def _no_backsteps(value: str, path: str) -> list[FieldError]:
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []
