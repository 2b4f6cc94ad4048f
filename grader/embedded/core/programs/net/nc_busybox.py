"""BusyBox' `nc`, which is nc 1.10's in the official image and in Alpine.

Source: networking/nc_bloaty.c of BusyBox 1.37.0 (NC_110_COMPAT); that of 1.28.0 has the same options.
"""

from __future__ import annotations

from grader.embedded.core.kernel import Address, ConnectionReset_, Event, Queue, Stream, TimeoutError_, with_timeout
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import ConnectionRefused_, NetworkError
from grader.embedded.core.programs.net.nc_copy import copy, datagrams, listen, send_datagrams
from grader.embedded.core.programs.options import Options
from grader.embedded.core.programs.process import Exit, Input
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, is_ipv4, resolve
from grader.embedded.core.programs.small import execute

_FLAGS = "nuvlkz"
_USAGE = """nc [OPTIONS] HOST PORT  - connect
nc [OPTIONS] -l -p PORT [HOST] [PORT]  - listen

\t-e PROG\tRun PROG after connect (must be last)
\t-l\tListen mode, for inbound connects
\t-lk\tWith -e, provides persistent server
\t-p PORT\tLocal port
\t-s ADDR\tLocal address
\t-w SEC\tTimeout for connects and final net reads
\t-i SEC\tDelay interval for lines sent
\t-n\tDon't do DNS resolution
\t-u\tUDP mode
\t-b\tAllow broadcasts
\t-v\tVerbose
\t-o FILE\tHex dump traffic
\t-z\tZero-I/O mode (scanning)"""
_NUMBERS = {"http": 80, "https": 443, "domain": 53, "ssh": 22, "http-alt": 8080, "telnet": 23, "smtp": 25}
_EPHEMERAL = 32768  # the first of Linux' ip_local_port_range (ip(7))
CONNECT_LIMIT = 127.0  # seconds: Linux gives up after 6 SYNs sent again (tcp(7), tcp_syn_retries)


async def main(context: ProgramContext) -> int:
    """`nc [options] host port`, `nc [options] -l -p port [host] [port]`."""
    words, program = _split(context.args)
    asked = options.read(context.with_(argv=[context.argv[0], *words]), "np:s:ubvw:lki:o:z", usage=_USAGE)
    if len(asked.rest) > 2:
        raise options.show_usage(context, _USAGE)
    for letter in ("s", "i", "o"):
        if letter in asked:
            context.error(f"nc: the embedded cluster ignores the option -{letter}")
    wait = asked.last("w", "0")
    if not wait.isdigit():
        raise context.fail(1, f"nc: invalid number '{wait}'")
    port = _port(context, asked.last("p")) if "p" in asked else 0
    if "l" in asked or "k" in asked:
        return await Listener(context, asked, program, port, float(wait) or None).run()
    if len(asked.rest) != 2:
        if asked.rest:
            await _address(context, asked)
        raise options.show_usage(context, _USAGE)
    return await _connect(context, asked, program, float(wait) or None)


def _split(args: list[str]) -> tuple[list[str], list[str]]:
    """The options, and the program after -e with its arguments."""
    for at, word in enumerate(args):
        if word == "-e":
            return args[:at], args[at + 1 :]
        if word.startswith("-") and word.endswith("e") and not set(word[1:-1]) - set(_FLAGS):
            return [*args[:at], word[:-1]], args[at + 1 :]
    return args, []


def _port(context: ProgramContext, text: str) -> int:
    number = int(text) if text.isdigit() else _NUMBERS.get(text, -1)
    if not 0 <= number <= 65535:
        raise context.fail(1, f"nc: bad port '{text}'")
    return number


async def _address(context: ProgramContext, asked: Options) -> str:
    name = asked.rest[0]
    try:
        if "n" in asked and not is_ipv4(name):
            raise NameNotFound(name)
        return (await resolve(context.host, name))[0]
    except (NameNotFound, NameserverTimeout):
        raise context.fail(1, f"nc: bad address '{name}'") from None


async def _connect(context: ProgramContext, asked: Options, program: list[str], wait: float | None) -> int:
    port = _port(context, asked.rest[1])
    address = await _address(context, asked)
    shown = f"{asked.rest[0]} ({address}:{port})"
    if "u" in asked:
        if "z" not in asked:
            return await send_datagrams(context, address, port, wait)
        if "v" in asked:
            context.error(f"{shown} open")
        return 0
    reason = ""
    try:
        stream = await with_timeout(wait or CONNECT_LIMIT, context.host.connect(address, port))
    except TimeoutError_:
        reason = "Connection timed out"
    except NetworkError as error:
        reason = str(error).capitalize()
        if isinstance(error, ConnectionRefused_) and asked.count("v") < 2:
            return 1
    if reason:
        if "v" in asked:
            context.error(f"nc: {shown}: {reason}")
        return 1
    if "v" in asked:
        context.error(f"{shown} open")
    if program:
        return await _exec(context, program, stream)
    if "z" in asked:
        stream.close()
        return 0
    return await copy(context, stream, wait)


async def _exec(context: ProgramContext, program: list[str], stream: Stream) -> int:
    """Run the program in nc's place, with the connection for its input and output."""

    def out(data: bytes) -> None:
        stream.send(data)

    try:
        return await execute(context.with_(stdin=Input.of_stream(stream), out=out, tty=False), program)
    except Exit as done:
        return done.code
    except ConnectionReset_:
        return 0
    finally:
        stream.close()


class Listener:
    """`nc -l`: without -k and -e it accepts one connection."""

    def __init__(
        self, context: ProgramContext, asked: Options, program: list[str], port: int, wait: float | None
    ) -> None:
        self.context = context
        self.asked = asked
        self.program = program
        self.port = port
        self.wait = wait

    async def run(self) -> int:
        """Wait for connections; returns the exit code."""
        if "u" in self.asked:
            self._say_port()
            return await datagrams(self.context, self.port, self.wait)
        arrived: Queue[tuple[Stream, Address, Event]] = Queue()
        close = listen(self.context, self.port or _EPHEMERAL, arrived)
        self._say_port()
        try:
            while True:
                try:
                    stream, peer, done = await with_timeout(self.wait, arrived.get())
                except TimeoutError_:
                    raise self.context.fail(1, "nc: timeout") from None
                if self.program and self.asked.count("l") + self.asked.count("k") > 1:
                    self.context.host.kernel.spawn(self._serve(stream, peer, done), "nc -e")
                    continue
                close()
                return await self._serve(stream, peer, done)
        finally:
            close()

    def _say_port(self) -> None:
        if "v" in self.asked:
            self.context.error(f"listening on [::]:{self.port or _EPHEMERAL} ...")

    async def _serve(self, stream: Stream, peer: Address, done: Event) -> int:
        if "v" in self.asked:
            far = f"[::ffff:{peer[0]}]:{peer[1]}"
            near = f"[::ffff:{self.context.host.ip}]:{self.port or _EPHEMERAL}"
            self.context.error(f"connect to {near} from {far} ({far})")
        try:
            if self.program:
                return await _exec(self.context, self.program, stream)
            return await copy(self.context, stream, self.wait)
        finally:
            done.set()
