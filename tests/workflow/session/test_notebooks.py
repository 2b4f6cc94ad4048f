"""The learner's notebooks are never lost."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from grader import exercises
from grader.lessons.build import build_notebooks
from grader.lessons.markdown import without_title
from grader.lessons.outline import outlines
from grader.lessons.source import read_lessons
from grader.workflow.session import notebooks
from grader.workflow.session import start as starting

BUILT: dict[str, dict[str, str]] = {}


@pytest.fixture(autouse=True)
def build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notebooks of each learner are built once, for they take a second."""

    def built(target: Path, *, learner: str = "", only: Collection[str] = ()) -> tuple[Path, ...]:
        if learner not in BUILT:
            BUILT[learner] = {
                path.name: path.read_text(encoding="utf-8") for path in build_notebooks(target, learner=learner)
            }
        chosen = {name: text for name, text in BUILT[learner].items() if not only or Path(name).stem in only}
        for name, text in chosen.items():
            (target / name).write_text(text, encoding="utf-8")
        return tuple(target / name for name in chosen)

    monkeypatch.setattr(notebooks, "build_notebooks", built)


def test_an_edited_notebook_is_kept_and_an_untouched_one_is_renewed(tmp_path: Path) -> None:
    first, second, *_ = notebooks.lay(tmp_path).lessons
    original = second.read_text()
    first.write_text("mine")
    notebooks.lay(tmp_path)
    assert first.read_text() == "mine"
    assert second.read_text() == original


def test_laying_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    before = [path.read_bytes() for path in notebooks.lay(tmp_path).lessons]
    assert before == [path.read_bytes() for path in notebooks.lay(tmp_path).lessons]
    assert before


def test_the_notebooks_show_the_learners_own_values(tmp_path: Path) -> None:
    learner = "student-3"
    cells = [
        "".join(cell["source"])
        for path in notebooks.lay(tmp_path, learner).lessons
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
    before = [path.read_text(encoding="utf-8") for path in notebooks.lay(tmp_path, "student-3").lessons]
    assert before != [path.read_text(encoding="utf-8") for path in notebooks.lay(tmp_path, "student-4").lessons]


def test_a_deleted_notebook_comes_back(tmp_path: Path) -> None:
    first, *_ = notebooks.lay(tmp_path).lessons
    first.unlink()
    notebooks.lay(tmp_path)
    assert first.is_file()


def map_of(start: Path) -> str:
    """The map that the start page shows before its cell is run."""
    cell = json.loads(start.read_text(encoding="utf-8"))["cells"][1]
    return "".join(cell["outputs"][0]["data"]["text/markdown"])


def test_the_start_page_leads_to_where_one_left_off(tmp_path: Path) -> None:
    laid = notebooks.lay(tmp_path)
    assert "**始めましょう**: [1. " in map_of(laid.start)
    laid.lessons[3].write_text("ran")
    assert "**続きから**: [4. " in map_of(notebooks.lay(tmp_path).start)
    done = {name for lesson in outlines()[:4] for name in lesson.exercises}
    shown = map_of(notebooks.lay(tmp_path, passed=done).start)
    assert "**続きから**: [5. " in shown and shown.count("✓") == 4
    assert all(f"({path.name})" in shown for path in laid.lessons)


def test_each_lesson_ends_with_a_link_to_the_next(tmp_path: Path) -> None:
    laid = notebooks.lay(tmp_path)
    ends = ["".join(json.loads(path.read_text(encoding="utf-8"))["cells"][-1]["source"]) for path in laid.lessons]
    for end, following in zip(ends, [*laid.lessons[1:], laid.start], strict=True):
        assert f"({following.name})" in end.rsplit("---", 1)[1]


def test_a_lesson_that_was_run_is_offered_anew_after_an_update_and_kept_when_it_is_renewed(tmp_path: Path) -> None:
    path = notebooks.lay(tmp_path).lessons[2]
    newest = path.read_text(encoding="utf-8")
    path.write_text("mine", encoding="utf-8")
    assert "grader lessons reset" not in map_of(notebooks.lay(tmp_path).start)
    known = json.loads((tmp_path / notebooks.LAID).read_text(encoding="utf-8"))
    (tmp_path / notebooks.LAID).write_text(json.dumps({**known, path.name: "an older one"}), encoding="utf-8")
    start = notebooks.lay(tmp_path).start
    assert "!grader lessons reset 3" in map_of(start) and path.read_text(encoding="utf-8") == "mine"
    renewed, kept = notebooks.renew(tmp_path, 3)
    assert renewed == path and path.read_text(encoding="utf-8") == newest
    assert kept is not None and kept.read_text(encoding="utf-8") == "mine"
    assert "grader lessons reset" not in map_of(notebooks.lay(tmp_path).start)
    assert notebooks.renew(tmp_path, 3) == (path, None)


def test_what_was_written_into_the_start_page_is_kept(tmp_path: Path) -> None:
    start = notebooks.lay(tmp_path).start
    start.write_text(start.read_text(encoding="utf-8").replace("progress()", "mine()"), encoding="utf-8")
    notebooks.lay(tmp_path)
    (kept,) = (tmp_path / ".history" / start.stem).glob("*.ipynb")
    assert "mine()" in kept.read_text(encoding="utf-8")
    assert "mine()" not in start.read_text(encoding="utf-8")
