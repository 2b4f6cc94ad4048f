"""The network namespaces of the virtual network: who has which address, and listens where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from grader.embedded.core.kernel import DatagramHandler, Handler, Stream
from grader.embedded.core.programs.host import AddressInUse

Peer = tuple[str, int]


class Machine:
    """One network namespace: a Pod's, a node's, or that of a client outside.

    Attributes:
        name: for people.
        ip: its address.
        kind: what it is.
        node: the node that it is on; its own name for a node, "" outside.
        tcp: listeners by port.
        udp: listeners by port.
        loopback: listeners at 127.0.0.1 only, by port.
        streams: connections that are not over.

    """

    def __init__(self, name: str, ip: str, kind: Literal["pod", "node", "outside"], node: str = "") -> None:
        self.name = name
        self.ip = ip
        self.kind = kind
        self.node = node
        self.tcp: dict[int, Handler] = {}
        self.udp: dict[int, DatagramHandler] = {}
        self.loopback: dict[int, Handler] = {}
        self.streams: dict[Stream, None] = {}
        self._next_port = 32768

    def __repr__(self) -> str:
        return f"<Machine {self.name} {self.ip}>"

    def listen(self, port: int, handler: Handler) -> Callable[[], None]:
        """Accept connections on a port; the function returned ends that. Raises AddressInUse."""
        return _listen(self.tcp, port, handler)

    def listen_udp(self, port: int, handler: DatagramHandler) -> Callable[[], None]:
        """Answer datagrams on a port; the function returned ends that. Raises AddressInUse."""
        return _listen(self.udp, port, handler)

    def listen_loopback(self, port: int, handler: Handler) -> Callable[[], None]:
        """Accept connections to 127.0.0.1 only; the function returned ends that. Raises AddressInUse."""
        return _listen(self.loopback, port, handler)

    def ephemeral_port(self) -> int:
        """The next source port."""
        port = self._next_port
        self._next_port = port + 1 if port < 60999 else 32768
        return port

    def remember(self, stream: Stream) -> None:
        """Keep a stream until it is over, to reset it when the machine goes away."""
        stream.enter(self.streams)

    def reset_all(self) -> None:
        """Break all connections and stop listening."""
        for stream in tuple(self.streams):
            stream.reset()
        self.tcp.clear()
        self.loopback.clear()
        self.udp.clear()


def _listen(table: dict[int, Any], port: int, handler: Any) -> Callable[[], None]:
    if port in table:
        raise AddressInUse
    table[port] = handler

    def close() -> None:
        if table.get(port) is handler:
            del table[port]

    return close
