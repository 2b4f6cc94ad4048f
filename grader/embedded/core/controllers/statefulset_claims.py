"""The claims of a StatefulSet's Pods: one for each template and ordinal, which outlive the Pods.

Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_pod_control.go (createPersistentVolumeClaims,
recordClaimEvent), stateful_set_utils.go (getPersistentVolumeClaims, updateClaimOwnerRefForSetAndPod) of 1.36.
"""

from __future__ import annotations

from grader.embedded.core import storage
from grader.embedded.core.controllers.base import ControllerContext
from grader.embedded.core.controllers.statefulset_pods import ordinal_of
from grader.embedded.core.objects import controller_reference, labels_of, uid_of, with_metadata
from grader.embedded.core.store import Obj

COMPONENT = "statefulset-controller"


def _templates(stateful_set: Obj, pod: Obj) -> dict[str, Obj]:
    """The template of each of the Pod's claims, by the claim's name."""
    suffix = storage.claim_suffix(stateful_set, ordinal_of(pod))
    templates = stateful_set["spec"].get("volumeClaimTemplates") or ()
    return {f"{template['metadata']['name']}{suffix}": template for template in templates}


def keep(context: ControllerContext, stateful_set: Obj, pod: Obj) -> bool:
    """Create the claims that are missing; whether all are there to stay."""
    namespace = stateful_set["metadata"]["namespace"]
    there = True
    for name, template in _templates(stateful_set, pod).items():
        held = context.store.get("persistentvolumeclaims", namespace, name)
        if held is None:
            selector = (stateful_set["spec"].get("selector") or {}).get("matchLabels") or {}
            metadata = {**template["metadata"], "name": name, "namespace": namespace}
            metadata["labels"] = {**labels_of(template), **selector}
            claim: Obj = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
            claim["spec"] = dict(template["spec"])
            storage.admit_claim(context.store, claim)
            context.store.create("persistentvolumeclaims", _owned(claim, stateful_set))
            who = f"Claim {name} Pod {pod['metadata']['name']} in StatefulSet {stateful_set['metadata']['name']}"
            context.recorder.event(stateful_set, "Normal", "SuccessfulCreate", f"create {who} success", COMPONENT)
        elif "deletionTimestamp" in held["metadata"]:
            there = False
        elif (owned := _owned(held, stateful_set)) != held:
            context.store.update("persistentvolumeclaims", owned)
    return there


def _owned(claim: Obj, stateful_set: Obj) -> Obj:
    """The claim as the policy for the StatefulSet's deletion wants it: owned by it, or not."""
    before = claim["metadata"].get("ownerReferences") or []
    others = [reference for reference in before if reference["uid"] != uid_of(stateful_set)]
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    owners = [*others, controller_reference(stateful_set)] if policy.get("whenDeleted") == "Delete" else others
    if owners == before:
        return claim
    return with_metadata(claim, ownerReferences=owners or None)


def condemn(context: ControllerContext, stateful_set: Obj, pod: Obj) -> None:
    """Have the claims go with a Pod that is scaled away, where the policy says so."""
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    if policy.get("whenScaled") != "Delete":
        return
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": uid_of(pod)}
    for name in _templates(stateful_set, pod):
        claim = context.store.get("persistentvolumeclaims", stateful_set["metadata"]["namespace"], name)
        if claim is not None and claim["metadata"].get("ownerReferences") != [owner]:
            context.store.update("persistentvolumeclaims", with_metadata(claim, ownerReferences=[owner]))
