"""Which Pods a workload's controller takes as its own.

Source: k8s.io/kubernetes/pkg/controller/controller_ref_manager.go ClaimObject, pkg/controller/controller_utils.go
FilterPodsByOwner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from grader.embedded.core.controllers.base import BATCH, ControllerContext, WorkQueue
from grader.embedded.core.index import Index
from grader.embedded.core.objects import (
    Key,
    controlled_by,
    controller_of,
    controller_reference,
    is_deleting,
    key_of,
    label_selector_matches,
    labels_of,
    uid_of,
    with_metadata,
)
from grader.embedded.core.store import Change, Obj, Store


def queue_owners(queue: WorkQueue[Key], store: Store, change: Change, kind: str, resource: str) -> None:
    """Queue the workloads of a kind that a Pod's change concerns: its controller, or those that may adopt it."""
    namespace = change.obj["metadata"]["namespace"]
    references = [controller_of(pod) for pod in (change.obj, change.old) if pod is not None]
    for reference in references:
        if reference is not None and reference["kind"] == kind:
            queue.add_after((namespace, reference["name"]), BATCH)
    if not any(references) and labels_of(change.obj):
        for workload in store.list(resource, namespace):
            if label_selector_matches(workload["spec"]["selector"], labels_of(change.obj)):
                queue.add(key_of(workload))


def owned_pods(index: Index, owner: Obj) -> list[Obj]:
    """The Pods that name the owner as their controller, ordered by name."""
    keys = sorted(key for key in index.owned_by(uid_of(owner)) if key[0] == "pods")
    pods = (index.store.get(*key) for key in keys)
    return [pod for pod in pods if pod is not None and controlled_by(pod, owner)]


def candidates(index: Index, owner: Obj) -> list[Obj]:
    """The Pods that the owner's selector matches or that are its own, ordered by name."""
    selected = index.pods_selected(owner["metadata"]["namespace"], owner["spec"]["selector"])
    found = {uid_of(pod): pod for pod in [*selected, *owned_pods(index, owner)]}
    return sorted(found.values(), key=lambda pod: str(pod["metadata"]["name"]))


def claim(
    context: ControllerContext, owner: Obj, pods: Iterable[Obj], member: Callable[[Obj], bool] = lambda pod: True
) -> list[Obj]:
    """Adopt matching Pods without a controller, release own ones that do not match; returns those that are the owner's.

    Args:
        context: the cluster.
        owner: the workload; one that is being deleted adopts and releases nothing.
        pods: who may be concerned.
        member: what else makes a Pod a match, beside the owner's selector.

    """
    claimed = []
    for pod in pods:
        matches = label_selector_matches(owner["spec"]["selector"], labels_of(pod)) and member(pod)
        if controlled_by(pod, owner):
            if matches:
                claimed.append(pod)
            elif not is_deleting(owner):
                _release(context, owner, pod)
        elif controller_of(pod) is None and matches and not is_deleting(owner) and not is_deleting(pod):
            references = [*(pod["metadata"].get("ownerReferences") or ()), controller_reference(owner)]
            claimed.append(context.store.update("pods", with_metadata(pod, ownerReferences=references)))
    return claimed


def _release(context: ControllerContext, owner: Obj, pod: Obj) -> None:
    references = [r for r in pod["metadata"]["ownerReferences"] if r["uid"] != uid_of(owner)]
    metadata = {key: value for key, value in pod["metadata"].items() if key != "ownerReferences"}
    if references:
        metadata["ownerReferences"] = references
    context.store.update("pods", {**pod, "metadata": metadata})
