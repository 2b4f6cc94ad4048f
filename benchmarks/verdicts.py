"""From `kubectl apply` to the verdict: kubectl is a process of its own, as for a learner; check runs in this one."""

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
from grader.model.exercise import Exercise
from grader.model.report import Report, Verdict
from grader.workflow import check, reset, start


def timed_check(exercise: Exercise, cluster: info.ClusterInfo) -> tuple[Report, float, float]:
    began, used = time.perf_counter(), time.process_time()
    report = check.check(exercise, cluster)
    return report, time.perf_counter() - began, time.process_time() - used


def expect(report: Report, verdict: Verdict) -> None:
    if report.verdict is not verdict:
        raise SystemExit(f"{report.exercise}: {report.verdict}, not {verdict}: {report.finding}")


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
        tries = ((exercise.answers[0].text, Verdict.PASS, right), (mistake.text, Verdict.FAIL, wrong))
        for text, verdict, times in tries:
            reset.reset(exercise, cluster, work)
            began = time.perf_counter()
            kubectl.run(["-n", exercise.namespace, "apply", "-f", "-"], cluster.kubeconfig, stdin=text)
            report, _, _ = timed_check(exercise, cluster)
            times.append(time.perf_counter() - began)
            expect(report, verdict)
            if verdict is Verdict.PASS:
                _, seconds, used = timed_check(exercise, cluster)
                again.append(seconds)
                cpu.append(used)
    prefix = f"{cluster.provider} {exercise.id}"
    return [
        Row(f"{prefix}: apply of the reference answer → pass", "s", tuple(right)),
        Row(f"{prefix}: apply of «{mistake.name}» → fail", "s", tuple(wrong)),
        Row(f"{prefix}: check of what has converged", "s", tuple(again)),
        Row(f"{prefix}: the grader's own CPU in that check", "s", tuple(cpu)),
    ]
