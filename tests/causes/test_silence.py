"""The environment is blamed only where a Service of our own is not answered either."""

from __future__ import annotations

import json
from dataclasses import replace

from grader.causes.comparing import compared, shape_of
from grader.model.evidence import (
    Compared,
    Controls,
    DnsAnswer,
    DnsQuestion,
    Evidence,
    Outcome,
    Problem,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.report import Hop, Verdict, Waits
from grader.model.vantage import At, Vantage
from tests.judge.telling import NOBODY, load_balancer, node_port, told
from tests.judge.world import NAMESPACE, SERVICE, World, criterion, exercise

UNASKED = ReachAnswer(ReachQuestion("", "", 0), Outcome.UNASKED, {}, 0)


def silent(where: str = "*") -> World:
    world = World(exercise(criterion("reach")))
    world.answered[where] = NOBODY
    return world


def named(rcode: str = "NXDOMAIN", outcome: Outcome = Outcome.ANSWERED) -> World:
    world = World(exercise(criterion("dns")))
    question = DnsQuestion("same-namespace", f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", "A")
    world.dns = (DnsAnswer(question, outcome, rcode),)
    return world


def test_silence_waits_for_our_own_service_to_be_asked() -> None:
    report = told(silent())
    assert (report.verdict, report.criteria[0].waits_for) == (Verdict.NOT_YET, Waits.CONTROL)


def test_where_ours_is_silent_too_the_environment_is_blamed_with_that_evidence() -> None:
    world = silent()
    assert told(world.compare(own=Outcome.TIMEOUT, age=4.0)).verdict is Verdict.NOT_YET  # it had no time yet
    report = told(world.compare(own=Outcome.TIMEOUT, age=5.0))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "data-plane-silent")
    assert "control-shop-0.course-probe:80" in report.finding.facts["control"]


def test_where_ours_is_answered_now_and_then_the_environment_is_blamed() -> None:
    assert told(silent().compare(age=8.0, steady=0.5)).verdict is Verdict.NOT_YET
    assert told(silent().compare(own=Outcome.TIMEOUT, age=8.0, steady=0.5)).verdict is Verdict.NOT_YET
    assert told(silent().compare(age=20.0, steady=0.5)).verdict is Verdict.ENVIRONMENT


def test_where_ours_is_answered_it_is_no_fault_of_the_environment() -> None:
    report = told(silent().compare())
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "no-answer-though-sound")


def test_ours_proves_nothing_about_what_changed_after_it_was_made() -> None:
    assert told(silent().compare(age=30.0), quiet_for=10.0).verdict is Verdict.NOT_YET
    assert told(silent().compare(age=30.0), quiet_for=25.0).verdict is Verdict.FAIL
    assert told(silent().compare(age=8.0), quiet_for=9.0).verdict is Verdict.NOT_YET  # an overloaded machine is silent
    assert told(silent().compare(age=8.0), quiet_for=21.0).verdict is Verdict.FAIL


def test_a_vantage_that_reaches_not_even_ours_was_cut_off() -> None:
    report = told(silent("same-namespace").compare(here=Outcome.TIMEOUT))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "vantage-cut-off")
    once = silent("same-namespace").compare(here=Outcome.TIMEOUT)
    assert once.compared is not None
    reach = tuple(item if item.right else Compared(item.answer, -1.0) for item in once.compared.reach)
    once.compared = replace(once.compared, reach=reach)
    assert told(once).verdict is Verdict.NOT_YET  # a busy machine is silent too


def test_a_probe_that_a_policy_isolates_is_the_learners_doing_and_without_one_the_environments() -> None:
    world = silent()
    world.answered["*"] = UNASKED
    problems = (Problem("probe-unreachable", {"namespace": "shop", "pod": "p", "reason": "r"}, "same-namespace"),)
    report = told(world, problems=problems)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "probe-unreachable")
    world.listed["networkpolicies"] = ({"metadata": {"name": "closed"}, "spec": {"podSelector": {}}},)
    report = told(world, problems=problems)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "policy-beside")


def test_a_policy_that_lets_everything_through_explains_no_silence() -> None:
    allowing = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
    world = silent("other-namespace").compare()
    world.listed["networkpolicies"] = ({"metadata": {"name": "open"}, "spec": allowing},)
    assert told(world).finding.diagnosis == "no-answer-though-sound"
    world = silent("same-namespace").compare(here=Outcome.TIMEOUT)
    world.listed["networkpolicies"] = ({"metadata": {"name": "open"}, "spec": allowing},)
    assert told(world).finding.diagnosis == "vantage-cut-off"


def test_a_blind_vantage_of_our_own_is_the_environments_fault() -> None:
    problems = (Problem("probe-silent", {"vantage": "v"}, "node/worker"),)
    report = told(silent("same-namespace").compare(own=Outcome.UNASKED), problems=problems)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "probe-silent")


def test_where_none_of_ours_can_be_made_time_decides() -> None:
    world = silent()
    world.compared = Controls(None, reason="forbidden")
    assert told(world, quiet_for=10.0).verdict is Verdict.NOT_YET
    report = told(world)
    assert (report.verdict, "forbidden" in report.finding.facts["control"]) == (Verdict.ENVIRONMENT, True)
    world = named()
    world.compared = Controls(None, reason="forbidden")
    assert (told(world, quiet_for=30.0).verdict, told(world).verdict) == (Verdict.NOT_YET, Verdict.ENVIRONMENT)


def test_a_name_is_compared_with_ours() -> None:
    assert told(named()).criteria[0].waits_for is Waits.CONTROL
    report = told(named().compare(own=Outcome.TIMEOUT))
    assert (report.verdict, report.finding.diagnosis, report.broken) == (Verdict.ENVIRONMENT, "dns-silent", None)
    assert told(named().compare(), quiet_for=34.0).verdict is Verdict.NOT_YET  # a server may remember a denial
    report = told(named().compare())
    assert (report.verdict, report.finding.diagnosis, report.broken) == (
        Verdict.FAIL,
        "dns-differs-though-sound",
        Hop.DNS,
    )
    assert told(named("", Outcome.TIMEOUT).compare(here=Outcome.TIMEOUT)).finding.diagnosis == "vantage-cut-off"
    silenced = told(named("", Outcome.TIMEOUT).compare(), quiet_for=36.0)  # nothing of a learner's silences one name
    assert (silenced.verdict, silenced.finding.diagnosis) == (Verdict.ENVIRONMENT, "dns-silent")


def test_every_shape_is_compared_with_the_same_shape() -> None:
    world = node_port(Vantage.OTHER_NODE)
    world.answered["*"] = NOBODY
    assert "172.18.0.2:31999" in told(world.compare(own=Outcome.TIMEOUT)).finding.facts["control"]
    assert told(world.compare()).finding.diagnosis == "no-answer-though-sound"
    world = load_balancer()
    world.answered["*"] = NOBODY
    assert "172.18.255.250:80" in told(world.compare(own=Outcome.TIMEOUT)).finding.facts["control"]
    assert shape_of(ReachQuestion("same-namespace", "10.96.7.7", 80), world.objects()) is At.CLUSTER_IP


def test_ours_without_an_address_blames_the_environment() -> None:
    world = load_balancer()
    world.answered["*"] = NOBODY
    world.compared = Controls({"metadata": {"name": "c"}, "spec": {"ports": [{"port": 80}]}, "status": {}}, 30.0)
    assert told(world).finding.diagnosis == "data-plane-silent"
    ours = {"metadata": {"name": "c"}, "spec": {"ports": [{"port": 80, "nodePort": 31999}]}}
    question = ReachQuestion("outside-client", "172.18.255.200", 80)
    beside = compared(question, "outside-client", ours, world.objects())
    assert beside == ReachQuestion("outside-client", "172.18.0.2", 31999)  # its node port must do
    problems = (Problem("load-balancer-controller-down", {"deployment": "controller"}),)
    assert told(world.compare(), problems=problems).finding.diagnosis == "load-balancer-controller-down"


def test_a_port_of_this_host_is_the_environments_where_the_node_port_answers_in_the_cluster() -> None:
    world = node_port(Vantage.OTHER_NODE, Vantage.LEARNER_HOST)
    world.answered["learner-host"] = NOBODY
    report = told(world.compare())
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "data-plane-silent")
    world = node_port(Vantage.LEARNER_HOST)
    world.answered["learner-host"] = NOBODY
    assert told(world.compare()).finding.diagnosis == "no-answer-though-sound"


def test_evidence_with_controls_is_read_back_equal() -> None:
    world = World().compare(own=Outcome.TIMEOUT)
    evidence = world.evidence()
    assert evidence.controls is not None and evidence.controls.reach and evidence.controls.dns
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence
