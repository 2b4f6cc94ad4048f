"""Grade many submissions in parallel, each on an embedded cluster of its own.

Resumable: a student whose submission did not change and who has a verdict is not graded again. An environment error is
never a mark: it is retried on a fresh cluster, and stays unscored if it persists.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom import submission
from grader.classroom.results import LEARNER_UNKNOWN, GradedAnswer, StudentResult, load
from grader.cluster import choose
from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_, UsageError
from grader.kube.client import KubeApi
from grader.model.evidence import Evidence, ManifestResult
from grader.model.exercise import Exercise
from grader.model.report import Finding, Report, Verdict
from grader.paths import write_atomically
from grader.workflow import check, start
from grader.workflow.ground import wait_ready
from grader.workflow.handed import read as read_head
from grader.workflow.reproduce import reproduce

ATTEMPTS = 3
"""How often a submission is tried before an environment error is left standing."""


@dataclass(frozen=True)
class Step:
    """Told as grading goes on.

    Attributes:
        done: students finished, this one included.
        total: students in all.
        result: this student's result.
        reused: whether it was taken from an earlier run.
    """

    done: int
    total: int
    result: StudentResult
    reused: bool


def grade_submission(handed_in: submission.Submission, exercises: Sequence[Exercise], results: Path) -> StudentResult:
    """Grade one submission on one fresh cluster; the Evidence is kept under `results`, to be judged again.

    Raises EnvironmentError_ where the cluster cannot be brought up.
    """
    began = time.monotonic()
    graded: list[GradedAnswer] = []
    name = f"grade-{os.getpid()}-{handed_in.student.lower()}"
    with choose.temporary(name) as cluster, tempfile.TemporaryDirectory() as scratch:
        chosen = [submission.variant(item, handed_in.answers[item.id].learner) for item in exercises]
        for exercise in chosen:
            start.start(exercise, cluster, Path(scratch))
        with KubeApi(cluster.kubeconfig) as api:
            for exercise in chosen:
                wait_ready(api, exercise)  # the student's objects came after the given Pods, too
        for exercise in chosen:
            answer = handed_in.answers[exercise.id]
            report, evidence = _judged(answer, exercise, cluster)
            kept = results / "evidence" / handed_in.student / f"{exercise.id}.json"
            write_atomically(kept, json.dumps(evidence.to_json(), ensure_ascii=False), mode=0o600)
            graded.append(GradedAnswer(exercise.id, answer.source, answer.text, report, answer.learner))
    return StudentResult(
        student=handed_in.student,
        fingerprint=handed_in.fingerprint,
        timestamp=handed_in.timestamp,
        problems=handed_in.problems,
        answers=tuple(graded),
        seconds=round(time.monotonic() - began, 3),
    )


def _judged(answer: submission.StudentAnswer, exercise: Exercise, cluster: ClusterInfo) -> tuple[Report, Evidence]:
    """Judge one answer. What may be right for a learner whom nothing names is not judged wrong."""

    def again() -> tuple[ManifestResult, ...]:
        return reproduce(answer.text, exercise, cluster)

    exported = answer.source == "submit"
    report, evidence = check.check_with_evidence(
        exercise,
        cluster,
        text=answer.text or None,
        hostile=True,
        applying=again if exported else None,
        told=read_head(answer.text).ground if exported else (),
    )
    if exercise.values and not answer.learner and answer.text and report.verdict is Verdict.FAIL:
        finding = Finding(LEARNER_UNKNOWN, {"exercise": exercise.id})
        report = replace(report, verdict=Verdict.ENVIRONMENT, points=0.0, broken=None, finding=finding)
    return report, evidence


def _grade_with_retries(
    handed_in: submission.Submission, exercises: Sequence[Exercise], results: Path
) -> StudentResult:
    """Try again on a fresh cluster after an environment error; raises the last one where no cluster came up."""
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        try:
            result = grade_submission(handed_in, exercises, results)
        except EnvironmentError_:
            if last:
                raise
            continue
        if result.scored or last or result.unknown:
            return result
    raise AssertionError("unreachable: the last attempt returns or raises")


def autograde(
    submissions: Path,
    results: Path,
    exercises: Sequence[Exercise],
    *,
    parallel: int = 0,
    progress: Callable[[Step], None] = lambda step: None,
) -> tuple[StudentResult, ...]:
    """Grade every submission under a folder; results are saved one by one as they are done.

    Args:
        submissions: nbgrader's `submitted` folder, or any folder of one folder a student.
        results: where `STUDENT.json` files go; those already there are used again where nothing changed.
        exercises: what is graded.
        parallel: how many clusters at a time; 0: one a processor.
        progress: told about each student.

    Raises UsageError where the folder holds no submission, EnvironmentError_ where clusters cannot be brought up.
    """
    if not submissions.is_dir():
        raise UsageError("submissions-missing", folder=submissions)
    students, refused = submission.students(submissions)
    if refused:
        raise UsageError("submissions-bad-names", folder=submissions, names=", ".join(refused))
    if not students:
        raise UsageError("submissions-none", folder=submissions)
    results.mkdir(parents=True, exist_ok=True)

    def grade(student: str) -> tuple[StudentResult, bool]:
        handed_in = submission.read(submissions, student, exercises)
        known = load(results, student)
        wanted = {exercise.id for exercise in exercises}
        if known and known.scored and known.fingerprint == handed_in.fingerprint:
            if {answer.exercise for answer in known.answers} == wanted:
                return known, True
        result = _grade_with_retries(handed_in, exercises, results)
        result.save(results)
        return result, False

    finished: list[StudentResult] = []
    with ThreadPoolExecutor(max_workers=parallel or os.cpu_count() or 1) as pool:
        pending = [pool.submit(grade, student) for student in students]
        try:
            for future in as_completed(pending):
                result, reused = future.result()
                finished.append(result)
                progress(Step(len(finished), len(students), result, reused))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return tuple(sorted(finished, key=lambda result: result.student))
