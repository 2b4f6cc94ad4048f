"""Calls to what the learner wrote down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.causes.resolving import lookup
from grader.causes.scene import Scene
from grader.criteria.call import Call
from grader.model.evidence import Evidence, Outcome, Problem, ReachAnswer, ReachQuestion
from grader.model.exercise import Exercise
from grader.model.ground import Given, GroundRule
from grader.model.report import Hop, Verdict
from grader.model.vantage import ConfigKey, Vantage
from tests.judge.telling import NOBODY, REFUSED, only, told
from tests.judge.world import CLUSTER_IP, LABELS, SERVICE, World, criterion, exercise, laid, service, slices

KEY = ConfigKey("client-config", "URL")
UNKNOWN = ReachAnswer(ReachQuestion("", "", 0), Outcome.NAME_ERROR, {}, 1, "no such host")


def call(value: str | None, **changes: Any) -> World:
    expect = Call(KEY, (Vantage.SAME_NAMESPACE,), LABELS, **changes)
    world = World(exercise(criterion("call", expect, hop=Hop.RESPONSE)))
    if value is not None:
        world.listed["configmaps"] = ({"metadata": {"name": "client-config"}, "data": {"URL": value}},)
    return world


@pytest.mark.parametrize("value", [f"http://{SERVICE}/hostname", f"{SERVICE}:80", f"http://{SERVICE}.shop.svc:80"])
def test_a_url_or_a_name_with_a_port_is_called(value: str) -> None:
    report = told(call(value))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, "call-answered")


@pytest.mark.parametrize(
    ("value", "diagnosis"),
    [
        (None, "call-value-missing"),
        ("", "call-value-missing"),
        (SERVICE, "call-value-unreadable"),
        (f"https://{SERVICE}/", "call-value-unreadable"),
        (f"{SERVICE}:eighty", "call-value-unreadable"),
        (f"http://{SERVICE}:99999/", "call-value-unreadable"),
        (f"{SERVICE} :80", "call-value-unreadable"),
        ("http://user@backend-service/", "call-value-unreadable"),
        ("http://10.244.1.1:8080", "call-value-is-address"),
        ("[fd00::1]:80", "call-value-is-address"),
        ("http://[::ffff:10.96.7.7]/", "call-value-is-address"),
        ("http://10.96.7.7./", "call-value-is-address"),
        ("http://174327047/", "call-value-is-address"),
        ("http://0xa60707/", "call-value-is-address"),
        ("0x0a.0x60.0x7.0x7:80", "call-value-is-address"),
        ("http://012.0140.07.07/", "call-value-is-address"),
        ("10.96.1799:80", "call-value-is-address"),
        ("10-244-1-1.shop.pod.cluster.local:8080", "call-value-of-address"),
        ("10-244-1-1.shop.pod:8080", "call-value-of-address"),
        (f"http://10-244-1-1.{SERVICE}:8080/", "call-value-of-address"),
        (f"10-244-1-1.{SERVICE}.shop.svc.cluster.local:8080", "call-value-of-address"),
        ("fd00--1.shop.pod.cluster.local:8080", "call-value-of-address"),
    ],
)
def test_what_cannot_be_called_fails_before_anything_is_asked(value: str | None, diagnosis: str) -> None:
    world = call(value)
    assert not [answer for answer in world.evidence().reach if answer.question.want]
    report = told(world, quiet_for=0.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, diagnosis)


@pytest.mark.parametrize("name", ["web-1-2-3", "a-1-2-3-4", "beef", "0xshop", "1and1", "10-244-1-1"])
def test_a_name_that_only_looks_like_an_address_is_a_name(name: str) -> None:
    world = call(f"http://{name}/")
    assert {item.host for item in world.plan().reach} == {name}


def alias(name: str, target: str) -> dict[str, Any]:
    made = {"type": "ExternalName", "externalName": target}
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": made}


@pytest.mark.parametrize(
    "target", ["10.244.1.1", "10-244-1-1.shop.pod.cluster.local", "174327047", "10-244-1-1.backend-service.shop.svc"]
)
def test_an_alias_of_an_address_is_an_address_too(target: str) -> None:
    world = call("http://front/")
    world.services.append(alias("front", target))
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "alias-of-address")
    assert (report.finding.facts["service"], report.finding.facts["target"]) == ("front", target)
    world.services[-1] = alias("front", "second.shop.svc.cluster.local")
    world.services.append(alias("second", target))
    assert told(world).finding.facts["service"] == "second"


def test_an_alias_of_a_name_is_as_good_as_the_name() -> None:
    world = call("http://front/")
    world.services.append(alias("front", f"{SERVICE}.shop.svc.cluster.local"))
    assert told(world).verdict is Verdict.PASS


def test_a_call_may_have_to_lead_to_one_certain_service() -> None:
    assert told(call(f"http://{SERVICE}/", leads_to=SERVICE)).verdict is Verdict.PASS
    world = call("http://front/", leads_to=SERVICE)
    world.services.append(alias("front", f"{SERVICE}.shop.svc.cluster.local"))
    assert told(world).verdict is Verdict.PASS
    other = service(selector=dict(LABELS))
    other["metadata"] = {"name": "other", "uid": "uid-other"}
    world = call("http://other/", leads_to=SERVICE)
    world.services.append(other)
    report = told(world)
    assert (report.finding.diagnosis, report.broken) == ("call-leads-elsewhere", Hop.DNS)
    assert (report.finding.facts["expected"], report.finding.facts["seen"]) == (SERVICE, "shop/other")
    report = told(call("http://gateway.example.com/", leads_to=SERVICE))
    assert (report.finding.diagnosis, report.finding.facts["seen"]) == ("call-leads-elsewhere", "gateway.example.com")


def test_the_service_at_the_end_of_a_name_must_last() -> None:
    def made(**spec: Any) -> World:
        return call(f"http://{SERVICE}/").ground().set(**spec)

    assert told(made()).verdict is Verdict.PASS
    assert told(made(selector={"pod-template-hash": "5d5f", **LABELS})).finding.diagnosis == "selector-generated"
    assert told(made(selector=None)).finding.diagnosis == "endpoints-by-hand"
    world = made()
    world.service["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:00Z"
    assert told(world).finding.diagnosis == "service-going"


def test_a_service_that_was_given_lasts_as_it_was_laid_unless_it_may_differ() -> None:
    world = call(f"http://{SERVICE}/").set(selector=None)
    world.ground(laid("Service", world.service))
    assert told(world).verdict is Verdict.PASS
    rule = GroundRule(may_differ={Given("shop", "Service", SERVICE): ("spec",)})
    world.task = replace(world.task, ground=rule)
    assert told(world).finding.diagnosis == "endpoints-by-hand"


@pytest.mark.parametrize(
    ("value", "answer", "diagnosis"),
    [
        (f"{SERVICE}:8080", NOBODY, "call-port-unserved"),
        (f"{SERVICE}:80", REFUSED, "call-refused"),
        ("elsewhere.mall:80", NOBODY, "call-timeout"),
        ("backend:80", UNKNOWN, "call-name-unresolved"),
        (f"{SERVICE}:80", only("backend-a"), "call-some-only"),
        (f"{SERVICE}:80", only("backend-a", "batch-a"), "call-unexpected-answer"),
    ],
)
def test_each_way_to_fail_has_its_own_words(value: str, answer: ReachAnswer, diagnosis: str) -> None:
    world = call(value)
    world.answered["*"] = answer
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, diagnosis)
    if diagnosis != "call-port-unserved":
        assert told(world, quiet_for=0.5).verdict is Verdict.NOT_YET


def test_an_answer_that_no_endpointslice_explains_may_be_one_of_before() -> None:
    world = call(f"http://{SERVICE}/")
    world.answered["*"] = only("backend-a", "batch-a")
    assert told(world, quiet_for=5.0).verdict is Verdict.NOT_YET
    world.slices = slices(world.set(selector={"tier": "api"}).service, world.pods)
    assert told(world, quiet_for=3.0).finding.diagnosis == "call-unexpected-answer"


@pytest.mark.parametrize(
    "name", [SERVICE, f"{SERVICE}.shop", f"{SERVICE}.shop.svc", f"{SERVICE}.shop.svc.cluster.local."]
)
def test_a_name_that_the_objects_have_is_never_called_unknown(name: str) -> None:
    # one of several DNS servers may see a new Service seconds after the others
    world = call(f"http://{name}/")
    world.answered["*"] = UNKNOWN
    assert told(world, quiet_for=10.0).verdict is Verdict.NOT_YET
    report = told(world.compare(own=Outcome.NAME_ERROR))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "data-plane-silent")
    assert (
        told(world.compare(), quiet_for=20.0).verdict is Verdict.NOT_YET
    )  # a server may remember that it was not there
    assert told(world).finding.diagnosis == "no-answer-though-sound"


def test_a_name_is_followed_to_where_it_is_an_alias_of() -> None:
    scene = Scene(*judged(call("http://alias/")))
    assert lookup(scene, "alias", "shop") == frozenset()
    world = call("http://alias/")
    world.services.append(alias("alias", ""))
    for target, found in (
        (f"{SERVICE}.shop.svc.cluster.local", {CLUSTER_IP}),
        ("example.com", set()),
        ("alias.shop.svc.cluster.local", set()),
    ):
        world.services[-1]["spec"]["externalName"] = target
        assert lookup(Scene(*judged(world)), "alias", "shop") == found
    assert lookup(Scene(*judged(world)), f"{SERVICE}.shop", "elsewhere") == {CLUSTER_IP}
    assert lookup(Scene(*judged(world)), SERVICE, "elsewhere") == frozenset()


def test_a_headless_name_has_the_addresses_that_are_published() -> None:
    world = call("http://x/").set(clusterIP="None")
    world.slices = slices(world.service, world.pods)
    made = world.slices[0]["endpoints"]
    made[0]["hostname"] = "backend-0"
    made[1]["conditions"] = {"ready": False}
    scene = Scene(*judged(world))
    assert len(lookup(scene, SERVICE, "shop")) == len(made) - 1
    assert lookup(scene, f"backend-0.{SERVICE}", "shop") == frozenset(made[0]["addresses"])
    assert lookup(scene, f"backend-1.{SERVICE}", "shop") == frozenset()


def test_silence_of_a_pod_that_is_published_with_that_port_is_not_the_learners_fault() -> None:
    # a starved machine answered too late for every try, and a right answer was failed
    world = call(f"{SERVICE}:8080").set(clusterIP="None")
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=10.0).verdict is Verdict.NOT_YET
    assert told(world.compare(own=Outcome.TIMEOUT)).verdict is Verdict.ENVIRONMENT
    world = call(f"{SERVICE}:80").set(clusterIP="None")  # nobody listens there: headless ports are the Pods' own
    world.answered["*"] = NOBODY
    assert told(world).finding.diagnosis == "call-timeout"


def judged(world: World) -> tuple[Exercise, Evidence]:
    return world.task, world.evidence()


def test_silence_of_a_service_that_is_there_with_that_port_is_not_the_learners_fault() -> None:
    world = call(f"http://{SERVICE}/")
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=8.0).verdict is Verdict.NOT_YET
    report = told(world.compare(own=Outcome.TIMEOUT))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "data-plane-silent")


def test_a_service_that_kube_proxy_leaves_to_another_is_told_where_it_is_called_too() -> None:
    world = call(f"http://{SERVICE}/")
    world.answered["*"] = NOBODY
    world.service["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "mesh"}
    assert told(world, quiet_for=0.0).finding.diagnosis == "service-proxy-ignored"


def test_a_policy_that_starves_a_node_is_told_whoever_answers() -> None:
    world = call(f"http://{SERVICE}/").set(internalTrafficPolicy="Local")
    assert told(world, quiet_for=0.0).finding.diagnosis == "internal-traffic-policy-local"
    world.pods[0]["spec"]["nodeName"] = "control-plane"
    assert told(world).verdict is Verdict.PASS


def test_one_of_the_pods_is_enough_where_not_all_are_asked_for() -> None:
    world = call(f"{SERVICE}:80", all_of_them=False)
    world.answered["*"] = only("backend-a")
    assert told(world).verdict is Verdict.PASS


def test_what_is_called_is_told_of_where_nothing_can_answer_yet() -> None:
    world = call(f"http://{SERVICE}/")
    assert told(world, reach=()).finding.diagnosis == "call-not-asked-yet"
    blind = Problem("probe-silent", {"vantage": "v"}, "same-namespace")
    world.answered["*"] = ReachAnswer(ReachQuestion("", "", 0), Outcome.UNASKED, {}, 0)
    report = told(world, problems=(blind,))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "probe-silent")
    world = call(f"http://{SERVICE}/")
    world.pods = world.pods[3:]
    assert told(world).finding.diagnosis == "backend-pods-missing"
    world = call(f"http://{SERVICE}/")
    world.pods[0]["status"]["conditions"][0]["status"] = "False"
    assert told(world).finding.diagnosis == "pods-moving"


@pytest.mark.parametrize(
    ("answer", "code", "facts"),
    [
        (UNKNOWN, "dns-server-down", {"service": "kube-dns"}),
        (UNKNOWN, "node-not-ready", {"node": "worker"}),
        (REFUSED, "kube-proxy-down", {"node": "worker", "pod": "p"}),
        (NOBODY, "node-not-ready", {"node": "worker"}),
    ],
)
def test_what_is_broken_in_the_cluster_explains_a_call_that_fails(
    answer: ReachAnswer, code: str, facts: dict[str, str]
) -> None:
    world = call("elsewhere.mall:80")
    world.answered["*"] = answer
    report = told(world, problems=(Problem(code, facts),))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, code)


def test_an_alias_that_leads_to_no_name_is_told_with_its_target() -> None:
    world = call("http://front/")
    world.services.append(alias("front", "gone.shop.svc.cluster.local"))
    world.answered["*"] = UNKNOWN
    assert told(world, quiet_for=0.5).verdict is Verdict.NOT_YET
    report = told(world)
    assert (report.verdict, report.finding.diagnosis, report.broken) == (Verdict.FAIL, "alias-unresolved", Hop.DNS)
    assert report.finding.facts["target"] == "gone.shop.svc.cluster.local"
    world.services[-1] = alias("front", "203.0.113.7")
    assert told(world, quiet_for=0.0).finding.diagnosis == "alias-is-address"


def test_a_call_speaks_of_what_is_written_or_of_the_fixed_name() -> None:
    written = Call(KEY, (Vantage.OUTSIDE_CLIENT,), LABELS)
    fixed = Call(f"{SERVICE}:80", (Vantage.SAME_NAMESPACE,), LABELS)
    assert (written.subject, written.resources, written.outside) == ("ConfigMap client-config", {"configmaps"}, True)
    assert (fixed.subject, fixed.resources, fixed.outside) == (f"{SERVICE}:80", frozenset(), False)
