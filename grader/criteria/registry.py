"""Judge each kind of expectation. A new kind is one class in the model and one function here."""

from __future__ import annotations

from dataclasses import replace

from grader.causes.endpoints import endpoints_wrong, missing, wrong_type
from grader.causes.names import name_wrong, named_service
from grader.causes.partial import Difference, differences
from grader.causes.patience import DNS_SECONDS, STALE_SECONDS
from grader.causes.resolving import lookup
from grader.causes.scene import (
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
from grader.causes.shown import RESOURCES, comparable, records, shown, text
from grader.causes.wanted import Wanted
from grader.criteria.calls import judge_call, judge_env
from grader.criteria.policies import judge_affinity, judge_local, judge_source
from grader.criteria.reach import judge_not_reach, judge_reach
from grader.model.evidence import Outcome, Problem, RawObject
from grader.model.exercise import (
    Affinity,
    Call,
    ConfigKey,
    Criterion,
    Dns,
    Endpoints,
    Env,
    Local,
    Object,
    Reach,
    Readiness,
    Source,
)
from grader.model.kubernetes import name_of
from grader.model.questions import dns_question, home_of, serving
from grader.model.report import Hop, Verdict


def rule(criterion: Criterion, scene: Scene) -> Ruling:
    """Judge one criterion, and say what was expected and seen."""
    expect = criterion.expect
    match expect:
        case Object():
            ruling = judge_object(expect, scene)
        case Endpoints():
            ruling = judge_endpoints(expect, scene)
        case Dns():
            ruling = judge_dns(expect, scene)
        case Reach():
            ruling = judge_not_reach(expect, scene) if criterion.negated else judge_reach(expect, scene)
        case Call():
            ruling = judge_call(expect, scene)
        case Local():
            ruling = judge_local(expect, scene)
        case Source():
            ruling = judge_source(expect, scene)
        case Affinity():
            ruling = judge_affinity(expect, scene)
        case Env():
            ruling = judge_env(expect, scene)
    if criterion.negated and isinstance(expect, Endpoints | Dns):
        ruling = _negate(expect, ruling, scene)
    expected, seen = shown(expect, scene)
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
    facts = {"service": expect.name, "expected": first.expected, "seen": text(first.seen)}
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
        kind=expect.kind, name=expect.name, field=".".join(first.path),
        seen=text(first.seen), expected=text(first.expected),
    )  # fmt: skip


def judge_endpoints(expect: Endpoints, scene: Scene) -> Ruling:
    """Judge the endpoints of a Service: exactly these Pods, by UID, ready, with this resolved port."""
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    wanted = Wanted(expect.pods, expect.port, expect.service_port, expect.readiness, expect.among, expect.pods_in)
    if objection := wrong_type(service, headless_too=False) or endpoints_wrong(scene, service, wanted):
        return objection
    pods = scene.backends(expect.pods, expect.pods_in)
    if expect.count is not None and len(pods) != expect.count:
        return fail(
            "backend-pods-differ", Hop.ENDPOINT_SLICE,
            labels=label_text(expect.pods), count=expect.count, seen=len(pods),
        )  # fmt: skip
    ready = serving(pods, Readiness.REQUIRED)
    code = {Readiness.GATED: "endpoints-gated", Readiness.PUBLISHED: "endpoints-published"}
    return passed(
        code.get(expect.readiness, "endpoints-exact"),
        service=expect.service, count=len(pods), ready=len(ready), unready=len(pods) - len(ready), port=expect.port,
    )  # fmt: skip


def judge_dns(expect: Dns, scene: Scene) -> Ruling:
    """Judge the exact RRset and response code of a name."""
    objects = scene.evidence.objects
    question = dns_question(expect, objects)
    if isinstance(expect.name, ConfigKey) and not question.name:
        return fail("call-value-missing", Hop.SERVICE, name=expect.name.config_map, key=expect.name.key)
    service = named_service(expect, question.name, scene)
    if objection := name_wrong(expect, question.name, service):
        return objection
    if service is None and (expect.is_ == "cluster-ip" or (expect.is_ != "nothing" and expect.rcode == "NOERROR")):
        return missing(scene, expect.service)
    wanted = records(expect, scene, service)
    answer = scene.dns_answer(question)
    facts = {"name": question.name, "type": expect.type, "vantage": vantage_text(expect.source.value)}
    if answer is None:
        return not_yet("not-asked-yet", Hop.DNS, service=expect.service)
    if answer.outcome is Outcome.UNASKED:
        return environment(scene.blind(expect.source.value), Hop.DNS)
    seen = comparable(expect.type, answer.records)
    if answer.outcome is Outcome.ANSWERED and answer.rcode == expect.rcode and seen == comparable(expect.type, wanted):
        return passed("dns-exact", **facts, records=listed(wanted) if wanted else answer.rcode)
    facts |= {"rcode": answer.rcode or word("outcome", answer.outcome), "seen": listed(answer.records)}
    if problem := scene.problem("dns-server-down", "node-not-ready"):
        return environment(problem, Hop.DNS)
    certain = expect.is_ == "cluster-ip" and not isinstance(expect.name, ConfigKey)
    if expect.type == "A" and wanted and not certain:
        home = home_of(expect.source, scene.exercise.namespace)
        certain = lookup(scene, question.name, home) == frozenset(wanted)
    if expect.type == "SRV" and service is not None and service["spec"].get("clusterIP") not in (None, "", "None"):
        certain = certain or answer.rcode == "NXDOMAIN"  # its port has the name: `name_wrong` looked
    if scene.quiet < (DNS_SECONDS if certain else STALE_SECONDS):
        return not_yet("dns-moving", Hop.DNS, **facts)
    if certain or answer.outcome is not Outcome.ANSWERED:
        return environment(Problem("dns-silent", {key: str(value) for key, value in facts.items()}), Hop.DNS)
    if answer.rcode == "NXDOMAIN" and expect.rcode == "NOERROR":
        return fail("dns-name-unknown", Hop.DNS, **facts)
    return fail("dns-differs", Hop.DNS, **facts, expected=listed(wanted) if wanted else expect.rcode)


def _negate(expect: Endpoints | Dns, ruling: Ruling, scene: Scene) -> Ruling:
    """Turn a ruling round: what holds must not, and what was seen not to hold is what was asked."""
    if isinstance(expect, Dns):
        answer = scene.dns_answer(dns_question(expect, scene.evidence.objects))
        answered = answer is not None and answer.outcome is Outcome.ANSWERED
        if ruling.verdict is not Verdict.PASS and answered:  # the control: the server did answer
            if scene.quiet < STALE_SECONDS:
                return not_yet("watching-silence", Hop.DNS, service=expect.service)
            return passed("not-dns", name=answer.question.name if answer else "", type=expect.type)
    if ruling.verdict is Verdict.PASS:
        return fail("holds-though", service=expect.service)
    if ruling.verdict is Verdict.FAIL and not ruling.finding.diagnosis.startswith(("service-missing", "backend-pods")):
        return passed("not-endpoints", service=expect.service)
    return ruling
