"""kubectl port-forward (SPDY frames, in a WebSocket or alone) and the Python client's (numbered channels).

A SPDY stream of type `error` and one of type `data` with the same requestid make one forwarded connection
(k8s.io/cri-streaming pkg/streaming/portforward/httpstream.go, websocket.go).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from grader.embedded.core.api.http.status import bad_request
from grader.embedded.core.kernel import ConnectionReset_, Stream
from grader.embedded.server import handshake
from grader.embedded.server.remotecommand import V4, V4_BASE64, Channels
from grader.embedded.server.spdy import GOAWAY, PING, RST_STREAM, SYN_STREAM, ControlFrame, DataFrame, Framer, SpdyError
from grader.embedded.server.websocket import WebSocket

TUNNEL = "SPDY/3.1+portforward.k8s.io"
SPDY_PROTOCOL = "portforward.k8s.io"
CHANNEL_PROTOCOLS = (V4, V4_BASE64, "")

Dial = Callable[[int], Awaitable[Stream]]
"""Connects to a port inside of the Pod. Raises ForwardError."""


def offered(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The subprotocols a client may have: whoever knows the tunnel gets it, wherever it stands in its list.

    k8s.io/kubernetes v1.36.3 pkg/registry/core/pod/rest/subresources.go (IsWebSocketRequestWithTunnelingProtocol).
    """
    return (TUNNEL,) if TUNNEL in handshake.subprotocols(headers) else CHANNEL_PROTOCOLS


def ports_of(query: Iterable[tuple[str, str]]) -> list[int]:
    """The ports that a request for numbered channels names.

    Raises ApiError (400, kube-apiserver's) for what is no number, handshake.Refused (400, the kubelet's: websocket.go
    NewV4Options) where there is none, or one that is no port.
    """
    ports = []
    for text in (part for name, value in query if name == "ports" for part in value.split(",")):
        if not (text.isascii() and text.isdigit()):
            raise bad_request(f'cannot convert to []int32: strconv.ParseUint: parsing "{text}": invalid syntax')
        if not 0 < int(text) < 1 << 16:
            why = (
                f'port "{text}" must be > 0'
                if int(text) == 0
                else (f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{text}": value out of range')
            )
            raise handshake.Refused(400, why)
        ports.append(int(text))
    if not ports:
        raise handshake.Refused(400, 'query parameter "port" is required')
    return ports


class ForwardError(Exception):
    """The Pod's port cannot be reached; the text goes to the client's error stream."""


@dataclass
class Forwarded:
    """One forwarded connection.

    Attributes:
        error: SPDY stream id of its error stream, 0 before it came.
        data: SPDY stream id of its data stream, 0 before it came.
        port: the Pod's port.
        pending: bytes that came before the Pod was connected.
        ended: whether the client has said all it has to say.
        stream: the connection into the Pod.
    """

    error: int = 0
    data: int = 0
    port: int = 0
    pending: bytearray = field(default_factory=bytearray)
    ended: bool = False
    stream: Stream | None = None


class SpdySession:
    """The server's end of one SPDY connection that carries forwarded connections."""

    def __init__(self, send: Callable[[bytes], None], dial: Dial) -> None:
        self._send = send
        self._dial = dial
        self._framer = Framer()
        self._pairs: dict[str, Forwarded] = {}
        self._by_data: dict[int, Forwarded] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def feed(self, data: bytes) -> bool:
        """Take bytes from the client; False once it said goodbye. Raises SpdyError."""
        for frame in self._framer.feed(data):
            if isinstance(frame, DataFrame):
                self._data(frame)
            elif frame.type == SYN_STREAM:
                self._open(frame)
            elif frame.type == PING:
                self._send(self._framer.ping(frame.stream))
            elif frame.type == RST_STREAM and (forwarded := self._by_data.pop(frame.stream, None)):
                if forwarded.stream is not None:
                    forwarded.stream.reset()
            elif frame.type == GOAWAY:
                return False
        return True

    def close(self) -> None:
        """Break all forwarded connections off."""
        for task in self._tasks:
            task.cancel()
        for forwarded in self._by_data.values():
            if forwarded.stream is not None:
                forwarded.stream.reset()
        self._by_data.clear()

    def _open(self, frame: ControlFrame) -> None:
        headers = frame.headers
        forwarded = self._pairs.setdefault(headers.get("requestid", ""), Forwarded())
        self._send(self._framer.syn_reply(frame.stream))
        if headers.get("streamtype") == "error":
            forwarded.error = frame.stream
        else:
            forwarded.data = frame.stream
            self._by_data[frame.stream] = forwarded
        if forwarded.error and forwarded.data:
            del self._pairs[headers.get("requestid", "")]
            forwarded.port = int(headers.get("port", "0"))
            task = asyncio.create_task(self._connect(forwarded))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, forwarded: Forwarded) -> None:
        try:
            stream = await self._dial(forwarded.port)
        except ForwardError as error:
            self._by_data.pop(forwarded.data, None)
            self._send(self._framer.data(forwarded.error, str(error).encode(), fin=True))
            self._send(self._framer.data(forwarded.data, b"", fin=True))
            return
        forwarded.stream = stream
        stream.on_data(lambda data: self._send(self._framer.data(forwarded.data, data)))
        stream.on_close(lambda reset: self._closed(forwarded))
        if forwarded.pending:
            self._to_pod(forwarded, bytes(forwarded.pending))
        if forwarded.ended:
            stream.close()

    def _closed(self, forwarded: Forwarded) -> None:
        self._by_data.pop(forwarded.data, None)
        self._send(self._framer.data(forwarded.data, b"", fin=True))
        self._send(self._framer.data(forwarded.error, b"", fin=True))
        if forwarded.stream is not None:
            forwarded.stream.close()

    def _data(self, frame: DataFrame) -> None:
        forwarded = self._by_data.get(frame.stream)
        if forwarded is None:
            return
        if forwarded.stream is None:
            forwarded.pending += frame.data
            forwarded.ended = forwarded.ended or frame.fin
            return
        self._to_pod(forwarded, frame.data)
        if frame.fin:
            forwarded.stream.close()

    def _to_pod(self, forwarded: Forwarded, data: bytes) -> None:
        if forwarded.stream is None or not data:
            return
        try:
            forwarded.stream.send(data)
        except ConnectionReset_:
            self._send(self._framer.rst_stream(forwarded.data))


async def serve_tunnel(socket: WebSocket, dial: Dial) -> None:
    """Serve kubectl's SPDY connection inside of a WebSocket until it ends."""
    session = SpdySession(socket.send, dial)
    try:
        while (message := await socket.receive()) is not None:
            if not session.feed(message.data):
                break
        await socket.close()
    except SpdyError as error:
        await socket.close(1002, str(error))
    finally:
        session.close()


async def serve_spdy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes, dial: Dial) -> None:
    """Serve a plain SPDY connection, as clients before kubectl 1.31 open it, until it ends."""
    session = SpdySession(writer.write, dial)
    try:
        data = rest or await reader.read(65536)
        while data and session.feed(data):
            data = await reader.read(65536)
    except (SpdyError, ConnectionError, TimeoutError):
        return
    finally:
        session.close()


async def serve_channels(socket: WebSocket, ports: list[int], dial: Dial) -> None:
    """Serve the channel protocol: port i has data on channel 2i, errors on 2i+1; the port number leads each.

    The connection ends when the client goes or every Pod's end has closed.
    """
    channels = Channels(socket)
    streams: dict[int, Stream] = {}
    finished = asyncio.Event()

    async def connect(channel: int, port: int) -> None:
        for number in (channel, channel + 1):
            channels.send(number, struct.pack("<H", port))
        try:
            streams[channel] = await dial(port)
        except ForwardError as error:
            channels.send(channel + 1, str(error).encode())

    def carry(channel: int, stream: Stream) -> None:
        def on_close(reset: bool) -> None:
            open_.discard(channel)
            if not open_:
                finished.set()

        stream.on_data(lambda data: channels.send(channel, data))
        stream.on_close(on_close)

    await asyncio.gather(*(connect(2 * index, port) for index, port in enumerate(ports)))
    open_ = set(streams)
    for channel, stream in streams.items():
        carry(channel, stream)
    waiting = {asyncio.create_task(_to_pods(channels, streams)), asyncio.create_task(finished.wait())}
    try:
        if streams:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await socket.close()
    finally:
        for task in waiting:
            task.cancel()
        for stream in streams.values():
            stream.close()


async def _to_pods(channels: Channels, streams: dict[int, Stream]) -> bool:
    """Carry the client's messages to the Pods until the client has gone."""
    while (message := await channels.receive()) is not None:
        if (stream := streams.get(message[0])) is not None and not stream.closed:
            stream.send(message[1])
    return True
