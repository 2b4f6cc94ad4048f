"""An exercise that varies is graded with each student's own values, and never wrongly failed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import exercises
from grader.classroom import ASSIGNMENT, answer_id, submission
from grader.classroom.assignment import notebook
from grader.classroom.grading import autograde
from grader.classroom.marks import Marks, Table
from grader.classroom.results import StudentResult, load_all
from grader.lessons.formats import nbformat
from grader.model.exercise import Exercise
from grader.paths import content_root
from grader.workflow.handin.handed import Head
from grader.workflow.session.start import starter_text
from tests.exercises.test_vary import vary


@pytest.fixture(scope="module")
def exercise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exercise]:
    root = tmp_path_factory.mktemp("content")
    folder = root / "exercises" / "varied"
    shutil.copytree(content_root() / "exercises" / "clusterip", folder)
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace("id: clusterip", "id: varied").replace("clusterip.svc", "varied.svc"), "utf-8")
    vary(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_CONTENT", str(root))
        yield exercises.load("varied")


def answer(learner: str) -> str:
    return exercises.load("varied", learner).answers[0].text


def other_than(exercise: Exercise, learner: str) -> str:
    """Find a learner whose values all differ from those of another."""
    values = exercises.load(exercise.id, learner).values
    names = (f"student-{number}" for number in range(1000))
    return next(
        name
        for name in names
        if all(exercises.load(exercise.id, name).values[key] != value for key, value in values.items())
    )


def hand_in(root: Path, student: str, exercise: Exercise, text: str, *, shown: str = "", exported: str = "") -> None:
    folder = root / student / ASSIGNMENT
    folder.mkdir(parents=True)
    document = notebook([exercise])
    for cell in document.cells:
        if text and cell.metadata.get("nbgrader", {}).get("grade_id") == answer_id(exercise.id):
            cell.source = f"%%apply {exercise.id}\n{text}"
        if shown and cell.source.startswith("start("):
            yours = starter_text(exercises.load(exercise.id, shown))
            data = {"text/plain": f"```yaml\n{yours}\n```"}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(document), encoding="utf-8")
    if exported:
        (folder / "submit").mkdir()
        (folder / "submit" / f"{exercise.id}.yaml").write_text(exported, encoding="utf-8")


@pytest.fixture(scope="module")
def graded(exercise: Exercise, tmp_path_factory: pytest.TempPathFactory) -> dict[str, StudentResult]:
    root = tmp_path_factory.mktemp("submitted")
    learner = other_than(exercise, "")
    exported = f"{Head(learner=learner)}{answer(learner)}"
    hand_in(root, "exported", exercise, "", exported=exported)
    hand_in(root, "copied", exercise, "", exported=exported)
    hand_in(root, "shown", exercise, answer("hanako"), shown="hanako")
    hand_in(root, "headed", exercise, f"{Head(learner=learner)}{answer(learner)}")
    hand_in(root, "canonical", exercise, answer(""))
    hand_in(root, "nameless", exercise, answer(learner))
    hand_in(root, "another", exercise, answer(""), shown=learner)
    hand_in(root, "blank", exercise, "")
    hand_in(root, "begun", exercise, starter_text(exercises.load(exercise.id, learner)))
    results = tmp_path_factory.mktemp("results")
    autograde(root, results, [exercise], parallel=2)
    return {result.student: result for result in load_all(results)}


def test_an_answer_is_graded_with_the_values_of_whoever_it_names(graded: dict[str, StudentResult]) -> None:
    points = {name: result.points for name, result in graded.items() if result.scored}
    full = graded["exported"].max_points
    assert {name for name, earned in points.items() if earned == full} == {
        "exported", "copied", "shown", "headed", "canonical",
    }  # fmt: skip
    assert points["another"] < full
    assert (points["blank"], points["begun"]) == (0, 0)


def test_an_answer_that_may_be_right_for_somebody_is_not_failed(graded: dict[str, StudentResult]) -> None:
    assert [name for name, result in graded.items() if not result.scored] == ["nameless"]
    assert [item.report.finding.diagnosis for item in graded["nameless"].open] == ["learner-unknown"]


def marks(result: StudentResult) -> Marks:
    points = {answer.exercise: answer.report.points if answer.scored else None for answer in result.answers}
    return Marks(result.student, "", points, 0.0, result.max_points, result.learners)


def test_the_table_tells_who_handed_in_the_same_learners_work(graded: dict[str, StudentResult]) -> None:
    rows = Table.of([marks(result) for result in graded.values()]).rows
    assert rows["copied"]["same_learner"] == "another exported headed"
    assert rows["copied"]["learner"] == rows["exported"]["learner"]
    assert (rows["shown"]["learner"], rows["shown"]["same_learner"]) == ("hanako", "")
    assert (rows["canonical"]["learner"], rows["canonical"]["same_learner"]) == ("", "")
    assert (rows["nameless"]["varied"], rows["nameless"]["open"], rows["nameless"]["scored"]) == ("", "varied", "False")


def test_the_assignment_says_that_values_differ(exercise: Exercise) -> None:
    text = "\n".join(cell.source for cell in notebook([exercise]).cells)
    assert 'start("varied")' in text
    assert "学習者ごとに変わります" in text


def test_a_notebook_that_tells_several_learners_tells_none(exercise: Exercise, tmp_path: Path) -> None:
    hand_in(tmp_path, "taro", exercise, answer(""), shown="hanako")
    path = tmp_path / "taro" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["cells"][0]["outputs"] = [{"text": ["# learner: jiro\n"]}]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert submission.read(tmp_path, "taro", [exercise]).answers["varied"].learner == ""
