"""Cells of `kubectl get` for claims, volumes and classes of storage (printers.go 1.36)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.kinds.storage import modes_text
from grader.embedded.core.api.read.durations import age
from grader.embedded.core.objects import is_deleting
from grader.embedded.core.storage import DEFAULT_CLASS, class_of
from grader.embedded.core.store import Obj

_UNSET = "<unset>"


def claim_cells(obj: Obj, now: float) -> list[Any]:
    """PrintPersistentVolumeClaim."""
    spec, status = obj["spec"], obj.get("status") or {}
    name = spec.get("volumeName", "")
    return [
        obj["metadata"]["name"],
        _phase(obj),
        name,
        str((status.get("capacity") or {}).get("storage", "0")) if name else "",
        modes_text(status.get("accessModes")) if name else "",
        class_of(obj),
        spec.get("volumeAttributesClassName", _UNSET),
        age(obj["metadata"].get("creationTimestamp"), now),
        spec.get("volumeMode", _UNSET),
    ]


def volume_cells(obj: Obj, now: float) -> list[Any]:
    """PrintPersistentVolume."""
    spec = obj["spec"]
    reference = spec.get("claimRef")
    return [
        obj["metadata"]["name"],
        str((spec.get("capacity") or {}).get("storage", "0")),
        modes_text(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{reference.get('namespace', '')}/{reference.get('name', '')}" if reference else "",
        class_of(obj),
        spec.get("volumeAttributesClassName", _UNSET),
        (obj.get("status") or {}).get("reason", ""),
        age(obj["metadata"].get("creationTimestamp"), now),
        spec.get("volumeMode", _UNSET),
    ]


def class_cells(obj: Obj, now: float) -> list[Any]:
    """PrintStorageClass."""
    metadata = obj["metadata"]
    default = (metadata.get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    return [
        f"{metadata['name']} (default)" if default else metadata["name"],
        obj["provisioner"],
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion", False)),
        age(metadata.get("creationTimestamp"), now),
    ]


def _phase(obj: Obj) -> str:
    return "Terminating" if is_deleting(obj) else str((obj.get("status") or {}).get("phase", ""))
