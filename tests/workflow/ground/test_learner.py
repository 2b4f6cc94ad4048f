"""A learner has one id, made once, whatever starts at the same time."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.workflow.ground import learner
from grader.workflow.session import find


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GRADER_LEARNER", raising=False)
    return tmp_path / "home"


def test_an_id_is_made_once_and_kept(home: Path) -> None:
    made = learner.current()
    assert learner.FORM.fullmatch(made)
    assert learner.current() == made == (home / "learner").read_text(encoding="utf-8").strip()


def test_two_homes_have_two_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = learner.current()
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "other"))
    assert learner.current() != first


def test_processes_that_start_at_once_agree() -> None:
    with ProcessPoolExecutor(4) as executor:
        found = [future.result() for future in [executor.submit(learner.current) for _ in range(8)]]
    assert len(set(found)) == 1


def test_a_file_that_holds_no_id_is_replaced(home: Path) -> None:
    home.mkdir()
    (home / "learner").write_text("=1+1\n", encoding="utf-8")
    assert learner.FORM.fullmatch(learner.current())


def test_the_environment_says_who_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_LEARNER", "taro@example")
    assert learner.current() == "taro@example"
    monkeypatch.setenv("GRADER_LEARNER", "")
    assert learner.current() == learner.CANONICAL
    assert not home.exists()


@pytest.mark.parametrize("bad", ["=cmd", "a b", "a\nb", "x" * 65, "太郎"])
def test_an_id_that_could_not_be_handed_in_is_refused(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_LEARNER", bad)
    with pytest.raises(UsageError):
        learner.current()


def test_exercises_are_found_for_whoever_is_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("grader.workflow.session.find.exercises.load", lambda name, who: asked.append(who))
    monkeypatch.setenv("GRADER_LEARNER", "hanako")
    find.exercise("clusterip")
    find.exercise("clusterip", "")
    assert asked == ["hanako", ""]
