"""A WebSocket as clients see it: its frames are wsproto's, asked over a pair of streams."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from grader.embedded.server import websocket
from grader.embedded.server.websocket import Message, Opcode, WebSocket, accept_key

T = TypeVar("T")
KEY = b"\x12\x34\x56\x78"


class Wire:
    """What a server writes to; no more of a StreamWriter than it uses."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.write = self.sent.extend

    def is_closing(self) -> bool:
        return False

    async def drain(self) -> None:
        """Nothing is held up."""


def opened(*pieces: bytes, rest: bytes = b"") -> tuple[WebSocket, Wire]:
    """A server to which a client has said these pieces, and then gone away. To be called in a running loop."""
    reader, wire = asyncio.StreamReader(), Wire()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return WebSocket(reader, wire, "", rest), wire  # type: ignore[arg-type]


async def all_of(socket: WebSocket) -> list[Message]:
    return [message async for message in _messages(socket)]


async def _messages(socket: WebSocket) -> Any:
    while (message := await socket.receive()) is not None:
        yield message


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def said(wire: Wire) -> list[Event]:
    """What a client reads of it."""
    client = Connection(ConnectionType.CLIENT, trailing_data=bytes(wire.sent))
    return list(client.events())


def frame(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    """A short frame of a client, whatever is wrong with it."""
    masked = bytes(byte ^ KEY[at % 4] for at, byte in enumerate(data))
    return bytes([(0x80 if final else 0) | opcode, 0x80 | len(data)]) + KEY + masked


def test_the_accept_key_is_the_one_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3


def test_masked_text_is_read_as_in_the_rfc_also_where_it_came_with_the_request() -> None:
    wire = bytes.fromhex("818537fa213d7f9f4d5158")  # RFC 6455 §5.7: a masked "Hello"

    async def both() -> list[list[Message]]:
        return [await all_of(opened(wire)[0]), await all_of(opened(rest=wire)[0])]

    assert run(both()) == [[Message(Opcode.TEXT, b"Hello")]] * 2


def test_a_fragmented_message_is_one_message_and_a_ping_in_between_is_answered() -> None:
    async def ask() -> tuple[list[Message], list[Event]]:
        socket, wire = opened(frame(2, b"ab", final=False) + frame(9, b"!") + frame(0, b"cd"))
        return await all_of(socket), said(wire)

    assert run(ask()) == ([Message(Opcode.BINARY, b"abcd")], [Pong(payload=b"!")])


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"\x82\x01x", id="not masked"),
        pytest.param(frame(0, b"x"), id="a continuation of nothing"),
        pytest.param(frame(3, b"x"), id="an unknown opcode"),
        pytest.param(b"\x89\xfe\x00\x7e" + KEY, id="a long control frame"),
        pytest.param(b"\xf2\x80" + KEY, id="reserved bits"),
    ],
)
def test_broken_framing_is_closed_as_a_protocol_error(wire: bytes) -> None:
    async def ask() -> tuple[list[Message], list[Event]]:
        socket, sent = opened(wire)
        return await all_of(socket), said(sent)

    messages, (told,) = run(ask())
    assert not messages
    assert isinstance(told, CloseConnection) and told.code == 1002


def test_a_message_without_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_MESSAGE", 3)

    async def ask() -> tuple[list[Message], list[Event]]:
        socket, sent = opened(frame(2, b"ab", final=False) + frame(0, b"cd"))
        return await all_of(socket), said(sent)

    messages, (told,) = run(ask())
    assert not messages
    assert isinstance(told, CloseConnection) and told.code == 1009


def test_a_close_is_answered_and_nothing_is_sent_after_it() -> None:
    async def ask() -> list[Event]:
        socket, sent = opened(Connection(ConnectionType.CLIENT).send(CloseConnection(code=1000)))
        assert await socket.receive() is None and socket.closed
        socket.send(b"late")
        await socket.close()
        return said(sent)

    assert run(ask()) == [CloseConnection(code=1000, reason="")]


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 40))
def test_messages_survive_any_cutting_of_the_wire(payloads: list[bytes], step: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    wire = b"".join(client.send(BytesMessage(data=payload)) for payload in payloads)

    async def ask() -> list[Message]:
        return await all_of(opened(*(wire[at : at + step] for at in range(0, len(wire), step)))[0])

    assert run(ask()) == [Message(Opcode.BINARY, payload) for payload in payloads]


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_frames_of_every_length_form_are_read_and_sent(size: int) -> None:
    async def ask() -> tuple[list[Message], bytes]:
        socket, sent = opened(Connection(ConnectionType.CLIENT).send(BytesMessage(data=b"x" * size)))
        read = await socket.receive()
        socket.send(b"y" * size)
        assert read is not None
        return [read], b"".join(event.data for event in said(sent) if isinstance(event, BytesMessage))

    assert run(ask()) == ([Message(Opcode.BINARY, b"x" * size)], b"y" * size)


def test_text_is_sent_as_text() -> None:
    async def ask() -> list[Event]:
        socket, sent = opened(Connection(ConnectionType.CLIENT).send(Ping()))
        socket.send("応答".encode(), Opcode.TEXT)
        return said(sent)

    assert run(ask()) == [TextMessage(data="応答")]
