"""What a connection to a Pod or Service is aimed at: pure functions of the store, with upstream's refusals."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.messages import Connect
from grader.embedded.core.api.http.status import ApiError, bad_request, not_found
from grader.embedded.core.store import Obj, Store


def pod_of(store: Store, connect: Connect) -> Obj:
    """The Pod. Raises ApiError where there is none or it is on no node yet (pkg/registry/core/pod/strategy.go)."""
    pod = store.get("pods", connect.namespace, connect.name)
    if pod is None:
        raise not_found("pods", "", connect.name)
    if not pod["spec"].get("nodeName") and connect.kind not in ("log", "proxy"):
        raise bad_request(f"pod {connect.name} does not have a host assigned")
    return pod


def container_status(pod: Obj, container: str) -> dict[str, Any] | None:
    """The status of a container or init container, None where the kubelet has not told one."""
    status = pod.get("status", {})
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for item in status.get(field) or ():
            if item["name"] == container:
                return dict(item)
    return None


def check_loggable(pod: Obj, container: str, *, previous: bool) -> None:
    """Raise what logs of a container say that has none (pkg/kubelet/kubelet_pods.go validateContainerLogStatus)."""
    subject = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    status = container_status(pod, container)
    if status is None:
        raise bad_request(f"{subject} is not available")
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous:
        if not (last and last.get("containerID")):
            raise bad_request(f"previous terminated {subject} not found")
        return
    if "running" in state or (state.get("terminated") or {}).get("containerID") or last:
        return
    if "terminated" in state:
        raise bad_request(f"{subject} is terminated")
    reason = (state.get("waiting") or {}).get("reason", "")
    why = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    raise bad_request(f"{subject} is waiting to start" + (f": {why}" if why else " - no logs yet"))


def proxied(store: Store, connect: Connect) -> tuple[str, int]:
    """Address and port that a proxy request is passed on to. Raises ApiError, as for each Node: kubelets serve none."""
    if connect.resource == "nodes":
        raise unavailable(f"error trying to reach service: embedded cluster: the kubelet of {connect.name} has no API")
    return (proxied_pod if connect.resource == "pods" else proxied_service)(store, connect)


def proxied_pod(store: Store, connect: Connect) -> tuple[str, int]:
    """Address and port of a Pod proxy request (pkg/registry/core/pod/strategy.go ResourceLocation). Raises ApiError."""
    pod = pod_of(store, connect)
    port = connect.port
    if not port:
        declared = [port for item in pod["spec"]["containers"] for port in item.get("ports") or ()]
        port = str(declared[0]["containerPort"]) if declared else "443" if connect.scheme == "https" else "80"
    if not port.isdecimal():
        raise bad_request(f'invalid pod request "{connect.name}:{port}"')
    address = pod.get("status", {}).get("podIP", "")
    if not address:
        raise bad_request("address not allowed")
    return address, int(port)


def proxied_service(store: Store, connect: Connect) -> tuple[str, int]:
    """A random endpoint of a Service (pkg/registry/core/service/storage/storage.go). Raises ApiError."""
    service = store.get("services", connect.namespace, connect.name)
    wanted = connect.port
    if wanted.isdecimal():
        ports = (service or {}).get("spec", {}).get("ports") or ()
        if service is None:
            raise not_found("services", "", connect.name)
        named = [port.get("name", "") for port in ports if port["port"] == int(wanted)]
        if not named:
            raise unavailable(f'no service port {wanted} found for service "{connect.name}"')
        wanted = named[0]
    endpoints = store.get("endpoints", connect.namespace, connect.name)
    if endpoints is None:
        raise not_found("endpoints", "", connect.name)
    if not endpoints.get("subsets"):
        raise unavailable(f'no endpoints available for service "{connect.name}"')
    found = [
        (address["ip"], port["port"])
        for subset in endpoints["subsets"]
        for port in subset.get("ports") or ()
        if port.get("name", "") == wanted
        for address in subset.get("addresses") or ()
        if (address.get("targetRef") or {}).get("kind") == "Pod"
    ]
    if not found:
        named_port = f"{connect.name}:{connect.port}" if connect.port else connect.name
        raise unavailable(f'no endpoints available for service "{named_port}"')
    return store.random.choice(found)


def unavailable(message: str) -> ApiError:
    """503, as k8s.io/apimachinery/pkg/api/errors NewServiceUnavailable."""
    return ApiError(503, "ServiceUnavailable", message)
