from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from grader.cluster.embedded import running
from grader.cluster.kind.state import CREATED, LOCK, KindState, load, locked
from grader.cluster.provider import silent


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = KindState(CREATED, pid=7, network_made=True, images_taken=True)
    written.save(tmp_path)
    assert load(tmp_path) == written


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"later": 1}'])
def test_what_cannot_be_read_counts_as_nothing_begun(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "kind.json").write_text(content)
    assert load(tmp_path) == KindState()


def test_a_second_command_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    place = tmp_path / "c"
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with locked(place, "c", lambda code, facts: (order.append(code), waiting.set())[0]):
            order.append("second")

    with locked(place, "c", silent):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        order.append("first")
    thread.join(5)
    assert order == ["cluster-locked", "first", "second"]


def test_a_lock_whose_folder_was_removed_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    place = tmp_path / "c"
    waiting = threading.Event()
    held: list[bool] = []

    def second() -> None:
        with locked(place, "c", lambda code, facts: waiting.set()):
            held.append((place / LOCK).exists())

    with locked(place, "c", silent):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        shutil.rmtree(place)
    thread.join(5)
    assert held == [True]


def test_a_cluster_that_kind_is_making_is_no_embedded_one_that_runs(tmp_path: Path) -> None:
    """`down` would stop that one first, and give up."""
    with locked(tmp_path, "c", silent):
        assert running(tmp_path) == 0
