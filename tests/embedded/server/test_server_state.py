from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest

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


def test_what_is_saved_is_the_content_of_now_although_only_changes_are_encoded(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    async def main() -> tuple[Obj, Obj]:
        first = store()
        saver = Saver(first, path)
        kept = first.create("configmaps", config_map("kept"))
        gone = first.create("configmaps", config_map("gone"))
        first.create("services", {**config_map("web"), "kind": "Service"})
        saver._text()
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


def test_a_change_is_saved_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "QUIET", 0.01)
    path = tmp_path / "state.json"

    async def main() -> None:
        first = store()
        saver = Saver(first, path)
        first.create("configmaps", config_map("a"))
        assert not path.exists()
        async with asyncio.timeout(5):
            while not path.exists():
                await asyncio.sleep(0.005)
        await saver.close()

    asyncio.run(main())
    assert "ConfigMap" in path.read_text()


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
