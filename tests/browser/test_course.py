"""A page's questions are answered by the same cluster, judge and cards as the command line's, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grader import exercises
from grader.browser import stored
from grader.browser.course import Course
from grader.errors import UsageError
from grader.model.report import Report, Verdict


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    for exercise in exercises.all_exercises():
        stored.write(exercise, folder)
    return folder


@pytest.fixture
def course(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Course]:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRADER_LEARNER", "")
    yield Course(partial(stored.read, folder=folder), tmp_path / "work")


def verdict(answer: dict[str, Any]) -> Verdict:
    report = Report.from_json(json.loads(json.dumps(answer))["report"])
    assert report.verdict.exit_status == answer["exit_status"]
    return report.verdict


def test_every_exercise_is_read_back_as_it_was_but_for_what_a_page_does_not_ask_for(folder: Path) -> None:
    for exercise in exercises.all_exercises():
        found = stored.read(exercise.id, folder)
        assert found.criteria == exercise.criteria
        assert (found.given, found.starter, found.answers) == (exercise.given, exercise.starter, exercise.answers)
        assert found.wrong == ()
        assert b"grader.exercises" not in (folder / f"{exercise.id}.pickle").read_bytes()
        assert str(exercise.folder).encode() not in (folder / f"{exercise.id}.pickle").read_bytes()


def test_a_name_that_is_not_there_is_answered_with_the_nearest(folder: Path, course: Course) -> None:
    with pytest.raises(UsageError, match="clusterip"):
        stored.read("clusterpi", folder)
    answer = course.check("clusterpi")
    assert answer["exit_status"] == 2 and answer["error"]["facts"]["near"] == "clusterip"
    assert "gsc-card" in answer["html"]


def test_from_the_starter_to_a_pass_and_back(course: Course) -> None:
    exercise = exercises.load("clusterip")
    assert verdict(course.check("clusterip")) is Verdict.FAIL
    applied = course.apply("clusterip", exercise.answers[0].text)
    assert applied["exit_status"] == 0 and {item["action"] for item in applied["objects"]} == {"created"}
    passed = course.check("clusterip")
    assert verdict(passed) is Verdict.PASS and exercise.title in passed["html"]
    renewed = course.reset("clusterip")
    assert renewed["starter"] == exercise.starter and "Service/backend-service" in renewed["removed"]
    assert verdict(course.check("clusterip")) is Verdict.FAIL


@pytest.mark.parametrize("renewed", [True, False], ids=["after a reset", "at first"])
def test_a_verdict_rests_on_what_is_given_and_has_come_up(course: Course, renewed: bool) -> None:
    exercise = exercises.load("complete-example")
    wrong = next(item for item in exercise.wrong if item.name == "public-selector-too-wide")
    if renewed:
        course.reset(exercise.id)
    assert verdict(course.check(exercise.id, wrong.text)) is Verdict.FAIL  # it selects a given Pod too


def test_a_manifest_to_be_judged_is_applied_first_and_its_refusal_is_the_verdict(course: Course) -> None:
    exercise = exercises.load("clusterip")
    assert verdict(course.check("clusterip", exercise.answers[0].text)) is Verdict.PASS
    refused = course.check("clusterip", "apiVersion: v1\nkind: Service\nmetadata: {name: Backend}\nspec: {}\n")
    assert refused["report"]["broken"] == "manifest"


def test_what_the_server_refuses_and_what_cannot_be_read_are_told_apart(course: Course) -> None:
    refused = course.apply("clusterip", "apiVersion: v1\nkind: Service\nmetadata: {name: Backend}\nspec: {}\n")
    assert refused["exit_status"] == 1 and refused["objects"][0]["status"]["reason"] == "Invalid"
    unreadable = course.apply("clusterip", "kind: [")
    assert unreadable["exit_status"] == 1 and unreadable["error"]["code"] == "manifest-unreadable"
    assert "html" in refused and "html" in unreadable


def test_hints_open_one_after_another_and_a_reset_closes_them(course: Course) -> None:
    assert [course.hint("clusterip")["number"] for _ in range(2)] == [1, 2]
    course.reset("clusterip")
    assert course.hint("clusterip") | {"text": ""} == {
        "schema": 1,
        "exit_status": 0,
        "number": 1,
        "total": len(exercises.load("clusterip").hints),
        "text": "",
        "new": True,
    }
