"""Judge: Evidence in, Report out. Pure; the only part that knows what is right."""

from __future__ import annotations

from grader.model.evidence import Evidence
from grader.model.exercise import Exercise
from grader.model.report import Report


def judge(exercise: Exercise, evidence: Evidence) -> Report:
    """Judge evidence. The same Evidence gives the same Report, always."""
    raise NotImplementedError
