"""EndpointSlices for Endpoints that somebody wrote by hand, beside a Service without a selector.

Source: k8s.io/kubernetes/pkg/controller/endpointslicemirroring (endpointslicemirroring_controller.go, reconciler.go,
utils.go): one slice for each set of ports and each kind of address.
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.endpoints import repacked
from grader.embedded.core.index import MANAGED_BY_LABEL, MIRRORING_CONTROLLER, SERVICE_NAME_LABEL
from grader.embedded.core.objects import Key, controller_reference, is_deleting, key_of, labels_of, safe_random
from grader.embedded.core.store import Change, Obj

SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror"
NOT_COPIED = ("endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration")
MAX_ADDRESSES = 1000
"""--mirroring-max-endpoints-per-subset of kube-controller-manager."""


class MirroringController(Controller):
    """Mirrors hand-written Endpoints."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """An Endpoints object, its Service or one of the mirrored slices changed."""
        if change.resource in ("endpoints", "services"):
            self.queue.add(key_of(change.obj))
        elif change.resource == "endpointslices":
            labels = labels_of(change.old or change.obj)
            if labels.get(MANAGED_BY_LABEL) == MIRRORING_CONTROLLER:
                self.queue.add((change.obj["metadata"]["namespace"], labels.get(SERVICE_NAME_LABEL, "")))

    def sync(self, key: Key) -> None:
        """Bring the mirrored slices of one Endpoints object up to date."""
        endpoints = self.store.get("endpoints", *key)
        service = self.index.service(key)
        held = [s for s in self.index.slices(key) if labels_of(s).get(MANAGED_BY_LABEL) == MIRRORING_CONTROLLER]
        wanted = (
            mirrored(endpoints)
            if endpoints is not None and service is not None and _is_ours(endpoints, service)
            else []
        )
        by_key: dict[Any, list[Obj]] = {}
        for slice_ in held:
            by_key.setdefault(_grouping(slice_), []).append(slice_)
        new = []
        for body in wanted:
            if same := by_key.get(_grouping(body)):
                self._update(same.pop(0), body)
            else:
                new.append(body)
        left = [slice_ for slices in by_key.values() for slice_ in slices]
        for body in new:
            old = next((slice_ for slice_ in left if slice_["addressType"] == body["addressType"]), None)
            if old is not None:  # recycled (reconciler.go recycleSlices)
                left.remove(old)
                self._update(old, body)
                continue
            prefix = f"{key[1]}-"
            metadata = {**body["metadata"], "name": prefix + safe_random(self.context.random), "generateName": prefix}
            self.store.create("endpointslices", {**body, "metadata": metadata})
        for slice_ in left:
            self.store.delete("endpointslices", *key_of(slice_))

    def _update(self, old: Obj, body: Obj) -> None:
        changes = {field: body[field] for field in ("endpoints", "ports")}
        self.store.update("endpointslices", {**old, **changes, "metadata": {**old["metadata"], **body["metadata"]}})


def _grouping(slice_: Obj) -> tuple[str, tuple[tuple[Any, ...], ...]]:
    """What slices are told apart by (utils.go newAddrTypePortMapKey)."""
    ports = slice_.get("ports") or ()
    fields = ("name", "port", "protocol", "appProtocol")
    return slice_["addressType"], tuple(sorted(tuple(port.get(name) or "" for name in fields) for port in ports))


def _is_ours(endpoints: Obj, service: Obj) -> bool:
    written_by_hand = service["spec"].get("selector") is None and labels_of(endpoints).get(SKIP_LABEL) != "true"
    return written_by_hand and not is_deleting(endpoints)


def mirrored(endpoints: Obj) -> list[Obj]:
    """The slices that mirror an Endpoints object, without names."""
    namespace, name = key_of(endpoints)
    labels = {**labels_of(endpoints), SERVICE_NAME_LABEL: name, MANAGED_BY_LABEL: MIRRORING_CONTROLLER}
    annotations = {k: v for k, v in (endpoints["metadata"].get("annotations") or {}).items() if k not in NOT_COPIED}
    metadata: dict[str, Any] = {
        "namespace": namespace,
        "labels": labels,
        "ownerReferences": [controller_reference(endpoints)],
    }
    if annotations:
        metadata["annotations"] = annotations
    slices = []
    for subset in repacked(endpoints.get("subsets") or ()):
        found = [_endpoint(address, ready=True) for address in subset.get("addresses") or ()]
        found += [_endpoint(address, ready=False) for address in subset.get("notReadyAddresses") or ()]
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()]
        for kind in ("IPv4", "IPv6"):
            of_kind = [one for one in found[:MAX_ADDRESSES] if (":" in one["addresses"][0]) == (kind == "IPv6")]
            if of_kind:
                slices.append(
                    {
                        "apiVersion": "discovery.k8s.io/v1",
                        "kind": "EndpointSlice",
                        "metadata": metadata,
                        "addressType": kind,
                        "endpoints": of_kind,
                        "ports": ports or None,
                    }
                )
    return slices


def _endpoint(address: dict[str, Any], *, ready: bool) -> dict[str, Any]:
    endpoint: dict[str, Any] = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for field in ("targetRef", "nodeName", "hostname"):
        if address.get(field):
            endpoint[field] = address[field]
    return endpoint
