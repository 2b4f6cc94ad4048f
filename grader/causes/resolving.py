"""What the cluster's DNS must answer by the objects: a server that says otherwise has not seen them yet.

Rules: Kubernetes DNS-Based Service Discovery 1.1.0, 2.3 (ClusterIP), 2.4 (headless), 2.5 (ExternalName); the search
list of a Pod is that of pkg/kubelet/network/dns/dns.go (ClusterFirst).
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.causes.scene import Scene
from grader.model.dnsnames import CLUSTER_DOMAIN
from grader.model.kubernetes import SERVICE_NAME_LABEL, is_terminating, labels_of, name_of
from grader.model.objects import RawObject

ALIASES = 4  # ExternalNames that are followed; CoreDNS stops at some depth too
ZONE = ("svc", *CLUSTER_DOMAIN.split("."))


def lookup(scene: Scene, host: str, home: str) -> frozenset[str]:
    """List the IPv4 addresses of a name, completed by the search list of a Pod in the Namespace `home`."""
    every = (addresses(scene, name) for name in _completed(host, home))
    return next((found for found in every if found), frozenset())


def published(scene: Scene, host: str, home: str, port: int) -> bool:
    """Tell whether a name, completed as by `lookup`, stands for endpoints that some slice publishes with this port."""
    found = lookup(scene, host, home)
    numbers = {
        address: {entry.get("port") for entry in item.get("ports") or ()}
        for item in scene.objects.everywhere("endpointslices")
        for endpoint in item.get("endpoints") or ()
        for address in endpoint.get("addresses") or ()
    }
    return bool(found) and all(port in numbers.get(address, ()) for address in found)


def aliases_of(scene: Scene, host: str, home: str) -> Iterator[tuple[RawObject, str]]:
    """Give the aliases (ExternalName) through which a name leads, completed as by `lookup`, each with its target."""
    found = next((found for name in _completed(host, home) if (found := _service_of(scene, name))), None)
    for _ in range(ALIASES + 1):
        if found is None or found[0]["spec"].get("type") != "ExternalName":
            return
        target = str(found[0]["spec"].get("externalName"))
        yield found[0], target
        found = _service_of(scene, target)


def service_behind(scene: Scene, host: str, home: str) -> tuple[RawObject, str] | None:
    """Find the Service that a name stands for in the end, and its further Namespace ("": the exercise's own).

    The name is completed as by `lookup`, and aliases (ExternalName) are followed; None where it is no Service's.
    """
    for name in _completed(host, home):
        found = _service_of(scene, name)
        for _ in range(ALIASES):
            if found is None or found[0]["spec"].get("type") != "ExternalName":
                break
            found = _service_of(scene, str(found[0]["spec"].get("externalName")))
        if found is not None:
            return found
    return None


def _completed(host: str, home: str) -> tuple[str, ...]:
    """List the names that the search list of a Pod in a Namespace makes of a name, in the order of asking."""
    if host.endswith("."):
        return (host,)
    domains = (f"{home}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)
    return (*(f"{host}.{domain}" for domain in domains), host)


def _service_of(scene: Scene, name: str) -> tuple[RawObject, str] | None:
    parts = name.lower().rstrip(".").split(".")
    if tuple(parts[-len(ZONE) :]) != ZONE or not len(ZONE) + 2 <= len(parts) <= len(ZONE) + 3:
        return None
    service_name, namespace = parts[-len(ZONE) - 2 : -len(ZONE)]
    elsewhere = "" if namespace == scene.exercise.namespace else namespace
    service = scene.service(service_name, elsewhere)
    return (service, elsewhere) if service is not None else None


def addresses(scene: Scene, name: str, aliases: int = ALIASES) -> frozenset[str]:
    """List the IPv4 addresses of an absolute name; none where it has none, or where the objects do not tell."""
    parts = name.lower().rstrip(".").split(".")
    if tuple(parts[-len(ZONE) :]) != ZONE or not len(ZONE) + 2 <= len(parts) <= len(ZONE) + 3:
        return frozenset()
    hostname, (service_name, namespace) = parts[: -len(ZONE) - 2], parts[-len(ZONE) - 2 : -len(ZONE)]
    elsewhere = "" if namespace == scene.exercise.namespace else namespace
    service = scene.service(service_name, elsewhere)
    if service is None or is_terminating(service):
        return frozenset()
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        follow = aliases > 0 and not hostname
        return addresses(scene, str(spec.get("externalName")), aliases - 1) if follow else frozenset()
    if spec.get("clusterIP") != "None":
        return frozenset() if hostname else frozenset({str(spec.get("clusterIP") or "")}) - {""}
    slices = scene.objects.of("endpointslices", elsewhere)
    return frozenset(_published(slices, service, hostname[0] if hostname else ""))


def _published(slices: tuple[RawObject, ...], service: RawObject, hostname: str) -> Iterator[str]:
    """Read the addresses of a headless Service, or of those of its endpoints that have a host name."""
    for item in slices:
        if labels_of(item).get(SERVICE_NAME_LABEL) != name_of(service) or item.get("addressType") != "IPv4":
            continue
        for endpoint in item.get("endpoints") or ():
            ready = (endpoint.get("conditions") or {}).get("ready") is not False
            if ready and hostname in ("", endpoint.get("hostname")):
                yield from endpoint.get("addresses") or ()
