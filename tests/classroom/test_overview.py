"""The class on one page: counts that add up, words that a student cannot turn into markup, and no other host."""

from __future__ import annotations

import re

from grader import exercises
from grader.classroom.grading import needs_look
from grader.classroom.overview import overview, page
from grader.classroom.results import GradedAnswer, StudentResult
from grader.model.report import Finding, Hop, Report, Verdict

CLUSTERIP = exercises.load("clusterip")


def report(verdict: Verdict, points: float, diagnosis: str = "service-missing", **facts: str) -> Report:
    about = {"service": "backend-service", "namespace": "clusterip", "services": "-", **facts}
    finding = Finding(diagnosis, about)
    return Report("clusterip", CLUSTERIP.title, verdict, points, 8.0, (), Hop.SERVICE, finding, (), "embedded", "")


def student(name: str, report: Report, source: str = "file") -> StudentResult:
    return StudentResult(name, "", (), (GradedAnswer("clusterip", source, "", report),), 0.1)


CLASS = [
    student("right", report(Verdict.PASS, 8.0)),
    student("partial", report(Verdict.FAIL, 2.0)),
    student("wrong", report(Verdict.FAIL, 0.0)),
    student("wrong2", report(Verdict.FAIL, 0.0, service="<script>alert(1)</script>")),
    student("away", report(Verdict.FAIL, 0.0), source="none"),
    student("山田 太郎", needs_look(CLUSTERIP, "submission-link", file="clusterip.yaml")),
]


def test_everybody_is_counted_once_and_who_is_open_counts_nothing() -> None:
    found = overview(iter(CLASS))
    [row] = found.exercises
    assert (found.students, row.passed, row.partial, row.failed, row.absent, row.open) == (6, 1, 1, 3, 1, 1)
    assert row.mean == "2 / 8"
    assert abs(sum(percent for _, _, percent in row.shares) - 100) < 0.1
    assert [cause.count for cause in row.causes] == [3]
    assert [item.student for item in found.open] == ["山田 太郎"]
    assert {item.student for item in found.stuck} == {"partial", "wrong", "wrong2"}


def test_the_page_asks_no_host_and_runs_nothing() -> None:
    html = page(overview(iter(CLASS)))
    assert "山田 太郎" in html
    assert "<script" not in html
    assert not re.search(r"""(src|href)=|url\(|@import""", html)
