"""The learner's notebooks are never lost."""

from __future__ import annotations

from pathlib import Path

from grader.workflow import notebooks


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


def test_a_deleted_notebook_comes_back(tmp_path: Path) -> None:
    first, *_ = notebooks.lay(tmp_path)
    first.unlink()
    notebooks.lay(tmp_path)
    assert first.is_file()
