"""An answer that is sent piece by piece: the body of an HTTP answer, or a WebSocket that carries a piece a frame."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from grader.embedded.server.http import Exchange
from grader.embedded.server.websocket import Opcode, WebSocket

PIECE = 2048  # bytes of a stream in one frame (k8s.io/streaming v0.36.3 pkg/httpstream/wsstream/stream.go messageCopy)
BINARY, BASE64 = "binary.k8s.io", "base64.binary.k8s.io"
LOG_PROTOCOLS = ("", BINARY, BASE64)
"""Subprotocols of a log (the same file, NewDefaultReaderProtocols)."""


Leaving = AbstractAsyncContextManager[asyncio.Task[None]]


class Outlet(Protocol):
    """Takes what a stream has to say."""

    async def send(self, pieces: Sequence[bytes]) -> None:
        """Send pieces in their order. Raises Disconnected."""

    async def finish(self) -> None:
        """Say that all is said. Raises Disconnected."""

    def leaving(self) -> Leaving:
        """A task that is done when the client has gone."""


class Body:
    """The body of an HTTP answer; pieces follow each other without a mark."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @classmethod
    async def open(cls, exchange: Exchange, headers: Iterable[tuple[str, str]]) -> Body:
        """Answer 200. Raises Disconnected."""
        await exchange.start(200, headers)
        return cls(exchange)

    async def send(self, pieces: Sequence[bytes]) -> None:
        """Send pieces, all in one. Raises Disconnected."""
        await self._exchange.write(b"".join(pieces))

    async def finish(self) -> None:
        """End the answer. Raises Disconnected."""
        await self._exchange.finish()

    def leaving(self) -> Leaving:
        """A task that is done when the client has gone."""
        return self._exchange.leaving()


class Frames:
    """A WebSocket: a piece is a message; what the client says is not listened to."""

    def __init__(self, socket: WebSocket, opcode: Opcode) -> None:
        self._socket = socket
        self._opcode = opcode

    @classmethod
    async def of_events(cls, exchange: Exchange) -> Frames:
        """A watch: text, an event a message (k8s.io/apiserver pkg/endpoints/handlers/watch.go HandleWS).

        Raises handshake.Refused, Disconnected.
        """
        return cls(await exchange.any_websocket(), Opcode.TEXT)

    @classmethod
    async def of_bytes(cls, exchange: Exchange) -> Frames:
        """A log, which begins with an empty message (wsstream/stream.go). Raises handshake.Refused, Disconnected."""
        socket = await exchange.websocket(LOG_PROTOCOLS)
        frames = cls(socket, Opcode.TEXT if socket.subprotocol == BASE64 else Opcode.BINARY)
        socket.send(b"", frames._opcode)
        return frames

    async def send(self, pieces: Sequence[bytes]) -> None:
        """Send a message for each piece, a long piece of a log in several."""
        for piece in pieces:
            if self._socket.subprotocol == BASE64:
                for part in _parts(piece):
                    self._socket.send(base64.b64encode(part), Opcode.TEXT)
            elif self._opcode is Opcode.BINARY:
                for part in _parts(piece):
                    self._socket.send(part)
            else:
                self._socket.send(piece, Opcode.TEXT)
        await self._socket.drain()

    async def finish(self) -> None:
        """Close the WebSocket."""
        await self._socket.close()

    @asynccontextmanager
    async def leaving(self) -> AsyncIterator[asyncio.Task[None]]:
        """A task that is done when the client has gone."""
        task = asyncio.create_task(self._listen())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _listen(self) -> None:
        while await self._socket.receive() is not None:
            pass


def _parts(data: bytes) -> Iterable[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))
