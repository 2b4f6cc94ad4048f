"""Whether a node has room for a Pod.

Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources/fit.go fitsRequest,
k8s.io/component-helpers/resource/helpers.go PodRequests.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from grader.embedded.core.quantity import amount
from grader.embedded.core.store import Obj


def requests(pod: Obj) -> dict[str, Fraction]:
    """What a Pod asks for: its containers together, or the greediest of those that run before them."""
    result: dict[str, Fraction] = {}
    for container in pod["spec"].get("containers") or ():
        for name, quantity in _asked(container):
            result[name] = result.get(name, Fraction(0)) + amount(quantity)
    for container in pod["spec"].get("initContainers") or ():
        for name, quantity in _asked(container):
            result[name] = max(result.get(name, Fraction(0)), amount(quantity))
    return result


def _asked(container: Obj) -> Collection[tuple[str, object]]:
    return ((container.get("resources") or {}).get("requests") or {}).items()


def insufficient(asked: dict[str, Fraction], node: Obj, others: Collection[Obj]) -> list[str]:
    """What there is too little of on a node, beside the Pods that it has, in the scheduler's words."""
    room = (node.get("status") or {}).get("allocatable") or {}
    found = []
    if "pods" in room and len(others) + 1 > amount(room["pods"]):
        found.append("Too many pods")
    wanted = {name: value for name, value in asked.items() if value > 0}
    taken = [requests(other) for other in others] if wanted else []
    for name, value in wanted.items():
        used = sum((other.get(name, Fraction(0)) for other in taken), Fraction(0))
        if used + value > amount(room.get(name, 0)):
            found.append(f"Insufficient {name}")
    return found


def exceeds(asked: dict[str, Fraction], node: Obj) -> bool:
    """Whether even the empty node would be too small."""
    room = (node.get("status") or {}).get("allocatable") or {}
    return any(value > amount(room.get(name, 0)) for name, value in asked.items())
