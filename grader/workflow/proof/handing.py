"""Prove that `check` and `submit` with `autograde` agree: what was done is exported, and done again on new ground.

Answers must pass both times; wrong answers must fail both times, with the same diagnosis and the same points.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.cluster.info import ClusterInfo
from grader.errors import UsageError
from grader.kube.client import KubeApi
from grader.model.exercise import Exercise
from grader.model.report import Report, Verdict
from grader.workflow.check import check_with_evidence
from grader.workflow.handin.handed import read
from grader.workflow.handin.reproduce import reproduce
from grader.workflow.handin.submit import submit
from grader.workflow.proof.verify import Attempt, Task, prepare, solve

HANDED_IN = "handed-in"
MANIFEST = "manifest"
SAME = "as checked"


def handing_in(exercise: Exercise) -> tuple[Task, ...]:
    """List the answers as attempts."""
    return tuple(Task(HANDED_IN, item.name, item.text, "pass", item.form, run=_handed_in) for item in exercise.answers)


def handing_in_wrong(exercise: Exercise) -> tuple[Task, ...]:
    """List the wrong answers as attempts: those of which something gets into the cluster."""
    return tuple(
        Task(HANDED_IN, item.name, item.text, SAME, item.form, run=_handed_in)
        for item in exercise.wrong
        if item.criterion != MANIFEST
    )


def _handed_in(api: KubeApi, exercise: Exercise, cluster: ClusterInfo, task: Task, deadline: float) -> Attempt:
    """Do what a file says, export what became of it, and do that again on ground made new."""
    begun = time.monotonic()
    wrong = task.expected == SAME
    report, ran = solve(api, exercise, cluster, task, deadline, strict=not wrong)
    expected, got, exported = task.expected, report.verdict.value, ""
    if wrong or report.verdict is Verdict.PASS:
        try:
            with TemporaryDirectory(prefix="grader-submit-") as folder:
                exported = submit(exercise, cluster, Path(folder), api=api).path.read_text(encoding="utf-8")
        except UsageError as error:
            got = error.code
            expected = got if wrong and report.verdict is Verdict.FAIL else expected  # nothing was made here
        else:
            prepare(api, exercise)
            checked = report
            report, _ = check_with_evidence(
                exercise,
                cluster,
                deadline=deadline,
                applying=lambda: reproduce(exported, exercise, cluster, api=api),
                told=read(exported).ground,
                api=api,
            )
            got = report.verdict.value
            if wrong:
                expected, got = _told(checked, report), _told(report, checked)
    seconds = round(time.monotonic() - begun, 3)
    output = ran.output + exported
    return Attempt(exercise.id, task.kind, task.name, expected, got, got == expected, seconds, report, output)


def _told(report: Report, other: Report) -> str:
    """Say what a learner is told; points only where both verdicts waited for nothing."""
    waited = any(item.verdict is Verdict.NOT_YET for item in (*report.criteria, *other.criteria))
    points = "" if waited else f" {report.points:g}"
    return f"{report.verdict} {report.finding.diagnosis}{points}"
