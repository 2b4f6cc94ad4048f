"""Judge kept Evidence again: what was observed stays, what is right may have changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom import submission
from grader.classroom.results import (
    LEARNER_UNKNOWN,
    GradedAnswer,
    evidence_path,
    load_all,
    owned,
    presentable,
    unless_unknown,
)
from grader.errors import UsageError
from grader.judge import judge
from grader.model.evidence import Evidence
from grader.model.exercise import Exercise
from grader.model.report import Report


@dataclass(frozen=True)
class Regraded:
    """An answer of which the verdict or the points are others now.

    Attributes:
        student: the student's id.
        before: as it was.
        after: as it is.
    """

    student: str
    before: GradedAnswer
    after: GradedAnswer


def regrade(
    results: Path, exercises: Sequence[Exercise], *, students: Sequence[str] = (), keep: bool = True
) -> tuple[Regraded, ...]:
    """Judge again, and save what came out; returns what is another than before.

    Args:
        results: folder that `autograde` wrote.
        exercises: which are judged again.
        students: whose; empty: everybody's.
        keep: whether anything is saved.

    Raises UsageError where there are no results, or another process grades into them; OSError.
    """
    chosen = {exercise.id: exercise for exercise in exercises}
    found: list[Regraded] = []
    if not any(results.glob("*.json")):
        raise UsageError("results-missing", folder=results)
    with owned(results):
        for result in load_all(results):
            if students and result.student not in students:
                continue
            again = [(item, _again(results, result.student, item, chosen)) for item in result.answers]
            changed = [Regraded(result.student, before, after) for before, after in again if _differ(before, after)]
            if changed and keep:
                replace(result, answers=tuple(after for _, after in again)).save(results)
            found += changed
    return tuple(found)


def _again(results: Path, student: str, answer: GradedAnswer, exercises: dict[str, Exercise]) -> GradedAnswer:
    """Judge one answer again where there is Evidence of it that can be read."""
    exercise = exercises.get(answer.exercise)
    path = evidence_path(results, student, answer.exercise)
    if exercise is None or not path.is_file():
        return answer
    try:
        evidence = Evidence.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError):
        return answer
    report = judge(submission.variant(exercise, answer.learner), evidence)
    if answer.report.finding.diagnosis == LEARNER_UNKNOWN:
        report = unless_unknown(report)
    return replace(answer, report=Report.from_json(presentable(report.to_json())))


def _differ(before: GradedAnswer, after: GradedAnswer) -> bool:
    return before.report != after.report


def marks(changes: Sequence[Regraded]) -> Iterator[Regraded]:
    """Those of which the mark is another."""
    return (item for item in changes if _mark(item.before) != _mark(item.after))


def _mark(answer: GradedAnswer) -> tuple[float, float] | None:
    return (answer.report.points, answer.report.max_points) if answer.scored else None
