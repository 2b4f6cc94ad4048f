"""Causes that the Service itself tells: it is not there, or has no such type, port or address."""

from __future__ import annotations

from grader.causes.patience import STALE_SECONDS
from grader.causes.ruling import Ruling, environment, fail, not_yet
from grader.causes.scene import Scene
from grader.causes.way import Way
from grader.causes.words import listed, port_text
from grader.model.evidence import Action
from grader.model.ground import Given
from grader.model.kubernetes import PROXY_NAME_LABEL, ingress_address, is_terminating, labels_of, name_of, service_port
from grader.model.objects import RawObject
from grader.model.report import Hop, Waits
from grader.model.vantage import PROBE_POD, At, Vantage


def made_elsewhere(scene: Scene, kind: str, name: str) -> list[str]:
    """List the other Namespaces where an object of this name was made since the exercise was begun."""
    probes = [pod for pod in scene.objects.of("pods") if name_of(pod) == PROBE_POD]
    begun = str(probes[0]["metadata"].get("creationTimestamp") or "") if probes else ""
    found = set()
    for item in scene.objects.elsewhere:
        if (item.get("kind", "Service"), name_of(item)) != (kind, name):
            continue
        namespace, born = item["metadata"]["namespace"], str(item["metadata"].get("creationTimestamp") or "")
        # one that was there before this exercise was begun is somebody else's
        if namespace in scene.exercise.namespaces or born >= begun:
            found.add(namespace)
    return sorted(found)


def lost(scene: Scene, kind: str, name: str, found: RawObject, hop: Hop | None = None) -> Ruling | None:
    """Object to an object that is in another Namespace, or was deleted and is only held back by a finalizer.

    Args:
        scene: what was observed.
        kind: its kind.
        name: its name.
        found: the object, empty where it is not there.
        hop: what depends on it.
    """
    if not found and (elsewhere := made_elsewhere(scene, kind, name)):
        facts = {"name": name, "namespace": scene.exercise.namespace, "found": listed(elsewhere)}
        return fail("object-in-other-namespace", hop, kind=kind, **facts)
    if not is_terminating(found):
        return None
    return fail("object-going", hop, kind=kind, name=name, since=found["metadata"]["deletionTimestamp"])


def missing(scene: Scene, name: str) -> Ruling:
    """Say why a Service is not there."""
    evidence = scene.evidence
    kinds = [item.kind for item in evidence.manifests]
    elsewhere = made_elsewhere(scene, "Service", name)
    if elsewhere:
        return fail(
            "service-in-other-namespace", Hop.SERVICE,
            service=name, namespace=scene.exercise.namespace, found=listed(elsewhere),
        )  # fmt: skip
    applied = [item for item in evidence.manifests if item.action is not Action.REFUSED]
    if applied and "Service" not in kinds:
        seen = listed(f"{item.kind}/{item.name}" for item in applied)
        return fail("wrong-kind", Hop.SERVICE, service=name, seen=seen, namespace=scene.exercise.namespace)
    others = sorted(name_of(item) for item in scene.objects.of("services"))
    given = Given(scene.exercise.namespace, "Service", name)
    if evidence.ground and given in {item.what for item in evidence.ground.laid}:
        facts = {"service": name, "namespace": scene.exercise.namespace, "services": listed(others)}
        return fail("service-deleted", Hop.SERVICE, **facts, exercise=scene.exercise.id)
    return fail(
        "service-missing", Hop.SERVICE, service=name, namespace=scene.exercise.namespace, services=listed(others)
    )


def wrong_type(service: RawObject, *, headless_too: bool, allowed: tuple[str, ...] = ()) -> Ruling | None:
    """Object to a Service that has no address of the kind that is needed."""
    spec = service["spec"]
    seen = str(spec.get("type", "ClusterIP"))
    if allowed and seen not in allowed:
        return fail("service-type-differs", Hop.SERVICE, service=name_of(service), expected=allowed[0], seen=seen)
    if seen == "ExternalName":
        return fail("service-is-external-name", Hop.SERVICE, service=name_of(service), target=spec.get("externalName"))
    if headless_too and spec.get("clusterIP") == "None":
        return fail("service-is-headless", Hop.SERVICE, service=name_of(service))
    return None


def port_missing(service: RawObject, number: int) -> Ruling | None:
    """Object to a Service without this TCP port."""
    ports = service["spec"].get("ports") or ()
    if any(port.get("port") == number and port.get("protocol", "TCP") == "TCP" for port in ports):
        return None
    return fail(
        "service-port-missing", Hop.SERVICE,
        service=name_of(service), expected=f"{number}/TCP", seen=listed(map(port_text, ports)),
    )  # fmt: skip


def more_addresses(service: RawObject) -> Ruling | None:
    """Object to externalIPs: one more way in, by the external policy, which no task asks for."""
    if not (addresses := service["spec"].get("externalIPs") or ()):
        return None
    return fail("external-addresses", Hop.SERVICE, service=name_of(service), addresses=listed(addresses))


def types_with(at: At) -> tuple[str, ...]:
    """Tell which types of Service have an address of this kind; empty: all that have a ClusterIP."""
    if at is At.NODE_PORT:
        return ("NodePort", "LoadBalancer")
    return ("LoadBalancer",) if at is At.LOAD_BALANCER else ()


def proxy_ignores(service: RawObject) -> Ruling | None:
    """Object to the label that makes kube-proxy leave a Service alone (cmd/kube-proxy/app/server.go)."""
    value = labels_of(service).get(PROXY_NAME_LABEL)
    if value is None:
        return None
    return fail("service-proxy-ignored", Hop.CLUSTER_IP, service=name_of(service), label=f"{PROXY_NAME_LABEL}={value}")


def address_missing(way: Way, scene: Scene, service: RawObject, asked: int | None) -> Ruling | None:
    """Object to a Service whose node port or load balancer's address is not there (yet), or is another one.

    Args:
        way: the way to its port.
        scene: what was observed.
        service: the Service.
        asked: the node port that the exercise asks for, None where it asks for none.
    """
    spec = service["spec"]
    port = service_port(service, way.port) or {}
    if way.at is At.NODE_PORT:
        node_port = port.get("nodePort")
        if not node_port:
            return fail("node-port-unset", Hop.SERVICE, service=name_of(service))
        if Vantage.LEARNER_HOST in way.sources and asked not in (None, node_port):
            # kind maps a few ports to the learner's host, other clusters every one: only the port asked for is judged
            return fail("node-port-differs", Hop.SERVICE, service=name_of(service), expected=asked, seen=node_port)
        if Vantage.LEARNER_HOST in way.sources and node_port not in scene.evidence.host_ports:
            mapped = listed(sorted(scene.evidence.host_ports))
            return fail(
                "node-port-not-mapped", Hop.LEARNER_HOST, service=name_of(service), port=node_port, mapped=mapped
            )
    if way.at is At.LOAD_BALANCER and not ingress_address(service):
        if problem := scene.problem("load-balancer-controller-down", "node-not-ready"):
            return environment(problem, Hop.OUTSIDE_CLIENT)
        if name := spec.get("loadBalancerClass"):
            ruling = fail("load-balancer-class-unserved", Hop.OUTSIDE_CLIENT, service=name_of(service), name=name)
            return ruling.once_quiet(scene.paced(STALE_SECONDS), Waits.LOAD_BALANCER)
        return not_yet("load-balancer-pending", Hop.OUTSIDE_CLIENT, Waits.LOAD_BALANCER, service=name_of(service))
    return None
