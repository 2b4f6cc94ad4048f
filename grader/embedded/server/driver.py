"""Runs the core's Kernel on asyncio: soon after work arrives, or when a timer is due; asyncio may wait for tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from grader.embedded.core.kernel import Cancelled, ConnectionReset_, Kernel, Stream, Task

T = TypeVar("T")
STEPS = 200  # of the kernel at a time, so that a container that loops for ever does not keep clients waiting
log = logging.getLogger(__name__)


class WallClock:
    """The machine's clocks.

    Args:
        day: tells seconds since the epoch.
        passing: tells seconds that nobody sets.
    """

    def __init__(self, day: Callable[[], float] = time.time, passing: Callable[[], float] = time.monotonic) -> None:
        self.now = day
        self.monotonic = passing


class Driver:
    """The asyncio side of one Kernel. Everything runs on the loop's thread."""

    def __init__(self, kernel: Kernel, loop: asyncio.AbstractEventLoop) -> None:
        self.kernel = kernel
        self._loop = loop
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        kernel.wake = self.wake
        kernel.on_error = self._failed

    def wake(self) -> None:
        """Run the kernel soon; called by the kernel when work arrived from outside."""
        if self._soon is None:
            self._soon = self._loop.call_soon(self._run)

    def stop(self) -> None:
        """Run the kernel no more."""
        self.kernel.wake = lambda: None
        for handle in (self._soon, self._later):
            if handle is not None:
                handle.cancel()

    def _run(self) -> None:
        self._soon = None
        if self._later is not None:
            self._later.cancel()
            self._later = None
        try:
            due = self.kernel.run(STEPS)
        except Exception:  # one callback's bug must not stop the whole cluster
            log.exception("a callback of the kernel failed")
            self.wake()
            return
        if due is None:
            return
        delay = due - self.kernel.monotonic()
        if delay <= 0:
            self.wake()
        else:
            self._later = self._loop.call_later(delay, self._run)

    def _failed(self, task: Task[Any], error: Exception) -> None:
        log.error("task %s failed", task.name, exc_info=error)

    async def wait(self, coro: Coroutine[Any, Any, T], name: str = "") -> T:
        """Run a coroutine in the kernel and wait for it from asyncio; cancelling one cancels the other.

        Raises what the coroutine raises; asyncio.CancelledError where it was cancelled inside of the kernel.
        """
        task = self.kernel.spawn(coro, name)
        finished = asyncio.Event()
        task.on_done(finished.set)
        try:
            await finished.wait()
        except asyncio.CancelledError:
            task.cancel()
            raise
        try:
            return task.result()
        except Cancelled:
            raise asyncio.CancelledError from None


async def splice(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes between a core stream and a real connection until both directions have ended; close both."""
    ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def on_data(data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)

    def on_close(reset: bool) -> None:
        if not ended.done():
            ended.set_result(reset)
        if not reset and writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()

    stream.on_data(on_data)
    stream.on_close(on_close)
    upstream = asyncio.create_task(_send_all(reader, stream))
    try:
        if await ended:
            break_off(writer)
        else:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await writer.drain()
    finally:
        upstream.cancel()
        stream.close()
        writer.close()


def break_off(writer: asyncio.StreamWriter) -> None:
    """Reset a real connection: the peer sees ECONNRESET, not an end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _send_all(reader: asyncio.StreamReader, stream: Stream) -> None:
    """Send what a real peer sends; its end becomes the stream's end, its loss a reset."""
    try:
        while data := await reader.read(65536):
            stream.send(data)
        stream.close()
    except ConnectionReset_:
        return
    except (ConnectionError, TimeoutError):
        stream.reset()
