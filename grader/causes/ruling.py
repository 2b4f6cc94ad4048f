"""The ruling that a kind of criterion hands back, and the ways to give one."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model.evidence import Problem
from grader.model.report import Finding, Hop, Verdict


@dataclass(frozen=True)
class Ruling:
    """What a judge says of one expectation.

    Attributes:
        verdict: its verdict.
        finding: the cause, or what was proved.
        hop: where on the way the cause lies; None: where the criterion itself lies.
        expected: what should be seen, for a person.
        seen: what was seen, for a person.
    """

    verdict: Verdict
    finding: Finding
    hop: Hop | None = None
    expected: str = ""
    seen: str = ""


def fail(code: str, hop: Hop | None = None, /, **facts: object) -> Ruling:
    """Rule that it does not hold, and will not."""
    return Ruling(Verdict.FAIL, finding(code, **facts), hop)


def not_yet(code: str, hop: Hop | None = None, /, **facts: object) -> Ruling:
    """Rule that it is still moving."""
    return Ruling(Verdict.NOT_YET, finding(code, **facts), hop)


def passed(code: str, /, **facts: object) -> Ruling:
    """Rule that it holds."""
    return Ruling(Verdict.PASS, finding(code, **facts))


def environment(problem: Problem, hop: Hop | None = None) -> Ruling:
    """Rule that the environment stands in the way."""
    return Ruling(Verdict.ENVIRONMENT, Finding(problem.code, dict(problem.facts)), hop)


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
        return passed("not-endpoints", service=service)
    return ruling
