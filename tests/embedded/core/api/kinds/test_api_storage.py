"""Claims, volumes and classes of storage as the API takes, completes, shows and refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import TABLE, Api

CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
Tree = dict[str, Any]


def claim(name: str = "data", **spec: Any) -> Tree:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": body}


def volume(name: str = "pv", **spec: Any) -> Tree:
    body = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/d"}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": body}


def storage_class(name: str = "fast", **fields: Any) -> Tree:
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    return {**body, "provisioner": "example.com/disk", **fields}


def row(api: Api, path: str) -> tuple[list[str], list[Any]]:
    table = api.get(path, accept=TABLE)
    columns = [c["name"] for c in table["columnDefinitions"]]
    return columns, table["rows"][0]["cells"]


def test_a_claim_is_completed_protected_and_shown(api: Api) -> None:
    made = api.create(CLAIMS, claim())
    assert made["spec"]["volumeMode"] == "Filesystem"
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert made["status"] == {"phase": "Pending"}
    columns, cells = row(api, CLAIMS)
    assert columns == [
        "Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age",
        "VolumeMode",
    ]  # fmt: skip
    assert cells[:7] == ["data", "Pending", "", "", "", made["spec"].get("storageClassName", ""), "<unset>"]


def test_a_claim_is_of_the_default_class_unless_it_says_otherwise(api: Api) -> None:
    api.create(CLASSES, storage_class("plain"))
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    api.create(CLASSES, {**storage_class(), "metadata": {"name": "fast", "annotations": annotations}})
    assert api.create(CLAIMS, claim())["spec"]["storageClassName"] == "fast"
    assert api.create(CLAIMS, claim("none", storageClassName=""))["spec"]["storageClassName"] == ""


def test_a_volume_is_completed_protected_and_shown(api: Api) -> None:
    made = api.create(VOLUMES, volume())
    assert (made["spec"]["persistentVolumeReclaimPolicy"], made["spec"]["volumeMode"]) == ("Retain", "Filesystem")
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    columns, cells = row(api, VOLUMES)
    assert columns == [
        "Name", "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass",
        "VolumeAttributesClass", "Reason", "Age", "VolumeMode",
    ]  # fmt: skip
    assert cells[:4] == ["pv", "1Gi", "RWO", "Retain"]


def test_a_class_is_completed_and_shown(api: Api) -> None:
    made = api.create(CLASSES, storage_class())
    assert (made["reclaimPolicy"], made["volumeBindingMode"]) == ("Delete", "Immediate")
    columns, cells = row(api, CLASSES)
    assert columns == ["Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"]
    assert cells[:5] == ["fast", "example.com/disk", "Delete", "Immediate", False]
    code, told = api.call("PATCH", f"{CLASSES}/fast", {"provisioner": "x.y/z"}, kind="application/merge-patch+json")
    assert (code, "provisioner: Invalid value" in told["message"]) == (422, True)


@pytest.mark.parametrize(
    ("path", "obj", "told"),
    [
        (CLAIMS, claim(accessModes=[]), "spec.accessModes: Required value: at least 1 access mode is required"),
        (CLAIMS, claim(resources={}), "spec.resources[storage]: Required value"),
        (
            CLAIMS,
            claim(accessModes=["ReadWriteOncePod", "ReadWriteOnce"]),
            "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
        ),
        (
            CLAIMS,
            claim(accessModes=["RWO"]),
            'spec.accessModes: Unsupported value: "RWO": supported values: "ReadOnlyMany", "ReadWriteMany", '
            '"ReadWriteOnce", "ReadWriteOncePod"',
        ),
        (VOLUMES, volume(hostPath=None), "spec: Required value: must specify a volume type"),
        (
            VOLUMES,
            volume(hostPath=None, local={"path": "/d"}),
            "spec.nodeAffinity: Required value: Local volume requires node affinity",
        ),
        (CLASSES, storage_class(provisioner=""), "provisioner: Required value"),
    ],
)
def test_what_is_no_storage_is_refused(api: Api, path: str, obj: Tree, told: str) -> None:
    code, body = api.call("POST", path, obj)
    assert (code, body["message"].partition(" is invalid: ")[2]) == (422, told)


def test_a_claim_stays_as_it_is(api: Api) -> None:
    api.create(CLAIMS, claim())
    kind = "application/merge-patch+json"
    code, body = api.call("PATCH", f"{CLAIMS}/data", {"spec": {"accessModes": ["ReadWriteMany"]}}, kind=kind)
    assert (code, "spec is immutable after creation except" in body["message"]) == (422, True)
