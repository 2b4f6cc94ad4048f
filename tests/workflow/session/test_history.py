"""No version of what a learner wrote is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.workflow.session import history


def texts(file: Path) -> list[str]:
    return [version.text for version in history.versions(file)]


def test_what_is_overwritten_is_kept_each_time(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    assert history.save(file, "a\n") is None
    assert history.save(file, "b\n") == tmp_path / ".history" / "x" / "0001.yaml"
    history.save(file, "c\n")
    assert file.read_text() == "c\n" and texts(file) == ["a\n", "b\n"]


def test_the_starter_an_empty_file_and_the_same_content_are_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("start\n")
    assert history.save(file, "a\n", starter="start\n") is None
    assert history.save(file, "a\n") is None
    file.write_text("\n")
    assert history.keep(file) is None
    assert texts(file) == []


def test_what_is_kept_already_is_not_kept_twice(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a\n")
    assert history.keep(file) == history.keep(file)
    history.save(file, "b\n")
    history.save(file, "a\n")
    assert texts(file) == ["a\n", "b\n"]


def test_bytes_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\x93\xfa\x96{\n")
    kept = history.keep(file)
    assert kept is not None and kept.read_bytes() == b"\x93\xfa\x96{\n"


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none, as on a USB stick"])
def test_two_who_keep_at_the_same_time_lose_nothing(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    file = tmp_path / "x.yaml"
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda number: history.keep_text(file, f"{number}\n"), range(40)))
    assert len(set(paths)) == 40
    assert sorted(texts(file)) == sorted(f"{number}\n" for number in range(40))


def test_an_unknown_version_is_told_with_those_there_are(tmp_path: Path) -> None:
    history.keep_text(tmp_path / "x.yaml", "a\n")
    with pytest.raises(UsageError) as raised:
        history.version(tmp_path / "x.yaml", 7, "x")
    assert raised.value.facts["known"] == "1"
