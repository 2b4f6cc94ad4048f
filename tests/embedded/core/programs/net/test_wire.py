"""What is remembered of messages is what h11 says of them, whatever the time of day in them."""

from __future__ import annotations

import h11
import pytest

from grader.embedded.core.programs.net import wire

ASKED = b"GET /hostname HTTP/1.1\r\nHost: web\r\n\r\n"
EARLY, LATE = "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 29 Nov 2026 12:34:56 GMT"
HEADERS = [
    (("Date", EARLY), ("Content-Length", "3")),
    (("Date", LATE), ("Content-Length", "3")),
    (("Content-Length", "3"), ("Date", LATE), ("X-At", EARLY)),
    (("X-At", EARLY), ("Date", LATE), ("Date", EARLY), ("Content-Length", "3")),
    (("Content-Length", "3"), ("X-At", EARLY)),
    (("Date", "soon"), ("Content-Length", "3")),
]


def by_h11(headers: wire.Fields) -> bytes:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(ASKED)
    connection.next_event()
    return connection.send(h11.Response(status_code=200, headers=list(headers), reason=b"OK")) or b""


@pytest.mark.parametrize("headers", HEADERS)
def test_a_head_is_written_as_h11_writes_it_each_time(headers: wire.Fields) -> None:
    for _ in range(2):
        assert wire.response_head(ASKED, 200, headers, "OK") == (by_h11(headers), True)


@pytest.mark.parametrize("headers", HEADERS)
def test_a_response_is_read_as_it_was_written_each_time(headers: wire.Fields) -> None:
    for _ in range(2):
        assert wire.read_response("GET", by_h11(headers) + b"web") == (200, b"web", headers, "OK")


def test_heads_of_two_seconds_are_written_once() -> None:
    before = wire._response_head.cache_info().misses
    for second in range(10, 60):
        wire.response_head(
            ASKED, 200, (("Date", f"Mon, 30 Nov 2026 07:00:{second} GMT"), ("Content-Length", "1")), "OK"
        )
    assert wire._response_head.cache_info().misses <= before + 1
