"""Objects as a client of one group and version sees them.

Events are stored in their core form; events.k8s.io shows the same ones under other field names
(pkg/apis/events/v1/conversion.go). HorizontalPodAutoscalers are stored in autoscaling/v2 (autoscaling.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.embedded.core.api.kinds import autoscaling
from grader.embedded.core.api.kinds.registry import Resource
from grader.embedded.core.api.schema.types import definition_of
from grader.embedded.core.store import Obj

_EVENT_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "source": "deprecatedSource",
    "reportingComponent": "reportingController",
}
_EVENT_NAMES_BACK = {value: key for key, value in _EVENT_NAMES.items()}


def shown(obj: Obj, resource: Resource) -> Obj:
    """A stored object as the resource's group shows it."""
    show = _SHOWN.get(resource.definition)
    return show(obj) if show is not None else obj


def converted(obj: Obj, resource: Resource) -> Obj:
    """A stored object in the resource's version, without what is only put in for readers."""
    return obj if resource.definition not in _STORED else _SHOWN[resource.definition](obj)


def _event(obj: Obj) -> Obj:
    renamed = {_EVENT_NAMES.get(key, key): value for key, value in obj.items()}
    return {**renamed, "apiVersion": "events.k8s.io/v1", "kind": "Event"}


def _service(obj: Obj) -> Obj:
    """A Service as it is read (pkg/registry/core/service/storage/storage.go defaultOnReadService)."""
    spec = obj["spec"]
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec = {**spec, "clusterIPs": [spec["clusterIP"]]}
    if spec.get("type") == "ExternalName" and "internalTrafficPolicy" in spec:
        spec = {key: value for key, value in spec.items() if key != "internalTrafficPolicy"}
    return obj if spec is obj["spec"] else {**obj, "spec": spec}


def stored(obj: Obj, resource: Resource) -> Obj:
    """What a client wrote in the resource's group, as it is stored."""
    store = _STORED.get(resource.definition)
    return store(obj) if store is not None else obj


def _event_back(obj: Obj) -> Obj:
    renamed = {_EVENT_NAMES_BACK.get(key, key): value for key, value in obj.items()}
    return {**renamed, "apiVersion": "v1", "kind": "Event"}


_V1_AUTOSCALER = definition_of("autoscaling", "v1", "HorizontalPodAutoscaler")
_V1_EVENT = definition_of("events.k8s.io", "v1", "Event")
_SHOWN: dict[str, Callable[[Obj], Obj]] = {
    _V1_EVENT: _event,
    _V1_AUTOSCALER: autoscaling.to_v1,
    definition_of("", "v1", "Service"): _service,
}
_STORED: dict[str, Callable[[Obj], Obj]] = {_V1_EVENT: _event_back, _V1_AUTOSCALER: autoscaling.from_v1}


def partial(obj: Obj) -> dict[str, Any]:
    """PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def drop_empty(meta: Obj) -> None:
    """Leave out what Go's `omitempty` does not write."""
    for field in ("labels", "annotations", "ownerReferences", "finalizers"):
        if field in meta and not meta[field]:
            del meta[field]


def take_owners(obj: Obj, seen: Obj) -> None:
    """Put into a stored object the managedFields that were noted in a view of it."""
    if "managedFields" in seen["metadata"]:
        obj["metadata"]["managedFields"] = seen["metadata"]["managedFields"]
    else:
        obj["metadata"].pop("managedFields", None)
