from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from grader.exercises import all_exercises
from grader.lessons.formats import nbformat
from grader.lessons.notebook import folded, learner_notebook, solution_notebook
from grader.lessons.source import Lesson, read_lessons
from grader.model.exercise import Answer, Exercise, Form


def exercise_cells(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if "exercise" in cell.metadata.get("tags", ())]


def test_the_learner_gets_the_starter_and_ci_the_reference(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    exercise = exercises["clusterip"]
    assert exercise_cells(learner_notebook(lesson, exercises)) == [f"%%apply clusterip\n{exercise.starter.rstrip()}"]
    reference = exercise.answers[0].text.rstrip()
    assert exercise_cells(solution_notebook(lesson, exercises)) == [f"%%apply clusterip\n{reference}"]


def test_a_reference_that_is_a_script_is_run_in_the_exercises_namespace(
    lesson: Lesson, exercises: Mapping[str, Exercise]
) -> None:
    exercise = exercises["clusterip"]
    script = Answer("reference", "kubectl get pods\n", Form.SCRIPT)
    solved = {**exercises, "clusterip": replace(exercise, answers=(script, *exercise.answers[1:]))}
    (cell,) = exercise_cells(solution_notebook(lesson, solved))
    assert cell.startswith("%%bash\n")
    assert "--namespace=clusterip" in cell
    assert cell.endswith("\nkubectl get pods")
    assert exercise_cells(learner_notebook(lesson, solved)) == exercise_cells(learner_notebook(lesson, exercises))


def test_no_answer_is_given_away_in_a_learners_notebook(exercises: Mapping[str, Exercise]) -> None:
    for lesson in read_lessons():
        text = nbformat.writes(learner_notebook(lesson, exercises))
        for id_ in lesson.exercises:
            assert exercises[id_].answers[0].text.strip() not in text


def test_the_task_stands_where_the_lesson_asks_for_it(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    task = learner_notebook(lesson, exercises).cells[3].source
    assert task.startswith(f"### {exercises['clusterip'].title}")
    assert "`backend-service`" in task
    assert "\n# " not in task


def test_shell_cells_run_in_bash(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    assert learner_notebook(lesson, exercises).cells[1].source == "%%bash\necho one"


@pytest.mark.parametrize("make", [learner_notebook, solution_notebook])
def test_two_builds_are_equal_and_valid(lesson: Lesson, exercises: Mapping[str, Exercise], make: object) -> None:
    assert callable(make)
    first, second = make(lesson, exercises), make(lesson, exercises)
    nbformat.validate(first)
    assert nbformat.writes(first) == nbformat.writes(second)


def test_the_kernel_is_named_for_the_course(lesson: Lesson, exercises: Mapping[str, Exercise]) -> None:
    kernel = learner_notebook(lesson, exercises).metadata.kernelspec
    assert kernel["name"] == "python3"
    assert "Kubernetes" in kernel["display_name"]


def test_what_answers_a_prediction_is_closed_until_it_is_opened() -> None:
    asked = "まえがき\n\n> **予想してみよう**\n>\n> どうなるでしょうか。\n\n実行しましょう。"
    texts = folded([asked, None, None, "こうなります。\n\nつづき", "別の話"])
    assert texts[0] == asked and texts[4] == "別の話"
    assert texts[3] is not None and texts[3].startswith("<details><summary>予想したら開く</summary>\n\nこうなります。")
    assert texts[3].endswith("</details>\n\nつづき")
    assert folded([asked, None, "## 見出し\n\n本文"])[2] == "## 見出し\n\n本文"


def test_the_set_up_is_one_line() -> None:
    known = {exercise.id: exercise for exercise in all_exercises()}
    for item in read_lessons()[:3]:
        cells = [cell.source for cell in learner_notebook(item, known).cells]
        assert f"!grader lessons start {item.number}" in cells
        assert not any("--ignore-not-found" in cell for cell in cells)


def test_every_diagram_is_drawn_in_the_one_theme_that_the_style_sheet_turns_round() -> None:
    known = {exercise.id: exercise for exercise in all_exercises()}
    texts = [cell.source for item in read_lessons() for cell in learner_notebook(item, known).cells]
    drawn = [text for text in texts if "```mermaid" in text]
    assert len(drawn) >= 3
    assert all(text.count("```mermaid\n%%{init:") == text.count("```mermaid") for text in drawn)
