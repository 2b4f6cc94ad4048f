"""The EndpointSlices of each Service that has a selector.

Source: k8s.io/endpointslice 0.36 (reconciler.go, utils.go, util/controller_utils.go, trafficdist/trafficdist.go) and
k8s.io/kubernetes/pkg/controller/endpointslice/endpointslice_controller.go. Slices are filled as upstream fills them:
what is there is kept in place, changed slices are filled first, then one that has room, then a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.embedded.core.controllers.base import BATCH, Context, Controller, WorkQueue
from grader.embedded.core.controllers.topologyhints import (
    Endpoints,
    Told,
    TopologyCache,
    cpu_ratios,
    rests_on,
    without_hints,
)
from grader.embedded.core.index import MANAGED_BY_LABEL, SERVICE_NAME_LABEL, SLICE_CONTROLLER, Index
from grader.embedded.core.objects import (
    Key,
    controller_reference,
    is_deleting,
    is_pod_finished,
    is_pod_ready,
    key_of,
    labels_of,
    pod_ip,
    safe_random,
    uid_of,
)
from grader.embedded.core.store import Change, Obj, timestamp

HEADLESS_LABEL = "service.kubernetes.io/headless"
RESERVED = (SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL)
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
HINTS_ANNOTATION = "service.kubernetes.io/topology-aware-hints"
MODE_ANNOTATION = "service.kubernetes.io/topology-mode"
COMPONENT = "endpoint-slice-controller"
MAX_ENDPOINTS = 100
"""--max-endpoints-per-slice of kube-controller-manager."""

CLOSE = ("PreferClose", "PreferSameZone", "PreferSameNode")

Ports = tuple[tuple[str, int, str, str], ...]
"""Name, number, protocol, appProtocol of each port: what slices are grouped by."""


def find_port(pod: Obj, service_port: dict[str, Any]) -> int | None:
    """The number that a targetPort means for a Pod, None where it has no port of that name (utils.go FindPort)."""
    target = service_port.get("targetPort", service_port["port"])
    if isinstance(target, int):
        return target
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            same_protocol = (port.get("protocol") or "TCP") == (service_port.get("protocol") or "TCP")
            if port.get("name") == target and same_protocol:
                return int(port["containerPort"])
    return None


def should_be_in_endpoints(pod: Obj, *, include_terminating: bool) -> bool:
    """controller_utils.go ShouldPodBeInEndpoints."""
    return not is_pod_finished(pod) and bool(pod_ip(pod)) and (include_terminating or not is_deleting(pod))


def services_to_update(index: Index, change: Change) -> list[Key]:
    """The Services that a Pod's change concerns (controller_utils.go GetServicesToUpdate)."""
    new, old = change.obj, change.old
    if change.type != "MODIFIED" or old is None:
        return index.services_of_pod(new)
    labels_changed = labels_of(new) != labels_of(old) or any(
        new["spec"].get(name) != old["spec"].get(name) for name in ("hostname", "subdomain")
    )
    pod_changed = (
        is_deleting(new) != is_deleting(old)
        or is_pod_ready(new) != is_pod_ready(old)
        or pod_ip(new) != pod_ip(old)
        or is_pod_finished(new) != is_pod_finished(old)
    )
    if not labels_changed and not pod_changed:
        return []
    keys = dict.fromkeys(index.services_of_pod(new))
    if labels_changed:
        keys.update(dict.fromkeys(index.services_of_pod(old)))
    return list(keys)


def desired_endpoint(pod: Obj, service: Obj, zone: str) -> dict[str, Any]:
    """The endpoint that a Pod makes (utils.go podToEndpoint)."""
    metadata, spec = pod["metadata"], pod["spec"]
    serving, terminating = is_pod_ready(pod), is_deleting(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    endpoint: dict[str, Any] = {
        "addresses": [pod_ip(pod)],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {
            "kind": "Pod",
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
    }
    if spec.get("nodeName"):
        endpoint["nodeName"] = spec["nodeName"]
    if zone:
        endpoint["zone"] = zone
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = spec["hostname"]
    distribution = service["spec"].get("trafficDistribution")
    if distribution in CLOSE and ready and not by_annotation(service):
        hints: dict[str, Any] = {}
        if zone:
            hints["forZones"] = [{"name": zone}]
        if distribution == "PreferSameNode" and spec.get("nodeName"):
            hints["forNodes"] = [{"name": spec["nodeName"]}]
        if hints:
            endpoint["hints"] = hints
    return endpoint


def by_annotation(service: Obj) -> bool:
    """Tell whether an annotation asks for hints: trafficDistribution is then not looked at (utils.go hintsEnabled)."""
    annotations = service["metadata"].get("annotations") or {}
    return annotations.get(HINTS_ANNOTATION, annotations.get(MODE_ANNOTATION)) in ("Auto", "auto")


def desired_ports(service: Obj, pod: Obj) -> Ports:
    """The ports of a Service as they are for one Pod; a named port that the Pod lacks is left out."""
    return tuple(
        (port.get("name") or "", number, port.get("protocol") or "TCP", port.get("appProtocol") or "")
        for port in service["spec"].get("ports") or ()
        if (number := find_port(pod, port)) is not None
    )


def slice_labels(service: Obj) -> dict[str, str]:
    """The labels of a Service's slices (utils.go setEndpointSliceLabels)."""
    labels = {key: value for key, value in labels_of(service).items() if key not in RESERVED}
    if service["spec"].get("clusterIP") in (None, "", "None"):
        labels[HEADLESS_LABEL] = ""
    return {**labels, SERVICE_NAME_LABEL: service["metadata"]["name"], MANAGED_BY_LABEL: SLICE_CONTROLLER}


@dataclass
class Plan:
    """What to write.

    Attributes:
        create: ports and endpoints of new slices.
        update: existing slices with new content.
        delete: existing slices to remove.

    """

    create: list[tuple[Ports, list[dict[str, Any]]]] = field(default_factory=list)
    update: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)


Hinting = Callable[[Sequence[Endpoints], Sequence[Endpoints]], list[int]]
"""Gives hints to the endpoints of slices that are written, and of others; tells which of those it has changed."""


def plan(
    service: Obj, pods: list[Obj], existing: list[Obj], zones: dict[str, str], hinting: Hinting | None = None
) -> Plan:
    """Which slices to create, update and delete (reconciler.go reconcileByAddressType, for IPv4).

    Args:
        service: the Service.
        pods: the Pods that its selector matches.
        existing: this controller's slices of the Service.
        zones: the zone of each node that exists ("" where it has none).
        hinting: gives the hints that an annotation asks for.

    """
    labels = slice_labels(service)
    wanted: dict[Ports, dict[tuple[str, str], dict[str, Any]]] = {}
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    for pod in pods:
        node = pod["spec"].get("nodeName") or ""
        if not should_be_in_endpoints(pod, include_terminating=True):
            continue
        group = wanted.setdefault(_grouping(desired_ports(service, pod)), {})
        if node in zones or publish:
            endpoint = desired_endpoint(pod, service, zones.get(node, ""))
            group[_identity(endpoint)] = endpoint
    result = Plan()
    by_ports: dict[Ports, list[Obj]] = {}
    for slice_ in existing:
        owners = [reference["uid"] for reference in slice_["metadata"].get("ownerReferences") or ()]
        if slice_["addressType"] == "IPv4" and uid_of(service) in owners:
            by_ports.setdefault(_grouping(_ports_of(slice_)), []).append(slice_)
        else:
            result.delete.append(slice_)
    for ports, endpoints in wanted.items():
        _fill(result, ports, endpoints, by_ports.get(ports, []), labels, keeps_hints=hinting is not None)
    for ports, slices in by_ports.items():
        if ports not in wanted:
            result.delete += slices
    if len(existing) == len(result.delete) and not result.create:
        if len(result.delete) == 1 and _is_placeholder(result.delete[0], labels, service):
            result.delete.clear()
        else:
            result.create.append(((), []))
    if hinting is not None:
        _hint(result, existing, hinting)
    _reuse(result, service, labels)
    return result


def _hint(result: Plan, existing: list[Obj], hinting: Hinting) -> None:
    """Give hints to what is to be written, and write what would otherwise keep wrong ones."""
    written = {slice_["metadata"]["name"] for slice_ in (*result.update, *result.delete)}
    others = [slice_ for slice_ in existing if slice_["metadata"]["name"] not in written]
    copies = [[dict(endpoint) for endpoint in slice_.get("endpoints") or ()] for slice_ in others]
    changing = [slice_.get("endpoints") or [] for slice_ in result.update]
    for number in hinting([*(endpoints for _, endpoints in result.create), *changing], copies):
        result.update.append({**others[number], "endpoints": copies[number]})


def _fill(
    result: Plan,
    ports: Ports,
    wanted: dict[tuple[str, str], dict[str, Any]],
    slices: list[Obj],
    labels: dict[str, str],
    *,
    keeps_hints: bool = False,
) -> None:
    """Reconciler.go reconcileByPortMapping; slices with other hints are the same where the hints come afterwards."""
    left = dict(wanted)
    contents: dict[str, list[dict[str, Any]]] = {}
    changed: list[str] = []
    unchanged: list[str] = []
    by_name = {slice_["metadata"]["name"]: slice_ for slice_ in slices}
    for name, slice_ in by_name.items():
        before = slice_.get("endpoints") or []
        kept = [left.pop(_identity(old)) for old in before if _identity(old) in left]
        contents[name] = kept
        if kept != (without_hints(before) if keeps_hints else before):
            if kept:
                changed.append(name)
            else:
                result.delete.append(slice_)
        elif labels_of(slice_) != labels:
            changed.append(name)
        else:
            unchanged.append(name)
    rest = list(left.values())
    for name in sorted(changed, key=lambda name: -len(contents[name])):
        room = MAX_ENDPOINTS - len(contents[name])
        contents[name] += rest[:room]
        rest = rest[room:]
    while rest:
        fitting = [name for name in unchanged if len(contents[name]) + len(rest) <= MAX_ENDPOINTS]
        if fitting and len(rest) < MAX_ENDPOINTS:
            name = max(fitting, key=lambda name: len(contents[name]))
            contents[name] = [*contents[name], *rest]
            changed.append(name)
            rest = []
        else:
            result.create.append((ports, rest[:MAX_ENDPOINTS]))
            rest = rest[MAX_ENDPOINTS:]
    for name in changed:
        result.update.append(_with(by_name[name], labels, contents[name]))


def _reuse(result: Plan, service: Obj, labels: dict[str, str]) -> None:
    """Turn a deletion and a creation into one update (reconciler.go finalize)."""
    kept = []
    for slice_ in result.delete:
        owners = [reference["uid"] for reference in slice_["metadata"].get("ownerReferences") or ()]
        if result.create and slice_["addressType"] == "IPv4" and uid_of(service) in owners:
            ports, endpoints = result.create.pop()
            result.update.append({**_with(slice_, labels, endpoints), "ports": ports_json(ports)})
        else:
            kept.append(slice_)
    result.delete = kept


def ports_json(ports: Ports) -> list[dict[str, Any]] | None:
    """The ports as in the API; Go writes an empty list that went through protobuf as null."""
    return [
        {"name": name, "port": number, "protocol": protocol, **({"appProtocol": application} if application else {})}
        for name, number, protocol, application in ports
    ] or None


def _ports_of(slice_: Obj) -> Ports:
    return tuple(
        (port.get("name") or "", port.get("port") or 0, port.get("protocol") or "TCP", port.get("appProtocol") or "")
        for port in slice_.get("ports") or ()
    )


def _grouping(ports: Ports) -> Ports:
    return tuple(sorted(ports))


def _identity(endpoint: dict[str, Any]) -> tuple[str, str]:
    """What makes two endpoints the same (util/endpointset.go hashEndpoint)."""
    target = endpoint.get("targetRef") or {}
    return ",".join(
        sorted(endpoint["addresses"])
    ), f"{target.get('namespace')}/{target.get('name')}/{target.get('uid')}"


def _with(slice_: Obj, labels: dict[str, str], endpoints: list[dict[str, Any]]) -> Obj:
    metadata = {**slice_["metadata"], "labels": labels}
    return {**slice_, "metadata": metadata, "endpoints": endpoints or None}


def _is_placeholder(slice_: Obj, labels: dict[str, str], service: Obj) -> bool:
    return not slice_.get("ports") and not slice_.get("endpoints") and labels_of(slice_) == labels


class EndpointSliceController(Controller):
    """Keeps the EndpointSlices of each Service with a selector."""

    def __init__(self, context: Context) -> None:
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
