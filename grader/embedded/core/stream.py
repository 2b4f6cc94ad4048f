"""Byte pipes between programs, as connected TCP sockets are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from grader.embedded.core.waiting import Event

Address = tuple[str, int]
"""An IP address and a port."""


class ConnectionReset_(Exception):  # noqa: N801
    """The other end of the stream reset the connection."""


class Stream:
    """One end of a byte pipe, as a connected TCP socket is; made by `pair()`.

    Reading is either by tasks (`recv`) or by callbacks (`on_data`, `on_close`), not both. Writing never waits.

    What is over, closed from both ends or reset, holds nothing any more: neither its other end nor a place in a table.

    Attributes:
        local: address and port of this end, as far as the network told it.
        peer: address and port of the other end.
        closed: whether this end has closed for writing.
    """

    __slots__ = (
        "_arrived", "_buffer", "_ended", "_on_close", "_on_data", "_other", "_reset", "_table",
        "closed", "local", "peer",
    )  # fmt: skip

    def __init__(self) -> None:
        self.local: Address = ("", 0)
        self.peer: Address = ("", 0)
        self.closed = False
        self._other: Stream | None = None
        self._buffer = bytearray()
        self._ended = False
        self._reset = False
        self._arrived = Event()
        self._on_data: Callable[[bytes], None] | None = None
        self._on_close: Callable[[bool], None] | None = None
        self._table: dict[Stream, None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the other end has closed or reset."""
        return self._ended or self._reset

    async def recv(self, limit: int = 65536) -> bytes:
        """Wait for some bytes; b"" once the other end has closed. Raises ConnectionReset_ after a reset."""
        while True:
            if self._buffer:
                data = bytes(self._buffer[:limit])
                del self._buffer[:limit]
                return data
            if self._reset:
                raise ConnectionReset_("connection reset by peer")
            if self._ended:
                return b""
            self._arrived.clear()
            await self._arrived.wait()

    def send(self, data: bytes) -> None:
        """Send bytes. Raises ConnectionReset_ after a reset, or when this end has closed."""
        if self._reset or self.closed:
            raise ConnectionReset_("broken pipe")
        if data and self._other is not None:
            self._other._take(data)

    def close(self) -> None:
        """Close this end for writing; the other end reads b"". Harmless when done twice."""
        if not self.closed:
            self.closed = True
            if self._other is not None:
                self._other._end(reset=False)
            self._let_go()

    def reset(self) -> None:
        """Break the connection: the other end's `recv` and `send` raise ConnectionReset_."""
        if not self._reset:
            self.closed = self._reset = True
            self._arrived.set()
            if self._other is not None:
                self._other._end(reset=True)
            self._let_go()

    def enter(self, table: dict[Stream, None]) -> None:
        """Stand in a table until it is over."""
        table[self] = None
        self._table = table
        self._let_go()

    def on_data(self, fn: Callable[[bytes], None]) -> None:
        """Hand all bytes to a function from now on, those that are waiting first."""
        self._on_data = fn
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            fn(data)

    def on_close(self, fn: Callable[[bool], None]) -> None:
        """Call a function once the other end has closed (False) or reset (True); at once when it already has."""
        self._on_close = fn
        if self._ended or self._reset:
            fn(self._reset)

    def _take(self, data: bytes) -> None:
        if self._ended or self._reset:
            return
        if self._on_data is not None:
            self._on_data(data)
        else:
            self._buffer += data
            self._arrived.set()

    def _end(self, *, reset: bool) -> None:
        if self._reset or (self._ended and not reset):
            return
        self._ended = True
        self._reset = reset
        if reset:
            self._buffer.clear()
        self._arrived.set()
        if self._on_close is not None:
            self._on_close(reset)
        self._let_go()

    def _let_go(self) -> None:
        """Hold nothing that nobody needs, once this is over."""
        if self._reset or (self.closed and self._ended):
            self._other = self._on_data = self._on_close = None
            if self._table is not None:
                self._table.pop(self, None)
                self._table = None


def pair() -> tuple[Stream, Stream]:
    """Two streams, each the other end of the other."""
    left, right = Stream(), Stream()
    left._other, right._other = right, left
    return left, right


Handler = Callable[[Stream, Address], Coroutine[Any, Any, None]]
"""Serves one connection, which came from an address."""
DatagramHandler = Callable[[bytes, Address], bytes | None]
"""What is answered to a datagram from an address; None: nothing."""
