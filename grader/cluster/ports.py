"""Whether TCP ports of this machine are free."""

from __future__ import annotations

import socket
from collections.abc import Iterable

CONNECT_SECONDS = 0.2


def taken(address: str, ports: Iterable[int]) -> tuple[int, ...]:
    """The ports of an IPv4 address on which something listens already.

    A port is tried by binding, with SO_REUSEADDR so that connections that just ended do not count; and by connecting,
    since some systems let a single address be bound beside a listener on all of them.
    """
    return tuple(port for port in ports if not _can_bind(address, port) or _answers(address, port))


def _can_bind(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((address, port))
            candidate.listen(1)
        except OSError:
            return False
    return True


def _answers(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(CONNECT_SECONDS)
        return client.connect_ex(("127.0.0.1" if address == "0.0.0.0" else address, port)) == 0
