"""What API, scheduler, controllers and kubelet all know of claims, volumes and classes of storage.

Source: k8s.io/component-helpers/storage/volume/helpers.go, pv_helpers.go (0.36). The default class is kind's (0.33.0,
pkg/build/nodeimage/const_storage.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grader.embedded.core.objects import is_deleting, label_selector_matches, labels_of, uid_of
from grader.embedded.core.quantity import amount
from grader.embedded.core.store import Obj, Store

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
LOCAL_PATH = "rancher.io/local-path"
LOCAL_PATH_FOLDER = "/var/local-path-provisioner"


def standard_class() -> Obj:
    """The class that kind makes the default."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
        "provisioner": LOCAL_PATH,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def default_class(store: Store) -> str:
    """The default class: the newest, then the first by name (GetDefaultClass); "" where there is none."""
    found = [
        held
        for held in store.list("storageclasses")
        if (held["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    ]
    names = sorted(held["metadata"]["name"] for held in found)
    newest = max((held["metadata"]["creationTimestamp"] for held in found), default="")
    times = {held["metadata"]["name"]: held["metadata"]["creationTimestamp"] for held in found}
    return next((name for name in names if times[name] == newest), "")


def class_of(obj: Obj) -> str:
    """The class of a claim or volume, "" where there is none."""
    return str(obj["spec"].get("storageClassName") or "")


def is_delayed(store: Store, claim: Obj) -> bool:
    """Whether the claim is bound only when a Pod that uses it is scheduled (IsDelayBindingMode)."""
    held = store.get("storageclasses", "", class_of(claim))
    return held is not None and held.get("volumeBindingMode") == "WaitForFirstConsumer"


def is_bound(claim: Obj) -> bool:
    """Whether the claim has its volume, and the controller has finished."""
    annotations = claim["metadata"].get("annotations") or {}
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations


def claim_names(pod: Obj) -> list[str]:
    """The claims that a Pod mounts."""
    found = (volume.get("persistentVolumeClaim") for volume in pod["spec"].get("volumes") or ())
    return [str(source["claimName"]) for source in found if source]


def refers_to(volume: Obj, claim: Obj) -> bool:
    """Whether the volume is given to the claim, by name or by UID (IsVolumeBoundToClaim)."""
    reference = volume["spec"].get("claimRef") or {}
    if (reference.get("namespace"), reference.get("name")) != (
        claim["metadata"]["namespace"],
        claim["metadata"]["name"],
    ):
        return False
    return reference.get("uid") in (None, "", uid_of(claim))


def best_match(volumes: Iterable[Obj], claim: Obj, *, only_given: bool = False) -> Obj | None:
    """The smallest free volume that the claim can have (FindMatchingVolume).

    Args:
        volumes: those to choose from.
        claim: the claim.
        only_given: whether only volumes that name the claim already are meant.

    """
    spec = claim["spec"]
    wanted = amount(spec["resources"]["requests"]["storage"])
    fitting = []
    for volume in volumes:
        offered = volume["spec"]
        size = amount(offered["capacity"]["storage"])
        given = refers_to(volume, claim)
        if (offered.get("claimRef") and not given) or (only_given and not given) or is_deleting(volume):
            continue
        if size < wanted or offered.get("volumeMode") != spec.get("volumeMode"):
            continue
        if not given and (
            class_of(volume) != class_of(claim)
            or (volume.get("status") or {}).get("phase") != "Available"
            or (spec.get("selector") and not label_selector_matches(spec["selector"], labels_of(volume)))
        ):
            continue
        if set(spec["accessModes"]) <= set(offered["accessModes"]):
            fitting.append((not given, size, volume["metadata"]["name"], volume))
    return min(fitting, default=(None, None, None, None), key=lambda found: found[:3])[3]


def node_selector(volume: Obj) -> dict[str, Any]:
    """The required node affinity of a volume, as a Pod's spec has it, {} where it is everywhere."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    if not required:
        return {}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


def admit_claim(store: Store, claim: Obj) -> None:
    """What defaults and admission add to a new claim (DefaultStorageClass, StorageObjectInUseProtection)."""
    protect(claim, CLAIM_FINALIZER)
    claim["spec"].setdefault("volumeMode", "Filesystem")
    if "storageClassName" not in claim["spec"] and (name := default_class(store)):
        claim["spec"]["storageClassName"] = name
    claim["status"] = {"phase": "Pending"}


def protect(obj: Obj, finalizer: str) -> None:
    """Hold an object by a finalizer."""
    held = obj["metadata"].get("finalizers") or []
    obj["metadata"]["finalizers"] = held if finalizer in held else [*held, finalizer]


def claim_suffix(stateful_set: Obj, ordinal: int) -> str:
    """What follows a template's name in the name of an ordinal's claim (getPersistentVolumeClaimName)."""
    return f"-{stateful_set['metadata']['name']}-{ordinal}"


def with_claims(spec: dict[str, Any], volumes: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    """A Pod's volumes with those of a StatefulSet's claim templates in place of others of their names (updateStorage).

    Args:
        spec: the StatefulSet's.
        volumes: the Pod's.
        suffix: what follows the template's name in the name of the claim.

    """
    names = [template["metadata"].get("name", "") for template in spec.get("volumeClaimTemplates") or ()]
    made: list[dict[str, Any]] = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"{name}{suffix}"}} for name in dict.fromkeys(names)
    ]
    return [*made, *(volume for volume in volumes if volume.get("name") not in names)]
