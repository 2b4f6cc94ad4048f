"""Compare results of verifying: what a learner is told of the same attempts must be the same on every cluster."""

from __future__ import annotations

from grader.model.report import Verdict
from grader.workflow.proof.verify import Attempt, VerifyResult


def differences(left: VerifyResult, right: VerifyResult) -> tuple[str, ...]:
    """Compare what two results tell a learner, leaving out addresses, generated names and times.

    Each difference is one line, "EXERCISE/ATTEMPT WHAT: LEFT != RIGHT"; equal results give none. Attempts that only
    one of them has are not compared (`common` names those that are): a result may be of a part of the attempts.
    """
    one, other = _by_attempt(left), _by_attempt(right)
    found = []
    for key in common(left, right):
        mine, theirs = _compared(one[key]), _compared(other[key])
        # a criterion that one side was still waiting for is left out of what that side tells
        for what in (what for what in mine if what in theirs):
            if mine[what] != theirs[what]:
                found.append(f"{key[0]}/{key[2]} {what}: {mine[what]} != {theirs[what]}")
    return tuple(found)


def common(left: VerifyResult, right: VerifyResult) -> tuple[tuple[str, str, str], ...]:
    """List the attempts that both results have, by exercise, kind and name."""
    other = _by_attempt(right)
    return tuple(key for key in _by_attempt(left) if key in other)


def _by_attempt(result: VerifyResult) -> dict[tuple[str, str, str], Attempt]:
    return {(item.exercise, item.kind, item.name): item for item in result.attempts}


def _compared(attempt: Attempt) -> dict[str, str]:
    """Keep of an attempt what must be equal on every cluster: what a learner is told.

    That is the verdict, its cause, the chain, and the criteria before the broken hop. What lies behind it may be of
    before or after a change, at whatever moment the cause was plain; so may other criteria of the broken hop itself.
    """
    report = attempt.report
    order = [hop for hop, _ in report.chain]
    reached = order.index(report.broken) if report.broken in order else len(order)
    told = {
        "verdict": report.verdict.value,
        "broken": str(report.broken),
        "diagnosis": report.finding.diagnosis,
        "chain": " ".join(f"{hop}={state}" for hop, state in report.chain),
    }
    if report.verdict is Verdict.PASS:
        told["points"] = f"{report.points:g}"
    for item in report.criteria:
        before = item.hop not in order or order.index(item.hop) < reached
        is_cause = item.verdict is Verdict.FAIL and item.finding.diagnosis == report.finding.diagnosis
        if is_cause or (before and item.verdict is not Verdict.NOT_YET):
            told[item.id] = f"{item.verdict} {item.points:g}/{item.max_points:g} {item.finding.diagnosis}"
    return told
