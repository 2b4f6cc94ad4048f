"""A resolver for what is not in the cluster's zones: it knows nothing, as the embedded DNS, which has no upstream."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """Serve on a port of 127.0.0.1, over UDP and TCP."""
    with (
        socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Datagram) as datagrams,
        socketserver.ThreadingTCPServer(datagrams.server_address, _Stream) as streams,
    ):
        servers = (datagrams, streams)
        for server in servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        try:
            yield int(datagrams.server_address[1])
        finally:
            for server in servers:
                server.shutdown()


def reply(wire: bytes) -> bytes:
    """SERVFAIL; for the reverse zones NXDOMAIN, as resolvers answer for private addresses (RFC 6303)."""
    query = dns.message.from_wire(wire)
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= query.flags & dns.flags.CD
    reverse = f".{query.question[0].name}".lower().endswith((".in-addr.arpa.", ".ip6.arpa."))
    response.set_rcode(dns.rcode.NXDOMAIN if reverse else dns.rcode.SERVFAIL)
    return response.to_wire()


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, sock = self.request
        sock.sendto(reply(data), self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while head := self.rfile.read(2):
            answer = reply(self.rfile.read(struct.unpack("!H", head)[0]))
            self.wfile.write(struct.pack("!H", len(answer)) + answer)
