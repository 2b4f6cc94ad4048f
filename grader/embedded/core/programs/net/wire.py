"""HTTP/1.1 messages that come whole, read and written by h11 once for each: probes and dials send the same ones often.

What is not one complete message (bodies of requests, chunks, pieces, upgrades, errors) is nothing here: None, and the
caller goes through h11 itself. Responses longer than WHOLE bytes are not remembered. The time of day in a response's
Date is set aside meanwhile: it would make each second's messages new ones.
"""

from __future__ import annotations

import re
from functools import lru_cache

import h11

Fields = tuple[tuple[str, str], ...]

WHOLE = 4096
_REMEMBERED = 4096
_SOME_DATE = "Thu, 01 Jan 1970 00:00:00 GMT"
_DATE = re.compile(rb"\r\n(?:Date|date): (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)(?=\r\n)")


@lru_cache(_REMEMBERED)
def request_bytes(method: str, target: str, headers: Fields) -> bytes:
    """Write a request without a body. Raises h11.LocalProtocolError for what HTTP cannot say."""
    connection = h11.Connection(h11.CLIENT)
    head = connection.send(h11.Request(method=method, target=target, headers=list(headers))) or b""
    return head + (connection.send(h11.EndOfMessage()) or b"")


@lru_cache(_REMEMBERED)
def read_request(data: bytes) -> tuple[str, str, Fields] | None:
    """Read a request without a body that is all there is: method, target, headers as they came."""
    found = asked(data)
    if found is None:
        return None
    head = found[1]
    headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items())
    return head.method.decode(), head.target.decode(), headers


def response_head(data: bytes, status: int, headers: Fields, reason: str) -> tuple[bytes, bool]:
    """Write the head of the response to a request that `read_request` reads, whose body has the length it says.

    Also tells whether the connection lives on.
    """
    at = next((index for index, (name, _) in enumerate(headers) if name == "Date"), None)
    if at is None:
        return _response_head(data, status, headers, reason)
    undated = (*headers[:at], ("Date", _SOME_DATE), *headers[at + 1 :])
    head, lives = _response_head(data, status, undated, reason)
    return head.replace(f"\r\nDate: {_SOME_DATE}".encode(), f"\r\nDate: {headers[at][1]}".encode(), 1), lives


@lru_cache(_REMEMBERED)
def _response_head(data: bytes, status: int, headers: Fields, reason: str) -> tuple[bytes, bool]:
    found = asked(data)
    if found is None:
        raise ValueError("read_request does not read this")
    connection = found[0]
    response = h11.Response(status_code=status, headers=list(headers), reason=reason.encode())
    wire = connection.send(response) or b""
    length = next(int(value) for name, value in response.headers if name == b"content-length")
    if length and found[1].method != b"HEAD":
        connection.send(h11.Data(data=bytes(length)))
    wire += connection.send(h11.EndOfMessage()) or b""
    return wire, connection.our_state is h11.DONE


def asked(data: bytes) -> tuple[h11.Connection, h11.Request] | None:
    """Read a request without a body that is all there is, and stand where the response is due."""
    if not data.endswith(b"\r\n\r\n"):
        return None
    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(data)
        head = connection.next_event()
        if not isinstance(head, h11.Request) or connection.they_are_waiting_for_100_continue:
            return None
        if not isinstance(connection.next_event(), h11.EndOfMessage) or connection.trailing_data[0]:
            return None
    except h11.RemoteProtocolError:
        return None
    return connection, head


def read_response(method: str, data: bytes) -> tuple[int, bytes, Fields, str] | None:
    """Read a response that is all there is: status, body, headers as they came, reason."""
    if len(data) > WHOLE:
        return None
    dated = _DATE.search(data, 0, data.find(b"\r\n\r\n") + 2)
    if dated is None:
        return _read_response(method, data)
    begin, end = dated.span(1)
    read = _read_response(method, data[:begin] + _SOME_DATE.encode() + data[end:])
    if read is None:
        return None
    status, body, headers, reason = read
    date = data[begin:end].decode()
    at = next(index for index, (name, value) in enumerate(headers) if name.lower() == "date" and value == _SOME_DATE)
    return status, body, (*headers[:at], (headers[at][0], date), *headers[at + 1 :]), reason


@lru_cache(_REMEMBERED)
def _read_response(method: str, data: bytes) -> tuple[int, bytes, Fields, str] | None:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "any")]))
    connection.send(h11.EndOfMessage())
    body = bytearray()
    try:
        connection.receive_data(data)
        head = connection.next_event()
        if not isinstance(head, h11.Response):
            return None
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.EndOfMessage):
        return None
    headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items())
    return head.status_code, bytes(body), headers, head.reason.decode()
