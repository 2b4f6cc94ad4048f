"""What whoever writes exercises does: `grader exercise`, and what `list` and `verify` say of an unfinished folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.paths import content_root
from tests.cli.conftest import Run


@pytest.fixture
def content(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of two exercises of its own."""
    root = home / "content"
    (root / "exercises").mkdir(parents=True)
    (root / "course").symlink_to(content_root() / "course")
    monkeypatch.setenv("GRADER_CONTENT", str(root))
    return root / "exercises"


def test_a_new_exercise_is_listed_and_judged_and_verify_asks_for_more_wrong_answers(run: Run, content: Path) -> None:
    laid = run("exercise", "new", "my-first", "--lesson", "3", "--title", "初めてのService")
    assert laid.exit_code == 0 and "grader verify my-first" in laid.output
    assert "初めてのService" in run("list").output
    done = run("verify", "--in-process", "my-first")
    assert done.exit_code == 1
    assert "誤答(wrong/)は2個です。10個以上" in done.output
    assert "7件のうち7件が想定どおり" in done.output


def test_a_malformed_folder_leaves_the_others_on_the_list_and_is_told_by_its_name(run: Run, content: Path) -> None:
    for name in ("broken", "whole"):
        run("exercise", "new", name, "--lesson", "1", "--title", f"題{name}")
    (content / "broken" / "task.md").unlink()
    listed = run("list")
    assert listed.exit_code == 0
    assert "題whole" in listed.output
    assert "broken/task.md" in listed.output


def test_a_course_of_malformed_folders_only_is_told_of_too(run: Run, content: Path) -> None:
    run("exercise", "new", "alone", "--lesson", "1")
    (content / "alone" / "hints.md").unlink()
    listed = run("list")
    assert listed.exit_code == 0 and "alone/hints.md" in listed.output


def test_the_schema_is_regenerated_by_a_command(run: Run, content: Path) -> None:
    assert run("exercise", "schema").exit_code == 0
    assert (content / "exercise.schema.json").is_file()
