"""HTTP/1.1 over the kernel's streams, on h11: a server for the emulated images and a client for their tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from grader.embedded.core.kernel import Address, ConnectionReset_, Handler, Stream
from grader.embedded.core.programs.net import wire
from grader.embedded.core.programs.process import Process

Headers = list[tuple[str, str]]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found",
    303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 412: "Precondition Failed", 417: "Expectation Failed", 418: "I'm a teapot",
    429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A request as a server sees it.

    Attributes:
        method: such as GET.
        target: the request line's target, as it came.
        headers: names as they came, in order.
        body: all of it.
        peer: the client's address and port.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    peer: Address

    @cached_property
    def path(self) -> str:
        """The decoded path, without query."""
        return unquote(urlsplit(self.target).path) or "/"

    @cached_property
    def query(self) -> dict[str, str]:
        """The first value of each query parameter."""
        found: dict[str, str] = {}
        for name, value in parse_qsl(urlsplit(self.target).query, keep_blank_values=True):
            found.setdefault(name, value)
        return found

    def header(self, name: str) -> str:
        """The first value of a header, "" where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Response:
    """A response.

    Attributes:
        status: the code.
        body: all of it.
        headers: in order; Content-Length and Date are the server's to add.
        reason: the phrase; the usual one where it is empty.
    """

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    reason: str = ""

    def header(self, name: str) -> str:
        """The first value of a header, "" where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


Responder = Callable[[Request], Awaitable[Response]]


def date(now: float) -> str:
    """An HTTP date (RFC 9110 5.6.7)."""
    return _date(int(now))


@lru_cache(64)
def _date(now: int) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    return f"{_DAYS[moment.weekday()]}, {moment:%d} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"


def server(process: Process, respond: Responder, accept: Callable[[Stream], Awaitable[bool]] | None = None) -> Handler:
    """A handler for `Host.listen` that answers each request with `respond`, keeping connections alive.

    When the process ends, its connections are reset. `accept` is asked first whether a connection is served at all.
    """

    async def handle(stream: Stream, peer: Address) -> None:
        if process.exit_code is not None:
            stream.reset()
            return
        process.at_exit(stream.reset)
        try:
            if accept is None or await accept(stream):
                await serve(stream, peer, respond)
            stream.close()
        except (ConnectionReset_, h11.RemoteProtocolError):
            stream.reset()
        except Exception:
            stream.reset()
            raise
        finally:
            process.forget(stream.reset)

    return handle


async def serve(stream: Stream, peer: Address, respond: Responder) -> None:
    """Answer each request of a connection. Raises ConnectionReset_, h11.RemoteProtocolError."""
    while data := await stream.recv():
        read = wire.read_request(data)
        if read is None:
            await _serve_any(data, stream, peer, respond)
            return
        method, target, headers = read
        request = Request(method, target, list(headers), b"", peer)
        if not _answer(data, stream, request, await respond(request)):
            return


def _answer(data: bytes, stream: Stream, request: Request, response: Response) -> bool:
    """Answer a request that came whole; tell whether the connection lives on."""
    length = response.header("content-length") or str(len(response.body))
    if response.status < 200 or response.status in {204, 304} or length != str(len(response.body)):
        connection, _ = wire.asked(data) or (h11.Connection(h11.SERVER), None)
        _send_response(connection, stream, request, response)
        return connection.our_state is h11.DONE
    headers, reason = _framed(response)
    head, lives = wire.response_head(data, response.status, tuple(headers), reason)
    stream.send(head if request.method == "HEAD" else head + response.body)
    return lives


async def _serve_any(data: bytes, stream: Stream, peer: Address, respond: Responder) -> None:
    """Serve from a request on that is more than a head, or comes in pieces; `data` has come already."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    while True:
        request = await _receive_request(connection, stream, peer)
        if request is None:
            return
        response = await respond(request)
        _send_response(connection, stream, request, response)
        if connection.our_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _next(connection: h11.Connection, stream: Stream) -> h11.Event | type[h11.PAUSED]:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await stream.recv())
    return event  # type: ignore[return-value]


async def _receive_request(connection: h11.Connection, stream: Stream, peer: Address) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        try:
            event = await _next(connection, stream)
        except h11.RemoteProtocolError:
            if head is None and connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                bad = h11.Response(status_code=400, headers=[("Connection", "close")], reason=b"Bad Request")
                stream.send(connection.send(bad) or b"")
            return None
        if isinstance(event, h11.Request):
            head = event
            if connection.they_are_waiting_for_100_continue:
                stream.send(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = [(name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items()]
            return Request(head.method.decode(), head.target.decode(), headers, bytes(body), peer)
        else:
            return None


def _send_response(connection: h11.Connection, stream: Stream, request: Request, response: Response) -> None:
    headers, reason = _framed(response)
    sent = connection.send(h11.Response(status_code=response.status, headers=headers, reason=reason.encode())) or b""
    if response.body and request.method != "HEAD" and not _bodiless(response):
        sent += connection.send(h11.Data(data=response.body)) or b""
    sent += connection.send(h11.EndOfMessage()) or b""
    stream.send(sent)


def _framed(response: Response) -> tuple[Headers, str]:
    """The headers, with the length of the body, and the reason."""
    headers = list(response.headers)
    if not _bodiless(response) and not response.header("content-length"):
        headers.append(("Content-Length", str(len(response.body))))
    return headers, response.reason or REASONS.get(response.status, "")


def _bodiless(response: Response) -> bool:
    return response.status in {204, 304} or response.status < 200


class BadReply(Exception):
    """What came back is not HTTP, or stops in the middle.

    Attributes:
        empty: whether nothing at all came back.
    """

    def __init__(self, message: str, *, empty: bool = False) -> None:
        super().__init__(message)
        self.empty = empty


async def exchange(
    stream: Stream,
    method: str,
    target: str,
    headers: Headers,
    body: bytes = b"",
    *,
    on_response: Callable[[Response], None] | None = None,
) -> Response:
    """Send one request on a connected stream and read the whole response.

    `on_response` is called with the head as soon as it has come. Raises BadReply, ConnectionReset_.
    """
    if body:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        sent = connection.send(h11.Request(method=method, target=target, headers=headers)) or b""
        sent += connection.send(h11.Data(data=body)) or b""
        stream.send(sent + (connection.send(h11.EndOfMessage()) or b""))
    else:
        stream.send(wire.request_bytes(method, target, tuple(headers)))
        data = await stream.recv()
        if whole := wire.read_response(method, data):
            response = Response(whole[0], whole[1], list(whole[2]), whole[3])
            if on_response is not None:
                on_response(replace(response, body=b""))
            return response
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        connection.send(h11.Request(method=method, target=target, headers=headers))
        connection.send(h11.EndOfMessage())
        connection.receive_data(data)
    return await _read_response(connection, stream, on_response)


async def _read_response(
    connection: h11.Connection, stream: Stream, on_response: Callable[[Response], None] | None
) -> Response:
    got: Response | None = None
    content = bytearray()
    try:
        while True:
            event = await _next(connection, stream)
            if isinstance(event, h11.Response):
                fields = [(name.decode(), value.decode("latin-1")) for name, value in event.headers.raw_items()]
                got = Response(event.status_code, b"", fields, event.reason.decode())
                if on_response is not None:
                    on_response(got)
            elif isinstance(event, h11.Data):
                content += event.data
            elif isinstance(event, h11.EndOfMessage) and got is not None:
                return Response(got.status, bytes(content), got.headers, got.reason)
            elif not isinstance(event, h11.InformationalResponse):
                raise BadReply("empty reply", empty=True)
    except h11.RemoteProtocolError as error:
        raise BadReply(str(error), empty=connection.their_state is h11.ERROR and got is None) from error
