"""Gives Services of type LoadBalancer their address, as MetalLB in layer 2 mode does.

Source: go.universe.tf/metallb 0.15 controller/service.go (convergeBalancer, events ClearAssignment, IPAllocated,
AllocationFailed) and speaker/main.go (nodeAssigned). Addresses are taken in the order of the pool.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from grader.embedded.core.controllers.base import Context, Controller, WorkQueue
from grader.embedded.core.index import SERVICE_NAME_LABEL
from grader.embedded.core.network import Network
from grader.embedded.core.objects import Key, is_deleting, key_of, labels_of
from grader.embedded.core.store import Change, Obj

POOL = ("172.18.255.200", "172.18.255.250")
REQUEST_ANNOTATION = "metallb.io/loadBalancerIPs"
POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool"
CONTROLLER, SPEAKER = "metallb-controller", "metallb-speaker"


class LoadBalancerController(Controller):
    """Allocates addresses from one pool, and tells which node announces each."""

    def __init__(self, context: Context, network: Network, name: str, pool: tuple[str, str] = POOL) -> None:
        super().__init__(context)
        first, last = (int(ipaddress.ip_address(end)) for end in pool)
        self.pool = [str(ipaddress.ip_address(number)) for number in range(first, last + 1)]
        self.owners: dict[str, Key] = {}
        self.network = network
        self.pool_name = name
        self._announced: dict[Key, tuple[str, str]] = {}
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A Service changed, or its endpoints."""
        if change.resource == "services":
            self.queue.add(key_of(change.obj))
        elif change.resource == "endpointslices":
            name = labels_of(change.obj).get(SERVICE_NAME_LABEL)
            if name:
                self.queue.add((change.obj["metadata"]["namespace"], name))

    def sync(self, key: Key) -> None:
        """Bring one Service's address to what is asked for."""
        service = self.index.service(key)
        if service is None or is_deleting(service) or not _is_ours(service):
            self._release(key)
            if service is not None and not _is_ours(service):
                self._clear(service)
            return
        held = self._held(service)
        wanted = _requested(service)
        if held and (held not in self.pool or self.owners.get(held, key) != key or (wanted and wanted != held)):
            self._release(key)
            held = ""
        if held:
            self.owners[held] = key
        else:
            held = self._allocate(key, service, wanted)
            if not held:
                self._clear(service)
                return
            self._assign(service, held)
        self._announce(key, held)

    def _allocate(self, key: Key, service: Obj, wanted: str) -> str:
        """An address for the Service, "" where there is none; records why not (controller/service.go allocateIPs)."""
        if wanted:
            if wanted not in self.pool:
                self._failed(service, f'["{wanted}"] is not allowed in config')
                return ""
            if (other := self.owners.get(wanted, key)) != key and not _share(service, self.index.service(other)):
                self._failed(
                    service,
                    f'can\'t change sharing key for "{key[0]}/{key[1]}", address also in use by {other[0]}/{other[1]}',
                )
                return ""
            self.owners.setdefault(wanted, key)
            return wanted
        free = next((ip for ip in self.pool if ip not in self.owners), "")
        if not free:
            self._failed(service, "no available IPs")
            return ""
        self.owners[free] = key
        return free

    def _failed(self, service: Obj, why: str) -> None:
        namespace, name = key_of(service)
        message = f'Failed to allocate IP for "{namespace}/{name}": {why}'
        self.context.recorder.event(service, "Warning", "AllocationFailed", message, CONTROLLER)

    def _assign(self, service: Obj, ip: str) -> None:
        status = {**(service.get("status") or {}), "loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}}
        annotations = {**(service["metadata"].get("annotations") or {}), POOL_ANNOTATION: self.pool_name}
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

    def _release(self, key: Key) -> None:
        self._announced.pop(key, None)
        for ip in [ip for ip, owner in self.owners.items() if owner == key]:
            del self.owners[ip]

    def _held(self, service: Obj) -> str:
        return next((item["ip"] for item in self._ingress(service) if item.get("ip")), "")

    def _ingress(self, service: Obj) -> list[dict[str, Any]]:
        return ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def _is_ours(service: Obj) -> bool:
    """Whether MetalLB handles the Service: it ignores those with a loadBalancerClass that is not its own."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")


def _requested(service: Obj) -> str:
    annotations = service["metadata"].get("annotations") or {}
    return str(annotations.get(REQUEST_ANNOTATION) or service["spec"].get("loadBalancerIP") or "")


def _share(service: Obj, other: Obj | None) -> bool:
    """Whether two Services may share an address (metallb.io/allow-shared-ip)."""
    keys = [(s["metadata"].get("annotations") or {}).get("metallb.io/allow-shared-ip") for s in (service, other) if s]
    return len(keys) == 2 and bool(keys[0]) and keys[0] == keys[1]
