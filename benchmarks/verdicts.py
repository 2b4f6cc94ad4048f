"""From what a learner does to the verdict: kubectl or a script is a process of its own; check runs in this one."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.row import Row
from grader import exercises
from grader.cluster import choose, info
from grader.kube import kubectl
from grader.model.exercise import Answer, Exercise, Form, WrongAnswer
from grader.model.report import Report, Verdict
from grader.workflow import check
from grader.workflow.proof import script
from grader.workflow.session import reset, start


def timed_check(exercise: Exercise, cluster: info.ClusterInfo) -> tuple[Report, float, float]:
    began, used = time.perf_counter(), time.process_time()
    report = check.check(exercise, cluster)
    return report, time.perf_counter() - began, time.process_time() - used


def expect(report: Report, verdict: Verdict) -> None:
    if report.verdict is not verdict:
        raise SystemExit(f"{report.exercise}: {report.verdict}, not {verdict}: {report.finding}")


def do(answer: Answer | WrongAnswer, exercise: Exercise, cluster: info.ClusterInfo) -> None:
    if answer.form is Form.SCRIPT:
        script.run(answer.text, exercise.namespace, cluster, strict=False)
    else:
        kubectl.run(["-n", exercise.namespace, "apply", "-f", "-"], cluster.kubeconfig, stdin=answer.text)


def measure(name: str, runs: int) -> list[Row]:
    with contextlib.ExitStack() as stack:
        if name:
            cluster = info.load(name)
        else:
            cluster = stack.enter_context(choose.temporary(f"bench-{os.getpid()}"))
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = []
        for exercise in exercises.all_exercises():
            rows += measure_exercise(exercise, cluster, work, runs)
        if cluster.pid:
            resident = psutil.Process(cluster.pid).memory_info().rss / 1e6
            rows.append(Row("embedded: resident memory after all this", "MB", (resident,)))
        return rows


def measure_exercise(exercise: Exercise, cluster: info.ClusterInfo, work: Path, runs: int) -> list[Row]:
    right, wrong, again, cpu = [], [], [], []
    refused = {"manifest"}
    mistake = next(answer for answer in exercise.wrong if answer.criterion not in refused)
    start.start(exercise, cluster, work)
    for _ in range(runs):
        tries = ((exercise.answers[0], Verdict.PASS, right), (mistake, Verdict.FAIL, wrong))
        for answer, verdict, times in tries:
            reset.reset(exercise, cluster, work)
            began = time.perf_counter()
            do(answer, exercise, cluster)
            report, _, _ = timed_check(exercise, cluster)
            times.append(time.perf_counter() - began)
            expect(report, verdict)
            if verdict is Verdict.PASS:
                _, seconds, used = timed_check(exercise, cluster)
                again.append(seconds)
                cpu.append(used)
    prefix = f"{cluster.provider} {exercise.id}"
    return [
        Row(f"{prefix}: the reference answer done → pass", "s", tuple(right)),
        Row(f"{prefix}: «{mistake.name}» done → fail", "s", tuple(wrong)),
        Row(f"{prefix}: check of what has converged", "s", tuple(again)),
        Row(f"{prefix}: the grader's own CPU in that check", "s", tuple(cpu)),
    ]
