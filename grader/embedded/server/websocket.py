"""The server's side of a WebSocket on asyncio streams; wsproto frames it (RFC 6455). No extensions.

wsproto takes longer to import than most of the server, and most clusters never see a WebSocket: it is imported by
the first one.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsproto.events import Event

MAX_MESSAGE = 32 * 1024 * 1024
NORMAL, TOO_BIG = 1000, 1009
"""Status codes of a close frame (RFC 6455 §7.4.1); that of broken framing is wsproto's."""


class Opcode(IntEnum):
    """What a message carries (RFC 6455 §5.2)."""

    TEXT = 1
    BINARY = 2


@dataclass(frozen=True)
class Message:
    """A complete message.

    Attributes:
        opcode: TEXT or BINARY.
        data: its payload, unmasked; of a text in UTF-8.
    """

    opcode: Opcode
    data: bytes


def accept_key(key: str) -> str:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2)."""
    from wsproto.utilities import generate_accept_token

    return generate_accept_token(key.encode("ascii")).decode("ascii")


class WebSocket:
    """An open WebSocket on a connection that has been upgraded.

    Attributes:
        subprotocol: the subprotocol agreed on, "" where none was asked for.
        closed: whether a close frame was sent or the connection is gone.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, subprotocol: str, rest: bytes = b""
    ) -> None:
        from wsproto.connection import Connection, ConnectionType

        self._reader = reader
        self._writer = writer
        self._frames = Connection(ConnectionType.SERVER, trailing_data=rest)
        self._events = self._frames.events()
        self._parts = bytearray()
        self.subprotocol = subprotocol
        self.closed = False

    async def receive(self) -> Message | None:
        """The next text or binary message; None once the peer has closed or gone. Pings are answered on the way."""
        from wsproto import events

        try:
            while not self.closed:
                event = next(self._events, None)
                if event is None:
                    data = await self._reader.read(65536)
                    if not data:
                        self.closed = True
                        return None
                    self._frames.receive_data(data)
                    self._events = self._frames.events()
                elif isinstance(event, events.Ping):
                    self._write(event.response())
                elif isinstance(event, events.TextMessage | events.BytesMessage):
                    is_text = isinstance(event, events.TextMessage)
                    self._parts += event.data.encode() if isinstance(event.data, str) else event.data
                    if len(self._parts) > MAX_MESSAGE:
                        await self.close(TOO_BIG, "message too long")
                    elif event.message_finished:
                        message = Message(Opcode.TEXT if is_text else Opcode.BINARY, bytes(self._parts))
                        self._parts.clear()
                        return message
                elif isinstance(event, events.CloseConnection):
                    broken = self._frames.state.name == "OPEN"  # the peer's frames could not be read
                    await self.close(event.code if broken else NORMAL, (event.reason or "") if broken else "")
        except (ConnectionError, TimeoutError):
            self.closed = True
        return None

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return 0 if self.closed else self._writer.transport.get_write_buffer_size()

    def send(self, data: bytes, opcode: Opcode = Opcode.BINARY) -> None:
        """Send one message; nothing happens once the connection is closed."""
        from wsproto import events

        if opcode is Opcode.TEXT:
            self._write(events.TextMessage(data=data.decode(errors="replace")))
        else:
            self._write(events.BytesMessage(data=data))

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was sent."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._writer.drain()

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Send a close frame, once, and flush."""
        from wsproto.events import CloseConnection

        if not self.closed:
            self._write(CloseConnection(code=code, reason=reason))
            self.closed = True
            await self.drain()

    def _write(self, event: Event) -> None:
        if not self.closed and not self._writer.is_closing():
            self._writer.write(self._frames.send(event))
