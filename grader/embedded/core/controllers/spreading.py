"""What a Pod wants of the Pods around it: how they are spread over nodes, whom it wants near and whom it does not.

Sources (k8s.io/kubernetes 1.36, pkg/scheduler/framework/plugins): podtopologyspread/filtering.go and common.go,
interpodaffinity/filtering.go, nodeaffinity/node_affinity.go. What is only preferred is ranked, not weighed against the
scores of other plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.objects import is_deleting, is_pod_finished, label_selector_matches, labels_of
from grader.embedded.core.store import Obj

SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_LABEL = f"{SPREAD} (missing required label)"
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Around:
    """Where everything is.

    Attributes:
        nodes: all nodes.
        pods: node name → the Pods that it has.
        namespaces: Namespace → its labels.
        suits: whether a node is one that the Pod's node selector and affinity allow.
        bears: whether the Pod tolerates a node's taints.
    """

    nodes: Sequence[Obj]
    pods: Mapping[str, Sequence[Obj]]
    namespaces: Mapping[str, Mapping[str, str]]
    suits: Callable[[Obj], bool]
    bears: Callable[[Obj], bool]

    def on(self, node: Obj) -> Iterator[Obj]:
        """The Pods of a node that are not finished."""
        return (pod for pod in self.pods.get(node["metadata"]["name"], ()) if not is_pod_finished(pod))


def matters(pod: Obj, others: Iterable[Obj]) -> bool:
    """Tell whether a Pod says anything about others, or one of them may say something about it."""
    spec = pod["spec"]
    affinity = spec.get("affinity") or {}
    if spec.get("topologySpreadConstraints") or affinity.get("podAffinity") or affinity.get("podAntiAffinity"):
        return True
    return any((other["spec"].get("affinity") or {}).get("podAntiAffinity") for other in others)


def objection(pod: Obj, node: Obj, around: Around) -> str:
    """Why a Pod cannot run on a node because of the Pods that there are, in the scheduler's words; "" where it can."""
    return _spread_too_far(pod, node, around) or _unfriendly(pod, node, around)


def _spread_too_far(pod: Obj, node: Obj, around: Around) -> str:
    constraints = [
        item
        for item in pod["spec"].get("topologySpreadConstraints") or ()
        if item.get("whenUnsatisfiable") == "DoNotSchedule"
    ]
    for constraint in constraints:
        domain = labels_of(node).get(constraint["topologyKey"])
        if domain is None:
            return SPREAD_LABEL
        counts = _counts(pod, constraint, around, [item["topologyKey"] for item in constraints])
        least = min(counts.values(), default=0)
        if len(counts) < int(constraint.get("minDomains") or 1):
            least = 0
        itself = _chosen(constraint, pod, pod)
        if counts.get(domain, 0) + itself - least > int(constraint["maxSkew"]):
            return SPREAD
    return ""


def _counts(pod: Obj, constraint: Spec, around: Around, keys: Sequence[str]) -> dict[str, int]:
    """How many Pods of the constraint each domain has that counts (common.go, nodeaffinity and taints as it says)."""
    namespace = pod["metadata"]["namespace"]
    found: dict[str, int] = {}
    for node in around.nodes:
        labels = labels_of(node)
        if any(key not in labels for key in keys):
            continue
        if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not around.suits(node):
            continue
        if constraint.get("nodeTaintsPolicy", "Ignore") == "Honor" and not around.bears(node):
            continue
        domain = labels[constraint["topologyKey"]]
        found[domain] = found.get(domain, 0) + sum(
            other["metadata"]["namespace"] == namespace and not is_deleting(other) and _chosen(constraint, pod, other)
            for other in around.on(node)
        )
    return found


def _chosen(term: Spec, owner: Obj, pod: Obj) -> bool:
    """Whether the selector of a term chooses a Pod, with what matchLabelKeys and mismatchLabelKeys take from the owner.

    No selector chooses nothing (k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector).
    """
    selector = term.get("labelSelector")
    if selector is None:
        return False
    labels = labels_of(owner)
    added = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in term.get(field) or ()
        if key in labels
    ]
    return label_selector_matches(selector, labels_of(pod)) and label_selector_matches(
        {"matchExpressions": added}, labels_of(pod)
    )


def _unfriendly(pod: Obj, node: Obj, around: Around) -> str:
    affinity = pod["spec"].get("affinity") or {}
    near = _required(affinity, "podAffinity")
    if near and not all(_met(pod, near, term, node, around) for term in near):
        return AFFINITY
    if any(_there(pod, term, node, around) for term in _required(affinity, "podAntiAffinity")):
        return ANTI_AFFINITY
    for other_node in around.nodes:
        for other in around.on(other_node):
            for term in _required(other["spec"].get("affinity") or {}, "podAntiAffinity"):
                if _same_domain(term, node, other_node) and _means(other, term, pod, around):
                    return EXISTING_ANTI_AFFINITY
    return ""


def _required(affinity: Spec, kind: str) -> Sequence[Spec]:
    return (affinity.get(kind) or {}).get(REQUIRED) or ()


def _met(pod: Obj, terms: Sequence[Spec], term: Spec, node: Obj, around: Around) -> bool:
    """A Pod of the term is in the node's domain; or nowhere is one, and the Pod is what it asks for itself."""
    if _there(pod, term, node, around):
        return True
    if term["topologyKey"] not in labels_of(node):
        return False
    first = all(_means(pod, item, pod, around) for item in terms)
    return first and not any(
        all(_means(pod, item, other, around) for item in terms) for each in around.nodes for other in around.on(each)
    )


def _there(pod: Obj, term: Spec, node: Obj, around: Around) -> bool:
    """Whether a Pod that a term of a Pod means is in the node's domain."""
    return any(
        _same_domain(term, node, each) and any(_means(pod, term, other, around) for other in around.on(each))
        for each in around.nodes
    )


def _same_domain(term: Spec, one: Obj, other: Obj) -> bool:
    key = term["topologyKey"]
    return key in labels_of(one) and labels_of(one)[key] == labels_of(other).get(key)


def _means(owner: Obj, term: Spec, pod: Obj, around: Around) -> bool:
    """Whether a term that one Pod has means another."""
    namespace = pod["metadata"]["namespace"]
    names, of_labels = term.get("namespaces") or (), term.get("namespaceSelector")
    if not names and of_labels is None:
        names = (owner["metadata"]["namespace"],)
    chosen = namespace in names or (
        of_labels is not None and label_selector_matches(of_labels, around.namespaces.get(namespace, {}))
    )
    return chosen and _chosen(term, owner, pod)


def preference(pod: Obj, node: Obj, around: Around) -> tuple[int, int]:
    """Rank a node by what the Pod prefers: more weight first, then fewer Pods of its constraints; least is best."""
    affinity = pod["spec"].get("affinity") or {}
    weight = 0
    for kind, sign in (("podAffinity", 1), ("podAntiAffinity", -1)):
        for item in (affinity.get(kind) or {}).get(PREFERRED) or ():
            weight += sign * int(item["weight"]) * _there(pod, item["podAffinityTerm"], node, around)
    crowd = 0
    for constraint in pod["spec"].get("topologySpreadConstraints") or ():
        domain = labels_of(node).get(constraint["topologyKey"])
        crowd += _counts(pod, constraint, around, [constraint["topologyKey"]]).get(domain, 0) if domain else 1 << 16
    return -weight, crowd
