"""A ruling that is not due is told as what is waited for; the Report says which kind of waiting it is."""

from __future__ import annotations

import pytest

from grader.causes.ruling import Doubt, believed, fail, passed, waited
from grader.model.report import Hop, Report, Verdict, Waits
from tests.judge.telling import NOBODY, no_service, told
from tests.judge.world import World, criterion, exercise


def test_a_ruling_is_put_off_until_the_objects_have_been_quiet_for_so_long() -> None:
    ruling = fail("dns-differs", Hop.DNS, name="a").once_quiet(2.0, Waits.NAMES)
    assert waited(ruling, 2.0) is ruling
    early = waited(ruling, 1.9)
    assert (early.verdict, early.finding.diagnosis, early.hop) == (Verdict.NOT_YET, "dns-moving", Hop.DNS)
    assert early.finding.facts == {"name": "a"}
    assert waited(fail("service-missing", Hop.SERVICE), 0.0).verdict is Verdict.FAIL


def test_a_pass_is_believed_once_its_last_doubt_is_over() -> None:
    proved = passed("reach-name", count=3)
    assert believed(proved, []) is proved
    doubts = [Doubt(Hop.NODE, 6.0, {"service": "a"}), Doubt(Hop.CLUSTER_IP, 20.0, {"service": "b"})]
    late = believed(proved, doubts)
    assert (late.verdict, late.after, late.hop) == (Verdict.PASS, 20.0, Hop.CLUSTER_IP)
    assert waited(late, 19.0).finding.facts["service"] == "b"
    watched = proved.once_quiet(30.0, Waits.SILENCE)
    assert believed(watched, doubts) is watched


@pytest.mark.parametrize("waits", Waits)
def test_only_what_follows_the_objects_lags(waits: Waits) -> None:
    assert waits.lags is (waits in {Waits.TRAFFIC, Waits.CALL, Waits.NAMES, Waits.SILENCE, Waits.CONTROL})


def test_the_report_says_what_is_waited_for_and_nothing_where_nothing_is() -> None:
    world = World(exercise(criterion("reach")))
    world.answered["*"] = NOBODY
    report = told(world, quiet_for=1.0)
    assert [item.waits_for for item in report.criteria] == [Waits.CONTROL]
    assert Report.from_json(report.to_json()) == report
    world.slices = []
    assert [item.waits_for for item in told(world).criteria] == [Waits.OBJECTS]
    no_service(world)
    assert [item.waits_for for item in told(world).criteria] == [None]
    unasked = told(World(exercise(criterion("dns"))), dns=())
    assert [item.waits_for for item in unasked.criteria] == [Waits.QUESTIONS]
