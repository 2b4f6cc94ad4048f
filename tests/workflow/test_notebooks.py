"""The learner's notebooks are never lost."""

from __future__ import annotations

import json
from pathlib import Path

from grader import exercises
from grader.lessons.markdown import without_title
from grader.lessons.source import read_lessons
from grader.workflow import notebooks
from grader.workflow import start as starting


def test_an_edited_notebook_is_kept_and_an_untouched_one_is_renewed(tmp_path: Path) -> None:
    first, second, *_ = notebooks.lay(tmp_path)
    original = second.read_text()
    first.write_text("mine")
    notebooks.lay(tmp_path)
    assert first.read_text() == "mine"
    assert second.read_text() == original


def test_laying_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    before = [path.read_bytes() for path in notebooks.lay(tmp_path)]
    assert before == [path.read_bytes() for path in notebooks.lay(tmp_path)]
    assert before


def test_the_notebooks_show_the_learners_own_values(tmp_path: Path) -> None:
    learner = "student-3"
    cells = [
        "".join(cell["source"])
        for path in notebooks.lay(tmp_path, learner)
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]
    set_there = {name for lesson in read_lessons() for name in lesson.exercises}
    own = [item for item in exercises.all_exercises(learner) if item.values and item.id in set_there]
    assert len(own) >= 5
    for exercise in own:
        starter = starting.starter_text(exercise).rstrip()
        assert starter.startswith(f"# learner: {learner}\n")
        assert f"%%apply {exercise.id}\n{starter}" in cells, exercise.id
        first = without_title(exercise.task).strip().splitlines()[0]
        assert any(first in cell for cell in cells), exercise.id


def test_another_learners_untouched_notebooks_are_laid_anew(tmp_path: Path) -> None:
    before = [path.read_text(encoding="utf-8") for path in notebooks.lay(tmp_path, "student-3")]
    assert before != [path.read_text(encoding="utf-8") for path in notebooks.lay(tmp_path, "student-4")]


def test_a_deleted_notebook_comes_back(tmp_path: Path) -> None:
    first, *_ = notebooks.lay(tmp_path)
    first.unlink()
    notebooks.lay(tmp_path)
    assert first.is_file()
