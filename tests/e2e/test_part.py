"""Parts of what is asked of a real cluster."""

from __future__ import annotations

import pytest

from grader.exercises import all_exercises
from grader.workflow.proof.verify import tasks
from tests.e2e.part import PART, attempts, mine


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_all_parts_together_are_everything_and_share_nothing(offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number in (1, 2, 3):
        monkeypatch.setenv(PART, f"{number}/3")
        found += mine(range(10), offset)
    assert sorted(found) == list(range(10))


@pytest.mark.parametrize("text", ["0/3", "4/3", "third", "1"])
def test_a_part_that_is_none_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PART, text)
    with pytest.raises(ValueError):
        mine([1])


def test_without_a_part_everything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PART, raising=False)
    assert mine("abc") == ["a", "b", "c"]


def test_the_parts_of_the_attempts_are_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    for exercise in all_exercises():
        every = {(task.kind, task.name) for task in tasks(exercise)}
        assert len(every) == 2 + len(exercise.answers) + len(exercise.wrong)
        found: set[tuple[str, str]] = set()
        for number in (1, 2, 3):
            monkeypatch.setenv(PART, f"{number}/3")
            some = {(task.kind, task.name) for task in attempts(exercise)}
            assert some >= {("unsolved", "starter"), ("answer", "reference")} & every
            found |= some
        assert found == every
        monkeypatch.delenv(PART)
        assert len(attempts(exercise)) == 2 + len(exercise.answers) + len(exercise.wrong)
