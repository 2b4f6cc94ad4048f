"""The cluster's DNS on real sockets, UDP and TCP on 127.0.0.1, for tools of the learner's host (`dig @… -p …`)."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import cast

from grader.embedded.core.dns import Answer, Rr

HOST = "127.0.0.1"

Resolve = Callable[[str, str], Answer]
"""Answers one question: absolute name and type."""


def reply(wire: bytes, resolve: Resolve, *, limit: int) -> bytes:
    """The answer to one DNS message (RFC 1035), truncated where it is longer than `limit` bytes.

    Raises ValueError for what is no DNS query.
    """
    import dns.exception  # takes longer to import than the process has time until it is ready
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import dns.rrset

    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException as error:
        raise ValueError(str(error)) from error
    response = dns.message.make_response(query, recursion_available=True)
    if len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return response.to_wire()
    question = query.question[0]
    answer = resolve(question.name.to_text(), dns.rdatatype.to_text(question.rdtype))
    response.set_rcode(dns.rcode.from_text(answer.rcode))
    if answer.authoritative:
        response.flags |= dns.flags.AA

    def add(section: list[dns.rrset.RRset], records: tuple[Rr, ...]) -> None:
        for record in records:
            section.append(dns.rrset.from_text(record.name, record.ttl, "IN", record.type, record.data))

    add(response.answer, answer.answers)
    add(response.authority, answer.authority)
    add(response.additional, answer.additional)
    try:
        return response.to_wire(max_size=min(limit, query.payload or 512) if limit < 65535 else limit)
    except dns.exception.TooBig:
        for section in (response.answer, response.authority, response.additional):
            section.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            with contextlib.suppress(ValueError):
                self._transport.sendto(reply(data, self._resolve, limit=1232), addr)


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
                answer = reply(await reader.readexactly(size), self._resolve, limit=65535)
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return
        finally:
            writer.close()
