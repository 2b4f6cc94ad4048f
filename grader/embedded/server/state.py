"""Keeps the store's content in files, so that a cluster comes back as it was after a stop or a kill.

Every write goes to a journal before it is answered, so a kill at any moment loses no write that a client was told of.
From time to time the whole content is saved, and the journals that it makes needless are deleted. (A power cut may lose
what the operating system had not yet put on the disk.)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.embedded.core.objects import Key, key_of
from grader.embedded.core.store import Change, Obj, Store
from grader.paths import write_atomically

JOURNALED = 2_000  # writes after which the whole content is saved
SKIP = 10_000  # resourceVersions left out after a restart: watches begin anew, none goes on with a version of before

Held = dict[str, dict[Key, Obj]]

log = logging.getLogger(__name__)


def restore(store: Store, path: Path) -> bool:
    """Load what was saved; whether there was anything usable. Broken files are set aside: the cluster starts new."""
    journals = _journals(path)
    if not path.exists() and not journals:
        return False
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else '{"resourceVersion":0,"objects":{}}'
        content: dict[str, Any] = json.loads(text)
        held = {resource: {key_of(obj): obj for obj in objects} for resource, objects in content["objects"].items()}
        version = int(content["resourceVersion"])
        for journal in journals:
            version = _replay(held, version, journal)
        lists = {resource: list(objects.values()) for resource, objects in held.items()}
        store.load({"resourceVersion": version + SKIP, "objects": lists})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("the saved state %s cannot be read (%r); starting anew", path, error)
        for file in (path, *journals):
            if file.exists():
                file.replace(file.with_suffix(".broken"))
        return False
    return True


def _journals(path: Path) -> list[Path]:
    """The journals beside a state file, oldest first: their names tell the version after which they begin."""
    return sorted(path.parent.glob("journal.*.jsonl"), key=lambda item: int(item.name.split(".")[1]))


def _replay(held: Held, known: int, journal: Path) -> int:
    """Do the writes of a journal after a version; the last write's version."""
    for type_, resource, version, obj in _lines(journal):
        if version > known:
            known = version
            objects = held.setdefault(resource, {})
            if type_ == "DELETED":
                objects.pop(key_of(obj), None)
            else:
                objects[key_of(obj)] = obj
    return known


def _lines(journal: Path) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """The entries of a journal, up to one that was not written to its end."""
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            type_, resource, version, obj = json.loads(line)
        except ValueError:
            return
        yield type_, resource, version, obj


class Saver:
    """Writes each change of the store down at once, and saves all of it on a thread of its own from time to time."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._writing: asyncio.Future[None] | None = None
        self._count = 0
        self._journal = -1
        self._begin_journal()
        self._unsubscribe = store.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        line = f'["{change.type}","{change.resource}",{change.version},{_encoded(change.obj)}]\n'.encode()
        try:
            if self._journal < 0:
                self._begin_journal()
            while line:
                line = line[os.write(self._journal, line) :]
        except OSError as error:  # a full disk: the next change tries a file of its own
            log.error("a change cannot be written down: %s", error)
            self._end_journal()
        self._count += 1
        if self._count >= JOURNALED and (self._writing is None or self._writing.done()):
            self._save()

    def _begin_journal(self) -> None:
        name = self._path.with_name(f"journal.{self._store.resource_version}.jsonl")
        with contextlib.suppress(OSError):
            self._journal = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _end_journal(self) -> None:
        if self._journal >= 0:
            os.close(self._journal)
        self._journal = -1

    def _save(self) -> None:
        """Save everything as it is now, on another thread; what comes after goes into a new journal."""
        self._count = 0
        needless = _journals(self._path)
        self._end_journal()
        content = self._store.dump()  # of objects that nobody changes
        self._begin_journal()
        self._writing = self._loop.run_in_executor(None, self._write, content, needless)

    def _write(self, content: dict[str, Any], needless: list[Path]) -> None:
        try:
            write_atomically(self._path, _pieces(content), mode=0o600)
            for journal in needless:
                journal.unlink(missing_ok=True)
        except OSError as error:
            log.error("the state cannot be saved: %s", error)

    async def close(self) -> None:
        """Save once more, now."""
        self._unsubscribe()
        if self._writing is not None:
            await self._writing
        self._end_journal()
        self._write(self._store.dump(), _journals(self._path))


def _pieces(content: dict[str, Any]) -> Iterator[bytes]:
    """A dump as JSON, an object at a time: all of it at once would be held in memory, and be waited for."""
    yield f'{{"resourceVersion":{content["resourceVersion"]},"objects":{{'.encode()
    for number, (resource, objects) in enumerate(content["objects"].items()):
        yield f"{',' if number else ''}{json.dumps(resource)}:[".encode()
        for at, obj in enumerate(objects):
            yield f"{',' if at else ''}{_encoded(obj)}".encode()
        yield b"]"
    yield b"}}"


def _encoded(obj: Obj) -> str:
    return json.dumps(obj, separators=(",", ":"))
