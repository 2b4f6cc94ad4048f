from dataclasses import replace
from pathlib import Path

import pytest

from grader import exercises
from grader.errors import ContentError
from grader.workflow.session import hints


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))


EXERCISE = replace(exercises.load("clusterip"), hints=("one", "two"))


def test_hints_open_one_after_another_and_the_last_stays() -> None:
    seen = [(hint.number, hint.text, hint.new) for hint in (hints.next_hint(EXERCISE) for _ in range(3))]
    assert seen == [(1, "one", True), (2, "two", True), (2, "two", False)]


def test_what_is_open_can_be_read_again() -> None:
    assert hints.opened(EXERCISE) == ()
    hints.next_hint(EXERCISE)
    assert [hint.text for hint in hints.opened(EXERCISE)] == ["one"]


def test_hints_that_an_author_took_away_are_not_missed() -> None:
    hints.next_hint(EXERCISE)
    hints.next_hint(EXERCISE)
    shorter = replace(EXERCISE, hints=("only",))
    assert [hint.text for hint in hints.opened(shorter)] == ["only"]
    assert hints.next_hint(shorter).text == "only"


def test_an_exercise_without_hints_is_a_mistake_of_its_author() -> None:
    with pytest.raises(ContentError):
        hints.next_hint(replace(EXERCISE, hints=()))
