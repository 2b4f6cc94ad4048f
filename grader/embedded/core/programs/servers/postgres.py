"""The postgres image: a port that answers as a server does to whoever asks whether it is there, and pg_isready.

Protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest, StartupMessage,
ErrorResponse). No SQL: every session is refused, with a message that says so.
"""

from __future__ import annotations

import struct

from grader.embedded.core.kernel import ConnectionReset_, Stream, TimeoutError_, with_timeout
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import AddressInUse, NetworkError
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, resolve
from grader.embedded.core.programs.signals import SIGINT, SIGTERM

PORT = 5432
SSL_REQUEST, GSS_REQUEST, VERSION_3 = 80877103, 80877104, 196608
REFUSAL = "the embedded cluster emulates PostgreSQL's port, not its SQL"
ACCEPTING, NO_RESPONSE, NO_ATTEMPT = 0, 2, 3


async def server(context: ProgramContext) -> int:
    """Run `postgres [-p PORT]`, as the image's entrypoint does: not without a password for the superuser."""
    args = context.args
    port = int(args[args.index("-p") + 1]) if "-p" in args[:-1] else PORT
    options.tell_ignored(context, (word for word in args if word.startswith("-") and word != "-p"))
    if not context.env.get("POSTGRES_PASSWORD") and context.env.get("POSTGRES_HOST_AUTH_METHOD") != "trust":
        raise context.fail(1, "Error: Database is uninitialized and superuser password is not specified.")

    try:
        context.process.serve(context.host.listen, port, context.process.talking(_session))
    except AddressInUse:
        raise context.fail(1, f'LOG:  could not bind IPv4 address "0.0.0.0": Address in use (port {port})') from None
    context.error(f'LOG:  listening on IPv4 address "0.0.0.0", port {port}')
    context.error("LOG:  database system is ready to accept connections")
    await context.process.signalled(SIGTERM, SIGINT)
    return 0


async def _session(stream: Stream) -> None:
    """Answer requests to encrypt with "no", and the first real message with an error."""
    buffer = b""
    while True:
        while len(buffer) < 8 or len(buffer) < struct.unpack(">I", buffer[:4])[0]:
            if not (data := await stream.recv()):
                return
            buffer += data
        length, code = struct.unpack(">II", buffer[:8])
        buffer = buffer[max(length, 8) :]
        if code not in (SSL_REQUEST, GSS_REQUEST):
            fields = f"SFATAL\0VFATAL\0C0A000\0M{REFUSAL}\0\0".encode()
            stream.send(b"E" + struct.pack(">I", len(fields) + 4) + fields)
            return
        stream.send(b"N")


async def is_ready(context: ProgramContext) -> int:
    """Run `pg_isready [-h HOST] [-p PORT] [-t SECONDS] [-q]`."""
    longs = {"host": "h", "port": "p", "timeout": "t", "username": "U", "dbname": "d", "quiet": "q"}
    asked = options.read(context, "h:p:t:U:d:q", longs, code=NO_ATTEMPT)
    name, port, seconds = asked.last("h", ""), int(asked.last("p", str(PORT))), float(asked.last("t", "3"))
    status = await _probe(context, name or "127.0.0.1", port, seconds)
    said = {ACCEPTING: "accepting connections", NO_RESPONSE: "no response", NO_ATTEMPT: "no attempt"}[status]
    if "q" not in asked:
        context.print(f"{name or '/var/run/postgresql'}:{port} - {said}")
    return status


async def _probe(context: ProgramContext, name: str, port: int, seconds: float) -> int:
    try:
        address = (await resolve(context.host, name))[0]
        stream = await with_timeout(seconds, context.host.connect(address, port))
    except (NameNotFound, NameserverTimeout, NetworkError, TimeoutError_):
        return NO_RESPONSE
    try:
        content = b"user\0postgres\0\0"
        stream.send(struct.pack(">II", len(content) + 8, VERSION_3) + content)
        return ACCEPTING if await with_timeout(seconds, stream.recv(1)) in (b"E", b"R") else NO_RESPONSE
    except (ConnectionReset_, TimeoutError_):
        return NO_RESPONSE
    finally:
        stream.close()
