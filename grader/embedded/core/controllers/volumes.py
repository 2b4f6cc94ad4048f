"""Binds claims to volumes, provisions those of the class that kind has, and reclaims what claims leave behind.

Sources: k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go, pvcprotection, pvprotection (1.36);
rancher/local-path-provisioner provisioner.go, as kind 0.33.0 has and configures it (v20260820-69b56db7,
pkg/build/nodeimage/const_storage.go), which here is no Pod but part of the cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.embedded.core import storage
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.objects import Key, is_deleting, key_of, uid_of, with_metadata
from grader.embedded.core.store import Change, Obj

COMPONENT = "persistentvolume-controller"
PROVISIONER = f"{storage.LOCAL_PATH}_local-path-provisioner"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_ONCE = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})
_NO_VOLUME = "no persistent volumes available for this claim and no storage class is set"
_WAITING = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)


class VolumeController(Controller):
    """Keeps claims and volumes.

    Args:
        erase: removes a folder of a node; called with the node's name, "" for all, and the path.

    """

    def __init__(self, context: ControllerContext, erase: Callable[[str, str], None]) -> None:
        super().__init__(context)
        self._erase = erase
        self.claims: WorkQueue[Key] = WorkQueue(context.kernel, self.sync_claim)
        self.volumes: WorkQueue[str] = WorkQueue(context.kernel, self.sync_volume)

    def on_change(self, change: Change) -> None:
        """A claim, a volume or a class changed, or a Pod that uses claims came, went or was bound."""
        if change.resource == "pods":
            if names := storage.claim_names(change.obj):
                namespace = change.obj["metadata"]["namespace"]
                for name in names:
                    self.claims.add((namespace, name))
        elif change.resource == "persistentvolumeclaims":
            self.claims.add(key_of(change.obj))
            if name := change.obj["spec"].get("volumeName"):
                self.volumes.add(name)
        elif change.resource == "persistentvolumes":
            self.volumes.add(change.obj["metadata"]["name"])
            self._look_at_claims()
        elif change.resource == "storageclasses":
            self._look_at_claims()

    def _look_at_claims(self) -> None:
        for claim in self.store.list("persistentvolumeclaims"):
            if not storage.is_bound(claim) or claim["status"].get("phase") != "Lost":
                self.claims.add(key_of(claim))

    # --- claims

    def sync_claim(self, key: Key) -> None:
        """Bring one claim forward."""
        claim = self.store.get("persistentvolumeclaims", *key)
        if claim is None:
            return
        if is_deleting(claim):
            self._release(claim)
        elif storage.is_bound(claim):
            self._check(claim)
        elif name := claim["spec"].get("volumeName"):
            volume = self.store.get("persistentvolumes", "", name)
            if volume is not None and (not volume["spec"].get("claimRef") or storage.refers_to(volume, claim)):
                self._bind(claim, volume)
        else:
            self._find(claim)

    def _find(self, claim: Obj) -> None:
        """Find a volume for a claim that has none (syncUnboundClaim)."""
        selected = (claim["metadata"].get("annotations") or {}).get(storage.SELECTED_NODE)
        delayed = storage.is_delayed(self.store, claim) and not selected
        volumes = self.store.list("persistentvolumes")
        if (volume := storage.best_match(volumes, claim, only_given=delayed or bool(selected))) is not None:
            self._bind(claim, volume)
        elif delayed:
            pods = [pod for pod in self._users(claim) if not pod["spec"].get("nodeName")]
            if pods:
                text = f"waiting for pod {pods[0]['metadata']['name']} to be scheduled"
                self._event(claim, "Normal", "WaitForPodScheduled", text)
            else:
                text = "waiting for first consumer to be created before binding"
                self._event(claim, "Normal", "WaitForFirstConsumer", text)
        elif not (name := storage.class_of(claim)):
            self._event(claim, "Normal", "FailedBinding", _NO_VOLUME)
        elif (held := self.store.get("storageclasses", "", name)) is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self._event(claim, "Warning", "ProvisioningFailed", text)
        elif held["provisioner"] == storage.LOCAL_PATH:
            self._provision(claim, held, selected or "")
        elif held["provisioner"].startswith("kubernetes.io/"):
            text = f"no volume plugin matched name: {held['provisioner']}"
            self._event(claim, "Warning", "ProvisioningFailed", text)
        else:
            self._event(claim, "Normal", "ExternalProvisioning", _WAITING.format(held["provisioner"]))

    def _provision(self, claim: Obj, held: Obj, node: str) -> None:
        """Make a folder of the node a volume (provisioner.go Provision)."""
        metadata, spec = claim["metadata"], claim["spec"]
        annotations = {
            "volume.beta.kubernetes.io/storage-provisioner": storage.LOCAL_PATH,
            "volume.kubernetes.io/storage-provisioner": storage.LOCAL_PATH,
        }
        if not annotations.items() <= (metadata.get("annotations") or {}).items():
            marked = with_metadata(claim, annotations={**(metadata.get("annotations") or {}), **annotations})
            self.store.update("persistentvolumeclaims", marked)
            self._event(claim, "Normal", "ExternalProvisioning", _WAITING.format(storage.LOCAL_PATH))
            return  # its change brings it here again
        if spec.get("volumeMode") == "Block":
            text = f"{storage.LOCAL_PATH} does not support block volume provisioning"
            self._event(claim, "Warning", "ProvisioningFailed", text, PROVISIONER)
            return
        namespace, name = key_of(claim)
        text = f'External provisioner is provisioning volume for claim "{namespace}/{name}"'
        self._event(claim, "Normal", "Provisioning", text, PROVISIONER)
        problem = ""
        if spec.get("selector"):
            problem = "claim.Spec.Selector is not supported"
        elif not set(spec["accessModes"]) <= _ONCE:
            problem = "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes"
        elif not node:
            problem = "configuration error, no node was specified"
        if problem:
            text = f'failed to provision volume with StorageClass "{storage.class_of(claim)}": {problem}'
            self._event(claim, "Warning", "ProvisioningFailed", text, PROVISIONER)
            return
        volume = f"pvc-{uid_of(claim)}"
        if self.store.get("persistentvolumes", "", volume) is None:
            self.store.create("persistentvolumes", _provisioned(claim, held, node))
        self._event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {volume}", PROVISIONER)

    def _bind(self, claim: Obj, volume: Obj) -> None:
        """Give them to each other (bind: the volume first)."""
        if (volume["spec"].get("claimRef") or {}).get("uid") != uid_of(claim):
            given = bool(volume["spec"].get("claimRef"))
            volume = self.store.update("persistentvolumes", claimed(volume, claim, by_controller=not given))
        self._phase("persistentvolumes", volume, {"phase": "Bound"})
        annotations = {**(claim["metadata"].get("annotations") or {}), storage.BIND_COMPLETED: "yes"}
        if not claim["spec"].get("volumeName"):
            annotations[storage.BOUND_BY_CONTROLLER] = "yes"
        bound = with_metadata(claim, annotations=annotations)
        bound["spec"] = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
        offered = volume["spec"]
        bound["status"] = {"phase": "Bound", "accessModes": offered["accessModes"], "capacity": offered["capacity"]}
        self.store.update("persistentvolumeclaims", bound)

    def _check(self, claim: Obj) -> None:
        """A bound claim whose volume has gone is lost (syncBoundClaim)."""
        volume = self.store.get("persistentvolumes", "", claim["spec"]["volumeName"])
        if volume is not None and storage.refers_to(volume, claim):
            return
        if claim["status"].get("phase") != "Lost":
            self._phase("persistentvolumeclaims", claim, {"phase": "Lost"})
            text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            self._event(claim, "Warning", "ClaimLost", text)

    def _users(self, claim: Obj) -> list[Obj]:
        namespace, name = key_of(claim)
        return [pod for pod in self.store.list("pods", namespace) if name in storage.claim_names(pod)]

    def _release(self, claim: Obj) -> None:
        """Take the finalizer off a claim that no Pod on a node uses (pvc_protection_controller.go)."""
        finalizers = claim["metadata"].get("finalizers") or []
        if storage.CLAIM_FINALIZER not in finalizers or any(pod["spec"].get("nodeName") for pod in self._users(claim)):
            return
        self._unprotect("persistentvolumeclaims", claim, storage.CLAIM_FINALIZER)

    def _unprotect(self, resource: str, obj: Obj, finalizer: str) -> None:
        left = [name for name in obj["metadata"]["finalizers"] if name != finalizer]
        if left:
            self.store.update(resource, with_metadata(obj, finalizers=left))
        else:
            self.store.delete(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])

    # --- volumes

    def sync_volume(self, name: str) -> None:
        """Bring one volume forward (syncVolume)."""
        volume = self.store.get("persistentvolumes", "", name)
        if volume is None:
            return
        phase = (volume.get("status") or {}).get("phase")
        reference = volume["spec"].get("claimRef")
        if reference is None or not reference.get("uid"):
            self._phase("persistentvolumes", volume, {"phase": "Available"})
        else:
            claim = self.store.get("persistentvolumeclaims", reference["namespace"], reference["name"])
            if claim is None or uid_of(claim) != reference["uid"]:
                self._reclaim(volume)
                return
            if claim["spec"].get("volumeName") == name:
                self._phase("persistentvolumes", volume, {"phase": "Bound"})
            else:
                self.claims.add(key_of(claim))
        if is_deleting(volume) and phase != "Bound":
            self._unprotect("persistentvolumes", volume, storage.VOLUME_FINALIZER)

    def _reclaim(self, volume: Obj) -> None:
        """The claim has gone (reclaimVolume)."""
        if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
            self._phase("persistentvolumes", volume, {"phase": "Released"})
            return  # its change brings it here again
        spec, name = volume["spec"], volume["metadata"]["name"]
        path = (spec.get("hostPath") or {}).get("path", "")
        provisioned = (volume["metadata"].get("annotations") or {}).get(PROVISIONED_BY) == storage.LOCAL_PATH
        deletes = spec["persistentVolumeReclaimPolicy"] == "Delete"
        if deletes and (provisioned or path.startswith("/tmp/")):
            self._erase((volume["metadata"].get("annotations") or {}).get(_SELECTED, ""), path)
            self.store.delete("persistentvolumes", "", name)
        elif is_deleting(volume):
            self._unprotect("persistentvolumes", volume, storage.VOLUME_FINALIZER)
        elif deletes and (volume.get("status") or {}).get("phase") != "Failed":
            text = f"host_path deleter only supports /tmp/.+ but received provided {path}"
            if not path:
                text = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
            self._phase("persistentvolumes", volume, {"phase": "Failed", "message": text})
            self.context.recorder.event(volume, "Warning", "VolumeFailedDelete", text, COMPONENT)

    # --- telling

    def _phase(self, resource: str, obj: Obj, status: dict[str, Any]) -> None:
        before = obj.get("status") or {}
        if before.get("phase") != status["phase"]:
            self.context.update_status(resource, obj, {**before, **status})

    def _event(self, claim: Obj, type_: str, reason: str, text: str, component: str = COMPONENT) -> None:
        self.context.recorder.event(claim, type_, reason, text, component)


_SELECTED = "local.path.provisioner/selected-node"


def claimed(volume: Obj, claim: Obj, *, by_controller: bool) -> Obj:
    """The volume, given to a claim."""
    annotations = {
        **(volume["metadata"].get("annotations") or {}),
        **({storage.BOUND_BY_CONTROLLER: "yes"} if by_controller else {}),
    }
    return {**with_metadata(volume, annotations=annotations), "spec": {**volume["spec"], "claimRef": _reference(claim)}}


def _reference(claim: Obj) -> dict[str, str]:
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "resourceVersion": metadata["resourceVersion"],
        "uid": metadata["uid"],
    }


def _provisioned(claim: Obj, held: Obj, node: str) -> Obj:
    namespace, name = key_of(claim)
    volume = f"pvc-{uid_of(claim)}"
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume,
            "annotations": {_SELECTED: node, PROVISIONED_BY: storage.LOCAL_PATH},
            "finalizers": [storage.VOLUME_FINALIZER],
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": _reference(claim),
            "hostPath": {
                "path": f"{storage.LOCAL_PATH_FOLDER}/{volume}_{namespace}_{name}",
                "type": "DirectoryOrCreate",
            },
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            "persistentVolumeReclaimPolicy": held.get("reclaimPolicy", "Delete"),
            "storageClassName": held["metadata"]["name"],
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    }
