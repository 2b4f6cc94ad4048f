"""What all controllers share: the context they work in, and a work queue without duplicates."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from grader.embedded.core.events import Recorder
from grader.embedded.core.index import Index
from grader.embedded.core.kernel import Kernel, Timer
from grader.embedded.core.store import Change, Obj, Store, StoreError

T = TypeVar("T")

FIRST_RETRY = 0.005
"""Seconds until a failed key is tried again; doubled each time (client-go's default rate limiter)."""

# client-go waits up to 1,000 s (util/workqueue/default_rate_limiters.go); a learner would think it had given up.
LAST_RETRY = 60.0

BATCH = 0.003
"""Seconds that changes of Pods are gathered, so that many Pods that start together cost one pass and not one each."""


@dataclass(frozen=True)
class ControllerContext:
    """What a controller works with.

    Attributes:
        store: the objects.
        index: quick look-ups over them.
        kernel: time and tasks.
        recorder: writes Events.
        random: the cluster's seeded source of randomness.

    """

    store: Store
    index: Index
    kernel: Kernel
    recorder: Recorder
    random: random.Random

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.kernel.now()

    def update(self, resource: str, obj: Obj) -> Obj | None:
        """Write an object back, None where it is gone meanwhile."""
        metadata = obj["metadata"]
        if self.store.get(resource, metadata.get("namespace") or "", metadata["name"]) is None:
            return None
        return self.store.update(resource, obj)

    def update_status(self, resource: str, obj: Obj, status: dict[str, object]) -> Obj | None:
        """Replace the status of the stored object of that name, None where it is gone or another by now."""
        metadata = obj["metadata"]
        stored = self.store.get(resource, metadata.get("namespace") or "", metadata["name"])
        if stored is None or stored["metadata"]["uid"] != metadata["uid"]:
            return None
        return self.store.update(resource, {**stored, "status": status})


class WorkQueue(Generic[T]):
    """Keys to look at, each once however often it was added, handled one after another by the kernel.

    A key whose handling fails with a StoreError (somebody else was faster) is tried again, ever later.
    """

    def __init__(self, kernel: Kernel, handle: Callable[[T], None]) -> None:
        self._kernel = kernel
        self._handle = handle
        self._pending: dict[T, None] = {}
        self._timers: dict[T, Timer] = {}
        self._failures: dict[T, int] = {}
        self._scheduled = False

    def add(self, key: T) -> None:
        """Handle a key soon."""
        self._pending[key] = None
        if not self._scheduled:
            self._scheduled = True
            self._kernel.call_soon(self._next)

    def add_after(self, key: T, seconds: float) -> None:
        """Handle a key after so many seconds, or earlier if that was asked for already."""
        when = self._kernel.monotonic() + max(0.0, seconds)
        timer = self._timers.get(key)
        if timer is not None and not timer.cancelled:
            if timer.when <= when:
                return
            timer.cancel()
        self._timers[key] = self._kernel.call_at(when, lambda: self.add(key))

    def _next(self) -> None:
        self._scheduled = False
        key = next(iter(self._pending))
        del self._pending[key]
        if self._pending:
            self._scheduled = True
            self._kernel.call_soon(self._next)
        try:
            self._handle(key)
        except StoreError:
            failures = self._failures.get(key, 0) + 1
            self._failures[key] = failures
            self.add_after(key, min(LAST_RETRY, FIRST_RETRY * 2**failures))
        except Exception as error:
            # a mistake of ours: it is the kernel's to report, and must not stop the other keys
            self._kernel.spawn(_fail(error), f"{self._handle.__qualname__} {key}")
        else:
            self._failures.pop(key, None)


async def _fail(error: Exception) -> None:
    raise error


class Controller:
    """Reacts to changes by queueing keys, and brings each key's objects to what is asked for."""

    def __init__(self, context: ControllerContext) -> None:
        self.context = context
        self.store = context.store
        self.index = context.index

    def on_change(self, change: Change) -> None:
        """Queue what the change concerns. Called synchronously after each write: must be quick and not write."""
        raise NotImplementedError
