"""A fork server: everything is loaded once, and each job has a child of its own, which may die without harm.

this process ── Job ──▶ server (loads, prepares) ── fork ──▶ child (limited: reads what somebody handed in)
             ◀── Ended ──                        ◀── bytes ──

The server has one thread and reads nothing of a child but bytes. It ends, with its children, when this process does,
whatever ended that.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, NoReturn, Self, TypeVar

from grader.classroom.limits import Limits

CHUNK = 1 << 16
HASH_SEED = "PYTHONHASHSEED"
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage(2)
OUT_OF_MEMORY, RAISED = 70, 71
"""Exit statuses of a child that could say nothing else, or has said what it raised."""

J = TypeVar("J")


class Cause(StrEnum):
    """How a child ended."""

    DONE = "done"
    MEMORY = "memory"
    CPU = "cpu"
    TIME = "time"
    OUTPUT = "output"
    CRASHED = "crashed"  # a fault of a library, or of ours
    KILLED = "killed"  # by somebody else: a system without memory, a person
    UNPREPARED = "unprepared"  # no child was made: what comes before it failed

    @property
    def repeats(self) -> bool:
        """Whether the same job would end the same way on any machine."""
        return self not in (Cause.TIME, Cause.KILLED, Cause.UNPREPARED)


@dataclass(frozen=True)
class Ended:
    """What became of a job.

    Attributes:
        number: the job's number.
        cause: how its child ended.
        data: what it handed back; of one that raised, the traceback.
        seconds: from its start to its end.
        memory: the most that it used, in bytes.
    """

    number: int
    cause: Cause
    data: bytes
    seconds: float = 0.0
    memory: int = 0


@dataclass
class _Child:
    number: int
    pid: int
    begun: float
    data: bytearray
    cause: Cause | None = None

    def kill(self, cause: Cause) -> None:
        self.cause = self.cause or cause
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class ForkServer(Generic[J]):
    """A server for one function. Use it as a context.

    Args:
        work: does a job in a child, and hands back bytes; a function of a module.
        prepare: called in the server before the child is made, with the job; what it loads, every later child has. It
            must touch nothing of what was handed in.
        parallel: children at a time.
        limits: of each child.
    """

    def __init__(
        self, work: Callable[[J], bytes], prepare: Callable[[J], None], *, parallel: int, limits: Limits
    ) -> None:
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._server = context.Process(target=_serve, args=(there, work, prepare, parallel, limits), daemon=True)
        with _hashing_alike():
            self._server.start()
        there.close()
        self._outbox: SimpleQueue[tuple[int, J] | None] = SimpleQueue()
        self._sender = Thread(target=self._send, daemon=True)  # who sends must not keep us from receiving
        self._sender.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the server and whatever is at work."""
        self._outbox.put(None)
        self._server.terminate()
        self._server.join()
        self._sender.join()
        self._here.close()

    def submit(self, number: int, job: J) -> None:
        """Have a job done."""
        self._outbox.put((number, job))

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # `ended` tells that the server is gone
            while (item := self._outbox.get()) is not None:
                self._here.send(item)

    def ended(self) -> Ended:
        """Wait for the next job that ends. Raises EOFError where the server is gone."""
        found = self._here.recv()
        assert isinstance(found, Ended)
        return found


@contextlib.contextmanager
def _hashing_alike() -> Iterator[None]:
    """Have a process that is started now walk through sets in the same order in every run: what it grades is equal."""
    before = os.environ.get(HASH_SEED)
    os.environ[HASH_SEED] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[HASH_SEED]
        else:
            os.environ[HASH_SEED] = before


class _Server(Generic[J]):
    """What runs in the server's process."""

    def __init__(
        self, above: Connection, work: Callable[[J], bytes], prepare: Callable[[J], None], parallel: int, limits: Limits
    ) -> None:
        self._above, self._work, self._prepare, self._parallel, self._limits = above, work, prepare, parallel, limits
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[tuple[int, J]] = deque()
        self._children: dict[int, _Child] = {}

    def run(self) -> NoReturn:
        """Make children until nobody is at the other end any more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked decides
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGHUP, self._end)
        self._selector.register(self._above, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in self._selector.select(1.0):
                    if key.fileobj is self._above:
                        self._waiting.append(self._above.recv())
                    else:
                        self._read(key.fd)
                self._hurry()
                while self._waiting and len(self._children) < self._parallel and not self._above.poll():
                    self._start(*self._waiting.popleft())
        except (EOFError, ConnectionError):
            pass
        finally:
            self._end()

    def _end(self, *_: object) -> NoReturn:
        for child in self._children.values():
            child.kill(Cause.KILLED)
        os._exit(0)

    def _hurry(self) -> None:
        """End what has had its time."""
        now = time.monotonic()
        for child in self._children.values():
            if now - child.begun > self._limits.seconds:
                child.kill(Cause.TIME)

    def _start(self, number: int, job: J) -> None:
        try:
            self._prepare(job)
        except Exception:
            self._above.send(Ended(number, Cause.UNPREPARED, traceback.format_exc().encode()))
            return
        gc.freeze()  # a collector that visits what is shared would copy it into each child
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be_child(writing, {*self._children, reading, self._above.fileno()}, job)
        os.close(writing)
        self._children[reading] = _Child(number, pid, time.monotonic(), bytearray())
        self._selector.register(reading, selectors.EVENT_READ)

    def _read(self, descriptor: int) -> None:
        """Take what a child wrote; at its end, tell how it ended."""
        child = self._children[descriptor]
        if chunk := os.read(descriptor, CHUNK):
            child.data += chunk
            if len(child.data) > self._limits.output:
                child.kill(Cause.OUTPUT)
                child.data.clear()
            return
        self._selector.unregister(descriptor)
        os.close(descriptor)
        del self._children[descriptor]
        _, status, used = os.wait4(child.pid, 0)
        seconds = round(time.monotonic() - child.begun, 3)
        cause = child.cause or _cause(os.waitstatus_to_exitcode(status))
        self._above.send(Ended(child.number, cause, bytes(child.data), seconds, used.ru_maxrss * RSS_UNIT))

    def _be_child(self, writing: int, inherited: set[int], job: J) -> NoReturn:
        """Do a job, say what came of it, and end, whatever happens."""
        status = RAISED
        try:
            os.setsid()
            for descriptor in inherited:
                os.close(descriptor)
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            gc.set_threshold(20_000, 20, 50)  # it lives too briefly to clean up often
            self._limits.impose()
            _write(writing, self._work(job))
            status = 0
        except MemoryError:
            status = OUT_OF_MEMORY
        except BaseException:
            with contextlib.suppress(BaseException):
                _write(writing, traceback.format_exc()[-4000:].encode())
        finally:
            os._exit(status)


def _serve(
    above: Connection, work: Callable[[Any], bytes], prepare: Callable[[Any], None], parallel: int, limits: Limits
) -> None:
    _Server(above, work, prepare, parallel, limits).run()


def _cause(code: int) -> Cause:
    """Tell how a child ended by its exit status, or by minus the signal that ended it."""
    known = {
        0: Cause.DONE,
        OUT_OF_MEMORY: Cause.MEMORY,
        -signal.SIGXCPU: Cause.CPU,
        -signal.SIGALRM: Cause.TIME,
        -signal.SIGKILL: Cause.KILLED,
    }
    return known.get(code, Cause.CRASHED)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
