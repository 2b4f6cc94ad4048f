"""An IPAddress for each ClusterIP, and the ServiceCIDR that they are from.

Source: k8s.io/kubernetes/pkg/registry/core/service/ipallocator/ipallocator.go createIPAddress,
pkg/controller/servicecidrs/servicecidrs_controller.go. Upstream allocates by these objects; here they follow the
Services.
"""

from __future__ import annotations

from collections import defaultdict

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.index import SERVICE_RANGE, cluster_ips
from grader.embedded.core.objects import Key, key_of
from grader.embedded.core.store import Change, Obj, timestamp

_LABELS = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}


class ServiceAddressController(Controller):
    """Keeps the IPAddresses of Services."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._held: defaultdict[Key, set[str]] = defaultdict(set)

    def on_change(self, change: Change) -> None:
        """A Service came, went or changed its type; an address did."""
        if change.resource == "services":
            self.queue.add(key_of(change.obj))
        elif change.resource == "ipaddresses":
            names = self._held[_parent(change.obj)]
            names.discard(change.obj["metadata"]["name"])
            if change.type != "DELETED":
                names.add(change.obj["metadata"]["name"])

    def sync(self, key: Key) -> None:
        """Bring the addresses of one Service up to date."""
        if self.store.get("servicecidrs", "", "kubernetes") is None:
            self.store.create("servicecidrs", self._range())
        service = self.index.service(key)
        wanted = set(cluster_ips(service)) if service is not None else set()
        held = set(self._held.pop(key, ())) if service is None else set(self._held[key])
        for ip in sorted(held - wanted):
            self.store.delete("ipaddresses", "", ip)
        for ip in sorted(wanted - held):
            if self.store.get("ipaddresses", "", ip) is not None:
                self.store.delete("ipaddresses", "", ip)  # its Service is gone, and is not looked at yet
            self.store.create("ipaddresses", _address(ip, key))

    def _range(self) -> Obj:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "",
            "message": "Kubernetes Service CIDR is ready",
            "lastTransitionTime": timestamp(self.context.now()),
        }
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "ServiceCIDR",
            "metadata": {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]},
            "spec": {"cidrs": [SERVICE_RANGE]},
            "status": {"conditions": [ready]},
        }


def _address(ip: str, service: Key) -> Obj:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": ip, "labels": dict(_LABELS)},
        "spec": {"parentRef": {"resource": "services", "namespace": service[0], "name": service[1]}},
    }


def _parent(address: Obj) -> Key:
    parent = address["spec"].get("parentRef") or {}
    return parent.get("namespace") or "", parent.get("name") or ""
