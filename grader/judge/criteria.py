"""Judge each kind of expectation. A new kind is one class in the model and one function here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from grader.judge.causes import endpoints_wrong, missing, wrong_type
from grader.judge.partial import Difference, differences
from grader.judge.reach import describe, judge_not_reach, judge_reach
from grader.judge.scene import (
    Ruling,
    Scene,
    environment,
    fail,
    label_text,
    listed,
    not_yet,
    passed,
    port_text,
    vantage_text,
    word,
)
from grader.model.evidence import Outcome, Problem, RawObject
from grader.model.exercise import Criterion, Dns, Endpoints, Object, Reach
from grader.model.kubernetes import actual_slices, hostname_of, name_of
from grader.model.questions import dns_question, living, reach_questions
from grader.model.report import Hop, Verdict

DNS_SECONDS = 35.0  # CoreDNS may remember for 30 s that a name was not there (plugin cache, where it is not disabled)
STALE_SECONDS = 2.0
RESOURCES = {
    "Service": "services",
    "Pod": "pods",
    "EndpointSlice": "endpointslices",
    "Deployment": "deployments",
}


def rule(criterion: Criterion, scene: Scene) -> Ruling:
    """Judge one criterion, and say what was expected and seen."""
    expect = criterion.expect
    if isinstance(expect, Object):
        ruling = judge_object(expect, scene)
    elif isinstance(expect, Endpoints):
        ruling = judge_endpoints(expect, scene)
    elif isinstance(expect, Dns):
        ruling = judge_dns(expect, scene)
    else:
        ruling = judge_not_reach(expect, scene) if criterion.negated else judge_reach(expect, scene)
    if criterion.negated and not isinstance(expect, Reach):
        ruling = _negate(expect, ruling, scene)
    expected, seen = _shown(expect, scene)
    return replace(ruling, expected=ruling.expected or expected, seen=ruling.seen or seen)


def judge_object(expect: Object, scene: Scene) -> Ruling:
    """Judge an object as a partial manifest, or its absence."""
    items = scene.evidence.objects.get(RESOURCES[expect.kind], ())
    found = next((item for item in items if name_of(item) == expect.name), None)
    if expect.absent:
        if found is None:
            return passed("object-absent", kind=expect.kind, name=expect.name)
        return fail("object-present", kind=expect.kind, name=expect.name)
    if found is None:
        if expect.kind == "Service":
            return missing(scene, expect.name)
        return fail("object-missing", kind=expect.kind, name=expect.name, namespace=scene.exercise.namespace)
    different = differences(expect.matches, found)
    if not different:
        return passed("object-matches", kind=expect.kind, name=expect.name)
    if expect.kind == "Service":
        return _service_differs(expect, found, different[0])
    return _differs(expect, different[0])


def _service_differs(expect: Object, service: RawObject, first: Difference) -> Ruling:
    facts = {"service": expect.name, "expected": first.expected, "seen": _text(first.seen)}
    if first.path == ("spec", "type"):
        return fail("service-type-differs", Hop.SERVICE, **facts)
    if first.path == ("spec", "clusterIP") and first.seen == "None":
        return fail("service-is-headless", Hop.SERVICE, service=expect.name)
    if first.path[:2] == ("spec", "ports") and isinstance(expect.matches["spec"]["ports"], list):
        asked = expect.matches["spec"]["ports"]
        if first.path[2:] in (("port",), ("protocol",)) or len(first.path) == 2:
            shown = listed(map(port_text, asked))
            seen = listed(map(port_text, service["spec"].get("ports") or ()))
            return fail("service-port-missing", Hop.SERVICE, service=expect.name, expected=shown, seen=seen)
        code = {"nodePort": "node-port-differs", "name": "port-name-differs"}.get(first.path[-1])
        if code:
            return fail(code, Hop.SERVICE, **facts)
    return _differs(expect, first)


def _differs(expect: Object, first: Difference) -> Ruling:
    return fail(
        "object-differs",
        kind=expect.kind, name=expect.name, field=".".join(first.path), seen=_text(first.seen), expected=first.expected,
    )  # fmt: skip


def judge_endpoints(expect: Endpoints, scene: Scene) -> Ruling:
    """Judge the endpoints of a Service: exactly these Pods, by UID, ready, with this resolved port."""
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    objection = wrong_type(service, headless_too=False) or endpoints_wrong(
        scene, service, expect.pods, expect.port, expect.service_port
    )
    if objection:
        return objection
    pods = living(scene.pods, expect.pods)
    if expect.count is not None and len(pods) != expect.count:
        return fail(
            "backend-pods-differ", Hop.ENDPOINT_SLICE,
            labels=label_text(expect.pods), count=expect.count, seen=len(pods),
        )  # fmt: skip
    return passed("endpoints-exact", service=expect.service, count=len(pods), port=expect.port)


def judge_dns(expect: Dns, scene: Scene) -> Ruling:
    """Judge the exact RRset and response code of a name."""
    service = scene.service(expect.service)
    wanted: tuple[str, ...] = expect.is_ if isinstance(expect.is_, tuple) else ()
    if expect.is_ == "cluster-ip":
        if service is None:
            return missing(scene, expect.service)
        if ruling := wrong_type(service, headless_too=True):
            return ruling
        wanted = (str(service["spec"].get("clusterIP", "")),)
    answer = scene.dns_answer(dns_question(expect))
    facts = {"name": expect.name, "type": expect.type, "vantage": vantage_text(expect.source.value)}
    if answer is None:
        return not_yet("not-asked-yet", Hop.DNS, service=expect.service)
    if answer.outcome is Outcome.UNASKED:
        return environment(scene.blind(expect.source.value), Hop.DNS)
    if answer.outcome is Outcome.ANSWERED and answer.rcode == expect.rcode and answer.records == tuple(sorted(wanted)):
        return passed("dns-exact", **facts, records=listed(wanted))
    facts |= {"rcode": answer.rcode or word("outcome", answer.outcome), "seen": listed(answer.records)}
    if problem := scene.problem("dns-server-down", "node-not-ready"):
        return environment(problem, Hop.DNS)
    if scene.evidence.quiet_for < (DNS_SECONDS if expect.is_ == "cluster-ip" else STALE_SECONDS):
        return not_yet("dns-moving", Hop.DNS, **facts)
    if expect.is_ == "cluster-ip" or answer.outcome is not Outcome.ANSWERED:
        return environment(Problem("dns-silent", {key: str(value) for key, value in facts.items()}), Hop.DNS)
    return fail("dns-differs", Hop.DNS, **facts, expected=listed(wanted))


def _negate(expect: Endpoints | Dns | Object, ruling: Ruling, scene: Scene) -> Ruling:
    """Turn a ruling round: what holds must not, and what was seen not to hold is what was asked."""
    if isinstance(expect, Dns):
        answer = scene.dns_answer(dns_question(expect))
        answered = answer is not None and answer.outcome is Outcome.ANSWERED
        if ruling.verdict is not Verdict.PASS and answered:  # the control: the server did answer
            if scene.evidence.quiet_for < STALE_SECONDS:
                return not_yet("watching-silence", Hop.DNS, service=expect.service)
            return passed("not-dns", name=expect.name, type=expect.type)
    if ruling.verdict is Verdict.PASS:
        return fail("holds-though", service=expect.service)
    if ruling.verdict is Verdict.FAIL and not ruling.finding.diagnosis.startswith(("service-missing", "backend-pods")):
        return passed("not-endpoints", service=expect.service)
    return ruling


def _shown(expect: Object | Endpoints | Dns | Reach, scene: Scene) -> tuple[str, str]:
    """Say for a person what is expected, and what was seen."""
    if isinstance(expect, Object):
        return _shown_object(expect, scene)
    service = scene.service(expect.service)
    if isinstance(expect, Endpoints):
        expected = [f"{name_of(pod)}:{expect.port}" for pod in living(scene.pods, expect.pods)]
        endpoints = sorted(actual_slices(service, scene.slices)) if service else []
        seen = [
            f"{endpoint.name or endpoint.address}:{endpoint.port or word('plain', 'no-port')}"
            for endpoint in endpoints
            if endpoint.ready
        ]
        return listed(expected), listed(sorted(seen))
    if isinstance(expect, Dns):
        told = scene.dns_answer(dns_question(expect))
        address = str(service["spec"].get("clusterIP", "")) if service else "ClusterIP"
        records = (
            {"cluster-ip": (address,), "nothing": ()}.get(expect.is_, ()) if isinstance(expect.is_, str) else expect.is_
        )
        seen_text = f"{told.rcode or word('outcome', told.outcome)} {listed(told.records)}" if told else ""
        return f"{expect.rcode} {listed(records)}", seen_text
    questions = reach_questions(expect, scene.evidence.objects, scene.exercise.namespace, scene.evidence.host_ports)
    answers = [answer for question in questions if (answer := scene.reach_answer(question))]
    return listed(hostname_of(pod) for pod in living(scene.pods, expect.answered_by)), describe(answers)


def _shown_object(expect: Object, scene: Scene) -> tuple[str, str]:
    items = scene.evidence.objects.get(RESOURCES[expect.kind], ())
    found = next((item for item in items if name_of(item) == expect.name), None)
    name = f"{expect.kind}/{expect.name}"
    expected = word("plain", "absent") if expect.absent else f"{name} {', '.join(_leaves(expect.matches))}"
    if found is None:
        return expected, word("plain", "absent")
    wrong = [f"{'.'.join(item.path)}={_text(item.seen)}" for item in differences(expect.matches, found)]
    return expected, f"{name} {', '.join(wrong)}" if wrong else expected


def _leaves(value: object, path: str = "") -> list[str]:
    """Write a partial manifest as "spec.type=NodePort", one text a value."""
    if isinstance(value, Mapping):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".strip("."))]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [leaf for item in value for leaf in _leaves(item, path)]
    return [f"{path}={value}"]


def _text(value: object) -> str:
    return word("plain", "none") if value is None else str(value)
