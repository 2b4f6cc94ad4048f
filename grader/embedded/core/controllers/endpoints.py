"""The deprecated Endpoints object that goes with each Service that has a selector.

Source: k8s.io/kubernetes/pkg/controller/endpoint/endpoints_controller.go; subsets are packed as
pkg/api/v1/endpoints/util.go RepackSubsets does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grader.embedded.core.controllers.base import BATCH, Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.podendpoints import find_port, services_to_update, should_be_in_endpoints
from grader.embedded.core.objects import Key, is_pod_ready, key_of, labels_of, pod_ip
from grader.embedded.core.store import Change, Obj, timestamp

MANAGED_BY = "endpoint-controller"
HEADLESS_LABEL = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
CAPACITY = 1000  # addresses (endpoints_controller.go maxCapacity): what is over is in the EndpointSlices alone
_PORT_FIELDS: tuple[tuple[str, Any], ...] = (("name", ""), ("port", 0), ("protocol", ""), ("appProtocol", ""))
"""Fields of an EndpointPort, and their zero values."""
_NO_PORT: dict[str, Any] = {}

Subset = dict[str, Any]


class EndpointsController(Controller):
    """Keeps one Endpoints object for each Service with a selector."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A Service changed, or a Pod that Services select."""
        if change.resource in ("services", "endpoints"):
            self.queue.add(key_of(change.obj))
        elif change.resource == "pods":
            for key in services_to_update(self.index, change):
                self.queue.add_after(key, BATCH)

    def sync(self, key: Key) -> None:
        """Bring the Endpoints of a Service up to date."""
        service = self.index.service(key)
        existing = self.store.get("endpoints", *key)
        if service is None:
            if existing is not None and labels_of(existing).get("endpoints.kubernetes.io/managed-by") == MANAGED_BY:
                self.store.delete("endpoints", *key)
            return
        selector = service["spec"].get("selector")
        if not selector or service["spec"].get("type") == "ExternalName" or self._ending(key[0]):
            return
        subsets = subsets_of(service, self.index.pods_matching(key[0], selector))
        labels = {k: v for k, v in labels_of(service).items() if k != HEADLESS_LABEL}
        if service["spec"].get("clusterIP") in (None, "", "None"):
            labels[HEADLESS_LABEL] = ""
        labels["endpoints.kubernetes.io/managed-by"] = MANAGED_BY
        if existing is not None and existing.get("subsets", []) == subsets and labels_of(existing) == labels:
            return
        annotations = {TRIGGER_TIME: timestamp(self.context.now())}
        body: Obj = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": key[1], "namespace": key[0], "labels": labels, "annotations": annotations},
        }
        if subsets:
            body["subsets"] = subsets
        if existing is None:
            self.store.create("endpoints", body)
        else:
            self.store.update("endpoints", {**body, "metadata": {**existing["metadata"], **body["metadata"]}})

    def _ending(self, namespace: str) -> bool:
        found = self.store.get("namespaces", "", namespace)
        return found is None or "deletionTimestamp" in found["metadata"]


def subsets_of(service: Obj, pods: list[Obj]) -> list[Subset]:
    """The subsets that a Service and its Pods make."""
    spec = service["spec"]
    publish = bool(spec.get("publishNotReadyAddresses"))
    found: list[Subset] = []
    for pod in pods:
        if not pod_ip(pod) or not should_be_in_endpoints(pod, include_terminating=publish):
            continue
        ports = [
            _port(port, number) for port in spec.get("ports") or () if (number := find_port(pod, port)) is not None
        ]
        headless_without_ports = not spec.get("ports") and spec.get("clusterIP") == "None"
        if not ports and not headless_without_ports:
            continue
        ready = publish or is_pod_ready(pod)
        if ready or _is_address_worth_telling(pod):
            addresses = [_address(service, pod)]
            found.append({"addresses" if ready else "notReadyAddresses": addresses, "ports": ports})
    return repacked(found)


def repacked(subsets: Iterable[Subset]) -> list[Subset]:
    """Canonical subsets: each port once, and those that the same addresses offer together (util.go RepackSubsets).

    Upstream orders subsets and ports by a hash of theirs; here they are in the order of the ports.
    """
    known: dict[tuple[str, str], dict[str, Any]] = {}
    offered: dict[tuple[Any, ...], dict[tuple[str, str], bool]] = {}
    for subset in subsets:
        for port in subset.get("ports") or (_NO_PORT,):
            by = tuple(port.get(name) or nothing for name, nothing in _PORT_FIELDS)
            readiness = offered.setdefault(by, {})
            for name in ("addresses", "notReadyAddresses"):
                for address in subset.get(name) or ():
                    key = address["ip"], (address.get("targetRef") or {}).get("uid", "")
                    known.setdefault(key, address)
                    readiness[key] = readiness.get(key, True) and name == "addresses"
    together: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for by, readiness in sorted(offered.items()):
        ports = together.setdefault(tuple(sorted(readiness.items())), [])
        if fields := {name: value for (name, _), value in zip(_PORT_FIELDS, by, strict=True) if value}:
            ports.append(fields)
    result = []
    for addresses, ports in together.items():
        ready_ones = [known[key] for key, ready in addresses if ready][:CAPACITY]
        others = [known[key] for key, ready in addresses if not ready][:CAPACITY]
        parts = {"addresses": ready_ones, "notReadyAddresses": others, "ports": ports}
        if addresses:
            result.append({name: part for name, part in parts.items() if part})
    return result


def _port(port: dict[str, Any], number: int) -> dict[str, Any]:
    """endpoints_controller.go endpointPortFromServicePort."""
    return {**port, "port": number, "protocol": port.get("protocol") or "TCP"}


def _is_address_worth_telling(pod: Obj) -> bool:
    """ShouldPodBeInEndpoints of endpoints_controller.go: a Pod that will never be ready again is left out."""
    phase = (pod.get("status") or {}).get("phase")
    policy = pod["spec"].get("restartPolicy")
    return not (
        (policy == "Never" and phase in ("Failed", "Succeeded")) or (policy == "OnFailure" and phase == "Succeeded")
    )


def _address(service: Obj, pod: Obj) -> dict[str, Any]:
    spec, metadata = pod["spec"], pod["metadata"]
    address: dict[str, Any] = {"ip": pod_ip(pod)}
    same_domain = spec.get("subdomain") == service["metadata"]["name"]
    if spec.get("hostname") and same_domain and metadata["namespace"] == service["metadata"]["namespace"]:
        address["hostname"] = spec["hostname"]
    if spec.get("nodeName"):
        address["nodeName"] = spec["nodeName"]
    address["targetRef"] = {
        "kind": "Pod",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }
    return address
