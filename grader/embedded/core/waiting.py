"""What tasks wait for: time, events, queues; and driving a coroutine to its end in a test."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from grader.embedded.core.tasks import Kernel, Task, Undo, VirtualClock, discard, suspend

T = TypeVar("T")


class TimeoutError_(Exception):  # noqa: N801 - the built-in name is taken
    """What `with_timeout` ran was not done in time."""


async def sleep(seconds: float) -> None:
    """Wait so many seconds of the kernel's clock."""
    deadline: float | None = None
    kernel: Kernel | None = None

    def trap(task: Task[Any]) -> Undo:
        nonlocal deadline, kernel
        kernel = task.kernel
        if deadline is None:
            deadline = kernel.monotonic() + seconds
        return kernel.call_at(deadline, task.resume).cancel

    while deadline is None or kernel is None or kernel.monotonic() < deadline:
        await suspend(trap)


async def with_timeout(seconds: float | None, coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine for at most so many seconds (None: without limit).

    Raises TimeoutError_ after cancelling it, or whatever the coroutine raises.
    """
    if seconds is None:
        return await coro
    child: Task[T] | None = None
    deadline = 0.0
    kernel: Kernel | None = None

    def trap(task: Task[Any]) -> Undo:
        nonlocal child, deadline, kernel
        if child is None:
            kernel = task.kernel
            deadline = kernel.monotonic() + seconds
            child = kernel.spawn(coro, f"{task.name}/timed")
        timer = task.kernel.call_at(deadline, task.resume)
        forget = child.on_done(task.resume)

        def undo() -> None:
            timer.cancel()
            forget()

        return undo

    try:
        while child is None or kernel is None or (not child.done and kernel.monotonic() < deadline):
            await suspend(trap)
    except BaseException:
        if child is None:
            coro.close()
        else:
            child.cancel()
        raise
    if child.done:
        return child.result()
    child.cancel()
    raise TimeoutError_(f"not done within {seconds} s")


class Event:
    """A flag that tasks can wait for.

    Attributes:
        is_set: whether it is raised.
    """

    __slots__ = ("_waiters", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._waiters: list[Task[Any]] = []

    def set(self) -> None:
        """Raise the flag and wake everyone who waits."""
        self.is_set = True
        waiters, self._waiters = self._waiters, []
        for task in waiters:
            task.resume()

    def clear(self) -> None:
        """Lower the flag."""
        self.is_set = False

    async def wait(self) -> None:
        """Wait until the flag is raised."""

        def trap(task: Task[Any]) -> Undo:
            self._waiters.append(task)
            return lambda: discard(self._waiters, task)

        while not self.is_set:
            await suspend(trap)


class Lock:
    """What one task at a time may hold, in the order in which they asked: `async with lock`."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()

    async def __aenter__(self) -> None:
        mine = Event()
        self._waiting.append(mine)
        if self._waiting[0] is mine:
            return
        try:
            await mine.wait()
        except BaseException:
            self._leave(mine)
            raise

    async def __aexit__(self, *_failure: object) -> None:
        self._leave(self._waiting[0])

    def _leave(self, mine: Event) -> None:
        first = self._waiting[0] is mine
        self._waiting.remove(mine)
        if first and self._waiting:
            self._waiting[0].set()


class Queue(Generic[T]):
    """First in, first out, without limit."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._filled = Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Append an item; never waits."""
        self._items.append(item)
        self._filled.set()

    async def get(self) -> T:
        """Take the oldest item, waiting for one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self._items.popleft()


def pass_time(kernel: Kernel, clock: VirtualClock, seconds: float) -> None:
    """Let virtual time pass, with everything that is due in it; for tests and measurements."""
    end = clock.time + seconds
    while (due := kernel.run()) is not None and due <= end:
        clock.time = max(clock.time, due)
    clock.time = end
    kernel.run()


def drive(kernel: Kernel, clock: VirtualClock, coro: Coroutine[Any, Any, T], limit: float = 3600.0) -> T:
    """Run a coroutine to its end on a virtual clock, jumping from timer to timer; for tests.

    Raises TimeoutError_ when it needs more than `limit` seconds of virtual time or waits for nothing that is due.
    """
    end = clock.monotonic() + limit
    task = kernel.spawn(coro)
    forget = task.on_done(lambda: None)  # a failure is raised here, by result()
    while True:
        due = kernel.run()
        if task.done:
            return task.result()
        if due is None or due > end:
            forget()
            task.cancel()
            kernel.run()
            raise TimeoutError_(f"{task!r} waits for {'ever' if due is None else 'too long'}")
        clock.time = max(clock.time, due)
