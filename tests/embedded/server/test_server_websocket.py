from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.embedded.server.websocket import Decoder, Message, Opcode, ProtocolError, accept_key, encode, unmask

KEY = b"\x12\x34\x56\x78"


def client_frame(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    if len(data) < 126:
        head += bytes([0x80 | len(data)])
    elif len(data) < 1 << 16:
        head += bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + len(data).to_bytes(8, "big")
    return head + KEY + unmask(data, KEY)


def test_the_accept_key_is_the_one_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3


def test_masked_text_is_read_as_in_the_rfc() -> None:
    wire = bytes.fromhex("818537fa213d7f9f4d5158")  # RFC 6455 §5.7: a masked "Hello"

    assert list(Decoder().feed(wire)) == [Message(Opcode.TEXT, b"Hello")]


def test_a_fragmented_message_is_one_message_with_pings_in_between() -> None:
    wire = client_frame(2, b"ab", final=False) + client_frame(9, b"!") + client_frame(0, b"cd")

    assert list(Decoder().feed(wire)) == [Message(Opcode.PING, b"!"), Message(Opcode.BINARY, b"abcd")]


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(encode(Opcode.BINARY, b"x"), id="not masked"),
        pytest.param(client_frame(0, b"x"), id="a continuation of nothing"),
        pytest.param(client_frame(3, b"x"), id="an unknown opcode"),
        pytest.param(client_frame(9, b"x" * 126), id="a long control frame"),
        pytest.param(b"\xf2\x80" + KEY, id="reserved bits"),
        pytest.param(b"\x82\xff" + b"\x7f" * 8, id="a frame without bounds"),
    ],
)
def test_broken_framing_is_refused(wire: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Decoder().feed(wire))


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 40))
def test_messages_survive_any_cutting_of_the_wire(payloads: list[bytes], step: int) -> None:
    decoder = Decoder()
    wire = b"".join(client_frame(2, payload) for payload in payloads)

    received = [message for at in range(0, len(wire), step) for message in decoder.feed(wire[at : at + step])]

    assert received == [Message(Opcode.BINARY, payload) for payload in payloads]


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_frames_of_every_length_form_are_read_back(size: int) -> None:
    assert list(Decoder().feed(client_frame(2, b"x" * size))) == [Message(Opcode.BINARY, b"x" * size)]
    assert encode(Opcode.BINARY, b"x" * size).endswith(b"x" * size)
