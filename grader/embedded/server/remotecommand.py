"""exec and attach over a WebSocket: the channel protocols v5.channel.k8s.io and v4.channel.k8s.io.

Each binary message begins with a channel number: 0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 terminal size; 255
(v5 only) closes the channel named by the next byte (k8s.io/apimachinery pkg/util/remotecommand/constants.go).
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from grader.embedded.core.api.status import internal_error
from grader.embedded.server.driver import Driver
from grader.embedded.server.websocket import Message, Opcode, WebSocket

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5, V4, V4_BASE64 = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
PROTOCOLS = (V5, V4, V4_BASE64)
SIGHUP, SIGKILL = 1, 9
FLOOD = 64 * 1024 * 1024  # bytes that a client may leave unread before the command that writes them is killed


class RemoteProcess(Protocol):
    """What this module needs of a process in a container.

    Attributes:
        argv: the command line.
    """

    argv: list[str]

    def feed(self, data: bytes) -> None:
        """Give bytes to standard input."""

    def close_stdin(self) -> None:
        """End standard input."""

    def on_output(self, callback: Callable[[int, bytes], None]) -> Any:
        """Hand out what was and will be written, with its file descriptor (1 or 2)."""

    async def wait(self) -> int:
        """Wait for the exit status, inside of the kernel."""

    def kill(self, signal: int = ...) -> None:
        """Send a signal."""

    def resize(self, columns: int, rows: int) -> None:
        """Tell the size of the terminal."""


SUCCESS: dict[str, Any] = {"metadata": {}, "status": "Success"}


def exit_status(argv: Sequence[str], code: int) -> dict[str, Any]:
    """The Status that ends a command (k8s.io/cri-streaming pkg/streaming/remotecommand/exec.go, containerd's words)."""
    if code == 0:
        return SUCCESS
    error = f"error executing command [{' '.join(argv)}], exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {error}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(message: str) -> dict[str, Any]:
    """The Status of a command that could not be run (the same file, last case, in containerd's words)."""
    text = (
        "Internal error occurred: error executing command in container: failed to exec in container: "
        f'failed to start exec "{secrets.token_hex(32)}": OCI runtime exec failed: exec failed: {message}'
    )
    return internal_error(text).status()


class Channels:
    """Sends on numbered channels of a WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self._base64 = socket.subprotocol == V4_BASE64

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel."""
        if self._base64:
            self.socket.send(str(channel).encode("ascii") + base64.b64encode(data), Opcode.TEXT)
        else:
            self.socket.send(bytes([channel]) + data)

    def parse(self, message: Message) -> tuple[int, bytes] | None:
        """The channel and bytes of a received message; None where it carries none."""
        if not message.data:
            return None
        if self._base64:
            return int(message.data[:1]), base64.b64decode(message.data[1:])
        return message.data[0], message.data[1:]


async def serve(
    driver: Driver, socket: WebSocket, process: RemoteProcess, query: Mapping[str, str], *, own: bool
) -> None:
    """Connect a client with a process until the process has exited or the client has gone.

    Args:
        driver: runs the core.
        socket: the upgraded connection.
        process: what was started (exec) or found (attach).
        query: the request's stdin, stdout, stderr and tty flags.
        own: whether the process lives for this client only (exec): it is hung up with the client, and the client is
            told its exit code; one that was attached to is left alone.
    """
    channels = Channels(socket)
    wanted = {1: truth(query, "stdout"), 2: truth(query, "stderr") and not truth(query, "tty")}
    if truth(query, "tty"):
        wanted[2] = wanted[1]

    def on_output(descriptor: int, data: bytes) -> None:
        if wanted.get(descriptor):
            channels.send(STDOUT if truth(query, "tty") else descriptor, data)
        if socket.unsent > FLOOD and own:
            process.kill(SIGKILL)

    forget = process.on_output(on_output)
    reading = asyncio.create_task(_read(channels, process, truth(query, "stdin")))
    exited = asyncio.create_task(driver.wait(process.wait(), "exec"))
    try:
        await asyncio.wait({reading, exited}, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            status = exit_status(process.argv, exited.result()) if own else SUCCESS
            channels.send(ERROR, json.dumps(status).encode())
            await socket.close()
        elif own:
            process.kill(SIGHUP)
    finally:
        if callable(forget):
            forget()
        for task in (reading, exited):
            task.cancel()


async def refuse(socket: WebSocket, message: str) -> None:
    """Tell a client that its command could not be run."""
    Channels(socket).send(ERROR, json.dumps(failure_status(message)).encode())
    await socket.close()


async def _read(channels: Channels, process: RemoteProcess, stdin: bool) -> None:
    """Carry the client's messages to the process until the client is gone."""
    while (message := await channels.socket.receive()) is not None:
        parsed = channels.parse(message)
        if parsed is None:
            continue
        channel, data = parsed
        if channel == STDIN and stdin and data:
            process.feed(data)
        elif channel == RESIZE and data:
            size = json.loads(data)
            process.resize(int(size["Width"]), int(size["Height"]))
        elif channel == CLOSE and data[:1] == bytes([STDIN]) and stdin:
            process.close_stdin()


def truth(query: Mapping[str, str], name: str) -> bool:
    """A boolean query parameter as kube-apiserver reads it: absent, "0" and "false" are false."""
    return query.get(name, "false").lower() not in ("", "0", "false")
