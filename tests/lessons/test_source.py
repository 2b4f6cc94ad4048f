from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import ContentError
from grader.lessons.source import CellKind, Lesson, read_lesson, read_lessons

PARTS = ("**学習目標**", "> **予想してみよう**", "```mermaid", "## まとめ", "## 公式ドキュメント")


def test_a_lesson_has_its_cells_in_order(lesson: Lesson) -> None:
    assert lesson.slug == "03-small"
    assert lesson.title == "小さなレッスン"
    assert lesson.exercises == ("clusterip",)
    kinds = [cell.kind for cell in lesson.cells]
    assert kinds == [CellKind.TEXT, CellKind.SHELL, CellKind.PYTHON, CellKind.TEXT, CellKind.PYTHON]
    assert lesson.cells[1].source == "echo one"
    assert lesson.cells[4].tags == {"exercise"}


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("# 3. 小さなレッスン", "# 小さなレッスン", "title"),
        ("# 3. 小さなレッスン", "# 4. 小さなレッスン", "title"),
        ("    minutes: 10\n", "", "course.minutes"),
        ("    minutes: 10\n", "    minutes: ten\n", "course.minutes"),
        ("<!-- exercise: clusterip -->", "", "course.exercise"),
    ],
)
def test_a_malformed_lesson_is_refused_with_file_and_field(source: Path, old: str, new: str, field: str) -> None:
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        read_lesson(source)
    assert caught.value.facts["field"] == field
    assert caught.value.facts["file"] == "course/03-small.md"


def test_the_course_has_its_lessons_in_order() -> None:
    numbers = [lesson.number for lesson in read_lessons()]
    assert numbers == sorted(numbers)
    assert {3, 4, 5} <= set(numbers)


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_every_lesson_has_the_parts_that_a_learner_relies_on(lesson: Lesson) -> None:
    text = "\n".join(cell.source for cell in lesson.cells)
    for part in PARTS:
        assert part in text, part
    assert "> **記事との違い**" in text or "> **補足**" in text
    for call in ("%load_ext grader", f"kubectl create namespace {lesson.namespace}"):
        assert call in text, call
    for exercise in lesson.exercises:
        for call in (f'start("{exercise}")', f"%%apply {exercise}", f'check("{exercise}")', f'hint("{exercise}")'):
            assert call in text, call


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_every_command_of_a_lesson_can_run_unattended(lesson: Lesson) -> None:
    shell = [line for cell in lesson.cells if cell.kind is CellKind.SHELL for line in cell.source.splitlines()]
    assert shell
    for line in shell:
        words = line.split()
        assert not {"-it", "-ti", "--tty", "-w", "--watch"} & set(words) or "curl" in words, line
        assert "sleep" not in words, line
        assert "|| true" not in line, line


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_a_lesson_removes_what_it_creates_and_can_start_again(lesson: Lesson) -> None:
    shell = [cell.source for cell in lesson.cells if cell.kind is CellKind.SHELL]
    deletions = [cell for cell in shell if f"kubectl delete namespace {lesson.namespace}" in cell]
    assert "--ignore-not-found" in deletions[0]
    assert deletions[-1] == shell[-1]


@pytest.mark.parametrize("lesson", read_lessons(), ids=lambda lesson: lesson.slug)
def test_a_lesson_is_set_up_by_one_cell_which_makes_everything_anew(lesson: Lesson) -> None:
    assert next(cell.source for cell in lesson.cells if cell.kind is CellKind.SHELL) == lesson.setup.rstrip()
    assert lesson.setup.startswith("kubectl delete namespace ") and "--ignore-not-found" in lesson.setup
