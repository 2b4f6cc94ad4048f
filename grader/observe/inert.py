"""Fields of the objects that a verdict is taken from which this cluster stores, and does not act upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.kube.resources import KNOWN
from grader.model.kubernetes import name_of
from grader.model.objects import Objects
from grader.model.vantage import PROBE_POD

Unemulated = Callable[[Mapping[str, Any]], Sequence[str]]
"""Lists such fields of an object, as paths."""
KINDS = {resource.plural: resource.kind for resource in KNOWN}


def inert(objects: Objects, unemulated: Unemulated) -> tuple[str, ...]:
    """List such fields of what neither a controller nor we made: "Deployment/web spec.template.spec.hostPID"."""
    return tuple(
        f"{KINDS[plural]}/{name_of(item)} {path}"
        for listed in (objects.own, *objects.further.values())
        for plural, items in listed.items()
        if plural in KINDS
        for item in items
        if not item["metadata"].get("ownerReferences") and (plural, name_of(item)) != ("pods", PROBE_POD)
        for path in unemulated({**item, "kind": KINDS[plural]})
    )
