"""A certificate says what was proved, and only of what passed."""

from __future__ import annotations

import pytest

from grader import exercises
from grader.errors import UsageError
from grader.render.certificate import page
from grader.workflow.session.certificate import certificate
from grader.workflow.session.progress import ExerciseProgress, Progress

ALL = exercises.all_exercises()
PASSED = ExerciseProgress(passed_at="2026-01-02T03:04:05+00:00", points=8, proof="3つのPodが<応答>しました。")


def test_only_what_passed_stands_on_it_with_what_was_proved() -> None:
    tried = ExerciseProgress(checks=3, points=4, last="fail")
    shown = page(certificate(ALL, Progress({"clusterip": PASSED, "nodeport": tried}), "山田<花子>"))
    titles = {item.id: item.title for item in ALL}
    assert titles["clusterip"] in shown and titles["nodeport"] not in shown
    assert "3つのPodが&lt;応答&gt;しました。" in shown and "山田&lt;花子&gt;" in shown
    assert "合格の記録" in shown and "修了証" not in shown
    assert "http" not in shown and "<script" not in shown


def test_it_certifies_the_course_where_everything_passed() -> None:
    shown = page(certificate(ALL, Progress({item.id: PASSED for item in ALL})))
    assert "<h1>修了証</h1>" in shown and all(item.title in shown for item in ALL)


def test_there_is_none_of_nothing() -> None:
    with pytest.raises(UsageError, match="certificate-nothing-passed"):
        certificate(ALL, Progress())
