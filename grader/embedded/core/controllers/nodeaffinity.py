"""Which nodes nodeSelector and required node affinity allow.

Source: k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go (0.36).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.objects import labels_of
from grader.embedded.core.store import Obj


def affinity_holds(spec: dict[str, Any], node: Obj) -> bool:
    """Whether the node is one that nodeSelector and the required node affinity allow."""
    if any(labels_of(node).get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not required:
        return True
    return any(_term_holds(term, node) for term in required.get("nodeSelectorTerms") or ())


def liking(spec: dict[str, Any], node: Obj) -> int:
    """The weight of the node affinity that is only preferred (scheduler plugin nodeaffinity/node_affinity.go Score)."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(int(item["weight"]) for item in preferred if _term_holds(item["preference"], node))


def _term_holds(term: dict[str, Any], node: Obj) -> bool:
    labels = {**labels_of(node), "metadata.name": node["metadata"]["name"]}
    return all(
        _requirement_holds(requirement, labels)
        for requirement in [*(term.get("matchExpressions") or ()), *(term.get("matchFields") or ())]
    )


def _requirement_holds(requirement: dict[str, Any], labels: dict[str, str]) -> bool:
    value, operator = labels.get(requirement["key"]), requirement["operator"]
    values: list[str] = requirement.get("values") or []
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and value.isdigit() and int(value) > int(values[0])
        case _:
            return value is not None and value.isdigit() and int(value) < int(values[0])
