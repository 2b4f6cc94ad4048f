"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

Sources: k8s.io/kubernetes/pkg/controller/history/controller_history.go, pkg/controller/statefulset (getPatch,
getStatefulSetRevisions), pkg/controller/daemon/update.go (constructHistory, snapshot).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from grader.embedded.core.controllers.base import ControllerContext
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.objects import (
    controlled_by,
    controller_of,
    controller_reference,
    is_deleting,
    key_of,
    label_selector_matches,
    labels_of,
    safe_encoded,
    with_metadata,
)
from grader.embedded.core.store import Obj

HASH_LABEL = "controller.kubernetes.io/hash"

POD_LABEL = "controller-revision-hash"
"""On a Pod: the revision that it was made of (k8s.io/api/apps/v1/types.go ControllerRevisionHashLabelKey)."""

LONGEST_PREFIX = 223  # controller_history.go ControllerRevisionName: the whole is at most 253


def data_of(workload: Obj) -> dict[str, Any]:
    """What a revision keeps: a strategic merge patch that brings the template back (getPatch)."""
    return {"spec": {"template": {**workload["spec"]["template"], "$patch": "replace"}}}


def data_hash(data: dict[str, Any], collisions: int) -> str:
    """HashControllerRevision: 32 bits FNV-1 of the patch and the number of collisions, in safe characters."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    number = 0x811C9DC5
    for byte in (text + str(collisions)).encode():
        number = (number * 0x01000193) & 0xFFFFFFFF ^ byte
    return safe_encoded(str(number))


def revisions_of(context: ControllerContext, workload: Obj) -> list[Obj]:
    """The workload's revisions, oldest first; such as have no owner any more are adopted."""
    found = []
    for revision in context.store.list("controllerrevisions", workload["metadata"]["namespace"]):
        if not label_selector_matches(workload["spec"]["selector"], labels_of(revision)):
            continue
        if controlled_by(revision, workload):
            found.append(revision)
        elif controller_of(revision) is None and not is_deleting(workload) and not is_deleting(revision):
            references = [*(revision["metadata"].get("ownerReferences") or ()), controller_reference(workload)]
            adopted = with_metadata(revision, ownerReferences=references)
            found.append(context.store.update("controllerrevisions", adopted))
    return sorted(found, key=_order)


def _order(revision: Obj) -> tuple[int, str, str]:
    metadata = revision["metadata"]
    return revision["revision"], metadata["creationTimestamp"], metadata["name"]


def latest(
    context: ControllerContext,
    workload: Obj,
    known: list[Obj],
    collisions: int,
    *,
    label: str = HASH_LABEL,
    digest: Callable[[dict[str, Any], int], str] = data_hash,
) -> tuple[Obj, int]:
    """The revision of the present template, found, renumbered or created; and how many names have collided.

    Args:
        context: the cluster.
        workload: the StatefulSet or DaemonSet.
        known: its revisions, oldest first.
        collisions: how many names collided before (status.collisionCount).
        label: where a revision carries its hash.
        digest: the hash of a revision's data and the number of collisions.

    """
    data = data_of(workload)
    number = known[-1]["revision"] + 1 if known else 1
    equal = [revision for revision in known if revision["data"] == data]
    if equal and known[-1]["data"] == data:
        return known[-1], collisions
    if equal:
        return context.store.update("controllerrevisions", {**equal[-1], "revision": number}), collisions
    namespace, name = key_of(workload)
    while True:
        value = digest(data, collisions)
        revision_name = f"{name[:LONGEST_PREFIX]}-{value}"
        held = context.store.get("controllerrevisions", namespace, revision_name)
        if held is None:
            break
        if held["data"] == data:
            return held, collisions
        collisions += 1
    labels = dict((workload["spec"]["template"].get("metadata") or {}).get("labels") or {})
    metadata: dict[str, Any] = {
        "name": revision_name,
        "namespace": namespace,
        "labels": {**labels, label: value},
        "ownerReferences": [controller_reference(workload)],
    }
    if annotations := workload["metadata"].get("annotations"):
        metadata["annotations"] = dict(annotations)
    body = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata}
    return context.store.create("controllerrevisions", {**body, "data": data, "revision": number}), collisions


def restored(workload: Obj, revision: Obj) -> Obj:
    """The workload as it was at a revision (ApplyRevision)."""
    template = {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}
    return {**workload, "spec": {**workload["spec"], "template": template}}


def truncate(context: ControllerContext, unused: list[Obj], excess: int) -> None:
    """Drop the oldest of the revisions that are not in use.

    Args:
        context: the cluster.
        unused: those that may go, oldest first.
        excess: how many are too many.

    """
    for revision in unused[: max(0, excess)]:
        delete_in_background(context, "controllerrevisions", revision)
