"""The ruling that a kind of criterion hands back, and the ways to give one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from grader.model.evidence import Problem
from grader.model.report import Finding, Hop, Verdict, Waits

# What is told of a ruling that is not yet due.
MEANWHILE = {
    Waits.PODS: "pods-moving",
    Waits.LOAD_BALANCER: "load-balancer-pending",
    Waits.TRAFFIC: "data-plane-moving",
    Waits.CALL: "call-moving",
    Waits.NAMES: "dns-moving",
    Waits.SILENCE: "watching-silence",
    Waits.CONTROL: "control-moving",
}


@dataclass(frozen=True)
class Ruling:
    """What a judge says of one expectation.

    Attributes:
        verdict: its verdict.
        finding: the cause, or what was proved.
        hop: where on the way the cause lies; None: where the criterion itself lies.
        expected: what should be seen, for a person.
        seen: what was seen, for a person.
        after: seconds for which the objects must not have changed before it is believed.
        waits: what is waited for until then; of a ruling that is NOT_YET: what it waits for.
        meanwhile: values that the message of the waiting names, beside the finding's.
    """

    verdict: Verdict
    finding: Finding
    hop: Hop | None = None
    expected: str = ""
    seen: str = ""
    after: float = 0.0
    waits: Waits = Waits.TRAFFIC
    meanwhile: Mapping[str, str] = field(default_factory=dict)

    def once_quiet(
        self, seconds: float, waits: Waits = Waits.TRAFFIC, meanwhile: Mapping[str, str] | None = None
    ) -> Ruling:
        """Put it off until the objects have not changed for so many seconds; `waited` tells what is told till then."""
        return replace(self, after=seconds, waits=waits, meanwhile=meanwhile or {})


def fail(code: str, hop: Hop | None = None, /, **facts: object) -> Ruling:
    """Rule that it does not hold, and will not."""
    return Ruling(Verdict.FAIL, finding(code, **facts), hop)


def not_yet(code: str, hop: Hop | None = None, waits: Waits = Waits.OBJECTS, /, **facts: object) -> Ruling:
    """Rule that it is still moving, however long that takes."""
    return Ruling(Verdict.NOT_YET, finding(code, **facts), hop, waits=waits)


def passed(code: str, hop: Hop | None = None, /, **facts: object) -> Ruling:
    """Rule that it holds."""
    return Ruling(Verdict.PASS, finding(code, **facts), hop)


def environment(problem: Problem, hop: Hop | None = None) -> Ruling:
    """Rule that the environment stands in the way."""
    return Ruling(Verdict.ENVIRONMENT, Finding(problem.code, dict(problem.facts)), hop)


def waited(ruling: Ruling, quiet_for: float) -> Ruling:
    """Turn a ruling that is not due, after so many quiet seconds, into what is told meanwhile."""
    if quiet_for >= ruling.after:
        return ruling
    told = finding(MEANWHILE[ruling.waits], **{**ruling.finding.facts, **ruling.meanwhile})
    return Ruling(Verdict.NOT_YET, told, ruling.hop, waits=ruling.waits)


@dataclass(frozen=True)
class Doubt:
    """An answer that is as wanted, but may be that of before a change.

    Attributes:
        hop: where it was asked.
        after: seconds for which the objects must not have changed before it is believed.
        meanwhile: values that the message of the waiting names.
    """

    hop: Hop
    after: float
    meanwhile: Mapping[str, str]


def believed(ruling: Ruling, doubts: Iterable[Doubt]) -> Ruling:
    """Put off a pass until the last doubt about its answers is over."""
    last = max(doubts, key=lambda doubt: doubt.after, default=None)
    if last is None or last.after <= ruling.after:
        return ruling
    return replace(ruling, hop=last.hop, after=last.after, waits=Waits.TRAFFIC, meanwhile=last.meanwhile)


def finding(code: str, /, **facts: object) -> Finding:
    """Build a finding; facts become text."""
    return Finding(code, {key: str(value) for key, value in facts.items()})


def turned_round(service: str, ruling: Ruling) -> Ruling:
    """Turn a ruling about a Service round: what holds must not, and what fails is what was asked for.

    Where there is no Service or no Pod there is nothing to be left out: that stays a failure.
    """
    if ruling.verdict is Verdict.PASS:
        return fail("holds-though", service=service)
    if ruling.verdict is Verdict.FAIL and not ruling.finding.diagnosis.startswith(("service-missing", "backend-pods")):
        told = {**ruling.finding.facts, **ruling.meanwhile}
        return passed("not-endpoints", service=service).once_quiet(ruling.after, ruling.waits, told)
    return ruling
