"""What a program sees of the machine it runs on: a container of a Pod, or the outside client.

WORLD implements `Host`; programs use nothing else to reach the network. A connection that the network *drops* hangs for
ever, as a packet without answer does: programs bound their patience with `kernel.with_timeout`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Protocol

from grader.embedded.core.dnsrecords import DnsReply
from grader.embedded.core.kernel import DatagramHandler, Handler, Kernel, Stream
from grader.embedded.core.programs.process import Processes


class NetworkError(Exception):
    """A connection could not be had; `str()` is the system's text for it."""


class ConnectionRefused_(NetworkError):  # noqa: N801
    """Nobody listens there, or the network rejects the packet (ECONNREFUSED)."""

    def __init__(self) -> None:
        super().__init__("connection refused")


class NoRoute(NetworkError):
    """There is no way to that address (EHOSTUNREACH)."""

    def __init__(self) -> None:
        super().__init__("no route to host")


class AddressNotAvailable(NetworkError):
    """The machine does not have the address that it was to connect from (EADDRNOTAVAIL)."""

    def __init__(self) -> None:
        super().__init__("cannot assign requested address")


class InvalidArgument(NetworkError):
    """A connection out of the machine cannot come from its loopback address (EINVAL)."""

    def __init__(self) -> None:
        super().__init__("invalid argument")


class AddressInUse(NetworkError):
    """Another program of this network namespace listens on the port already (EADDRINUSE)."""

    def __init__(self) -> None:
        super().__init__("address already in use")


class Host(Protocol):
    """The machine, as seen from inside one container.

    Attributes:
        hostname: what `hostname` prints: the Pod's name.
        ip: the Pod's address.
        env: the container's environment, without what the image itself sets.
        files: whole file system as far as it is not the image's own: absolute path → content. Programs write to it.
            One mapping a container; two containers of a Pod share only what is in volumes (`mounts.MountedFiles`).
        kernel: the scheduler everything runs on.
        processes: what runs in this container.
    """

    hostname: str
    ip: str
    env: Mapping[str, str]
    files: MutableMapping[str, bytes]
    kernel: Kernel
    processes: Processes

    async def connect(self, ip: str, port: int, bound: str = "") -> Stream:
        """Open a TCP connection, from a certain address of this machine where one is named.

        Hangs for ever where packets are dropped. Raises ConnectionRefused_, NoRoute, AddressNotAvailable,
        InvalidArgument.
        """
        ...

    def listen(self, port: int, handler: Handler) -> Callable[[], None]:
        """Serve TCP on a port (127.0.0.1 included) until the returned function is called.

        Each connection runs `handler(stream, peer)` as a task; peer is the client as this host sees it, after any SNAT.
        Raises AddressInUse.
        """
        ...

    async def udp(self, ip: str, port: int, data: bytes) -> bytes:
        """Send a datagram and wait for one answer. Raises ConnectionRefused_; hangs for ever without an answer."""
        ...

    def listen_udp(self, port: int, handler: DatagramHandler) -> Callable[[], None]:
        """Answer datagrams on a port until the returned function is called. Raises AddressInUse."""
        ...

    async def dns(self, name: str, type: str, server: str | None = None) -> DnsReply:
        """Send one query for an absolute name (no search list) to a nameserver (default: the first of resolv.conf).

        Raises ConnectionRefused_; hangs for ever when the server does not answer.
        """
        ...
