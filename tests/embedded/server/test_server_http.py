from __future__ import annotations

import asyncio

from grader.embedded.server.handshake import Refused
from grader.embedded.server.http import MAX_BODY, Exchange
from grader.embedded.server.websocket import Opcode
from tests.embedded.server.loopback import talk


async def echo(exchange: Exchange) -> None:
    text = f"{exchange.method} {exchange.path} {exchange.query} {exchange.headers.get('x-a')} {exchange.body!r}"
    await exchange.respond(200, [("content-type", "text/plain")], text.encode())


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    return await reader.read()


def test_two_requests_share_a_connection() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET /a%20b?x=1&x=%2C HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n")
        first = await reader.readuntil(b"b''")
        writer.write(b"POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        return first + await until_closed(reader)

    text = talk(echo, client).decode()

    assert "GET /a b [('x', '1'), ('x', ',')] 1, 2 b''" in text
    assert text.endswith("POST /c [] None b'hi'")


def test_a_body_of_unknown_length_is_chunked() -> None:
    async def stream(exchange: Exchange) -> None:
        await exchange.start(200, [])
        await exchange.write(b"one")
        await exchange.write(b"two")
        await exchange.finish()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        return await until_closed(reader)

    assert talk(stream, client).endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_a_body_beyond_the_limit_is_refused() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode())
        writer.write(b"x" * (MAX_BODY + 1))
        return await reader.readline()

    assert b"413" in talk(echo, client)


def test_what_is_no_http_is_refused() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        return await until_closed(reader)

    assert talk(echo, client).startswith(b"HTTP/1.1 400")


def test_a_client_that_waits_for_permission_gets_it() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        permission = await reader.readline()
        writer.write(b"ok")
        return permission + await reader.readuntil(b"b'ok'")

    assert talk(echo, client).startswith(b"HTTP/1.1 100")


def test_a_connection_that_was_watched_takes_its_next_request() -> None:
    async def watched(exchange: Exchange) -> None:
        async with exchange.leaving() as gone:
            await asyncio.sleep(0.01)
            assert not gone.done()
        await exchange.respond(200, [], exchange.path.encode())

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[bytes]:
        answers = []
        for path in (b"/a", b"/b", b"/c"):
            writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            answers.append((await reader.readuntil(b"\r\n\r\n" + path))[-2:])
        return answers

    assert talk(watched, client) == [b"/a", b"/b", b"/c"]


def test_it_is_noticed_when_the_client_leaves() -> None:
    left = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        await exchange.start(200, [])
        async with exchange.leaving() as gone:
            await gone
        left.set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readline()
        writer.write_eof()
        await left.wait()

    talk(wait, client)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def test_a_websocket_is_upgraded_with_the_clients_first_common_subprotocol() -> None:
    async def upgrade(exchange: Exchange) -> None:
        socket = await exchange.websocket(["v4", "v5"])
        message = await socket.receive()
        assert message is not None
        socket.send(message.data[::-1], Opcode.TEXT)
        await socket.close()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        hello = bytes.fromhex("818537fa213d7f9f4d5158")
        writer.write(HANDSHAKE + b"Sec-WebSocket-Protocol: v9, v5, v4\r\n\r\n" + hello)
        return await until_closed(reader)

    head, _, rest = talk(upgrade, client).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 101")
    assert b"sec-websocket-protocol: v5" in head.lower()
    assert rest == b"\x81\x05olleH\x88\x02\x03\xe8"


def test_a_websocket_without_a_common_subprotocol_is_refused() -> None:
    async def upgrade(exchange: Exchange) -> None:
        try:
            await exchange.websocket(["v5"])
        except Refused as error:
            await exchange.respond(error.code, [], b"")

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(HANDSHAKE + b"Sec-WebSocket-Protocol: v1\r\n\r\n")
        return await reader.readline()

    assert b"403" in talk(upgrade, client)
