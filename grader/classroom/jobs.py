"""What a child does with a hand-in: it reads one, or grades one answer on a cluster inside of itself.

Waiting costs nothing there, and nothing listens anywhere. The ground of an exercise is laid once, in the server; every
child has it as it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader import exercises
from grader.classroom import submission
from grader.classroom.results import unless_unknown
from grader.cluster.inprocess import Inside
from grader.kube.client import KubeApi
from grader.model.evidence import Evidence, ManifestResult
from grader.model.exercise import Exercise
from grader.model.report import Report
from grader.workflow import check
from grader.workflow.ground.record import record_clusters_own
from grader.workflow.handin.handed import read as read_head
from grader.workflow.handin.reproduce import reproduce
from grader.workflow.proof.verify import prepare as lay

NAME = "grading"  # the nodes are called after it
LULL = 1.5
"""Seconds between the ground and an answer: creationTimestamps are whole seconds, and tell which came first."""


@dataclass(frozen=True)
class Reading:
    """Read a submission.

    Attributes:
        submissions: the folder of all.
        student: the student's id.
        exercises: ids of what is graded.
    """

    submissions: Path
    student: str
    exercises: tuple[str, ...]


@dataclass(frozen=True)
class Grading:
    """Grade one answer.

    Attributes:
        exercise: the exercise's id.
        answer: the answer.
    """

    exercise: str
    answer: submission.StudentAnswer


@dataclass(frozen=True)
class Ground:
    """An exercise that stands in a cluster, with nothing answered."""

    exercise: Exercise
    inside: Inside
    api: KubeApi


def prepare(job: Reading | Grading) -> None:
    """Load what a child needs. Raises EnvironmentError_ where the ground cannot be laid."""
    if isinstance(job, Grading):
        _canonical(job.exercise)
    else:
        _exercises(job.exercises)


def work(job: Reading | Grading) -> bytes:
    """Do a job; returns JSON. A submission, or a Report and the Evidence that it rests on."""
    if isinstance(job, Reading):
        found = submission.read(job.submissions, job.student, _exercises(job.exercises))
        return json.dumps(found.to_json()).encode()
    report, evidence = graded(job)
    return json.dumps({"report": report.to_json(), "evidence": evidence.to_json()}, ensure_ascii=False).encode(
        errors="replace"
    )


@cache
def _exercises(ids: tuple[str, ...]) -> tuple[Exercise, ...]:
    return tuple(exercises.load(name) for name in ids)


@cache
def _canonical(exercise: str) -> Ground:
    return ground(exercises.load(exercise))


def ground(exercise: Exercise) -> Ground:
    """Lay an exercise in a cluster of its own. Raises EnvironmentError_."""
    inside = Inside(NAME)
    api = inside.api()
    record_clusters_own(api, inside.info)
    lay(api, exercise)
    api.clock.sleep(LULL)
    return Ground(exercise, inside, api)


def graded(job: Grading) -> tuple[Report, Evidence]:
    """Judge one answer, on ground that is used up by it."""
    answer, canonical = job.answer, _canonical(job.exercise)
    exercise = submission.variant(canonical.exercise, answer.learner)
    here = canonical if exercise is canonical.exercise else ground(exercise)
    exported = answer.source == "submit"

    def again() -> tuple[ManifestResult, ...]:
        return reproduce(answer.text, exercise, here.inside.info, api=here.api)

    report, evidence = check.check_with_evidence(
        exercise,
        here.inside.info,
        text=answer.text or None,
        hostile=True,
        applying=again if exported else None,
        told=read_head(answer.text).ground if exported else (),
        api=here.api,
    )
    unsure = exercise.values and answer.text and not (answer.learner and answer.sure)
    return (unless_unknown(report) if unsure else report), evidence
