"""A teacher's evening in small: an assignment, four submissions, marks in the gradebook, feedback in Japanese."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from grader.lessons.formats import nbformat

pytest.importorskip("nbgrader", reason="nbgrader is the optional extra `classroom`")

from grader import exercises
from grader.classroom import ASSIGNMENT, answer_id, record
from grader.classroom.assignment import create
from grader.classroom.grading import Step, autograde
from grader.classroom.results import evidence_path, load_all
from grader.model.exercise import Exercise

ALL = tuple(exercises.load(name) for name in ("clusterip", "nodeport", "loadbalancer"))
POINTS = sum(exercise.points for exercise in ALL)

HOSTILE_CODE = """
import os, pathlib
pathlib.Path({marker!r}).write_text("student code ran")
from IPython import get_ipython
get_ipython().ast_transformers.append(None)
"""


def hand_in(course: Path, student: str, answers: dict[str, str], *, extra: str = "") -> Path:
    notebook = nbformat.read(course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    for cell in notebook.cells:
        for exercise, text in answers.items():
            if cell.metadata.get("nbgrader", {}).get("grade_id") == answer_id(exercise):
                cell.source = f"%%apply {exercise}\n{text}"
    if extra:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(extra))
        notebook.cells.append(nbformat.v4.new_markdown_cell("<script>document.title='owned'</script>"))
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade"):
                cell.metadata["nbgrader"]["points"] = 1000
                cell.source = "float('inf')"
    folder = course / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    return folder


def wrong_of(exercise: Exercise) -> str:
    return next(answer.text for answer in exercise.wrong if answer.criterion != "manifest")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    create(folder, ALL)
    record.release(folder)
    hand_in(folder, "right", {exercise.id: exercise.answers[0].text for exercise in ALL})
    hand_in(folder, "wrong", {exercise.id: wrong_of(exercise) for exercise in ALL})
    hand_in(folder, "山田 太郎", {exercise.id: exercise.answers[0].text for exercise in ALL})
    (folder / "submitted" / "empty" / ASSIGNMENT).mkdir(parents=True)
    (folder / "submitted" / "empty" / ASSIGNMENT / "timestamp.txt").write_text("2026-99-99 10:00:00 UTC")
    bad = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: me}\n"
    code = HOSTILE_CODE.format(marker=str(folder / "ran"))
    hostile = hand_in(folder, "hostile", {ALL[0].id: bad}, extra=code)
    (hostile / f"{ALL[1].id}.yaml").symlink_to("/etc/passwd")
    (hostile / "submit").mkdir()
    (hostile / "submit" / f"{ALL[2].id}.yaml").write_text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    return folder


@pytest.fixture(scope="module")
def recorded(course: Path) -> record.Recorded:
    steps: list[Step] = []
    autograde(course / "submitted", course / "results", ALL, progress=steps.append)
    assert [step.done for step in steps] == [1, 2, 3, 4, 5]
    return record.record(course, course / "results")


def test_every_submission_gets_the_marks_it_deserves(recorded: record.Recorded) -> None:
    rows = {row["student"]: row for row in csv.DictReader(recorded.csv.read_text("utf-8-sig").splitlines())}
    assert float(rows["right"]["points"]) == POINTS
    assert 0 <= float(rows["wrong"]["points"]) < POINTS
    assert float(rows["empty"]["points"]) == 0
    assert (rows["hostile"]["points"], rows["hostile"]["open"], rows["hostile"]["nodeport"]) == ("0", "nodeport", "")
    assert recorded.open == {"hostile": ("nodeport",)}
    assert recorded.failed == ()
    assert float(rows["山田 太郎"]["points"]) == POINTS


def test_the_gradebook_holds_the_same_marks(course: Path, recorded: record.Recorded) -> None:
    from nbgrader.api import Gradebook

    by_student = {result.student: result.points for result in load_all(course / "results")}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        assert [
            grade.name for grade in book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "hostile").grades
            if grade.needs_manual_grade
        ] == ["grade-nodeport"]  # fmt: skip
        marks = {student: book.find_submission(ASSIGNMENT, student).score for student in by_student}
        maximum = book.find_assignment(ASSIGNMENT).max_score
    assert marks == by_student
    assert maximum == POINTS


def test_no_code_of_a_student_was_run(course: Path, recorded: record.Recorded) -> None:
    assert not (course / "ran").exists()


def test_feedback_is_a_japanese_card_and_carries_nothing_a_student_slipped_in(
    course: Path, recorded: record.Recorded
) -> None:
    page = (recorded.feedback / "wrong" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text("utf-8")
    assert "不合格" in page
    assert "あなたの解答" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    hostile = (recorded.feedback / "hostile" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text("utf-8")
    assert "document.title='owned'" not in hostile


def test_a_second_run_grades_only_what_changed(course: Path, recorded: record.Recorded) -> None:
    results = course / "results"
    reused: dict[str, bool] = {}
    (course / "submitted" / "empty" / ASSIGNMENT / f"{ALL[0].id}.yaml").write_text(ALL[0].answers[0].text)
    autograde(
        course / "submitted", results, ALL, progress=lambda step: reused.update({step.result.student: step.reused})
    )
    assert reused == {"right": True, "wrong": True, "hostile": True, "empty": False, "山田 太郎": True}
    again = next(result for result in load_all(results) if result.student == "empty")
    assert again.points == ALL[0].points


def test_a_subset_leaves_the_other_marks_as_they_are(course: Path, recorded: record.Recorded) -> None:
    results = course / "results"
    before = {result.student: result.answers for result in load_all(results)}
    autograde(course / "submitted", results, ALL[:1], students=["right"], force=True)
    assert {result.student: result.answers for result in load_all(results)} == before


def test_saved_evidence_judged_again_gives_the_same_report(course: Path, recorded: record.Recorded) -> None:
    from grader.judge import judge
    from grader.model.evidence import Evidence

    for result in load_all(course / "results"):
        for answer in result.answers:
            path = evidence_path(course / "results", result.student, answer.exercise)
            if not answer.scored:
                assert not path.exists()
                continue
            evidence = Evidence.from_json(json.loads(path.read_text("utf-8")))
            assert judge(exercises.load(answer.exercise), evidence) == answer.report


def test_what_a_person_decided_is_in_the_table_and_the_table_before_is_kept(
    course: Path, recorded: record.Recorded
) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        by_hand = book.find_grade("grade-nodeport", ASSIGNMENT, ASSIGNMENT, "hostile")
        by_hand.manual_score = 3.0
        book.find_grade("grade-clusterip", ASSIGNMENT, ASSIGNMENT, "wrong").extra_credit = 1.0
        book.db.commit()
    old = recorded.csv.read_bytes()
    again = record.record(course, course / "results")
    rows = {row["student"]: row for row in csv.DictReader(again.csv.read_text("utf-8-sig").splitlines())}
    assert (rows["hostile"]["nodeport"], rows["hostile"]["open"]) == ("3", "")
    changed = {(item.student, item.column) for item in again.changes}
    assert {("hostile", "nodeport"), ("wrong", "clusterip"), ("wrong", "points")} <= changed
    assert not any(student in ("right", "山田 太郎") for student, _ in changed)
    assert again.kept is not None
    assert (again.kept / "marks.csv").read_bytes() == old
    assert (again.kept / "gradebook.db").stat().st_size > 0
