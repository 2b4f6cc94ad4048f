"""HTTP to one API server: kept connections, one answer a request, no retries but one on a connection gone stale."""

from __future__ import annotations

import http.client
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Protocol
from urllib.parse import urlsplit

from grader.errors import ClusterUnreachable
from grader.kube.connection import Connection, is_loopback, tls_context

CONNECT_SECONDS = 3.0  # a server on this machine or in the same network accepts within milliseconds, or is not there
FRESH_SECONDS = 5.0  # a connection idle for longer may have been closed by the server; changes do not risk it


class Carrying(Protocol):
    """Carries requests to an API server."""

    connection: Connection

    def request(
        self, method: str, target: str, headers: Mapping[str, str], payload: bytes | None, limit: float
    ) -> tuple[int, bytes]:
        """Send one request and return HTTP status and body, as `Transport.request`."""

    def close(self) -> None:
        """Let go of what is held."""


class Stream:
    """An answer that goes on."""

    def __init__(self, response: http.client.HTTPResponse, connected: socket.socket) -> None:
        self.http_status = response.status
        self._response, self._socket = response, connected

    def lines(self) -> Iterator[bytes]:
        """Give its lines as they come, until it ends, for whatever reason."""
        try:
            yield from self._response
        except (OSError, ValueError, AttributeError, http.client.HTTPException):  # what reading in mid-closing raises
            return

    def end(self) -> None:
        """End it, from another thread too: what waits for a line gets none."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


class Transport:
    """Connections to one API server. Safe to use from several threads; a request in flight has one of its own."""

    def __init__(self, connection: Connection) -> None:
        """Prepare; nothing is sent yet. Raises ClusterUnreachable where a certificate or key is malformed."""
        self.connection = connection
        self._idle: list[tuple[http.client.HTTPConnection, float]] = []
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = tls_context(connection) if connection.encrypted else None

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections. More requests may follow."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def request(
        self, method: str, target: str, headers: Mapping[str, str], payload: bytes | None, limit: float
    ) -> tuple[int, bytes]:
        """Send one request and return HTTP status and body, whatever they are.

        A GET on a kept connection that the server closed meanwhile is sent once more; nothing else is repeated.

        Args:
            method: "GET".
            target: path and query.
            headers: beside those that HTTP itself needs.
            payload: body, None for none.
            limit: seconds without a byte after which the answer is given up.

        Raises ClusterUnreachable ("api-unreachable", "api-timeout", "api-untrusted").
        """
        channel, kept = self._borrow(idempotent=method == "GET")
        try:
            try:
                return self._exchange(channel, method, target, payload, headers, limit)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
                channel.close()
                if not (kept and method == "GET"):
                    raise
                channel = self._open()
                return self._exchange(channel, method, target, payload, headers, limit)
        except ssl.SSLCertVerificationError as error:
            channel.close()
            raise ClusterUnreachable("api-untrusted", server=self.connection.server, reason=error) from error
        except TimeoutError as error:
            channel.close()
            raise ClusterUnreachable("api-timeout", server=self.connection.server, seconds=f"{limit:g}") from error
        except (OSError, http.client.HTTPException) as error:
            channel.close()
            raise ClusterUnreachable("api-unreachable", server=self.connection.server, reason=error) from error

    @contextmanager
    def stream(self, target: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Send a GET whose answer goes on, on a connection of its own, which is closed at the end of the block.

        Raises ClusterUnreachable ("api-unreachable") where no answer begins.
        """
        channel = self._open()
        channel.timeout = CONNECT_SECONDS
        try:
            channel.connect()
            connected = _socket_of(channel)
            channel.request("GET", target, None, dict(headers))
            response = channel.getresponse()
            connected.settimeout(None)
        except (OSError, http.client.HTTPException) as error:
            channel.close()
            raise ClusterUnreachable("api-unreachable", server=self.connection.server, reason=error) from error
        try:
            yield Stream(response, connected)
        finally:
            channel.close()

    def _exchange(
        self,
        channel: http.client.HTTPConnection,
        method: str,
        target: str,
        payload: bytes | None,
        headers: Mapping[str, str],
        limit: float,
    ) -> tuple[int, bytes]:
        if not channel.sock:
            channel.timeout = min(CONNECT_SECONDS, limit)
            channel.connect()
        _socket_of(channel).settimeout(limit)
        channel.request(method, target, payload, dict(headers))
        response = channel.getresponse()
        content = response.read()
        if response.will_close:
            channel.close()
        else:
            with self._lock:
                self._idle.append((channel, time.monotonic()))
        return response.status, content

    def _borrow(self, *, idempotent: bool) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was kept from an earlier request."""
        with self._lock:
            while self._idle:
                channel, since = self._idle.pop()
                if (idempotent or time.monotonic() - since < FRESH_SECONDS) and not _dropped(channel):
                    return channel, True
                channel.close()
        return self._open(), False

    def _open(self) -> http.client.HTTPConnection:
        host, port = self.connection.host, self.connection.port
        proxy = self.connection.proxy or _proxy_of_environment(self.connection)
        to, at = host, port
        if proxy and not is_loopback(host):
            parts = urlsplit(proxy)
            to, at = parts.hostname or "", parts.port or 80
        if self._tls is None:
            channel = http.client.HTTPConnection(to, at)
        else:
            channel = _NamedTls(to, at, self._tls, self.connection.server_name or host)
        if (to, at) != (host, port):
            channel.set_tunnel(host, port)
        return channel


class _NamedTls(http.client.HTTPSConnection):
    """HTTPS where the name in the certificate may differ from the host that is connected to."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port, context=context)
        self._tls, self._name = context, name

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _dropped(channel: http.client.HTTPConnection) -> bool:
    """Whether an idle connection has something to read, which can only be its end."""
    with selectors.DefaultSelector() as selector:
        selector.register(_socket_of(channel), selectors.EVENT_READ)
        return bool(selector.select(0))


def _proxy_of_environment(connection: Connection) -> str:
    """The proxy that HTTPS_PROXY and NO_PROXY name for this server; never one for the loopback."""
    if is_loopback(connection.host):
        return ""
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies = getproxies_environment()
    if proxy_bypass_environment(connection.host, proxies):
        return ""
    return proxies.get("https" if connection.encrypted else "http", "")


def _socket_of(channel: http.client.HTTPConnection) -> socket.socket:
    """The connected channel's socket, which the standard library's types say may be missing."""
    connected: socket.socket = channel.sock
    return connected
