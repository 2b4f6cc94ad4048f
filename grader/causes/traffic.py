"""Causes of an answer that is not as wanted, along any way to a Service port.

What does not hold fails at once where objects and answers together explain it. Where nothing explains it, a Service of
our own is asked as well (`silence`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.causes.answers import address_of
from grader.causes.handmade import relabelled
from grader.causes.patience import BALANCER_SECONDS, DATA_PLANE_SECONDS, STALE_SECONDS
from grader.causes.ruling import Ruling, environment, fail
from grader.causes.scene import Scene
from grader.causes.silence import unanswered
from grader.causes.way import Way
from grader.causes.words import listed, vantage_text, word
from grader.model.evidence import Outcome, ReachAnswer
from grader.model.kubernetes import (
    actual_slices,
    addresses_of,
    has_cluster_ip,
    hostname_of,
    internal_ip,
    labels_of,
    name_of,
    routed,
    service_port,
)
from grader.model.objects import RawObject
from grader.model.report import Hop
from grader.model.vantage import At, Vantage, vantage_node

ZONE_LABEL = "topology.kubernetes.io/zone"
MODES = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")  # the first wins

HOPS = {
    Vantage.SAME_NAMESPACE: Hop.CLUSTER_IP,
    Vantage.OTHER_NAMESPACE: Hop.CLUSTER_IP,
    Vantage.OTHER_NODE: Hop.NODE,
    Vantage.OUTSIDE_CLIENT: Hop.OUTSIDE_CLIENT,
    Vantage.LEARNER_HOST: Hop.LEARNER_HOST,
}


def of_strangers(way: Way, scene: Scene, service: RawObject, answer: ReachAnswer, strangers: set[str]) -> Ruling:
    """Object to answers of Pods that must not answer, once those cannot be of before a change."""
    ruling = fail("unexpected-answer", Hop.RESPONSE, **facts_of(way.service, answer), who=listed(sorted(strangers)))
    late = BALANCER_SECONDS if way.at is At.LOAD_BALANCER else DATA_PLANE_SECONDS
    return ruling.once_quiet(scene.paced(STALE_SECONDS if sent_to(scene, service, strangers) else late))


def sent_to(scene: Scene, service: RawObject, names: set[str], namespace: str = "") -> bool:
    """Tell whether the EndpointSlices of a Service hold Pods of all these host names; else others sent somebody there.

    Args:
        scene: what was observed.
        service: the Service.
        names: host names of Pods.
        namespace: a further Namespace where they are, "" for the exercise's own.
    """
    slices = actual_slices(service, scene.objects.of("endpointslices", namespace))
    addresses = {endpoint.address for endpoint in slices}
    pods = scene.objects.of("pods", namespace)
    return names <= {hostname_of(pod) for pod in pods if addresses.intersection(addresses_of(pod))}


def suspect(way: Way, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]) -> bool:
    """Tell whether a policy says this answer cannot last: what answered may be the rules of before a change."""
    spec = service["spec"]
    if relabelled(scene, service):
        return True
    several = way.all_of_them and len(wanted) > 1
    if spec.get("sessionAffinity") == "ClientIP" and several:
        return True
    if way.inside and spec.get("internalTrafficPolicy") == "Local":
        node = vantage_node(answer.question.vantage, scene.objects)
        return _local(way, scene, service, node) < wanted
    if not way.inside and spec.get("externalTrafficPolicy") == "Local":
        node = _node_of(scene, answer.question.host)
        return not node or _local(way, scene, service, node) < wanted
    if several and (nearest := near(way, scene, service, _handled_by(way, scene, answer))):
        return nearest < wanted
    return False


def policy_keeps_out(
    way: Way, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]
) -> Ruling | None:
    """Find a policy of the Service that keeps some Pods from answering here (pkg/proxy/topology.go)."""
    spec, question = service["spec"], answer.question
    seen = set(answer.responders)
    facts = {"service": name_of(service), "vantage": vantage_text(question.vantage), "seen": listed(sorted(seen))}
    stale, meanwhile = scene.paced(STALE_SECONDS), facts_of(name_of(service), answer)
    if way.inside and spec.get("internalTrafficPolicy") == "Local":
        node = vantage_node(question.vantage, scene.objects)
        if _cut_off(_local(way, scene, service, node), seen, wanted):
            return _internal_local(scene, service, way.port)
    if not way.inside and spec.get("externalTrafficPolicy") == "Local":
        node = _node_of(scene, question.host)
        if node and _cut_off(_local(way, scene, service, node), seen, wanted):
            return fail("external-traffic-policy-local", Hop.NODE, **facts, node=node)
        if not node and seen:  # which node announces the address is not known
            ruling = fail("external-traffic-policy-local", Hop.NODE, **facts, node=question.host)
            return ruling.once_quiet(stale, meanwhile=meanwhile)
    if spec.get("sessionAffinity") == "ClientIP" and way.all_of_them and len(wanted) > 1 and len(seen) == 1:
        return fail("session-affinity-pins", Hop.RESPONSE, **facts, count=len(wanted))
    node = _handled_by(way, scene, answer)
    if seen and seen <= near(way, scene, service, node) < wanted:
        facts["distribution"] = str(spec["trafficDistribution"])
        return fail("traffic-distribution-prefers-near", Hop.CLUSTER_IP, **facts, node=node)
    return None


def served_locally(scene: Scene, service: RawObject, number: int, namespace: str = "") -> Ruling | None:
    """Object to an internalTrafficPolicy Local with a node that has no endpoint: its clients get no answer.

    Rule: pkg/proxy/topology.go, CategorizeEndpoints.

    Args:
        scene: what was observed.
        service: the Service.
        number: its port.
        namespace: a further Namespace where it is, "" for the exercise's own.
    """
    if service["spec"].get("internalTrafficPolicy") != "Local" or not has_cluster_ip(service):
        return None
    served = _nodes_with_endpoints(scene, service, number, namespace)
    starved = any(name_of(node) not in served for node in scene.objects.of("nodes"))
    return _internal_local(scene, service, number, namespace) if starved else None


def _internal_local(scene: Scene, service: RawObject, number: int, namespace: str = "") -> Ruling:
    served = _nodes_with_endpoints(scene, service, number, namespace)
    empty = {name_of(node) for node in scene.objects.of("nodes")} - served
    facts = {"service": name_of(service), "nodes": listed(sorted(served)), "others": listed(sorted(empty))}
    return fail("internal-traffic-policy-local", Hop.CLUSTER_IP, **facts)


def _nodes_with_endpoints(scene: Scene, service: RawObject, number: int, namespace: str) -> set[str]:
    port = service_port(service, number) or {}
    slices = actual_slices(service, scene.objects.of("endpointslices", namespace))
    return {item.node for item in routed(slices) if item.port_name == str(port.get("name", ""))}


def narrow_ranges(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Read loadBalancerSourceRanges that do not let everybody in."""
    ranges = tuple(spec.get("loadBalancerSourceRanges") or ())
    return () if {"0.0.0.0/0", "::/0"} & set(ranges) else ranges


def _node_of(scene: Scene, host: str) -> str:
    """Find the node with this InternalIP, "" where it is another address."""
    nodes = scene.objects.of("nodes")
    return next((name_of(node) for node in nodes if internal_ip(node) == host), "")


def _local(way: Way, scene: Scene, service: RawObject, node: str) -> set[str]:
    """List the host names of the endpoints that are on a node."""
    port = service_port(service, way.port) or {}
    slices = actual_slices(service, scene.slices)
    endpoints = routed(item for item in slices if item.port_name == str(port.get("name", "")))
    local = {endpoint.name for endpoint in endpoints if endpoint.node == node}
    return {hostname_of(pod) for pod in scene.pods if name_of(pod) in local}


def _handled_by(way: Way, scene: Scene, answer: ReachAnswer) -> str:
    """Find the node whose kube-proxy chose who answers, "" where it is not known."""
    if way.inside:
        return vantage_node(answer.question.vantage, scene.objects)
    return _node_of(scene, answer.question.host)


def near(way: Way, scene: Scene, service: RawObject, node: str) -> set[str]:
    """List the host names of the endpoints that trafficDistribution prefers on a node, none where it prefers none.

    Rule: topologyModeFromHints in pkg/proxy/topology.go; hintsEnabled in k8s.io/endpointslice/utils.go.
    """
    distribution = service["spec"].get("trafficDistribution")
    if not distribution or not node or mode_by_annotation(service):
        return set()
    own = _local(way, scene, service, node)
    if distribution == "PreferSameNode" and own:
        return own
    zones = {name_of(item): labels_of(item).get(ZONE_LABEL, "") for item in scene.objects.of("nodes")}
    if not zones.get(node):
        return set()
    same = (other for other, zone in zones.items() if zone == zones[node])
    return set().union(*(_local(way, scene, service, other) for other in same))


def mode_by_annotation(service: RawObject) -> str:
    """Name the annotation by which trafficDistribution is not looked at, with its value; "" where there is none."""
    annotations = service["metadata"].get("annotations") or {}
    key = next((key for key in MODES if key in annotations), "")
    return f"{key}: {annotations[key]}" if key and annotations[key] in ("Auto", "auto") else ""


def _cut_off(local: set[str], seen: set[str], wanted: set[str]) -> bool:
    """Tell whether a Local policy leaves fewer Pods than wanted, and the answer agrees with that."""
    return local < wanted and seen <= local and (bool(seen) or not local)


def nobody_listens(scene: Scene, service: RawObject) -> Ruling | None:
    """Find an endpoint that refuses connections when it is asked directly, past the Service."""
    refused: dict[str, None] = {}
    for endpoint in sorted(actual_slices(service, scene.slices)):
        for answer in scene.evidence.reach:
            question = answer.question
            if (question.host, question.port) == (endpoint.address, endpoint.port) and answer.outcome in (
                Outcome.REFUSED,
                Outcome.BAD_RESPONSE,
            ):
                refused[f"{endpoint.address}:{endpoint.port}"] = None
    if not refused:
        return None
    return fail("target-port-nobody-listens", Hop.ENDPOINT_SLICE, service=name_of(service), endpoints=listed(refused))


def kept_for_its_first_service(way: Way, scene: Scene, service: RawObject, answer: ReachAnswer) -> Ruling | None:
    """Blame silence on a slice whose label was changed, where a Service of our own is answered."""
    slices = relabelled(scene, service)
    if not slices or answer.outcome is not Outcome.TIMEOUT:
        return None
    named = fail("slice-relabelled", hop_of(way, answer), service=name_of(service), slices=listed(slices))
    return unexplained(way, scene, answer, named)


def explained(way: Way, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]) -> Ruling:
    """Say why those who must answer along a way do not, or not all of them."""
    return (
        policy_keeps_out(way, scene, service, answer, wanted)
        or nobody_listens(scene, service)
        or kept_for_its_first_service(way, scene, service, answer)
        or unexplained(way, scene, answer)
    )


def unexplained(way: Way, scene: Scene, answer: ReachAnswer, named: Ruling | None = None) -> Ruling:
    """Look for what is wrong with the environment; else compare with a Service of our own, as `unanswered`."""
    if problem := scene.problem("kube-proxy-down", "node-not-ready"):
        return environment(problem, hop_of(way, answer))
    if way.at is At.NAME and answer.outcome is Outcome.NAME_ERROR and (down := scene.problem("dns-server-down")):
        return environment(down, Hop.DNS)
    if way.at is At.LOAD_BALANCER and (gone := scene.problem("load-balancer-controller-down")):
        return environment(gone, hop_of(way, answer))
    return unanswered(scene, answer, facts_of(way.service, answer), hop_of(way, answer), named)


def facts_of(service: str, answer: ReachAnswer) -> dict[str, str]:
    """Say what was asked of a Service, and how that ended."""
    return {
        "service": service,
        "vantage": vantage_text(answer.question.vantage),
        "address": address_of(answer.question),
        "outcome": word("outcome", answer.outcome),
    }


def hop_of(way: Way, answer: ReachAnswer) -> Hop:
    """Tell at which hop an answer is missing."""
    vantage = answer.question.vantage
    if way.at is At.NODE_PORT and vantage not in (Vantage.OUTSIDE_CLIENT, Vantage.LEARNER_HOST):
        return Hop.NODE
    return HOPS[Vantage(vantage)] if not vantage.startswith("node/") else Hop.NODE
