"""Pod templates: their hash, when two are the same, and a Pod made of one as the API server would admit it."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.kinds.admission import admit
from grader.embedded.core.api.kinds.pod import PodStrategy
from grader.embedded.core.api.kinds.strategy import HookContext, validate_meta
from grader.embedded.core.objects import controller_reference, is_deleting, key_of, safe_encoded
from grader.embedded.core.store import Obj, Store, StoreError

HASH_LABEL = "pod-template-hash"


class PodRefused(StoreError):
    """The API server does not take the Pod; `str()` is what it says."""


def template_hash(template: dict[str, Any], collisions: int) -> str:
    """What tells a template's ReplicaSet and Pods from others': a number of 32 bits in safe characters.

    Upstream hashes Go's memory layout (pkg/controller/controller_utils.go ComputeHash), which cannot be had here.
    """
    text = json.dumps(template, sort_keys=True) + (str(collisions) if collisions else "")
    return safe_encoded(str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])))


def same_template(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Whether two templates differ in nothing but the hash label (deployment_util.go EqualIgnoreHash)."""
    return _plain(left) == _plain(right)


def _plain(template: dict[str, Any]) -> dict[str, Any]:
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    rest = {k: v for k, v in metadata.items() if v not in (None, {}, []) and k not in ("labels", "creationTimestamp")}
    return {**template, "metadata": {**rest, "labels": labels}}


def admit_pod(store: Store, pod: Obj) -> Obj:
    """What the API server makes of a new Pod: defaults, ServiceAccount volume, tolerations, pending status.

    Args:
        store: the cluster's objects.
        pod: the Pod; it is changed in place and returned.

    """
    strategy = PodStrategy()
    context = HookContext(store)
    strategy.default(pod)
    strategy.begin_create(pod, context)
    strategy.prepare_create(pod, context)
    return pod


def pod_from_template(owner: Obj, name: str) -> Obj:
    """A Pod of an owner's template, not yet admitted (pkg/controller/controller_utils.go GetPodFromTemplate)."""
    template = copy.deepcopy(owner["spec"]["template"])
    meta = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "name": name,
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": owner["metadata"]["namespace"],
        "labels": dict(meta.get("labels") or {}),
        "ownerReferences": [controller_reference(owner)],
    }
    for field in ("annotations", "finalizers"):
        if meta.get(field):
            metadata[field] = meta[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec") or {}}


def create_pod(store: Store, pod: Obj, *, named: bool = True) -> Obj:
    """Create a Pod as a controller does through the API.

    Args:
        store: the cluster's objects.
        pod: the Pod; it is changed in place.
        named: whether the controller chose the whole name, or the API server its random end.

    Raises PodRefused, AlreadyExists.

    """
    _check_namespace_and_account(store, pod, named=named)
    try:
        admit_pod(store, pod)
    except status.ApiError as error:
        name, shown = pod["metadata"]["name"], pod["metadata"]["name" if named else "generateName"]
        raise PodRefused(error.message.replace(f'pods "{name}"', f'pods "{shown}"')) from error
    strategy = PodStrategy()
    if errors := validate_meta(pod, strategy) + strategy.validate(pod, HookContext(store)):
        raise PodRefused(status.invalid("Pod", "", pod["metadata"]["name"], errors).message)
    try:
        admit(store, "pods", pod)
    except status.ApiError as error:
        raise PodRefused(error.message) from error
    return store.create("pods", pod)


def _check_namespace_and_account(store: Store, pod: Obj, *, named: bool) -> None:
    """What admission refuses: a terminating namespace, a ServiceAccount that does not exist."""
    namespace, name = key_of(pod)
    found = store.get("namespaces", "", namespace)
    if found is None or is_deleting(found):
        raise PodRefused(
            f'pods "{name}" is forbidden: unable to create new content in namespace {namespace} '
            "because it is being terminated"
        )
    account = pod["spec"].get("serviceAccountName") or "default"
    if account != "default" and store.get("serviceaccounts", namespace, account) is None:
        shown = name if named else pod["metadata"]["generateName"]
        raise PodRefused(
            f'pods "{shown}" is forbidden: error looking up service account {namespace}/{account}: '
            f'serviceaccount "{account}" not found'
        )
