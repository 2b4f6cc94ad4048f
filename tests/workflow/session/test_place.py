"""Where a learner goes on, and what follows a pass."""

from __future__ import annotations

import os
from pathlib import Path

from grader.lessons.outline import Outline
from grader.workflow.session.place import after, left_off

ONE = Outline("01-one", 1, "一", 10, ("a",))
TWO = Outline("02-two", 2, "二", 10, ("b", "c"))
THREE = Outline("03-three", 3, "三", 10, ("d",))
ALL = (ONE, TWO, THREE)


def worked(folder: Path, lesson: Outline, when: int) -> Path:
    path = folder / lesson.notebook
    path.touch()
    os.utime(path, (when, when))
    return path


def test_one_goes_on_in_the_lesson_that_was_worked_in_last(tmp_path: Path) -> None:
    notebooks = [worked(tmp_path, TWO, 20), worked(tmp_path, ONE, 10)]
    assert left_off(ALL, set(), notebooks) == TWO
    assert left_off(ALL, {"b", "c"}, notebooks) == THREE
    assert left_off(ALL, {"b", "c", "d"}, notebooks) == ONE
    assert left_off(ALL, {"a", "b", "c", "d"}, notebooks) is None


def test_whoever_uses_no_notebooks_goes_on_with_what_has_not_passed() -> None:
    assert left_off(ALL, set()) == ONE
    assert left_off(ALL, {"a", "b"}) == TWO


def test_a_pass_leads_to_the_next_exercise_and_from_the_last_one_to_the_next_lesson() -> None:
    assert after("b", ALL, {"b"}) == "c"
    assert after("b", ALL, {"b", "c"}) == THREE
    assert after("c", ALL, {"c"}) == THREE
    assert after("d", ALL, {"d"}) is None
    assert after("elsewhere", ALL, set()) is None and after("a", (), set()) is None
