"""exec and attach over SPDY: what kubectl falls back to where a WebSocket cannot be had (client-go, fallback.go).

Every channel is a SPDY stream that the client opens, named by its header `streamType`
(k8s.io/cri-streaming pkg/streaming/remotecommand/httpstream.go, 1.36; of its protocols v4.channel.k8s.io alone).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from grader.embedded.server.remotecommand import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, V4, truth
from grader.embedded.server.spdy import GOAWAY, PING, RST_STREAM, SYN_STREAM, ControlFrame, Frame, Framer, SpdyError

UPGRADE = "spdy/3.1"
CHANNELS = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}
CREATION_SECONDS = 30.0  # k8s.io/cri-streaming pkg/streaming/remotecommand/constants.go DefaultStreamCreationTimeout
PARTING_SECONDS = 1.0
"""How long a client may take to read the end and to leave."""


def agreed(offered: str) -> bool:
    """Whether a client's X-Stream-Protocol-Version headers name the protocol that is spoken here."""
    return V4 in (name.strip() for name in offered.split(","))


def refusal(offered: str) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and body of the 403 for any other (k8s.io/streaming pkg/httpstream/httpstream.go Handshake)."""
    text = f"unable to upgrade: unable to negotiate protocol: client supports [{offered}], server accepts [{V4}]"
    return (("content-type", "text/plain"), ("x-accepted-stream-protocol-versions", V4)), text.encode()


def expected(query: Mapping[str, str]) -> set[int]:
    """The channels that a client opens for its request."""
    tty = truth(query, "tty")
    asked = {name for name in ("stdin", "stdout", "stderr") if truth(query, name) and not (tty and name == "stderr")}
    return {CHANNELS[name] for name in asked} | {ERROR} | ({RESIZE} if tty else set())


class SpdyChannels:
    """The channels of remotecommand.Channels on one SPDY connection.

    Attributes:
        translated: False: the node speaks for itself.
    """

    translated = False

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes = b"") -> None:
        self._reader = reader
        self._writer = writer
        self._rest = rest
        self._framer = Framer()
        self._streams: dict[int, int] = {}
        self._due: list[tuple[int, bytes]] = []
        self._last = 0
        self._closed = False

    def conclude(self, status: Mapping[str, Any]) -> None:
        """Send the Status that ends the command."""
        self.send(ERROR, json.dumps(status, separators=(",", ":")).encode())

    async def opened(self, channels: set[int]) -> bool:
        """Wait until the client has opened these channels; False where it leaves or takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CREATION_SECONDS):
                while not channels <= self._streams.keys():
                    if not await self._more():
                        return False
                return True
        return False

    async def receive(self) -> tuple[int, bytes] | None:
        """The next message and its channel, as Channels.receive tells it; None once the client has gone."""
        while not self._due:
            if not await self._more():
                return None
        return self._due.pop(0)

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel."""
        if (stream := self._streams.get(channel)) is not None and data:
            self._write(self._framer.data(stream, data))

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return 0 if self._closed else self._writer.transport.get_write_buffer_size()

    async def close(self) -> None:
        """End all streams, say goodbye and give the client time to read it."""
        if self._closed:
            return
        for stream in self._streams.values():
            self._write(self._framer.data(stream, b"", fin=True))
        self._write(self._framer.goaway(self._last))
        self._closed = True
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                await self._writer.drain()
                while await self._reader.read(65536):
                    pass

    async def _more(self) -> bool:
        """Take what comes next from the client; False once it has gone."""
        if self._closed:
            return False
        try:
            data, self._rest = self._rest or await self._reader.read(65536), b""
            return bool(data) and all([self._take(frame) for frame in self._framer.feed(data)])
        except (SpdyError, ConnectionError):
            return False

    def _take(self, frame: Frame) -> bool:
        if not isinstance(frame, ControlFrame):
            channel = next((held for held, stream in self._streams.items() if stream == frame.stream), None)
            if channel is not None and frame.data:
                self._due.append((channel, frame.data))
            if channel is not None and frame.fin:
                self._due.append((CLOSE, bytes([channel])))
        elif frame.type == SYN_STREAM:
            self._last = frame.stream
            known = CHANNELS.get(frame.headers.get("streamtype", ""))
            if known is not None:
                self._streams[known] = frame.stream
            self._write(self._framer.syn_reply(frame.stream))
        elif frame.type == PING:
            self._write(self._framer.ping(frame.stream))
        elif frame.type == RST_STREAM and frame.stream == self._streams.get(STDIN):
            self._due.append((CLOSE, bytes([STDIN])))
        return frame.type != GOAWAY if isinstance(frame, ControlFrame) else True

    def _write(self, data: bytes) -> None:
        if not self._closed and not self._writer.is_closing():
            self._writer.write(data)
