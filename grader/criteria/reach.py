"""Judge who answered at an address of a Service.

A reach that does not hold fails at once where objects and answers together explain it. Where nothing explains it, the
data plane is given time; after that it is the environment's fault, for everything the learner asked for is in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.causes.endpoints import endpoints_wrong, missing, port_missing, wrong_type
from grader.causes.handmade import relabelled
from grader.causes.patience import DATA_PLANE_SECONDS, STALE_SECONDS, SUSPECT_SECONDS, WATCH_SECONDS
from grader.causes.scene import Ruling, Scene, environment, fail, listed, not_yet, passed, vantage_text, word
from grader.causes.wanted import Wanted
from grader.model.evidence import Outcome, Problem, RawObject, ReachAnswer
from grader.model.exercise import At, Reach, Vantage
from grader.model.kubernetes import (
    PROXY_NAME_LABEL,
    actual_slices,
    hostname_of,
    ingress_address,
    internal_ip,
    labels_of,
    name_of,
    routed,
    service_port,
)
from grader.model.questions import control_questions, reach_questions, serving, vantage_node
from grader.model.report import Hop

ZONE_LABEL = "topology.kubernetes.io/zone"

HOPS = {
    Vantage.SAME_NAMESPACE: Hop.CLUSTER_IP,
    Vantage.OTHER_NAMESPACE: Hop.CLUSTER_IP,
    Vantage.OTHER_NODE: Hop.NODE,
    Vantage.OUTSIDE_CLIENT: Hop.OUTSIDE_CLIENT,
    Vantage.LEARNER_HOST: Hop.LEARNER_HOST,
}


def judge_reach(expect: Reach, scene: Scene) -> Ruling:
    """Judge a reach that must hold."""
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    objection = (
        wrong_type(service, headless_too=True, allowed=types_with(expect.at))
        or endpoints_wrong(scene, service, wanted_of(expect, scene))
        or proxy_ignores(service)
        or address_missing(expect, scene, service)
    )
    if objection:
        return objection
    questions = reach_questions(expect, scene.evidence.objects, scene.exercise.namespace, scene.evidence.host_ports)
    answers = [answer for question in questions if (answer := scene.reach_answer(question))]
    if not questions or len(answers) < len(questions):
        return not_yet("not-asked-yet", HOPS[expect.sources[0]], service=expect.service)
    if unasked := [answer for answer in answers if answer.outcome is Outcome.UNASKED]:
        return environment(scene.blind(unasked[0].question.vantage))
    pods = serving(scene.backends(expect.answered_by, expect.pods_in), expect.readiness)
    wanted = {hostname_of(pod) for pod in pods}
    for answer in answers:
        if ruling := _judge_answer(expect, scene, service, answer, wanted):
            return ruling
    vantages = listed(vantage_text(source.value) for source in expect.sources)
    facts = {"service": expect.service, "vantages": vantages, "count": len(wanted), "port": expect.port}
    if not expect.all_of_them:
        return passed(f"reach-{expect.at.value}-some", **facts)
    return passed(f"reach-{expect.at.value}", **facts, addresses=len({answer.question.host for answer in answers}))


def wanted_of(expect: Reach, scene: Scene) -> Wanted:
    """Say which endpoints the Service of a reach must have."""
    return Wanted(expect.answered_by, scene.wanted_port(expect), expect.port, expect.readiness, pods_in=expect.pods_in)


def judge_not_reach(expect: Reach, scene: Scene) -> Ruling:
    """Judge a reach that must not hold: nobody answers, while the same vantage reaches something else."""
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    if ruling := port_missing(service, expect.port):
        return ruling
    objects, namespace, host_ports = scene.evidence.objects, scene.exercise.namespace, scene.evidence.host_ports
    questions = reach_questions(expect, objects, namespace, host_ports)
    controls = (
        reach_questions(expect.control, objects, namespace, host_ports)
        if expect.control
        else control_questions(expect, objects)
    )
    answers = [answer for question in questions if (answer := scene.reach_answer(question))]
    control = [answer for question in controls if (answer := scene.reach_answer(question))]
    for answer in (*answers, *control):
        if answer.outcome is Outcome.UNASKED:
            return environment(scene.blind(answer.question.vantage))
    if len(answers) < len(questions) or not control or len(control) < len(controls):
        return not_yet("not-asked-yet", HOPS[expect.sources[0]], service=expect.service)
    if silent := [answer for answer in control if answer.outcome is not Outcome.ANSWERED]:
        return unexplained(expect, scene, silent[0])
    reached = [answer for answer in answers if answer.responders]
    if scene.quiet < WATCH_SECONDS:
        return not_yet("watching-silence", HOPS[expect.sources[0]], service=expect.service)
    if reached:
        question = reached[0].question
        return fail(
            "reached-though", HOPS[expect.sources[0]],
            service=expect.service, vantage=vantage_text(question.vantage),
            address=f"{question.host}:{question.port}", who=listed(reached[0].responders),
        )  # fmt: skip
    vantages = listed(vantage_text(source.value) for source in expect.sources)
    return passed("not-reached", service=expect.service, vantages=vantages)


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


def address_missing(expect: Reach, scene: Scene, service: RawObject) -> Ruling | None:
    """Object to a Service whose node port or load balancer's address is not there (yet), or is another one."""
    spec = service["spec"]
    port = service_port(service, expect.port) or {}
    if expect.at is At.NODE_PORT:
        node_port = port.get("nodePort")
        if not node_port:
            return fail("node-port-unset", Hop.SERVICE, service=name_of(service))
        asked = scene.wanted_node_port(expect)
        if Vantage.LEARNER_HOST in expect.sources and asked not in (None, node_port):
            # kind maps a few ports to the learner's host, other clusters every one: only the port asked for is judged
            return fail("node-port-differs", Hop.SERVICE, service=name_of(service), expected=asked, seen=node_port)
        if Vantage.LEARNER_HOST in expect.sources and node_port not in scene.evidence.host_ports:
            mapped = listed(sorted(scene.evidence.host_ports))
            return fail(
                "node-port-not-mapped", Hop.LEARNER_HOST, service=name_of(service), port=node_port, mapped=mapped
            )
    if expect.at is At.LOAD_BALANCER and not ingress_address(service):
        if problem := scene.problem("load-balancer-controller-down", "node-not-ready"):
            return environment(problem, Hop.OUTSIDE_CLIENT)
        if (name := spec.get("loadBalancerClass")) and scene.quiet >= STALE_SECONDS:
            return fail("load-balancer-class-unserved", Hop.OUTSIDE_CLIENT, service=name_of(service), name=name)
        return not_yet("load-balancer-pending", Hop.OUTSIDE_CLIENT, service=name_of(service))
    return None


def _judge_answer(
    expect: Reach, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]
) -> Ruling | None:
    """Say what is wrong with one answer, None where it is as wanted."""
    seen = set(answer.responders)
    facts = {
        "service": name_of(service),
        "vantage": vantage_text(answer.question.vantage),
        "address": f"{answer.question.host}:{answer.question.port}",
    }
    if strangers := sorted(seen - wanted):
        if scene.quiet < STALE_SECONDS:
            return not_yet("data-plane-moving", _hop(expect, answer), **facts, outcome=word("outcome", answer.outcome))
        return fail("unexpected-answer", Hop.RESPONSE, **facts, who=listed(strangers))
    satisfied = answer.outcome is Outcome.ANSWERED and (seen == wanted if expect.all_of_them else bool(seen))
    if satisfied:
        if scene.quiet < SUSPECT_SECONDS and _suspect(expect, scene, service, answer, wanted):
            return not_yet("data-plane-moving", _hop(expect, answer), **facts, outcome=word("outcome", answer.outcome))
        return None
    return (
        _policy(expect, scene, service, answer, wanted)
        or _nobody_listens(scene, service)
        or _kept_for_its_first_service(expect, scene, service, answer)
        or unexplained(expect, scene, answer)
    )


def _suspect(expect: Reach, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]) -> bool:
    """Tell whether a policy says this answer cannot last: what answered may be the rules of before a change."""
    spec = service["spec"]
    if relabelled(scene, service):
        return True
    several = expect.all_of_them and len(wanted) > 1
    if spec.get("sessionAffinity") == "ClientIP" and several:
        return True
    if _inside(expect) and spec.get("internalTrafficPolicy") == "Local":
        node = vantage_node(answer.question.vantage, scene.evidence.objects)
        return _local(expect, scene, service, node) < wanted
    if not _inside(expect) and spec.get("externalTrafficPolicy") == "Local":
        node = _node_of(scene, answer.question.host)
        return not node or _local(expect, scene, service, node) < wanted
    if several and (near := _near(expect, scene, service, _handled_by(expect, scene, answer))):
        return near < wanted
    return expect.at is At.LOAD_BALANCER and bool(_narrow_ranges(spec))


def _policy(expect: Reach, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]) -> Ruling | None:
    """Find a policy of the Service that keeps some Pods from answering here (pkg/proxy/topology.go)."""
    spec, question = service["spec"], answer.question
    seen = set(answer.responders)
    facts = {"service": name_of(service), "vantage": vantage_text(question.vantage), "seen": listed(sorted(seen))}
    if _inside(expect) and spec.get("internalTrafficPolicy") == "Local":
        node = vantage_node(question.vantage, scene.evidence.objects)
        if _cut_off(_local(expect, scene, service, node), seen, wanted):
            return fail("internal-traffic-policy-local", Hop.CLUSTER_IP, **facts, node=node)
    if expect.at is At.LOAD_BALANCER and not seen and (ranges := _narrow_ranges(spec)):
        if scene.quiet >= STALE_SECONDS:
            return fail("source-ranges-exclude-client", Hop.OUTSIDE_CLIENT, **facts, ranges=listed(ranges))
    if not _inside(expect) and spec.get("externalTrafficPolicy") == "Local":
        node = _node_of(scene, question.host)
        if node and _cut_off(_local(expect, scene, service, node), seen, wanted):
            return fail("external-traffic-policy-local", Hop.NODE, **facts, node=node)
        if not node and seen and scene.quiet >= STALE_SECONDS:  # which node announces the address is not known
            return fail("external-traffic-policy-local", Hop.NODE, **facts, node=question.host)
    if spec.get("sessionAffinity") == "ClientIP" and expect.all_of_them and len(wanted) > 1 and len(seen) == 1:
        return fail("session-affinity-pins", Hop.RESPONSE, **facts, count=len(wanted))
    node = _handled_by(expect, scene, answer)
    if seen and seen <= _near(expect, scene, service, node) < wanted:
        facts["distribution"] = str(spec["trafficDistribution"])
        return fail("traffic-distribution-prefers-near", Hop.CLUSTER_IP, **facts, node=node)
    return None


def _inside(expect: Reach) -> bool:
    """Tell whether the internal traffic policy rules over this address, and not the external one."""
    return expect.at in (At.NAME, At.CLUSTER_IP)


def _narrow_ranges(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Read loadBalancerSourceRanges that do not let everybody in."""
    ranges = tuple(spec.get("loadBalancerSourceRanges") or ())
    return () if {"0.0.0.0/0", "::/0"} & set(ranges) else ranges


def _node_of(scene: Scene, host: str) -> str:
    """Find the node with this InternalIP, "" where it is another address."""
    nodes = scene.evidence.objects.get("nodes", ())
    return next((name_of(node) for node in nodes if internal_ip(node) == host), "")


def _local(expect: Reach, scene: Scene, service: RawObject, node: str) -> set[str]:
    """List the host names of the endpoints that are on a node."""
    port = service_port(service, expect.port) or {}
    slices = actual_slices(service, scene.slices)
    endpoints = routed(item for item in slices if item.port_name == str(port.get("name", "")))
    local = {endpoint.name for endpoint in endpoints if endpoint.node == node}
    return {hostname_of(pod) for pod in scene.pods if name_of(pod) in local}


def _handled_by(expect: Reach, scene: Scene, answer: ReachAnswer) -> str:
    """Find the node whose kube-proxy chose who answers, "" where it is not known."""
    if _inside(expect):
        return vantage_node(answer.question.vantage, scene.evidence.objects)
    return _node_of(scene, answer.question.host)


def _near(expect: Reach, scene: Scene, service: RawObject, node: str) -> set[str]:
    """List the host names of the endpoints that trafficDistribution prefers on a node, none where it prefers none.

    Rule: topologyModeFromHints in pkg/proxy/topology.go.
    """
    distribution = service["spec"].get("trafficDistribution")
    if not distribution or not node:
        return set()
    own = _local(expect, scene, service, node)
    if distribution == "PreferSameNode" and own:
        return own
    zones = {name_of(item): labels_of(item).get(ZONE_LABEL, "") for item in scene.evidence.objects.get("nodes", ())}
    if not zones.get(node):
        return set()
    same = (other for other, zone in zones.items() if zone == zones[node])
    return set().union(*(_local(expect, scene, service, other) for other in same))


def _cut_off(local: set[str], seen: set[str], wanted: set[str]) -> bool:
    """Tell whether a Local policy leaves fewer Pods than wanted, and the answer agrees with that."""
    return local < wanted and seen <= local and (bool(seen) or not local)


def _nobody_listens(scene: Scene, service: RawObject) -> Ruling | None:
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


def _kept_for_its_first_service(expect: Reach, scene: Scene, service: RawObject, answer: ReachAnswer) -> Ruling | None:
    """Blame silence on a slice whose label was changed, once the data plane had time to show otherwise."""
    slices = relabelled(scene, service)
    waited = max(SUSPECT_SECONDS * scene.evidence.pace, WATCH_SECONDS)
    if not slices or answer.outcome is not Outcome.TIMEOUT or scene.evidence.quiet_for < waited:
        return None
    return fail("slice-relabelled", _hop(expect, answer), service=name_of(service), slices=listed(slices))


def unexplained(expect: Reach, scene: Scene, answer: ReachAnswer) -> Ruling:
    """Give the data plane time; then look for what is wrong with the environment."""
    if problem := scene.problem("kube-proxy-down", "node-not-ready"):
        return environment(problem, _hop(expect, answer))
    facts = {
        "service": expect.service,
        "vantage": vantage_text(answer.question.vantage),
        "address": f"{answer.question.host}:{answer.question.port}",
        "outcome": word("outcome", answer.outcome),
    }
    if expect.at is At.NAME and answer.outcome is Outcome.NAME_ERROR and (down := scene.problem("dns-server-down")):
        return environment(down, Hop.DNS)
    if scene.evidence.quiet_for < DATA_PLANE_SECONDS:  # silence is no news: a busy machine is silent too
        return not_yet("data-plane-moving", _hop(expect, answer), **facts)
    return environment(Problem("data-plane-silent", facts), _hop(expect, answer))


def _hop(expect: Reach, answer: ReachAnswer) -> Hop:
    vantage = answer.question.vantage
    if expect.at is At.NODE_PORT and vantage not in (Vantage.OUTSIDE_CLIENT, Vantage.LEARNER_HOST):
        return Hop.NODE
    return HOPS[Vantage(vantage)] if not vantage.startswith("node/") else Hop.NODE
