"""exec and attach, and the WebSockets that carry them: v5.channel.k8s.io, v4.channel.k8s.io and the ones before.

Each binary message begins with a channel number: 0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 terminal size; 255
(v5 only) closes the channel named by the next byte (k8s.io/apimachinery pkg/util/remotecommand/constants.go). Which
subprotocols there are: k8s.io/cri-streaming v0.36.3 pkg/streaming/remotecommand/websocket.go, and for v5
k8s.io/apiserver pkg/util/proxy/websocket.go.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from grader.embedded.core.api.http.status import internal_error
from grader.embedded.server import handshake
from grader.embedded.server.driver import Driver
from grader.embedded.server.websocket import Message, Opcode, WebSocket

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5, V4, V4_BASE64 = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
V1, V1_BASE64 = "channel.k8s.io", "base64.channel.k8s.io"
BASE64 = (V4_BASE64, V1_BASE64)
WITHOUT_STATUS = ("", V1, V1_BASE64)
"""Subprotocols whose channel 3 carries a text, and only of what went wrong (httpstream.go v1WriteStatusFunc)."""
SIGHUP, SIGKILL = 1, 9
SIZE_SECONDS = 0.2
"""How long the end of a command on a terminal waits for the terminal's size.

A real node needs longer to start any command than kubectl to tell the size; where the end comes first, kubectl
complains of it ("Encoding terminal size failed", client-go tools/remotecommand/v3.go).
"""
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


class Carrier(Protocol):
    """Numbered channels to a client, over whatever they go.

    Attributes:
        translated: whether the API server translates what the node says (v5.channel.k8s.io).
    """

    translated: bool

    def conclude(self, status: Mapping[str, Any]) -> None:
        """Send the Status that ends the command, as the subprotocol tells it."""

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel."""

    async def receive(self) -> tuple[int, bytes] | None:
        """The next message and its channel; (CLOSE, channel) where one has ended; None once the client has gone."""

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""

    async def close(self) -> None:
        """Say that all is said."""


SUCCESS: dict[str, Any] = {"metadata": {}, "status": "Success"}


def offered(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The subprotocols a client may have: whoever knows v5 gets it, wherever it stands in its list.

    k8s.io/kubernetes v1.36.3 pkg/registry/core/pod/rest/subresources.go (IsWebSocketRequestWithStreamCloseProtocol).
    """
    return (V5,) if V5 in handshake.subprotocols(headers) else (V4, V4_BASE64, *WITHOUT_STATUS)


def exit_status(argv: Sequence[str], code: int, *, translated: bool = False) -> dict[str, Any]:
    """The Status that ends a command (k8s.io/cri-streaming pkg/streaming/remotecommand/exec.go).

    Args:
        argv: the command line.
        code: its exit code.
        translated: whether the API server speaks for the node, as it does for v5: in client-go's words.
    """
    if code == 0:
        return SUCCESS
    error = f"error executing command [{' '.join(argv)}], exit code {code}"
    if translated:
        error = f"command terminated with exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {error}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(message: str, *, translated: bool = False) -> dict[str, Any]:
    """The Status of a command that could not be run (the same file, last case, in containerd's words)."""
    text = (
        "error executing command in container: failed to exec in container: "
        f'failed to start exec "{secrets.token_hex(32)}": OCI runtime exec failed: exec failed: {message}'
    )
    if translated:
        text = f"Internal error occurred: {text}"
    return internal_error(text).status()


class Channels:
    """The numbered channels of a WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self._base64 = socket.subprotocol in BASE64
        self.translated = socket.subprotocol == V5

    def greet(self, query: Mapping[str, str]) -> None:
        """Say that the connection stands: an empty message on the lowest channel that is written to."""
        self.send(STDOUT if truth(query, "stdout") else STDERR if truth(query, "stderr") else ERROR, b"")

    def conclude(self, status: Mapping[str, Any]) -> None:
        """Send the Status that ends the command, as the subprotocol tells it."""
        if self.socket.subprotocol not in WITHOUT_STATUS:
            self.send(ERROR, json.dumps(status, separators=(",", ":")).encode())
        elif status["status"] != "Success":
            self.send(ERROR, str(status["message"]).encode())

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel."""
        if self._base64:
            self.socket.send(str(channel).encode("ascii") + base64.b64encode(data), Opcode.TEXT)
        else:
            self.socket.send(bytes([channel]) + data)

    async def receive(self) -> tuple[int, bytes] | None:
        """The next message that carries something, and its channel; None once the client has gone."""
        while (message := await self.socket.receive()) is not None:
            if (parsed := self.parse(message)) is not None:
                return parsed
        return None

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return self.socket.unsent

    async def close(self) -> None:
        """Close the WebSocket."""
        await self.socket.close()

    def parse(self, message: Message) -> tuple[int, bytes] | None:
        """The channel and bytes of a received message; None where it carries none."""
        if not message.data:
            return None
        if self._base64:
            return int(message.data[:1]), base64.b64decode(message.data[1:])
        return message.data[0], message.data[1:]


async def serve(
    driver: Driver, channels: Carrier, process: RemoteProcess, query: Mapping[str, str], *, own: bool
) -> None:
    """Connect a client with a process until the process has exited or the client has gone.

    Args:
        driver: runs the core.
        channels: the upgraded connection.
        process: what was started (exec) or found (attach).
        query: the request's stdin, stdout, stderr and tty flags.
        own: whether the process lives for this client only (exec): it is hung up with the client, and the client is
            told its exit code; one that was attached to is left alone.
    """
    wanted = {1: truth(query, "stdout"), 2: truth(query, "stderr") and not truth(query, "tty")}
    if truth(query, "tty"):
        wanted[2] = wanted[1]

    def on_output(descriptor: int, data: bytes) -> None:
        if wanted.get(descriptor):
            channels.send(STDOUT if truth(query, "tty") else descriptor, data)
        if channels.unsent > FLOOD and own:
            process.kill(SIGKILL)

    forget = process.on_output(on_output)
    sized = asyncio.Event()
    reading = asyncio.create_task(_read(channels, process, truth(query, "stdin"), sized))
    exited = asyncio.create_task(driver.wait(process.wait(), "exec"))
    try:
        await asyncio.wait({reading, exited}, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            if own and truth(query, "tty"):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(sized.wait(), SIZE_SECONDS)
            translated = channels.translated
            channels.conclude(exit_status(process.argv, exited.result(), translated=translated) if own else SUCCESS)
            reading.cancel()
            await asyncio.wait({reading})  # closing may read what is still on its way
            await channels.close()
        elif own:
            process.kill(SIGHUP)
    finally:
        if callable(forget):
            forget()
        for task in (reading, exited):
            task.cancel()


async def refuse(channels: Carrier, message: str) -> None:
    """Tell a client that its command could not be run."""
    channels.conclude(failure_status(message, translated=channels.translated))
    await channels.close()


async def _read(channels: Carrier, process: RemoteProcess, stdin: bool, sized: asyncio.Event) -> None:
    """Carry the client's messages to the process until the client is gone; `sized` once one told a terminal's size."""
    while (message := await channels.receive()) is not None:
        channel, data = message
        if channel == STDIN and stdin and data:
            process.feed(data)
        elif channel == RESIZE and data:
            size = json.loads(data.splitlines()[-1])
            process.resize(int(size["Width"]), int(size["Height"]))
            sized.set()
        elif channel == CLOSE and data[:1] == bytes([STDIN]) and stdin:
            process.close_stdin()


def truth(query: Mapping[str, str], name: str) -> bool:
    """A boolean query parameter as kube-apiserver reads it: absent, "0" and "false" are false."""
    return query.get(name, "false").lower() not in ("", "0", "false")
