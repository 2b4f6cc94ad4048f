"""`nc`: OpenBSD's in agnhost, BusyBox's elsewhere.

OpenBSD's: netcat.c of Debian's netcat-openbsd 1.226, which is Alpine's too.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.embedded.core.kernel import Address, Event, Stream, TimeoutError_, with_timeout
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import AddressNotAvailable, NetworkError
from grader.embedded.core.programs.net import nc_busybox
from grader.embedded.core.programs.net.nc_copy import Arrived, copy, datagrams, listen, send_datagrams
from grader.embedded.core.programs.options import Options
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, is_ipv4, resolve

SERVICES = {80: "http", 443: "https", 53: "domain", 22: "ssh", 8080: "http-alt"}
CONNECT_LIMIT = 127.0  # seconds: Linux gives up after 6 SYNs sent again (tcp(7), tcp_syn_retries)
_LETTERS = "46CDdFhklNnrStUuvZzI:i:M:m:O:P:p:q:s:T:V:W:w:X:x:b"
_OBEYED = frozenset("46dklNnrtuvzpqsw")
_USAGE = (
    "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]",
    "\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]",
    "\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]",
    "\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]",
    "\t  [destination] [port]",
)


async def main(context: ProgramContext) -> int:
    """`nc [-46dNnrtuvz] [-w seconds] host port`, `nc -l [-ku] [-p] port`."""
    if not _is_openbsd(context):
        return await nc_busybox.main(context)
    known = {letter for letter in _LETTERS if letter != ":"}
    for word in context.args:
        if word.startswith("-") and len(word) > 1 and word[1] not in known:
            raise context.fail(1, f"nc: unrecognized option: {word[1:] if word[1] == '-' else word[1]}", *_USAGE)
    asked = options.read(context, _LETTERS)
    obeyed = _OBEYED - {"s"} if {"u", "l"} & set(asked.given) else _OBEYED
    for letter in sorted(set(asked.given) - obeyed - {"h"}):
        context.error(f"nc: the embedded cluster ignores the option -{letter}")
    wait = asked.last("w", "0")
    if not wait.isdigit():
        raise context.fail(1, f"nc: timeout invalid: {wait}")
    if "h" in asked:
        raise context.fail(1, *_USAGE)
    if "l" in asked:
        return await _listen(context, asked)
    if len(asked.rest) != 2:
        raise context.fail(1, *_USAGE)
    code = 0
    for port in _ports(context, asked.rest[1]):
        code = await Client(context, asked, float(wait) or None, asked.rest[0], port).run()
        if code == 0 and "z" not in asked:
            return 0
    return code


def _is_openbsd(context: ProgramContext) -> bool:
    return context.image.name in {"agnhost", "netshoot"} or context.image.flavour == "debian"


def _ports(context: ProgramContext, text: str) -> Iterator[int]:
    """The ports of `80`, `http` or `80-90`, in order."""
    names = {name: port for port, name in SERVICES.items()}
    first, dash, last = text.partition("-")
    ends = [names.get(text, -1)] if text in names else [int(part) if part.isdigit() else -1 for part in (first, last)]
    ends = ends if dash and text not in names else ends[:1] * 2
    if not all(0 < port < 65536 for port in ends):
        raise context.fail(1, f"nc: port number {'too large' if text.isdigit() and int(text) else 'invalid'}: {text}")
    yield from range(min(ends), max(ends) + 1)


class Client:
    """A client's run to one port."""

    def __init__(self, context: ProgramContext, asked: Options, wait: float | None, host: str, port: int) -> None:
        self.context = context
        self.asked = asked
        self.wait = wait
        self.name = host
        self.port = port
        self.protocol = "udp" if "u" in asked else "tcp"

    async def run(self) -> int:
        """Connect and copy; returns the exit code."""
        try:
            address = (await resolve(self.context.host, self.name))[0]
        except (NameNotFound, NameserverTimeout) as error:
            again = isinstance(error, NameserverTimeout)
            reason = "Try again" if again else "Name does not resolve"
            raise self.context.fail(1, f'nc: getaddrinfo for host "{self.name}" port {self.port}: {reason}') from None
        if (bound := self.asked.last("s", "")) and not is_ipv4(bound):
            raise self.context.fail(1, f"nc: the embedded cluster takes an address for -s, no name: {bound}")
        if self.protocol == "udp":
            if "z" not in self.asked:
                return await send_datagrams(self.context, address, self.port, self.wait)
            self._succeeded(address)
            return 0
        try:
            connecting = self.context.host.connect(address, self.port, self.asked.last("s", ""))
            stream = await with_timeout(self.wait or CONNECT_LIMIT, connecting)
        except TimeoutError_:
            return self._failed(address, "timed out: Operation in progress")
        except AddressNotAvailable as error:
            raise self.context.fail(1, f"nc: bind failed: {str(error).capitalize()}") from None
        except NetworkError as error:
            reason = str(error).capitalize().replace("No route to host", "Host is unreachable")
            return self._failed(address, f"failed: {reason}")
        self._succeeded(address)
        if "z" in self.asked:
            stream.close()
            return 0
        return await copy(self.context, stream, self.wait)

    def _failed(self, address: str, reason: str) -> int:
        if "v" in self.asked:
            shown = self.name if is_ipv4(self.name) else f"{self.name} ({address})"
            self.context.error(f"nc: connect to {shown} port {self.port} ({self.protocol}) {reason}")
        return 1

    def _succeeded(self, address: str) -> None:
        if "v" in self.asked:
            service = SERVICES.get(self.port, "*")
            name = f"{self.name} ({address})" if not is_ipv4(self.name) else self.name
            self.context.error(f"Connection to {name} {self.port} port [{self.protocol}/{service}] succeeded!")


async def _listen(context: ProgramContext, asked: Options) -> int:
    words = [*asked.rest, *asked.given.get("p", [])][-1:]
    if not words or len(asked.rest) > 2:
        raise context.fail(1, *_USAGE)
    port = next(_ports(context, words[0]))
    if "v" in asked:
        context.error(f"Listening on 0.0.0.0 {port}")
    if "u" in asked:
        return await datagrams(context, port, None)
    arrived: Arrived = Arrived()
    close = listen(context, port, arrived)
    try:
        while True:
            stream, peer, done = await arrived.get()
            await _accepted(context, asked, stream, peer, done)
            if "k" not in asked:
                return 0
    finally:
        close()


async def _accepted(context: ProgramContext, asked: Options, stream: Stream, peer: Address, done: Event) -> None:
    if "v" in asked:
        context.error(f"Connection received on {peer[0]} {peer[1]}")
    await copy(context, stream, None)
    done.set()
