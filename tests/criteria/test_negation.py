"""What must not hold passes only beside a control, and an exact RRset is exact."""

from __future__ import annotations

from dataclasses import replace

from grader.criteria.dns import Dns
from grader.criteria.reach import Reach
from grader.criteria.records import Nothing
from grader.model.evidence import (
    DnsAnswer,
    DnsQuestion,
    Outcome,
    Problem,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.report import Verdict
from grader.model.vantage import At, Vantage
from tests.judge.telling import (
    NOBODY,
    told,
)
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise


def not_reached(answer: ReachAnswer | None = None) -> tuple[World, ReachQuestion]:
    expect = Reach(SERVICE, 80, At.CLUSTER_IP, (Vantage.OTHER_NAMESPACE,), LABELS)
    world = World(exercise(criterion("closed", expect, negated=True)))
    if answer:
        world.answered["*"] = answer
    return world, ReachQuestion("other-namespace", "10.244.1.1", 8080)


def test_what_must_not_be_reached_passes_only_beside_a_control_that_answers() -> None:
    world, question = not_reached(NOBODY)
    asked = tuple(answer for answer in world.evidence().reach if answer.question != question)
    control = ReachAnswer(question, Outcome.ANSWERED, {"backend-a": 1}, 1)
    silent = ReachAnswer(question, Outcome.TIMEOUT)
    assert told(world, reach=(*asked, control)).finding.diagnosis == "not-reached"
    assert told(world, reach=(*asked, control), quiet_for=0.5).finding.diagnosis == "watching-silence"
    assert told(world, reach=(*asked, silent)).verdict is not Verdict.PASS
    assert told(world, reach=asked).verdict is Verdict.NOT_YET  # no control was asked
    world, _ = not_reached()
    assert told(world).finding.diagnosis == "reached-though"


def test_silence_proves_nothing_while_a_question_has_no_answer() -> None:
    world, question = not_reached(NOBODY)
    control = ReachAnswer(question, Outcome.ANSWERED, {"backend-a": 1}, 1)
    for quiet in (0.0, 600.0):
        report = told(world, reach=(control,), quiet_for=quiet)  # the control answered, and nobody asked the Service
        assert (report.verdict, report.finding.diagnosis) == (Verdict.NOT_YET, "not-asked-yet")
    (unasked,) = (replace(item, outcome=Outcome.UNASKED) for item in world.evidence().reach if item.question.want)
    problem = Problem("probe-silent", {"vantage": "v"}, "other-namespace")
    assert told(world, reach=(unasked, control), problems=(problem,)).verdict is Verdict.ENVIRONMENT


def test_silence_proves_nothing_without_a_pod_that_could_be_reached() -> None:
    world, _ = not_reached(NOBODY)
    for item in world.pods[:3]:
        item["status"]["conditions"][0]["status"] = "False"
    report = told(world, quiet_for=600.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.NOT_YET, "not-asked-yet")


def test_every_vantage_needs_its_own_control() -> None:
    sources = (Vantage.OTHER_NAMESPACE, Vantage.SAME_NAMESPACE)
    expect = Reach(SERVICE, 80, At.CLUSTER_IP, sources, LABELS)
    world = World(exercise(criterion("closed", expect, negated=True)))
    world.answered["*"] = NOBODY
    every = world.evidence().reach
    assert told(world, reach=every).finding.diagnosis == "not-reached"
    for source in sources:
        left = tuple(item for item in every if (item.question.vantage, item.question.port) != (source.value, 8080))
        assert told(world, reach=left).finding.diagnosis == "not-asked-yet", source


def test_what_must_not_hold_is_turned_round() -> None:
    report = told(World(exercise(criterion("endpoints", negated=True))))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "holds-though")
    world = World(exercise(criterion("endpoints", negated=True))).set(selector={"app": "batch"})
    assert told(world).finding.diagnosis == "not-endpoints"
    dns = criterion("dns", negated=True)
    assert told(World(exercise(dns))).finding.diagnosis == "holds-though"
    world = World(exercise(dns))
    question = DnsQuestion("same-namespace", f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world).finding.diagnosis == "not-dns"
    world.dns = (DnsAnswer(question, Outcome.TIMEOUT),)
    assert told(world.compare(own=Outcome.TIMEOUT)).verdict is Verdict.ENVIRONMENT


def test_an_exact_rrset_differs_by_a_record_or_a_response_code() -> None:
    name = "gone.shop.svc.cluster.local."
    expect = Dns(name, Vantage.SAME_NAMESPACE, "A", Nothing(), SERVICE, "NXDOMAIN")
    world = World(exercise(criterion("dns", expect)))
    question = DnsQuestion("same-namespace", name, "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world).verdict is Verdict.PASS
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NOERROR"),)
    assert told(world).finding.diagnosis == "dns-differs"
