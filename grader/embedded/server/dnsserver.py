"""The cluster's DNS on real sockets, UDP and TCP on 127.0.0.1, for tools of the learner's host (`dig @… -p …`)."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import cast

from grader.embedded.server.dnswire import Resolve, reply

HOST = "127.0.0.1"


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            with contextlib.suppress(ValueError):
                self._transport.sendto(reply(data, self._resolve, tcp=False), addr)


class DnsServer:
    """Serves one zone on a port of 127.0.0.1, the same for UDP and TCP.

    Attributes:
        port: the port.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen on any port that is free for both. Raises OSError."""
        loop = asyncio.get_running_loop()
        for last in (False, False, True):
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._resolve), local_addr=(HOST, 0)
            )
            self.port = self._transport.get_extra_info("sockname")[1]
            try:
                self._server = await asyncio.start_server(self._connected, HOST, self.port)
                return
            except OSError:
                self._transport.close()
                if last:
                    raise

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        if self._transport is not None:
            self._transport.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer length-prefixed messages (RFC 1035 §4.2.2) until the client closes."""
        try:
            while True:
                size = struct.unpack("!H", await reader.readexactly(2))[0]
                answer = reply(await reader.readexactly(size), self._resolve, tcp=True)
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return
        finally:
            writer.close()
