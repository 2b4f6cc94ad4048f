"""Rules of Kubernetes on raw objects, pure: selection, readiness, and the EndpointSlices that must result.

Sources are files of Kubernetes 1.36: staging/src/k8s.io/endpointslice (`utils.go`, `reconciler.go`,
`util/controller_utils.go`) and pkg/controller/endpointslice/endpointslice_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"

Raw = Mapping[str, Any]


def name_of(obj: Raw) -> str:
    """Read metadata.name."""
    return str(obj.get("metadata", {}).get("name", ""))


def uid_of(obj: Raw) -> str:
    """Read metadata.uid."""
    return str(obj.get("metadata", {}).get("uid", ""))


def labels_of(obj: Raw) -> Mapping[str, str]:
    """Read metadata.labels."""
    return obj.get("metadata", {}).get("labels") or {}


def selects(selector: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether an equality selector matches; none, or an empty one, matches nothing (syncService)."""
    return bool(selector) and all(labels.get(key) == value for key, value in (selector or {}).items())


def is_terminating(obj: Raw) -> bool:
    """Tell whether metadata.deletionTimestamp is set."""
    return bool(obj.get("metadata", {}).get("deletionTimestamp"))


def is_ready(pod: Raw) -> bool:
    """Tell whether the Pod's Ready condition is True (util/controller_utils.go, IsPodReady)."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def is_finished(pod: Raw) -> bool:
    """Tell whether the Pod is in a terminal phase (util/controller_utils.go, isPodTerminal)."""
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def addresses_of(pod: Raw) -> tuple[str, ...]:
    """Read the Pod's IPv4 addresses."""
    ips = [item.get("ip", "") for item in pod.get("status", {}).get("podIPs") or ()]
    return tuple(ip for ip in ips if ip and ":" not in ip)


def hostname_of(pod: Raw) -> str:
    """Tell what `hostname` says in the Pod: spec.hostname, else its name, cut to 63 characters (kubelet, util.go)."""
    return str(pod.get("spec", {}).get("hostname") or name_of(pod))[:63].rstrip("-.")


def find_port(pod: Raw, service_port: Raw) -> int | None:
    """Resolve a Service port's targetPort for a Pod; None for a name no container port has (utils.go, FindPort)."""
    target = service_port.get("targetPort", service_port.get("port"))
    if isinstance(target, int):
        return target
    spec = pod.get("spec", {})
    sidecars = [item for item in spec.get("initContainers") or () if item.get("restartPolicy") == "Always"]
    protocol = service_port.get("protocol", "TCP")
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None


@dataclass(frozen=True, order=True)
class Endpoint:
    """One Pod behind one port of a Service.

    Attributes:
        pod: the Pod's UID, "" where the endpoint names no Pod.
        address: its IPv4 address.
        port_name: name of the Service port, "" for an unnamed one.
        port: resolved port number; None where the slice has no port at all (no targetPort could be resolved).
        protocol: "TCP", "UDP", "SCTP".
        ready: condition ready (publishNotReadyAddresses makes it True).
        serving: condition serving.
        terminating: condition terminating.
        name: the Pod's name.
        node: the node's name.
    """

    pod: str
    address: str
    port_name: str
    port: int | None
    protocol: str
    ready: bool
    serving: bool
    terminating: bool
    name: str = ""
    node: str = ""


def has_slices(service: Raw) -> bool:
    """Tell whether the EndpointSlice controller makes slices for it (endpointslice_controller.go, syncService)."""
    spec = service.get("spec", {})
    return spec.get("type") != "ExternalName" and bool(spec.get("selector"))


def has_cluster_ip(service: Raw) -> bool:
    """Tell whether kube-proxy serves it: neither headless nor an alias nor without an address yet."""
    return service.get("spec", {}).get("clusterIP") not in (None, "", "None")


def expected_slices(service: Raw, pods: Iterable[Raw]) -> frozenset[Endpoint]:
    """Compute the endpoints that the controller must publish for a Service and the Pods of its namespace.

    Rules: utils.go `podToEndpoint` (ready = publishNotReadyAddresses or serving and not terminating),
    `getEndpointPorts` (a port that cannot be resolved is left out for that Pod), util/controller_utils.go
    `ShouldPodBeInEndpoints` (not finished, has an address; terminating Pods are in).
    """
    if not has_slices(service):
        return frozenset()
    spec = service["spec"]
    found: set[Endpoint] = set()
    for pod in pods:
        if is_finished(pod) or not selects(spec["selector"], labels_of(pod)):
            continue
        serving, terminating = is_ready(pod), is_terminating(pod)
        ready = bool(spec.get("publishNotReadyAddresses")) or (serving and not terminating)
        resolved = [(port, find_port(pod, port)) for port in spec.get("ports") or ()]
        ports: list[tuple[str, int | None, str]] = [
            (str(port.get("name", "")), number, str(port.get("protocol", "TCP")))
            for port, number in resolved
            if number is not None
        ]
        for address in addresses_of(pod):
            for port_name, number, protocol in ports or [("", None, "TCP")]:
                found.add(
                    Endpoint(
                        uid_of(pod), address, port_name, number, protocol, ready, serving, terminating,
                        name_of(pod), str(pod["spec"].get("nodeName", "")),
                    )
                )  # fmt: skip
    return frozenset(found)


def actual_slices(service: Raw, slices: Iterable[Raw], *, controller_only: bool = False) -> frozenset[Endpoint]:
    """Read the union of all IPv4 EndpointSlices of a Service; duplicates and extra slices are legal.

    `controller_only` leaves out slices that something other than the controller manages. A missing `ready` or
    `serving` condition counts as True, `terminating` as False (k8s.io/api/discovery/v1/types.go, EndpointConditions).
    """
    found: set[Endpoint] = set()
    for item in slices:
        labels = labels_of(item)
        if labels.get(SERVICE_NAME_LABEL) != name_of(service) or item.get("addressType") != "IPv4":
            continue
        if is_terminating(item) or (controller_only and labels.get(MANAGED_BY_LABEL) != CONTROLLER):
            continue
        ports = [
            (str(p.get("name") or ""), p.get("port"), str(p.get("protocol") or "TCP")) for p in item.get("ports") or ()
        ]
        for endpoint in item.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            ready = conditions.get("ready") is not False
            serving = conditions.get("serving", ready) is not False
            target = endpoint.get("targetRef") or {}
            for address in endpoint.get("addresses") or ():
                for port_name, number, protocol in ports or [("", None, "TCP")]:
                    found.add(
                        Endpoint(
                            str(target.get("uid", "")), str(address), port_name, number, protocol, ready, serving,
                            bool(conditions.get("terminating")), str(target.get("name", "")),
                            str(endpoint.get("nodeName") or ""),
                        )
                    )  # fmt: skip
    return frozenset(found)


def slices_settled(service: Raw, pods: Iterable[Raw], slices: Iterable[Raw]) -> bool:
    """Tell whether the controller's slices are what Service and Pods ask for."""
    if not has_slices(service):
        return True
    return expected_slices(service, pods) == actual_slices(service, slices, controller_only=True)


def routed(endpoints: Iterable[Endpoint]) -> frozenset[Endpoint]:
    """Choose where traffic goes: the ready endpoints, else serving and terminating ones (pkg/proxy/topology.go)."""
    every = [endpoint for endpoint in endpoints if endpoint.port is not None]
    ready = frozenset(endpoint for endpoint in every if endpoint.ready)
    return ready or frozenset(endpoint for endpoint in every if endpoint.serving and endpoint.terminating)


def service_port(service: Raw, number: int) -> Raw | None:
    """Find the Service port with this number, None where there is none; of several, the one for TCP."""
    found = [port for port in service.get("spec", {}).get("ports") or () if port.get("port") == number]
    return next((port for port in found if port.get("protocol", "TCP") == "TCP"), found[0] if found else None)


def internal_ip(node: Raw) -> str:
    """Read a Node's IPv4 InternalIP, "" where it has none."""
    addresses = node.get("status", {}).get("addresses") or ()
    found = [item["address"] for item in addresses if item.get("type") == "InternalIP" and ":" not in item["address"]]
    return found[0] if found else ""


def ingress_address(service: Raw) -> str:
    """Read the first ingress address or host name of a load balancer, "" while there is none."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return str(ingress[0].get("ip") or ingress[0].get("hostname") or "") if ingress else ""


def workload_of(pod: Raw) -> tuple[str, str]:
    """Tell kind and name of the workload that made a Pod; a ReplicaSet speaks for its Deployment. ("", "") for none."""
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner["kind"] == "ReplicaSet":
            return "Deployment", str(owner["name"]).rpartition("-")[0]
        return str(owner["kind"]), str(owner["name"])
    return "", ""
