"""NetworkPolicies: which of them rule over a Pod's traffic.

Rules: k8s.io/api/networking/v1/types.go, NetworkPolicySpec (an empty podSelector selects all Pods; policyTypes default
to Ingress, and to Egress too where there is an egress section: pkg/apis/networking/v1/defaults.go), and
k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go, LabelSelectorAsSelector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grader.causes.scene import Scene
from grader.model.kubernetes import labels_of, name_of
from grader.model.objects import RawObject

INGRESS, EGRESS = "Ingress", "Egress"


def ruling_over(scene: Scene, pods: Iterable[RawObject], direction: str, namespace: str = "") -> tuple[str, ...]:
    """Name the NetworkPolicies that isolate one of these Pods in a direction, of the Pods' own Namespace.

    Args:
        scene: what was observed.
        pods: the Pods.
        direction: INGRESS or EGRESS.
        namespace: as in `Objects.of`.
    """
    chosen = list(pods)
    return tuple(
        sorted(
            name_of(policy)
            for policy in scene.objects.of("networkpolicies", namespace)
            if direction in _types(policy["spec"])
            and any(_matches(policy["spec"].get("podSelector") or {}, labels_of(pod)) for pod in chosen)
        )
    )


def _types(spec: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(spec.get("policyTypes") or ((INGRESS, EGRESS) if spec.get("egress") else (INGRESS,)))


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(item, labels) for item in selector.get("matchExpressions") or ()
    )


def _holds(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = str(item.get("key")), item.get("values") or ()
    match item.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
