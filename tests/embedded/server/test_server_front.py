from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from grader.embedded.core.api.http.messages import Answer, Connect, Request, Response, Watch
from grader.embedded.core.api.http.status import not_found
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.store import Store
from grader.embedded.server.front import Front
from grader.embedded.server.http import Exchange
from tests.embedded.server.loopback import talk

OK = Response(200, (("content-type", "application/json"),), b"{}")


async def no_connection(exchange: Exchange, connect: Connect) -> None:
    raise not_found("pods", "", connect.name)


def front(answer: Callable[[Request], Answer]) -> Front:
    async def extension(exchange: Exchange) -> None:
        await exchange.respond(200, [], b"own")

    return Front(answer, no_connection, "secret", {"/embedded": extension})


def get(path: str, answer: Callable[[Request], Answer] = lambda _: OK, token: str = "secret") -> tuple[int, bytes]:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
        head = f"GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        first, _, rest = (await reader.read()).partition(b"\r\n")
        return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]

    return talk(front(answer).handle, client)  # type: ignore[no-any-return]


def test_the_token_opens_the_door() -> None:
    assert get("/api/v1/pods") == (200, b"{}")


def real(request: Request) -> Answer:
    return ApiServer(Store(lambda: 0.0)).handle(request)


def test_a_wrong_token_is_refused_as_upstream_refuses_it() -> None:
    code, body = get("/api/v1/pods", real, token="wrong")

    assert code == 401
    assert json.loads(body)["reason"] == "Unauthorized"


def test_health_and_version_are_public() -> None:
    assert [get(path, real, token="")[0] for path in ("/livez", "/readyz", "/healthz", "/version")] == [200] * 4


def test_whoever_shows_no_token_is_anonymous_and_may_nothing_else() -> None:
    assert [get(path, real, token="")[0] for path in ("/api/v1/pods", "/api", "/embedded/x")] == [403] * 3


def test_the_clusters_own_paths_are_for_the_administrator() -> None:
    assert get("/embedded/x", real, token="wrong")[0] == 401


def test_the_clusters_own_paths_are_served_beside_the_api() -> None:
    assert get("/embedded/x") == (200, b"own")
    assert get("/embeddedx") == (200, b"{}")


def test_a_bug_inside_is_a_status_and_not_a_hang_up() -> None:
    def broken(request: Request) -> Answer:
        raise ZeroDivisionError("inside")

    code, body = get("/api/v1/pods", broken)

    assert code == 500
    assert json.loads(body)["reason"] == "InternalError"


def test_a_connection_that_cannot_begin_is_refused() -> None:
    code, body = get("/x", lambda _: Connect("exec", "pods", "default", "nobody", ()))

    assert code == 404
    assert json.loads(body)["message"] == 'pods "nobody" not found'


class Events:
    """A watch that the test feeds."""

    def __init__(self, *first: bytes, timeout: float | None = None) -> None:
        self.ended = asyncio.Event()
        self.emit: Callable[[bytes], None] = lambda _: None
        self.close: Callable[[], None] = lambda: None
        self._first = first
        self.watch = Watch((("content-type", "application/json"),), self._start, lambda: None, timeout)

    def _start(self, emit: Callable[[bytes], None], close: Callable[[], None]) -> Callable[[], None]:
        self.emit, self.close = emit, close
        for event in self._first:
            emit(event)
        return self.ended.set


async def ask(writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /w HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer secret\r\n\r\n")


def test_watch_events_are_sent_as_they_come() -> None:
    events = Events(b'{"a":1}\n')

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ask(writer)
        assert await reader.readuntil(b'{"a":1}\n')
        events.emit(b'{"b":2}\n')
        assert (await reader.readuntil(b'{"b":2}\n')).strip().startswith(b"8")

    talk(front(lambda _: events.watch).handle, client)


def test_a_watch_ends_when_its_time_is_up() -> None:
    events = Events(b"{}\n", timeout=0.05)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await ask(writer)
        return await reader.readuntil(b"0\r\n\r\n")

    assert talk(front(lambda _: events.watch).handle, client)
    assert events.ended.is_set()


def test_a_watch_that_the_server_ends_keeps_its_last_event() -> None:
    events = Events()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        await ask(writer)
        await reader.readuntil(b"\r\n\r\n")
        events.emit(b"last\n")
        events.close()
        return await reader.readuntil(b"0\r\n\r\n")

    assert b"last\n" in talk(front(lambda _: events.watch).handle, client)


UPGRADE = (
    b"GET /w HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer secret\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def test_a_watch_over_websocket_sends_an_event_a_frame_and_says_when_it_ends() -> None:
    events = Events(b"one\n", b"two\n")

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(UPGRADE + b"Origin: https://x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"sec-websocket-protocol" not in head.lower()
        first = await reader.readexactly(12)
        events.emit(b"last\n")
        events.close()
        return first + await reader.read()

    assert talk(front(lambda _: events.watch).handle, client) == (
        b"\x81\x04one\n\x81\x04two\n\x81\x05last\n\x88\x02\x03\xe8"
    )
    assert events.ended.is_set()


def test_a_watch_over_websocket_without_an_origin_is_forbidden_before_it_begins() -> None:
    events = Events(b"one\n")

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(UPGRADE + b"\r\n")
        return await reader.read()

    assert talk(front(lambda _: events.watch).handle, client).startswith(b"HTTP/1.1 403 ")
    assert not events.ended.is_set()


def test_a_watch_over_websocket_is_ended_when_the_client_goes() -> None:
    events = Events()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPGRADE + b"Origin: https://x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write_eof()
        await events.ended.wait()

    talk(front(lambda _: events.watch).handle, client)


def test_a_watch_is_ended_when_the_client_goes() -> None:
    events = Events(b"{}\n")

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ask(writer)
        await reader.readuntil(b"{}\n")
        writer.write_eof()
        await events.ended.wait()

    talk(front(lambda _: events.watch).handle, client)
