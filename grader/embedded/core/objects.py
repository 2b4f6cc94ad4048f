"""Small questions asked of API objects, shared by the controllers, the kubelets and the network."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grader.embedded.core.store import Obj, timestamp

Key = tuple[str, str]
"""Namespace ("" where cluster-scoped) and name."""

SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""What generated names are made of (k8s.io/apimachinery/pkg/util/rand/rand.go, `alphanums`)."""


TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation that counts the changes of a DaemonSet's template; a field of Kubernetes' internal type."""


def key_of(obj: Obj) -> Key:
    """Namespace and name of an object."""
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def labels_of(obj: Obj) -> dict[str, str]:
    """The object's labels; empty where it has none."""
    return obj["metadata"].get("labels") or {}


def uid_of(obj: Obj) -> str:
    """The object's UID."""
    return str(obj["metadata"]["uid"])


def safe_random(random_: random.Random, length: int = 5) -> str:
    """A random suffix of a generated name (k8s.io/apiserver/pkg/storage/names/generate.go)."""
    return "".join(random_.choice(SAFE_ALPHABET) for _ in range(length))


def safe_encoded(text: str) -> str:
    """A text in characters that make no words (k8s.io/apimachinery/pkg/util/rand SafeEncodeString)."""
    return "".join(SAFE_ALPHABET[byte % len(SAFE_ALPHABET)] for byte in text.encode())


def is_deleting(obj: Obj) -> bool:
    """Whether deletion has been asked for and is not done."""
    return obj["metadata"].get("deletionTimestamp") is not None


def matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a map selector (of a Service); an empty one matches everything."""
    return all(labels.get(key) == value for key, value in selector.items())


def label_selector_matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a metav1.LabelSelector; None matches nothing, {} everything.

    Rule: k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
    """
    if selector is None:
        return False
    if not matches(selector.get("matchLabels") or {}, labels):
        return False
    for requirement in selector.get("matchExpressions") or ():
        key, operator, values = requirement["key"], requirement["operator"], requirement.get("values") or ()
        holds = {
            "In": key in labels and labels[key] in values,
            "NotIn": key not in labels or labels[key] not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }.get(operator, False)
        if not holds:
            return False
    return True


def controller_of(obj: Obj) -> dict[str, Any] | None:
    """The owner reference with `controller: true`, if there is one."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: dict[str, Any] = reference
            return found
    return None


def controlled_by(obj: Obj, owner: Obj) -> bool:
    """Whether `owner` is the object's managing controller."""
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == uid_of(owner)


def controller_reference(owner: Obj) -> dict[str, Any]:
    """An owner reference that names its controller (metav1.NewControllerRef)."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(obj: Obj, type_: str) -> dict[str, Any] | None:
    """One condition of the object's status."""
    for item in (obj.get("status") or {}).get("conditions") or ():
        if item["type"] == type_:
            found: dict[str, Any] = item
            return found
    return None


def condition_is_true(obj: Obj, type_: str) -> bool:
    """Whether a condition is there with status "True"."""
    found = condition(obj, type_)
    return found is not None and found.get("status") == "True"


def is_pod_ready(pod: Obj) -> bool:
    """Whether the Pod's Ready condition is True (k8s.io/kubernetes/pkg/api/v1/pod/util.go IsPodReady)."""
    return condition_is_true(pod, "Ready")


def available_after(pod: Obj, min_ready_seconds: int, now: float) -> float:
    """Seconds until a ready Pod has been ready for so long; 0 or less where it has."""
    if not min_ready_seconds:
        return 0.0
    ready = condition(pod, "Ready")
    return parse_time(ready["lastTransitionTime"]) + min_ready_seconds - now if ready is not None else 0.0


def is_pod_available(pod: Obj, min_ready_seconds: int, now: float) -> bool:
    """Whether the Pod has been ready for so long (k8s.io/kubernetes/pkg/api/v1/pod/util.go IsPodAvailable)."""
    return is_pod_ready(pod) and available_after(pod, min_ready_seconds, now) <= 0


def is_pod_finished(pod: Obj) -> bool:
    """Whether the Pod's phase is a final one."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_pod_active(pod: Obj) -> bool:
    """Whether the Pod is neither finished nor being deleted (pkg/controller/controller_utils.go IsPodActive)."""
    return not is_pod_finished(pod) and not is_deleting(pod)


def pod_ip(pod: Obj) -> str:
    """The Pod's address, "" while it has none."""
    return (pod.get("status") or {}).get("podIP") or ""


def parse_time(text: str) -> float:
    """Seconds since the epoch of a metav1.Time or MicroTime."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).timestamp()


def with_metadata(obj: Obj, **fields: Any) -> Obj:
    """A copy of the object with fields of its metadata replaced."""
    return {**obj, "metadata": {**obj["metadata"], **fields}}


def without(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A copy of fields that lacks one."""
    return {key: value for key, value in fields.items() if key != name}


COMPARED = ("status", "reason", "message", "observedGeneration")
"""What a condition is replaced for (k8s.io/apimachinery/pkg/api/meta/conditions.go SetStatusCondition)."""


def set_condition(
    conditions: list[dict[str, Any]], new: dict[str, Any], now: float, *, update_time: bool = False
) -> list[dict[str, Any]]:
    """Conditions with one replaced or added; its lastTransitionTime stays where the status does.

    Args:
        conditions: what there was.
        new: type, status and, where there are any, reason and message.
        now: seconds since the epoch.
        update_time: whether the condition carries lastUpdateTime (a Deployment's does).

    """
    result = []
    placed = False
    for old in conditions:
        if old["type"] != new["type"]:
            result.append(old)
            continue
        placed = True
        if all(old.get(field) == new.get(field) for field in COMPARED):
            result.append(old)
            continue
        since = old["lastTransitionTime"] if old["status"] == new["status"] else timestamp(now)
        result.append(_timed(new, since, now, update_time))
    if not placed:
        result.append(_timed(new, timestamp(now), now, update_time))
    return result


def disruption_allowed(state: dict[str, Any], now: float) -> list[dict[str, Any]]:
    """The conditions of a PodDisruptionBudget's status, by how many disruptions it allows.

    Rule: k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go UpdateDisruptionAllowedCondition.
    """
    some = state["disruptionsAllowed"] > 0
    told = {
        "type": "DisruptionAllowed",
        "status": "True" if some else "False",
        "reason": "SufficientPods" if some else "InsufficientPods",
        "message": "",
        "observedGeneration": state["observedGeneration"],
    }
    return set_condition(state.get("conditions") or [], told, now)


def _timed(new: dict[str, Any], since: str, now: float, update_time: bool) -> dict[str, Any]:
    timed = {**new, "lastTransitionTime": since}
    if update_time:
        timed["lastUpdateTime"] = timestamp(now)
    return timed
