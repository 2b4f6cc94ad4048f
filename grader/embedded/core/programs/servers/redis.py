"""The redis image: a server that keeps strings in memory, and redis-cli.

Protocol: RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/) and inline commands; understood are the
commands below, any other is an error. Nothing expires, nothing is written to a disk.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from grader.embedded.core.kernel import ConnectionReset_, Stream
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import AddressInUse, NetworkError
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, resolve
from grader.embedded.core.programs.signals import SIGINT, SIGTERM

PORT = 6379
Reply = bytes | str | int | None | list[bytes] | ValueError
"""A bulk string, a simple string, an integer, nil, an array of bulk strings, or an error."""


async def server(context: ProgramContext) -> int:
    """Run `redis-server [--port N]`."""
    args = context.args
    port = int(args[args.index("--port") + 1]) if "--port" in args[:-1] else PORT
    options.tell_ignored(context, (word for word in args if word.startswith("-") and word != "--port"))
    keys: dict[bytes, bytes] = {}

    def log(text: str, role: str = "M") -> None:
        now = datetime.fromtimestamp(context.host.kernel.now(), UTC)
        context.print(f"{context.process.pid}:{role} {now:%d %b %Y %H:%M:%S}.{now.microsecond // 1000:03} * {text}")

    async def talk(stream: Stream) -> None:
        wire = Wire(stream)
        while words := await wire.command():
            stream.send(encode(answer(keys, words)))
            if words[0].upper() == b"QUIT":
                break

    log(f"Redis version={context.image.version}, bits=64, pid={context.process.pid}, just started", "C")
    try:
        context.process.serve(context.host.listen, port, context.process.talking(talk))
    except AddressInUse:
        context.print(f"# Warning: Could not create server TCP listening socket *:{port}: bind: Address already in use")
        return 1
    log(f"Running mode=standalone, port={port}.")
    log("Ready to accept connections tcp")
    await context.process.signalled(SIGTERM, SIGINT)
    log("Redis is now ready to exit, bye bye...")
    return 0


class Wire:
    """Reads commands and replies from a connection."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def command(self) -> list[bytes]:
        """The words of the next command; none at the end."""
        while (line := await self.line()) is not None:
            if not line.startswith(b"*"):
                if words := line.split():
                    return words
                continue
            words = [word for _ in range(int(line[1:])) if (word := await self._bulk()) is not None]
            if words:
                return words
        return []

    async def reply(self) -> Reply:
        """The next reply. Raises ConnectionReset_ where the connection ends before it."""
        line = await self.line()
        if line is None:
            raise ConnectionReset_("connection closed")
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return await self._rest(int(rest))
        if kind == b"*":
            return [word for _ in range(int(rest)) if (word := await self._bulk()) is not None]
        text = rest.decode(errors="replace")
        return ValueError(text) if kind == b"-" else int(rest) if kind == b":" else text

    async def line(self) -> bytes | None:
        """The next line, None at the end."""
        while b"\n" not in self._buffer:
            if not (data := await self._stream.recv()):
                return None
            self._buffer += data
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line.rstrip(b"\r")

    async def _bulk(self) -> bytes | None:
        head = await self.line()
        return await self._rest(int(head[1:])) if head and head.startswith(b"$") else None

    async def _rest(self, size: int) -> bytes | None:
        if size < 0:
            return None
        while len(self._buffer) < size + 2:
            if not (data := await self._stream.recv()):
                return None
            self._buffer += data
        found = bytes(self._buffer[:size])
        del self._buffer[: size + 2]
        return found


def answer(keys: dict[bytes, bytes], words: list[bytes]) -> Reply:
    """Do a command."""
    name, args = words[0].upper().decode(errors="replace"), words[1:]
    done: dict[str, tuple[range, Callable[[], Reply]]] = {
        "PING": (range(2), lambda: args[0] if args else "PONG"),
        "ECHO": (range(1, 2), lambda: args[0]),
        "SET": (range(2, 3), lambda: _set(keys, args[0], args[1])),
        "GET": (range(1, 2), lambda: keys.get(args[0])),
        "DEL": (range(1, 1000), lambda: sum(keys.pop(key, None) is not None for key in args)),
        "EXISTS": (range(1, 1000), lambda: sum(key in keys for key in args)),
        "INCR": (range(1, 2), lambda: _increase(keys, args[0])),
        "KEYS": (range(1, 2), lambda: sorted(keys) if args[0] == b"*" else [key for key in keys if key == args[0]]),
        "DBSIZE": (range(1), lambda: len(keys)),
        "SELECT": (range(1, 2), lambda: "OK"),
        "COMMAND": (range(10), list),
        "QUIT": (range(1), lambda: "OK"),
    }
    if name not in done:
        first, *rest = (f"'{word.decode(errors='replace')}'" for word in words)
        shown = "".join(f"{word} " for word in rest)
        return ValueError(f"ERR unknown command {first}, with args beginning with: {shown}")
    count, run = done[name]
    if len(args) not in count:
        return ValueError(f"ERR wrong number of arguments for '{name.lower()}' command")
    return run()


def _set(keys: dict[bytes, bytes], key: bytes, value: bytes) -> Reply:
    keys[key] = value
    return "OK"


def _increase(keys: dict[bytes, bytes], key: bytes) -> Reply:
    try:
        value = int(keys.get(key, b"0")) + 1
    except ValueError:
        return ValueError("ERR value is not an integer or out of range")
    keys[key] = str(value).encode()
    return value


def encode(reply: Reply) -> bytes:
    """Write a reply down."""
    match reply:
        case None:
            return b"$-1\r\n"
        case ValueError():
            return f"-{reply}\r\n".encode()
        case int():
            return f":{reply}\r\n".encode()
        case str():
            return f"+{reply}\r\n".encode()
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case _:
            return b"*%d\r\n" % len(reply) + b"".join(encode(item) for item in reply)


async def cli(context: ProgramContext) -> int:
    """Run `redis-cli [-h HOST] [-p PORT] [COMMAND…]`; without a command, those that come in, line by line."""
    name, port, words = "127.0.0.1", PORT, list(context.args)
    while len(words) > 1 and words[0] in ("-h", "-p"):
        option, value, *words = words
        name, port = (value, port) if option == "-h" else (name, int(value))
    if words and words[0].startswith("-"):
        raise context.fail(1, f"Unrecognized option or bad number of args for: '{words[0]}'")
    try:
        address = (await resolve(context.host, name))[0]
        stream = await context.host.connect(address, port)
    except (NameNotFound, NameserverTimeout):
        reason = "Name does not resolve" if context.image.flavour == "busybox" else "Name or service not known"
        raise context.fail(1, f"Could not connect to Redis at {name}:{port}: {reason}") from None
    except NetworkError as error:
        raise context.fail(1, f"Could not connect to Redis at {name}:{port}: {str(error).capitalize()}") from None
    wire = Wire(stream)
    try:
        if words:
            return await _ask(context, stream, wire, [word.encode() for word in words])
        while line := await context.stdin.readline():
            if asked := line.split():
                await _ask(context, stream, wire, asked)
        return 0
    except ConnectionReset_:
        raise context.fail(1, "Error: Server closed the connection") from None
    finally:
        stream.close()


async def _ask(context: ProgramContext, stream: Stream, wire: Wire, words: list[bytes]) -> int:
    stream.send(encode(words))
    reply = await wire.reply()
    context.print(*_shown(reply, plain=not context.tty))
    return 1 if isinstance(reply, ValueError) else 0


def _shown(reply: Reply, *, plain: bool) -> list[str]:
    """What redis-cli prints: bare values where its output is no terminal."""
    match reply:
        case None:
            return ["" if plain else "(nil)"]
        case ValueError():
            return [str(reply), ""] if plain else [f"(error) {reply}"]
        case int():
            return [str(reply) if plain else f"(integer) {reply}"]
        case str():
            return [reply]
        case bytes():
            text = reply.decode(errors="replace")
            return [text if plain else f'"{text}"']
        case _:
            rows = [_shown(item, plain=plain)[0] for item in reply]
            return rows if plain else [f"{number}) {row}" for number, row in enumerate(rows, 1)] or ["(empty array)"]
