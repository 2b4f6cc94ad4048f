"""Pod templates: their hash, when two are the same, and a Pod made of one as the API server would admit it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from grader.embedded.core.objects import SAFE_ALPHABET
from grader.embedded.core.store import Obj, Store

HASH_LABEL = "pod-template-hash"


def template_hash(template: dict[str, Any], collisions: int) -> str:
    """What tells a template's ReplicaSet and Pods from others'; ten safe characters.

    Upstream hashes Go's memory layout (pkg/controller/controller_utils.go ComputeHash), which cannot be had here.
    """
    text = json.dumps(template, sort_keys=True) + (str(collisions) if collisions else "")
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    letters = ""
    for _ in range(10):
        number, rest = divmod(number, len(SAFE_ALPHABET))
        letters += SAFE_ALPHABET[rest]
    return letters


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
    from grader.embedded.core.api.pod import PodStrategy
    from grader.embedded.core.api.strategy import Context

    strategy = PodStrategy()
    context = Context(store)
    strategy.default(pod)
    strategy.begin_create(pod, context)
    strategy.prepare_create(pod, context)
    return pod
