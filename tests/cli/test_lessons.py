"""`grader lessons run`: lessons one after the other or side by side, until one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from grader.cli import lessons as cli
from grader.cli.session import Session
from grader.errors import ContentError
from grader.lessons.formats import nbformat
from grader.lessons.run import Executed

Run = Callable[[str], None]
SLUGS = ("one", "two", "three", "four")


@pytest.fixture
def lessons(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], list[str]]:
    """Four lessons whose notebooks run as told; the list of those that were run."""

    def running(run: Run) -> list[str]:
        begun: list[str] = []

        def executed(notebook: str, folder: Path, more: Mapping[str, str]) -> Executed:
            begun.append(notebook)
            run(notebook)
            return Executed(nbformat.v4.new_notebook(), 0.0)

        known = tuple(SimpleNamespace(slug=slug, exercises=(), cells=()) for slug in SLUGS)
        monkeypatch.setattr(cli, "read_lessons", lambda: known)
        monkeypatch.setattr(cli, "solution_notebook", lambda lesson, exercises: lesson.slug)
        monkeypatch.setattr(cli, "run_notebook", executed)
        monkeypatch.setattr(cli, "mismatches", lambda lesson, notebook, outputs: [])
        monkeypatch.setattr(cli, "read_outputs", lambda root, lesson: {})
        return begun

    return running


def test_all_are_run_in_their_order(lessons: Callable[[Run], list[str]]) -> None:
    begun = lessons(lambda slug: None)
    assert CliRunner().invoke(cli.run, [], obj=Session()).exit_code == 0
    assert begun == list(SLUGS)


def test_after_one_that_fails_no_other_is_begun(lessons: Callable[[Run], list[str]]) -> None:
    def fail(slug: str) -> None:
        raise ContentError("lesson-cell-failed", lesson=slug, reason="")

    begun = lessons(fail)
    result = CliRunner().invoke(cli.run, [], obj=Session())
    assert isinstance(result.exception, ContentError)
    assert begun == ["one"]


def test_some_are_run_side_by_side(lessons: Callable[[Run], list[str]]) -> None:
    together = threading.Barrier(2, timeout=10)
    begun = lessons(lambda slug: (together.wait(), None)[1])
    assert CliRunner().invoke(cli.run, ["--jobs", "2"], obj=Session()).exit_code == 0
    assert sorted(begun) == sorted(SLUGS)
