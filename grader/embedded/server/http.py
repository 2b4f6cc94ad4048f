"""A small HTTP/1.1 server on asyncio and h11: requests, streamed answers, WebSocket upgrades.

Written out because start-up time is promised: importing a full web framework costs more than everything else that the
process does until it answers. h11 keeps the protocol (RFC 9112) right; this file only moves bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, unquote

import h11

from grader.embedded.server import handshake
from grader.embedded.server.websocket import WebSocket, accept_key

MAX_BODY = 3 * 1024 * 1024  # k8s.io/apiserver pkg/server/config.go MaxRequestBodyBytes
CHUNK = 65536


class Disconnected(Exception):
    """The client went away."""


class Exchange:
    """One request and the answer to it.

    Attributes:
        method: GET, POST, …
        path: the percent-decoded path.
        raw_path: the path as it was sent, without the query.
        query: the query's parameters in order, decoded.
        raw_query: the query as it was sent, without the question mark.
        headers: request headers by lower-case name; repeated ones are joined by commas.
        body: the whole request body.
        status: the status that was answered, 0 before.
    """

    def __init__(self, connection: Connection, request: h11.Request) -> None:
        self._connection = connection
        self.method = request.method.decode("ascii")
        self.raw_path, _, self.raw_query = request.target.decode("latin-1").partition("?")
        self.path = unquote(self.raw_path)
        self.query = parse_qsl(self.raw_query, keep_blank_values=True)
        self.headers: dict[str, str] = {}
        for raw_name, raw_value in request.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.body = b""
        self.status = 0

    async def respond(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a complete answer. Raises Disconnected."""
        framed = [*headers, ("content-length", str(len(body)))]
        self.status = status
        content = [h11.Data(data=body)] if body and self.method != "HEAD" else []
        head = h11.Response(status_code=status, headers=framed)
        await self._connection.send(head, *content, h11.EndOfMessage())

    async def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the head of an answer; without content-length the body is chunked. Raises Disconnected."""
        self.status = status
        await self._connection.send(h11.Response(status_code=status, headers=list(headers)))

    async def write(self, data: bytes) -> None:
        """Send a part of the body. Raises Disconnected."""
        if data:
            await self._connection.send(h11.Data(data=data))

    async def finish(self) -> None:
        """End the answer. Raises Disconnected."""
        await self._connection.send(h11.EndOfMessage())

    @asynccontextmanager
    async def leaving(self) -> AsyncIterator[asyncio.Task[None]]:
        """A task that is done when the client has gone away. Afterwards the connection may take its next request."""
        task = asyncio.create_task(self._connection.gone())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})  # two readers of one connection are one too many

    async def websocket(self, offered: Iterable[str]) -> WebSocket:
        """Upgrade to a WebSocket, with the first of the client's subprotocols that is offered ("": it names none).

        Raises handshake.Refused, Disconnected.
        """
        return await self._websocket(handshake.agree(self.headers, offered))

    async def any_websocket(self) -> WebSocket:
        """Upgrade to a WebSocket with whatever subprotocol is asked for. Raises handshake.Refused, Disconnected."""
        return await self._websocket(handshake.agree_to_any(self.headers))

    async def _websocket(self, protocol: str | None) -> WebSocket:
        key = self.headers["sec-websocket-key"]
        headers = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", accept_key(key))]
        if protocol is not None:
            headers.append((handshake.PROTOCOL, protocol))
        reader, writer, rest = await self.upgrade(headers)
        return WebSocket(reader, writer, protocol or "", rest)

    async def upgrade(self, headers: list[tuple[str, str]]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Switch protocols: the raw connection, and the bytes that came with the request. Raises Disconnected."""
        self.status = 101
        return await self._connection.switch(headers)


Handler = Callable[[Exchange], Awaitable[None]]


class Connection:
    """One client connection, request after request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)

    async def serve(self) -> None:
        """Answer requests until either side ends the connection."""
        try:
            while await self._one():
                self._h11.start_next_cycle()
        except (Disconnected, ConnectionError, TimeoutError):
            pass
        except h11.RemoteProtocolError as error:
            await self._refuse(error)
        except asyncio.CancelledError:
            self._writer.transport.abort()  # a client that is silent would be waited for: TLS takes leave of it
            raise
        finally:
            self._writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError, OSError):
                await self._writer.wait_closed()

    async def _one(self) -> bool:
        """Serve one request; whether another may follow."""
        event = await self._event()
        if not isinstance(event, h11.Request):
            return False
        exchange = Exchange(self, event)
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > MAX_BODY:
                await exchange.respond(413, [("connection", "close")], b"Request entity too large: limit is 3145728")
                return False
        exchange.body = bytes(body)
        await self._handler(exchange)
        if exchange.status == 101 or self._h11.our_state is not h11.DONE:
            return False
        return self._h11.their_state is h11.DONE

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                if self._h11.they_are_waiting_for_100_continue:
                    await self.send(h11.InformationalResponse(status_code=100, headers=[]))
                self._h11.receive_data(await self._reader.read(CHUNK))
                continue
            return event  # type: ignore[return-value]

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        with contextlib.suppress(Disconnected, h11.LocalProtocolError, ConnectionError):
            headers = [("connection", "close"), ("content-length", "0")]
            await self.send(h11.Response(status_code=error.error_status_hint, headers=headers))
            await self.send(h11.EndOfMessage())

    async def send(self, *events: h11.Event) -> None:
        """Send protocol events, in one piece. Raises Disconnected."""
        data = b"".join(self._h11.send(event) or b"" for event in events)
        if self._writer.is_closing():
            raise Disconnected
        if data:
            try:
                self._writer.write(data)
                await self._writer.drain()
            except (ConnectionError, TimeoutError) as error:
                raise Disconnected from error

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while data := await self._reader.read(CHUNK):
                self._h11.receive_data(data)

    async def switch(self, headers: list[tuple[str, str]]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Answer 101 and hand the connection out. Raises Disconnected."""
        await self.send(h11.InformationalResponse(status_code=101, headers=headers, reason=b"Switching Protocols"))
        return self._reader, self._writer, self._h11.trailing_data[0]
