"""The EndpointSlices of each Service that has a selector.

Source: k8s.io/kubernetes/pkg/controller/endpointslice/endpointslice_controller.go, k8s.io/endpointslice 0.36
(reconciler.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.embedded.core.controllers.base import BATCH, Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.podendpoints import Ports, by_annotation, services_to_update, slice_labels
from grader.embedded.core.controllers.sliceplan import plan, ports_json
from grader.embedded.core.controllers.topologyhints import Endpoints, Told, TopologyCache, cpu_ratios, rests_on
from grader.embedded.core.index import MANAGED_BY_LABEL, SERVICE_NAME_LABEL, SLICE_CONTROLLER
from grader.embedded.core.objects import Key, controller_reference, is_deleting, key_of, labels_of, safe_random
from grader.embedded.core.store import Change, Obj, timestamp

TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
COMPONENT = "endpoint-slice-controller"


class EndpointSliceController(Controller):
    """Keeps the EndpointSlices of each Service with a selector."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._topology = TopologyCache()

    def on_change(self, change: Change) -> None:
        """A Service changed, a Pod that Services select, a node's zone, or somebody else changed one of our slices."""
        if change.resource == "nodes":
            if change.old is None or change.type == "DELETED" or rests_on(change.old) != rests_on(change.obj):
                for key in self._topology.overloaded(cpu_ratios(self.store.list("nodes"))):
                    self.queue.add(key)
        elif change.resource == "services":
            self.queue.add(key_of(change.obj))
        elif change.resource == "pods":
            for key in services_to_update(self.index, change):
                self.queue.add_after(key, BATCH)
        elif change.resource == "endpointslices":
            labels = labels_of(change.old or change.obj)
            if labels.get(MANAGED_BY_LABEL) == SLICE_CONTROLLER and labels.get(SERVICE_NAME_LABEL):
                self.queue.add((change.obj["metadata"]["namespace"], labels[SERVICE_NAME_LABEL]))

    def sync(self, key: Key) -> None:
        """Bring the slices of a Service up to date."""
        service = self.index.service(key)
        if service is None or service["spec"].get("type") == "ExternalName" or not service["spec"].get("selector"):
            self._topology.forget(key)
            return
        namespace = self.store.get("namespaces", "", key[0])
        existing = [s for s in self.index.slices(key) if labels_of(s).get(MANAGED_BY_LABEL) == SLICE_CONTROLLER]
        pods = self.index.pods_matching(key[0], service["spec"]["selector"])
        told: Told | None = None

        def hinting(changing: Sequence[Endpoints], others: Sequence[Endpoints]) -> list[int]:
            nonlocal told
            changed, told = self._topology.add(key, cpu_ratios(self.store.list("nodes")), changing, others)
            return changed

        if by_annotation(service):
            todo = plan(service, pods, existing, self._zones(pods), hinting)
        else:
            todo, told = plan(service, pods, existing, self._zones(pods)), self._topology.forget(key)
        trigger = {TRIGGER_TIME: timestamp(self.context.now())}
        if namespace is not None and not is_deleting(namespace) and not is_deleting(service):
            for ports, endpoints in todo.create:
                self._create(service, ports, endpoints, trigger)
        for slice_ in todo.update:
            annotations = {**(slice_["metadata"].get("annotations") or {}), **trigger}
            metadata = {**slice_["metadata"], **({"annotations": annotations} if annotations else {})}
            self.context.update("endpointslices", {**slice_, "metadata": metadata})
        for slice_ in todo.delete:
            self.store.delete("endpointslices", *key_of(slice_))
        if told is not None:
            self.context.recorder.event(service, told.type, told.reason, told.message, COMPONENT)

    def _zones(self, pods: list[Obj]) -> dict[str, str]:
        names = {pod["spec"].get("nodeName") or "" for pod in pods}
        return {name: self.index.zone(name) for name in names if self.store.get("nodes", "", name)}

    def _create(self, service: Obj, ports: Ports, endpoints: list[dict[str, Any]], trigger: dict[str, str]) -> None:
        namespace, name = key_of(service)
        prefix = f"{name}-"
        slice_name = prefix + safe_random(self.context.random)
        while self.store.get("endpointslices", namespace, slice_name) is not None:
            slice_name = prefix + safe_random(self.context.random)
        metadata: dict[str, Any] = {
            "name": slice_name,
            "generateName": prefix,
            "namespace": namespace,
            "labels": slice_labels(service),
            "ownerReferences": [controller_reference(service)],
        }
        if trigger:
            metadata["annotations"] = trigger
        self.store.create(
            "endpointslices",
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata,
                "addressType": "IPv4",
                "endpoints": endpoints or None,
                "ports": ports_json(ports),
            },
        )
