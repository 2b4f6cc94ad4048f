"""Gives Services of type LoadBalancer their address, as MetalLB in layer 2 mode does.

Source: go.universe.tf/metallb 0.15 controller/service.go (convergeBalancer, events ClearAssignment, IPAllocated,
AllocationFailed) and speaker/main.go (nodeAssigned). Addresses are taken in the order of the pool.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from grader.embedded.core.controllers.addresspool import AddressPool, Refused, Use, annotation, desired
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.index import SERVICE_NAME_LABEL
from grader.embedded.core.network import Network
from grader.embedded.core.objects import Key, is_deleting, key_of, labels_of
from grader.embedded.core.store import Change, Obj

POOL_NAME = "services-course"
"""As `grader cluster up --kind` calls it."""
POOL = ("172.18.255.200", "172.18.255.250")
POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool"
CONTROLLER, SPEAKER = "metallb-controller", "metallb-speaker"


class LoadBalancerController(Controller):
    """Allocates addresses from one pool, and tells which node announces each."""

    def __init__(self, context: ControllerContext, network: Network, pool: tuple[str, str] = POOL) -> None:
        super().__init__(context)
        first, last = (int(ipaddress.ip_address(end)) for end in pool)
        addresses = (str(ipaddress.ip_address(number)) for number in range(first, last + 1))
        self.pool = AddressPool(POOL_NAME, addresses)
        self.network = network
        self._waiting: dict[Key, None] = {}
        self._announced: dict[Key, tuple[str, str]] = {}
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A Service changed, or its endpoints."""
        if change.resource == "services":
            self.queue.add(key_of(change.obj))
        elif change.resource == "nodes" and (change.old is None or labels_of(change.old) != labels_of(change.obj)):
            for key in self._announced:
                self.queue.add(key)
        elif change.resource == "endpointslices":
            name = labels_of(change.obj).get(SERVICE_NAME_LABEL)
            if name:
                self.queue.add((change.obj["metadata"]["namespace"], name))

    def sync(self, key: Key) -> None:
        """Bring one Service's address to what is asked for (convergeBalancer)."""
        service = self.index.service(key)
        if service is None or is_deleting(service) or not _is_ours(service):
            self._announced.pop(key, None)
            self._waiting.pop(key, None)
            if self.pool.release(key):
                for (
                    other
                ) in self._waiting:  # the controller looks at all again (service.go SetBalancer, SyncStateReprocessAll)
                    self.queue.add(other)
            if service is not None and not _is_ours(service):
                self._clear(service)
            return
        self._waiting.pop(key, None)
        held = self._kept(key, service)
        if not held:
            try:
                held = self._allocate(key, service)
            except Refused as refused:
                self._waiting[key] = None
                self._failed(service, str(refused))
                self._clear(service)
                return
            self._assign(service, held)
        self._announce(key, held)

    def _kept(self, key: Key, service: Obj) -> str:
        """The address that the Service has and may keep, "" where there is none."""
        held = self._held(service)
        if not held:
            self.pool.release(key)
            return ""
        try:
            self.pool.assign(key, held, Use.of(service))
        except Refused as refused:
            name = "/".join(key)
            message = f'current IP for "{name}" not allowed by config, will attempt for new IP assignment: {refused}'
            self.context.recorder.event(service, "Normal", "ClearAssignment", message, CONTROLLER)
            held = ""
        try:
            other_address = desired(service) not in ([], [held])
        except Refused as refused:
            message = f"invalid requested loadbalancer IPs: {refused}"
            self.context.recorder.event(service, "Warning", "LoadBalancerFailed", message, CONTROLLER)
            other_address = False
        if other_address or annotation(service, "address-pool") not in ("", self.pool.name):
            held = ""
        if not held:
            self._announced.pop(key, None)
            self.pool.release(key)
        return held

    def _allocate(self, key: Key, service: Obj) -> str:
        """An address for the Service (allocateIPs). Raises Refused."""
        wanted, use, pool = desired(service), Use.of(service), annotation(service, "address-pool")
        if not wanted:
            if pool not in ("", self.pool.name):
                raise Refused(f'unknown pool "{pool}"')
            return self.pool.choose(key, use)
        shown = " ".join(f'"{ip}"' for ip in wanted)
        if any(":" in ip for ip in wanted):
            raise Refused(f"requested loadBalancer IP(s) [{shown}] does not match the ipFamily of the service")
        if len(wanted) > 1:
            raise Refused(f"[{shown}] is not allowed in config")
        self.pool.assign(key, wanted[0], use)
        if pool not in ("", self.pool.name):
            self.pool.release(key)
            raise Refused(
                f"requested loadBalancer IP(s) [{shown}] is not compatible with requested address pool {pool}"
            )
        return wanted[0]

    def _failed(self, service: Obj, why: str) -> None:
        namespace, name = key_of(service)
        message = f'Failed to allocate IP for "{namespace}/{name}": {why}'
        self.context.recorder.event(service, "Warning", "AllocationFailed", message, CONTROLLER)

    def _assign(self, service: Obj, ip: str) -> None:
        status = {**(service.get("status") or {}), "loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}}
        annotations = {**(service["metadata"].get("annotations") or {}), POOL_ANNOTATION: self.pool.name}
        metadata = {**service["metadata"], "annotations": annotations}
        self.store.update("services", {**service, "metadata": metadata, "status": status})
        self.context.recorder.event(service, "Normal", "IPAllocated", f'Assigned IP ["{ip}"]', CONTROLLER)

    def _clear(self, service: Obj) -> None:
        annotations = dict(service["metadata"].get("annotations") or {})
        if not self._ingress(service) and POOL_ANNOTATION not in annotations:
            return
        annotations.pop(POOL_ANNOTATION, None)
        metadata = {k: v for k, v in service["metadata"].items() if k != "annotations"}
        if annotations:
            metadata["annotations"] = annotations
        status = {**(service.get("status") or {}), "loadBalancer": {}}
        self.store.update("services", {**service, "metadata": metadata, "status": status})

    def _announce(self, key: Key, ip: str) -> None:
        service = self.index.service(key)
        node = self.network.announcer(service) if service is not None else None
        if service is None or node is None:
            self._announced.pop(key, None)
        elif self._announced.get(key) != (ip, node):
            self._announced[key] = (ip, node)
            message = f'announcing from node "{node}" with protocol "layer2"'
            self.context.recorder.event(service, "Normal", "nodeAssigned", message, SPEAKER)

    def _held(self, service: Obj) -> str:
        return next((item["ip"] for item in self._ingress(service) if item.get("ip")), "")

    def _ingress(self, service: Obj) -> list[dict[str, Any]]:
        return ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def _is_ours(service: Obj) -> bool:
    """Whether MetalLB handles the Service: it ignores those with a loadBalancerClass that is not its own."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")
