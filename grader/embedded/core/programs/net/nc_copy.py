"""What the kinds of `nc` have in common: bytes between a connection and standard input and output."""

from __future__ import annotations

from collections.abc import Callable

from grader.embedded.core.kernel import Address, ConnectionReset_, Event, Queue, Stream, TimeoutError_, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import AddressInUse, NetworkError

Arrived = Queue[tuple[Stream, Address, Event]]


async def copy(context: ProgramContext, stream: Stream, wait: float | None) -> int:
    """Send standard input, write what comes; ends when the other side does, or is silent for so many seconds."""
    sender = context.host.kernel.spawn(_send(context, stream), "nc stdin")
    try:
        while data := await with_timeout(wait, stream.recv()):
            context.out(data)
    except (TimeoutError_, ConnectionReset_):
        return 0
    finally:
        sender.cancel()
        stream.close()
    return 0


async def _send(context: ProgramContext, stream: Stream) -> None:
    try:
        while data := await context.stdin.read():
            stream.send(data)
        stream.close()
    except ConnectionReset_:
        return


def listen(context: ProgramContext, port: int, arrived: Arrived) -> Callable[[], None]:
    """Queue the connections that come, with an event that ends each; the function returned ends it all."""

    async def handle(stream: Stream, peer: Address) -> None:
        done = Event()
        arrived.put((stream, peer, done))
        context.process.at_exit(stream.reset)
        await done.wait()
        context.process.forget(stream.reset)

    try:
        close = context.host.listen(port, handle)
    except AddressInUse:
        raise context.fail(1, f"nc: {_in_use(context)}") from None
    context.process.at_exit(close)
    return close


def _in_use(context: ProgramContext) -> str:
    if context.image.flavour == "busybox" and context.image.name != "busybox":  # musl's words
        return "Address in use" if context.image.name == "agnhost" else "bind: Address in use"
    return "bind: Address already in use" if context.image.flavour == "busybox" else "Address already in use"


async def send_datagrams(context: ProgramContext, address: str, port: int, wait: float | None) -> int:
    """Send each line of standard input in a datagram and write what is answered."""
    while line := await context.stdin.readline():
        try:
            context.out(await with_timeout(wait, context.host.udp(address, port, line)))
        except TimeoutError_:
            return 0
        except NetworkError:
            return 1
    return 0


async def datagrams(context: ProgramContext, port: int, wait: float | None) -> int:
    """Write the datagrams that come to a port, and answer with what standard input has by then."""
    pending: list[bytes] = []
    came = Event()

    def handle(data: bytes, peer: Address) -> bytes | None:
        context.out(data)
        came.set()
        answer, pending[:] = b"".join(pending), []
        return answer or None

    try:
        close = context.host.listen_udp(port, handle)
    except AddressInUse:
        raise context.fail(1, f"nc: {_in_use(context)}") from None
    context.process.at_exit(close)

    async def read() -> None:
        while data := await context.stdin.read():
            pending.append(data)

    reader = context.host.kernel.spawn(read(), "nc stdin")
    try:
        await with_timeout(wait, came.wait())
        await Event().wait()
    except TimeoutError_:
        raise context.fail(1, "nc: timeout") from None
    finally:
        reader.cancel()
        close()
    return 0
