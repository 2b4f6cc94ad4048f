from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.embedded.server.spdy import (
    PING,
    RST_STREAM,
    SYN_STREAM,
    ControlFrame,
    DataFrame,
    Framer,
    SpdyError,
    dictionary,
)


def test_the_dictionary_is_the_one_of_the_draft() -> None:
    assert zlib.adler32(dictionary()) == 0xE3C6A7C2  # the checksum that every SPDY/3 header block carries


def test_headers_are_read_with_names_in_lower_case() -> None:
    client, server = Framer(), Framer()
    wire = client.syn_stream(1, {"streamType": "error", "Port": "80", "requestID": "0"})

    assert list(server.feed(wire)) == [
        ControlFrame(SYN_STREAM, 1, False, {"streamtype": "error", "port": "80", "requestid": "0"})
    ]


def test_header_compression_keeps_its_state_between_blocks() -> None:
    client, server = Framer(), Framer()
    first = client.syn_stream(1, {"streamtype": "error"})
    second = client.syn_stream(3, {"streamtype": "data"}, fin=True)

    frames = list(server.feed(first + second))

    assert [(frame.stream, frame.headers["streamtype"]) for frame in frames if isinstance(frame, ControlFrame)] == [
        (1, "error"),
        (3, "data"),
    ]


def test_pings_and_resets_are_read() -> None:
    client, server = Framer(), Framer()

    assert list(server.feed(client.ping(7) + client.rst_stream(5, 5))) == [
        ControlFrame(PING, 7, False, {}),
        ControlFrame(RST_STREAM, 5, False, {}, 5),
    ]


def test_another_version_is_refused() -> None:
    with pytest.raises(SpdyError):
        list(Framer().feed(b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01"))


def test_a_broken_header_block_is_refused() -> None:
    with pytest.raises(SpdyError):
        list(Framer().feed(b"\x80\x03\x00\x01\x00\x00\x00\x0e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00abcd"))


@given(st.lists(st.tuples(st.integers(1, 2**31 - 1), st.binary(max_size=300), st.booleans())), st.integers(1, 50))
def test_data_frames_survive_any_cutting_of_the_wire(frames: list[tuple[int, bytes, bool]], step: int) -> None:
    sender, receiver = Framer(), Framer()
    wire = b"".join(sender.data(stream, data, fin=fin) for stream, data, fin in frames)

    received = [frame for at in range(0, len(wire), step) for frame in receiver.feed(wire[at : at + step])]

    assert received == [DataFrame(stream, fin, data) for stream, data, fin in frames]
