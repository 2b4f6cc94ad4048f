"""Objects as a client of one group and version sees them.

Events are stored in their core form; events.k8s.io shows the same ones under other field names
(pkg/apis/events/v1/conversion.go).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.resources import Resource
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
    if resource.group == "events.k8s.io":
        renamed = {_EVENT_NAMES.get(key, key): value for key, value in obj.items()}
        return {**renamed, "apiVersion": resource.api_version, "kind": resource.kind}
    return _service(obj) if resource.kind == "Service" else obj


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
    if resource.group == "events.k8s.io":
        renamed = {_EVENT_NAMES_BACK.get(key, key): value for key, value in obj.items()}
        return {**renamed, "apiVersion": "v1", "kind": "Event"}
    return obj


def partial(obj: Obj) -> dict[str, Any]:
    """PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def drop_empty(meta: Obj) -> None:
    """Leave out what Go's `omitempty` does not write."""
    for field in ("labels", "annotations", "ownerReferences", "finalizers"):
        if field in meta and not meta[field]:
            del meta[field]
