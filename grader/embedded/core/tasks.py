"""A tiny deterministic scheduler for plain coroutines on an injected clock.

The whole embedded cluster (controllers, kubelets, containers' programs, connections) runs on one Kernel. It owns no
thread, socket or clock: an outer layer calls `run()` when `wake` asked for it or when the time that `run()` returned
has come. Tests do the same with a VirtualClock and are therefore instant and repeatable.

A coroutine suspends by yielding a *trap*: a function that registers the task somewhere and returns how to undo it.
Every wake-up may be spurious, so each primitive tests its condition in a loop.
"""

from __future__ import annotations

import heapq
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")

Undo = Callable[[], None]
Trap = Callable[["Task[Any]"], Undo]


class Clock(Protocol):
    """Where the time comes from: the time of day, which may be set, and a time that only passes."""

    def now(self) -> float:
        """Seconds since the epoch, for what is shown; jumps where somebody sets the clock."""
        ...

    def monotonic(self) -> float:
        """Seconds since some time, for what is waited for; never jumps."""
        ...


class VirtualClock:
    """A clock that moves only when told to.

    Attributes:
        time: what has passed: seconds since the epoch as long as nobody sets the clock.
        shift: seconds by which its time of day has been set since, negative where it was set back.
    """

    def __init__(self, time: float = 1_767_225_600.0) -> None:
        self.time = time
        self.shift = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time + self.shift

    def monotonic(self) -> float:
        """Seconds, whatever the clock of day was set to."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self.time += seconds


class Cancelled(BaseException):
    """Thrown into a task that is cancelled, at the point where it waits."""


class Timer:
    """A call that is due at some time; `cancel()` takes it back."""

    __slots__ = ("_fn", "when")

    def __init__(self, when: float, fn: Callable[[], object]) -> None:
        self.when = when
        self._fn: Callable[[], object] | None = fn

    @property
    def cancelled(self) -> bool:
        """Whether it was taken back or has already been called."""
        return self._fn is None

    def cancel(self) -> None:
        """Take the call back; harmless when it has been made already."""
        self._fn = None

    def fire(self) -> None:
        """Make the call, once. Called by the kernel."""
        fn, self._fn = self._fn, None
        if fn is not None:
            fn()


class Kernel:
    """Runs tasks and timers, in the order in which they became due.

    Attributes:
        clock: where the time comes from.
        wake: set by the outer layer; called when work arrived from outside of `run()`, so that it calls `run()` soon.
        on_error: called with a task that failed while nobody awaited it; without it `run()` raises the error.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.wake: Callable[[], None] | None = None
        self.on_error: Callable[[Task[Any], Exception], None] | None = None
        self._ready: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._running = False

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock.now()

    def monotonic(self) -> float:
        """Seconds by which timers go."""
        return self.clock.monotonic()

    def spawn(self, coro: Coroutine[Any, Any, T], name: str = "") -> Task[T]:
        """Start a coroutine as a task of its own; it runs at the next `run()`, after what is already ready."""
        task = Task(self, coro, name or getattr(coro, "__name__", "task"))
        task.resume()
        return task

    def call_soon(self, fn: Callable[[], None]) -> None:
        """Call a function in the next `run()`, after what is already ready."""
        self._ready.append(fn)
        self._tell()

    def call_at(self, when: float, fn: Callable[[], object]) -> Timer:
        """Call a function once `monotonic()` is `when`."""
        timer = Timer(when, fn)
        self._sequence += 1
        heapq.heappush(self._timers, (when, self._sequence, timer))
        self._tell()
        return timer

    def call_later(self, seconds: float, fn: Callable[[], object]) -> Timer:
        """Call a function after so many seconds."""
        return self.call_at(self.monotonic() + seconds, fn)

    def run(self, max_steps: int = 20_000) -> float | None:
        """Run everything that is due.

        Args:
            max_steps: steps after which to hand control back although more is due, so that an endless loop inside
                a container cannot starve the outer layer.

        Returns:
            when to call again (by `monotonic()`; now or earlier when more is due already), None when nothing waits.

        Raises the error of a task that nobody awaited, unless `on_error` is set.
        """
        if self._running:
            raise RuntimeError("the kernel is already running")
        self._running = True
        try:
            for _ in range(max_steps):
                if not self._ready and not self._due():
                    return self._next()
                if self._ready:
                    self._ready.popleft()()
            self._due()  # nor can it keep timers from firing
            return self.monotonic()
        finally:
            self._running = False

    def _due(self) -> bool:
        """Fire the timers whose time has come; whether there was any."""
        now = self.clock.monotonic()
        fired = False
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled:
                timer.fire()
                fired = True
        return fired

    def _next(self) -> float | None:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _tell(self) -> None:
        if not self._running and self.wake is not None:
            self.wake()


class Task(Generic[T]):
    """A coroutine on its way. `await task` gives its result or raises its error.

    Attributes:
        kernel: the kernel that runs it.
        name: for people.
        done: whether it has finished, failed or been cancelled.
    """

    def __init__(self, kernel: Kernel, coro: Coroutine[Any, Any, T], name: str) -> None:
        self.kernel = kernel
        self.name = name
        self.done = False
        self.cancelled = False
        self._coro = coro
        self._value: T | None = None
        self._error: BaseException | None = None
        self._throw: BaseException | None = None
        self._undo: Undo | None = None
        self._queued = False
        self._stepping = False
        self._started = False
        self._watchers: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Task {self.name} {'done' if self.done else 'running'}>"

    def cancel(self) -> None:
        """Throw Cancelled into the task where it waits; harmless when it is done."""
        if self.done:
            return
        if not self._started:
            self._coro.close()
            self._finish(error=Cancelled())
            return
        self._throw = Cancelled()
        if not self._stepping:
            self.resume()

    def result(self) -> T:
        """The result of a task that is done. Raises its error, Cancelled, or RuntimeError while it runs."""
        if not self.done:
            raise RuntimeError(f"{self!r} has no result yet")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def on_done(self, fn: Callable[[], None]) -> Undo:
        """Call a function once the task is done (soon, when it already is); returns how to take that back."""
        if self.done:
            self.kernel.call_soon(fn)
            return lambda: None
        self._watchers.append(fn)
        return lambda: discard(self._watchers, fn)

    def resume(self) -> None:
        """Let the task run on at the next turn. For primitives; a task must bear being resumed for nothing."""
        if not self._queued and not self.done:
            self._queued = True
            self.kernel.call_soon(self._step)

    def _step(self) -> None:
        self._queued = False
        if self.done:
            return
        self._disarm()
        error, self._throw = self._throw, None
        self._started = self._stepping = True
        try:
            trap: Trap = self._coro.send(None) if error is None else self._coro.throw(error)
        except StopIteration as stop:
            self._finish(value=stop.value)
        except (Exception, Cancelled) as failure:
            self._finish(error=failure)
        else:
            self._undo = trap(self)
            self._resume_cancelled()
        finally:
            self._stepping = False

    def _resume_cancelled(self) -> None:
        if self._throw is not None:
            self.resume()

    def _disarm(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()

    def _finish(self, value: T | None = None, error: BaseException | None = None) -> None:
        self.done = True
        self._value, self._error = value, error
        self.cancelled = isinstance(error, Cancelled)
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            self.kernel.call_soon(watcher)
        if isinstance(error, Exception) and not watchers:
            if self.kernel.on_error is None:
                raise error
            self.kernel.on_error(self, error)

    def __await__(self) -> Generator[Trap, None, T]:
        while not self.done:
            yield lambda waiter: self.on_done(waiter.resume)
        return self.result()


def discard(items: list[Any], item: object) -> None:
    """Take an item out of a list, where it is in it."""
    if item in items:
        items.remove(item)


@types.coroutine
def suspend(trap: Trap) -> Generator[Trap, None, None]:
    """Wait until the trap resumes the task; the building block of all waiting."""
    yield trap


async def current_task() -> Task[Any]:
    """The task that runs this."""
    found: list[Task[Any]] = []

    def trap(task: Task[Any]) -> Undo:
        found.append(task)
        task.resume()
        return lambda: None

    await suspend(trap)
    return found[0]


async def turn() -> None:
    """Let everything else that is ready run first. Long loops call it so that nothing starves."""
    await current_task()
