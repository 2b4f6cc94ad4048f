"""What a Pod is to a Service: whether it is an endpoint, which one, with which ports.

Source: k8s.io/endpointslice 0.36 (utils.go, util/controller_utils.go, trafficdist/trafficdist.go).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.index import MANAGED_BY_LABEL, SERVICE_NAME_LABEL, SLICE_CONTROLLER, Index
from grader.embedded.core.objects import Key, is_deleting, is_pod_finished, is_pod_ready, labels_of, pod_ip
from grader.embedded.core.store import Change, Obj

HEADLESS_LABEL = "service.kubernetes.io/headless"
RESERVED = (SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL)
HINTS_ANNOTATION = "service.kubernetes.io/topology-aware-hints"
MODE_ANNOTATION = "service.kubernetes.io/topology-mode"
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
