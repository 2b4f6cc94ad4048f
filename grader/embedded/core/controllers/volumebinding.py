"""What claims of storage have to say about a Pod's node.

Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go (1.36).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.embedded.core import storage
from grader.embedded.core.controllers.nodeaffinity import affinity_holds
from grader.embedded.core.controllers.volumes import claimed
from grader.embedded.core.objects import is_deleting, with_metadata
from grader.embedded.core.store import Obj, Store

NOT_THE_NODE = "node(s) didn't match PersistentVolume's node affinity"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
NO_SUCH_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@dataclass(frozen=True)
class Claims:
    """The claims of one Pod that is to be scheduled.

    Attributes:
        refused: why no node will do, "" where one may.
        bound: the volumes of those that are bound; None for one that has gone.
        delayed: those that are bound once a node is chosen.

    """

    refused: str = ""
    bound: list[Obj | None] = field(default_factory=list)
    delayed: list[Obj] = field(default_factory=list)


def claims_of(store: Store, pod: Obj) -> Claims | None:
    """What the Pod's claims ask for (PreFilter); None where it has none."""
    names = storage.claim_names(pod)
    if not names:
        return None
    found = Claims()
    for name in names:
        claim = store.get("persistentvolumeclaims", pod["metadata"]["namespace"], name)
        if claim is None:
            return Claims(f'persistentvolumeclaim "{name}" not found. not found')
        if is_deleting(claim):
            return Claims(f'persistentvolumeclaim "{name}" is being deleted. not found')
        if claim["status"].get("phase") == "Lost":
            volume = claim["spec"].get("volumeName", "")
            return Claims(
                f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}". not found'
            )
        if storage.is_bound(claim):
            found.bound.append(store.get("persistentvolumes", "", claim["spec"]["volumeName"]))
        elif storage.is_delayed(store, claim):
            found.delayed.append(claim)
        else:
            return Claims("pod has unbound immediate PersistentVolumeClaims. not found")
    return found


def why_not(store: Store, claims: Claims, node: Obj) -> list[str]:
    """What the claims have against a node (Filter)."""
    if any(volume is None for volume in claims.bound):
        return [NO_SUCH_VOLUME]
    reasons = []
    if not all(affinity_holds(storage.node_selector(volume), node) for volume in claims.bound if volume is not None):
        reasons.append(NOT_THE_NODE)
    if not all(_can_be_had(store, claim, node) for claim in claims.delayed):
        reasons.append(NO_VOLUME)
    return reasons


def _can_be_had(store: Store, claim: Obj, node: Obj) -> bool:
    selected = (claim["metadata"].get("annotations") or {}).get(storage.SELECTED_NODE)
    if selected is not None:
        return bool(selected == node["metadata"]["name"])
    held = store.get("storageclasses", "", storage.class_of(claim))
    provisions = held is not None and held["provisioner"] != storage.NO_PROVISIONER
    return provisions or _free(store, claim, node) is not None


def _free(store: Store, claim: Obj, node: Obj) -> Obj | None:
    here = [v for v in store.list("persistentvolumes") if affinity_holds(storage.node_selector(v), node)]
    return storage.best_match(here, claim)


def choose(store: Store, claims: Claims, node: Obj) -> None:
    """Have the claims bound for a node: give them free volumes, or ask for new ones there (PreBind)."""
    for claim in claims.delayed:
        annotations = claim["metadata"].get("annotations") or {}
        if storage.SELECTED_NODE in annotations:
            continue  # its volume is being made
        if (volume := _free(store, claim, node)) is not None:
            store.update("persistentvolumes", claimed(volume, claim, by_controller=True))
            continue
        marked = {**annotations, storage.SELECTED_NODE: node["metadata"]["name"]}
        store.update("persistentvolumeclaims", with_metadata(claim, annotations=marked))
