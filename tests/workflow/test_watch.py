from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from grader import exercises
from grader.workflow import progress, watch
from tests.render.samples import PASSED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))


ALL = exercises.all_exercises()


def names(first: int | None = None) -> list[str]:
    return [exercise.id for exercise in watch.queue(ALL, None if first is None else ALL[first])]


def test_work_begins_at_the_first_exercise_that_has_not_passed() -> None:
    assert names() == [exercise.id for exercise in ALL]
    progress.record(replace(PASSED, exercise=ALL[0].id))
    assert names() == [exercise.id for exercise in ALL[1:]]


def test_a_named_exercise_is_worked_on_again_and_what_has_passed_behind_it_is_skipped() -> None:
    progress.record(replace(PASSED, exercise=ALL[0].id))
    progress.record(replace(PASSED, exercise=ALL[1].id))
    assert names(0) == [ALL[0].id, *(exercise.id for exercise in ALL[2:])]


def test_an_exercise_that_passes_on_the_way_is_not_given_again() -> None:
    going = watch.queue(ALL, None)
    first = next(going)
    progress.record(replace(PASSED, exercise=first.id))
    progress.record(replace(PASSED, exercise=ALL[1].id))
    assert next(going).id == ALL[2].id


def saves(path: Path, *steps: Callable[[], object]) -> int:
    """Count the saves that are seen while these steps happen, one between two looks."""
    left = list(steps)

    class Done(Exception):
        pass

    def pause(seconds: float) -> None:
        if not left:
            raise Done
        left.pop(0)()

    seen = 0
    with pytest.raises(Done):
        for _ in watch.saves(path, pause):
            seen += 1
    return seen


def test_what_is_there_at_first_is_judged_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a", encoding="utf-8")
    assert list(islice(watch.saves(path, lambda _: None), 1)) == [watch.stamp(path)]


def test_every_save_is_seen_once_and_a_quiet_file_never(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a", encoding="utf-8")
    assert saves(path, lambda: None, lambda: path.write_text("ab", encoding="utf-8"), lambda: None) == 2


def test_an_editor_that_replaces_the_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a", encoding="utf-8")
    assert saves(path, path.unlink, lambda: None, lambda: path.write_text("new", encoding="utf-8")) == 2
