from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.embedded.core.store import Gone, Obj, Store
from grader.embedded.server import state
from grader.embedded.server.state import SKIP, Saver, restore


def config_map(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def store() -> Store:
    return Store(lambda: 1_767_225_600.0)


def test_a_store_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    async def main() -> Obj:
        first = store()
        saver = Saver(first, path)
        obj = first.create("configmaps", config_map("a"))
        await saver.close()
        return obj

    obj = asyncio.run(main())
    second = store()

    assert restore(second, path)
    assert second.get("configmaps", "default", "a") == obj
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_saved_is_the_content_of_now(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    async def main() -> tuple[Obj, Obj]:
        first = store()
        saver = Saver(first, path)
        kept = first.create("configmaps", config_map("kept"))
        gone = first.create("configmaps", config_map("gone"))
        first.create("services", {**config_map("web"), "kind": "Service"})
        first.update("configmaps", {**kept, "data": {"key": "値"}})
        first.delete("configmaps", "default", gone["metadata"]["name"])
        await saver.close()
        return first.dump(), json.loads(path.read_text())

    dumped, saved = asyncio.run(main())
    assert saved == dumped


def test_no_version_is_given_out_twice_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"resourceVersion": 7, "objects": {}}))
    second = store()
    restore(second, path)

    assert second.resource_version == 7 + SKIP
    with pytest.raises(Gone):
        second.history(8)


def killed(path: Path, work: Callable[[Store], object]) -> Store:
    """A store whose process was killed after some work, as it comes back."""

    async def main() -> None:
        first = store()
        restore(first, path)
        Saver(first, path)
        work(first)
        await asyncio.sleep(0.05)  # whatever is being saved, is

    asyncio.run(main())
    second = store()
    assert restore(second, path)
    return second


def test_every_write_outlives_a_kill(tmp_path: Path) -> None:
    def work(first: Store) -> None:
        kept = first.create("configmaps", config_map("kept"))
        first.create("configmaps", config_map("gone"))
        first.update("configmaps", {**kept, "data": {"key": "値"}})
        first.delete("configmaps", "default", "gone")

    path = tmp_path / "state.json"
    names = [item["metadata"]["name"] for item in killed(path, work).list("configmaps")]
    assert names == ["kept"]
    again = killed(path, lambda first: first.create("configmaps", config_map("later")))
    assert [item["metadata"]["name"] for item in again.list("configmaps")] == ["kept", "later"]
    assert (again.get("configmaps", "default", "kept") or {})["data"] == {"key": "値"}
    assert not path.exists()  # nothing but journals was needed


@given(ending=st.binary(max_size=40), cut=st.integers(0, 200))
def test_an_entry_that_was_not_written_to_its_end_is_as_if_it_had_not_been(ending: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.json"
        killed(path, lambda first: first.create("configmaps", config_map("a")))
        (journal,) = [item for item in Path(folder).glob("journal.*") if item.stat().st_size]
        whole = journal.read_bytes()
        half = whole[: min(cut, len(whole) - 2)]
        journal.write_bytes(whole + half + (ending.replace(b"\n", b"") if half else b""))
        second = store()
        assert restore(second, path)
        assert [item["metadata"]["name"] for item in second.list("configmaps")] == ["a"]


def test_journals_go_once_everything_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "JOURNALED", 10)
    path = tmp_path / "state.json"

    def work(first: Store) -> None:
        for number in range(25):
            first.create("configmaps", config_map(f"c{number}"))

    second = killed(path, work)
    assert len(second.list("configmaps")) == 25
    assert path.exists()
    assert len(list(tmp_path.glob("journal.*"))) < 3


def test_a_disk_that_is_full_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = os.write

    def work(first: Store) -> None:
        first.create("configmaps", config_map("a"))
        with monkeypatch.context() as full, caplog.at_level(logging.ERROR):
            full.setattr(os, "write", lambda descriptor, data: (_ for _ in ()).throw(OSError(28, "No space left")))
            first.create("configmaps", config_map("lost"))
        assert os.write is write
        first.create("configmaps", config_map("b"))

    names = [item["metadata"]["name"] for item in killed(tmp_path / "state.json", work).list("configmaps")]
    assert names == ["a", "b"]
    assert "cannot be written down" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"resourceVersion": "x"}', '{"resourceVersion": 1}'])
def test_a_broken_file_is_set_aside(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)

    with caplog.at_level(logging.ERROR):
        assert not restore(store(), path)

    assert not path.exists()
    assert (tmp_path / "state.broken").read_text() == text
    assert "cannot be read" in caplog.text


def test_without_a_file_the_cluster_is_new(tmp_path: Path) -> None:
    assert not restore(store(), tmp_path / "state.json")


def test_what_was_written_down_is_not_kept_in_memory(tmp_path: Path) -> None:
    async def main() -> int:
        first = Store(lambda: 1_767_225_600.0, history_limit=1)
        saver = Saver(first, tmp_path / "state.json")
        obj = first.create("configmaps", {**config_map("a"), "data": {}})
        tracemalloc.start()
        for number in range(200):
            first.update("configmaps", {**obj, "data": {"key": str(number) * 10_000}})
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        await saver.close()
        return held

    assert asyncio.run(main()) < 200_000
