"""Keeps the store's content in a file, so that a cluster comes back as it was after a stop, a kill or a power cut."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from grader.embedded.core.store import Change, Store
from grader.paths import write_atomically

QUIET = 0.2  # seconds without a write after which the content is saved
LONGEST = 1.0  # seconds after which it is saved although writes go on
SKIP = 10_000  # resourceVersions left out after a restart, for the writes that a kill may have lost

log = logging.getLogger(__name__)


def restore(store: Store, path: Path) -> bool:
    """Load what was saved; whether there was anything usable. A broken file is set aside, and the cluster starts new.

    resourceVersions jump ahead, so that no version that a client saw before a kill is given out twice.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["resourceVersion"] = int(content["resourceVersion"]) + SKIP
        store.load(content)
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError) as error:
        log.error("the saved state %s cannot be read (%r); starting anew", path, error)
        path.replace(path.with_suffix(".broken"))
        return False
    return True


class Saver:
    """Saves the store some time after it changed; writing happens on a thread of its own, one at a time."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store = store
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._latest = 0.0
        self._writing: asyncio.Future[None] | None = None
        self._encoded: dict[tuple[str, str, str], str] = {}
        self._unsubscribe = store.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        now = self._loop.time()
        if self._timer is None:
            self._latest = now + LONGEST
        else:
            self._timer.cancel()
        self._timer = self._loop.call_at(min(now + QUIET, self._latest), self._due)

    def _due(self) -> None:
        if self._writing is not None and not self._writing.done():
            self._timer = self._loop.call_later(QUIET, self._due)
            return
        self._timer = None
        text = self._text()
        self._writing = self._loop.run_in_executor(None, self._write, text)

    def _text(self) -> str:
        """Encode the content; an object whose version was encoded before is not encoded again."""
        content = self._store.dump()
        before, self._encoded = self._encoded, {}
        resources = []
        for resource, objects in content["objects"].items():
            texts = []
            for obj in objects:
                key = (resource, obj["metadata"]["uid"], obj["metadata"]["resourceVersion"])
                text = self._encoded[key] = before.get(key) or json.dumps(obj, separators=(",", ":"))
                texts.append(text)
            resources.append(f"{json.dumps(resource)}:[{','.join(texts)}]")
        version = json.dumps(content["resourceVersion"])
        return f'{{"resourceVersion":{version},"objects":{{{",".join(resources)}}}}}'

    def _write(self, text: str) -> None:
        try:
            write_atomically(self._path, text, mode=0o600)
        except OSError as error:
            log.error("the state cannot be saved: %s", error)

    async def close(self) -> None:
        """Save once more, now."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        self._write(self._text())
