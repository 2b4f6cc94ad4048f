"""What is graded again, what is not, and what is told of it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grader import exercises
from grader.classroom import fingerprint, grading
from grader.classroom.limits import Limits
from grader.classroom.regrade import marks, regrade
from grader.classroom.results import StudentResult, evidence_path, load, load_all, owned, presentable
from grader.classroom.submission import StudentAnswer
from grader.errors import UsageError

CLUSTERIP, NODEPORT = exercises.load("clusterip"), exercises.load("nodeport")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root, results = tmp_path_factory.mktemp("submitted"), tmp_path_factory.mktemp("results")
    for student in ("alice", "ALICE"):
        (root / student).mkdir()
    (root / "alice" / "clusterip.yaml").write_text(CLUSTERIP.answers[0].text)
    (root / "alice" / "nodeport.yaml").symlink_to("/etc/passwd")
    grading.autograde(root, results, [CLUSTERIP, NODEPORT])
    return root, results


@pytest.fixture
def copied(graded: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    root, results = tmp_path / "submitted", tmp_path / "results"
    shutil.copytree(graded[0], root, symlinks=True)
    shutil.copytree(graded[1], results)
    return root, results


def again(root: Path, results: Path, **options: object) -> set[str]:
    steps: list[grading.Step] = []
    grading.autograde(root, results, [CLUSTERIP, NODEPORT], progress=steps.append, **options)  # type: ignore[arg-type]
    return {step.result.student for step in steps if not step.reused}


def result(results: Path, student: str) -> StudentResult:
    found = load(results, student)
    assert found is not None
    return found


def test_one_exercise_without_a_mark_leaves_the_others_theirs(graded: tuple[Path, Path]) -> None:
    alice = result(graded[1], "alice")
    assert alice.points == CLUSTERIP.points
    assert [answer.exercise for answer in alice.open] == ["nodeport"]


def test_another_run_gives_the_same_to_the_last_byte(graded: tuple[Path, Path], tmp_path: Path) -> None:
    again(graded[0], tmp_path)
    for student in ("alice", "ALICE"):
        assert replace(result(tmp_path, student), seconds=0) == replace(result(graded[1], student), seconds=0)
        kept = (evidence_path(folder, student, "clusterip").read_bytes() for folder in (tmp_path, graded[1]))
        assert len({*kept}) == 1


def test_names_that_differ_in_case_are_two_students(graded: tuple[Path, Path]) -> None:
    assert (result(graded[1], "ALICE").points, result(graded[1], "alice").points) == (0, CLUSTERIP.points)


def test_nothing_is_graded_again_unless_it_is_forced(copied: tuple[Path, Path]) -> None:
    assert again(*copied) == set()
    assert again(*copied, students=["alice"], force=True) == {"alice"}


def test_an_answer_that_changed_alone_is_graded_again(copied: tuple[Path, Path]) -> None:
    root, results = copied
    before = result(results, "alice")
    (root / "alice" / "nodeport.yaml").unlink()
    (root / "alice" / "nodeport.yaml").write_text(NODEPORT.answers[0].text)
    assert again(root, results) == {"alice"}
    after = result(results, "alice")
    assert after.points == CLUSTERIP.points + NODEPORT.points
    assert after.answers[0] == before.answers[0]


def test_an_exercise_that_changed_makes_old_verdicts_old(tmp_path: Path) -> None:
    shutil.copytree(CLUSTERIP.folder, tmp_path / "clusterip")
    here = replace(CLUSTERIP, folder=tmp_path / "clusterip")
    answer = StudentAnswer("kind: Service", "file")
    before = fingerprint.fingerprint(here, answer)
    assert before == fingerprint.fingerprint(CLUSTERIP, answer)
    assert before != fingerprint.fingerprint(here, replace(answer, learner="hanako"))
    path = here.folder / "exercise.yaml"
    path.write_text(path.read_text("utf-8").replace("points: 2", "points: 4", 1), "utf-8")
    assert before != fingerprint.fingerprint(here, answer)


def test_kept_evidence_is_judged_again_and_the_changed_marks_are_told(copied: tuple[Path, Path]) -> None:
    results = copied[1]
    first = CLUSTERIP.criteria[0]
    dearer = replace(
        CLUSTERIP,
        points=CLUSTERIP.points + 2,
        criteria=(replace(first, points=first.points + 2), *CLUSTERIP.criteria[1:]),
    )
    kept = result(results, "alice")
    [change] = [item for item in marks(regrade(results, [dearer], keep=False)) if item.student == "alice"]
    assert (change.before.report.points, change.after.report.points) == (CLUSTERIP.points, dearer.points)
    assert result(results, "alice") == kept
    regrade(results, [dearer])
    assert result(results, "alice").points == dearer.points
    assert list(regrade(results, [dearer])) == []


def test_a_file_that_cannot_be_read_any_more_takes_its_evidence_with_it(copied: tuple[Path, Path]) -> None:
    root, results = copied
    assert evidence_path(results, "alice", "clusterip").is_file()
    (root / "alice" / "clusterip.yaml").unlink()
    os.mkfifo(root / "alice" / "clusterip.yaml")
    again(root, results)
    assert not evidence_path(results, "alice", "clusterip").exists()
    assert result(results, "alice").points == 0


def test_a_student_who_is_not_there_is_an_error(copied: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="submissions-unknown"):
        again(*copied, students=["bob"])


def test_what_a_killed_write_left_is_swept_and_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    for name in (".alice.json.123", "evidence/alice/.clusterip.json.77"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{")
    with owned(tmp_path):
        assert not list(tmp_path.rglob("*.json.*"))
        with pytest.raises(UsageError, match="results-busy"), owned(tmp_path):
            raise AssertionError("two runs have it")


def test_text_of_a_report_moves_no_cursor_and_has_an_end() -> None:
    assert presentable({"a": ["\x1b[2J", "x" * 5_000, 1]}) == {"a": ["�[2J", "x" * 1_999 + "…", 1]}


def test_a_child_that_died_is_that_exercises_line_and_is_not_tried_again(copied: tuple[Path, Path]) -> None:
    root, results = copied
    tight = Limits(memory=20_000_000)
    assert again(root, results, students=["alice"], force=True, limits=tight) == {"alice"}
    codes = {answer.exercise: answer.report.finding.diagnosis for answer in result(results, "alice").open}
    assert set(codes) == {"clusterip", "nodeport"}
    assert codes["clusterip"] in ("grading-memory", "reading-memory")
    assert json.loads((results / "ALICE.json").read_text("utf-8"))["student"] == "ALICE"
    assert len(list(load_all(results))) == 2
