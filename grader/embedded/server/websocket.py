"""The server's side of a WebSocket (RFC 6455): framing, and the connection on asyncio streams. No extensions."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_MESSAGE = 32 * 1024 * 1024


class Opcode(IntEnum):
    """What a frame carries (RFC 6455 §5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class ProtocolError(Exception):
    """The peer broke the framing; the connection is closed with status 1002."""


@dataclass(frozen=True)
class Message:
    """A complete message or control frame.

    Attributes:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        data: its payload, unmasked.
    """

    opcode: Opcode
    data: bytes


def accept_key(key: str) -> str:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode("ascii") + GUID, usedforsecurity=False).digest()).decode("ascii")


def encode(opcode: Opcode, data: bytes) -> bytes:
    """One unmasked, final frame, as servers send it."""
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + data


def unmask(data: bytes, key: bytes) -> bytes:
    """Undo the client's masking (RFC 6455 §5.3)."""
    size = len(data)
    pattern = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


class Decoder:
    """Turns received bytes into messages; fragments are put together."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._opcode: Opcode | None = None
        self._parts = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes; the messages that are complete with them. Raises ProtocolError."""
        self._buffer += data
        while (frame := self._frame()) is not None:
            final, opcode, payload = frame
            if opcode >= Opcode.CLOSE:
                yield Message(opcode, payload)
                continue
            if (opcode is Opcode.CONTINUATION) != (self._opcode is not None):
                raise ProtocolError("a fragment without its beginning, or a beginning inside of a message")
            if self._opcode is None:
                self._opcode = opcode
            self._parts += payload
            if len(self._parts) > MAX_MESSAGE:
                raise ProtocolError("message too long")
            if final:
                message = Message(self._opcode, bytes(self._parts))
                self._opcode = None
                self._parts.clear()
                yield message

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        if first & 0x70 or not second & 0x80:
            raise ProtocolError("reserved bits set, or a frame that is not masked")
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise ProtocolError(f"unknown opcode {first & 0x0F}") from None
        size, start = second & 0x7F, 2
        if size >= 126:
            if opcode >= Opcode.CLOSE:
                raise ProtocolError("a control frame must be short")
            width = 2 if size == 126 else 8
            if len(buffer) < 2 + width:
                return None
            size, start = int.from_bytes(buffer[2 : 2 + width], "big"), 2 + width
            if size > MAX_MESSAGE:
                raise ProtocolError("frame too long")
        end = start + 4 + size
        if len(buffer) < end:
            return None
        payload = unmask(bytes(buffer[start + 4 : end]), bytes(buffer[start : start + 4]))
        del buffer[:end]
        return bool(first & 0x80), opcode, payload


class WebSocket:
    """An open WebSocket on a connection that has been upgraded.

    Attributes:
        subprotocol: the subprotocol agreed on, "" where none was asked for.
        closed: whether a close frame was sent or the connection is gone.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, subprotocol: str, rest: bytes = b""
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder()
        self._waiting: list[Message] = []
        self._rest = rest
        self.subprotocol = subprotocol
        self.closed = False

    async def receive(self) -> Message | None:
        """The next text or binary message; None once the peer has closed or gone. Pings are answered on the way."""
        try:
            while True:
                while self._waiting:
                    message = self._waiting.pop(0)
                    if message.opcode is Opcode.PING:
                        self._write(Opcode.PONG, message.data)
                    elif message.opcode is Opcode.CLOSE:
                        await self.close()
                        return None
                    elif message.opcode is not Opcode.PONG:
                        return message
                data, self._rest = self._rest or await self._reader.read(65536), b""
                if not data:
                    self.closed = True
                    return None
                self._waiting.extend(self._decoder.feed(data))
        except ProtocolError as error:
            await self.close(1002, str(error))
            return None
        except (ConnectionError, TimeoutError):
            self.closed = True
            return None

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return 0 if self.closed else self._writer.transport.get_write_buffer_size()

    def send(self, data: bytes, opcode: Opcode = Opcode.BINARY) -> None:
        """Send one message; nothing happens once the connection is closed."""
        self._write(opcode, data)

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was sent."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._writer.drain()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame, once, and flush."""
        if not self.closed:
            self._write(Opcode.CLOSE, struct.pack("!H", code) + reason.encode()[:123])
            self.closed = True
            await self.drain()

    def _write(self, opcode: Opcode, data: bytes) -> None:
        if not self.closed and not self._writer.is_closing():
            self._writer.write(encode(opcode, data))
