from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from grader.embedded.server import remotespdy
from grader.embedded.server.remotecommand import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT
from grader.embedded.server.remotespdy import SpdyChannels
from grader.embedded.server.spdy import GOAWAY, PING, SYN_REPLY, ControlFrame, DataFrame, Frame, Framer


class Client:
    """kubectl's end of the connection, without any socket."""

    def __init__(self) -> None:
        self.framer = Framer()
        self.reader = asyncio.StreamReader()
        self.received: list[Frame] = []
        self.channels = SpdyChannels(self.reader, self)  # type: ignore[arg-type]

    def write(self, data: bytes) -> None:
        self.received += self.framer.feed(data)

    async def drain(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def open(self, *types: str) -> None:
        for number, kind in enumerate(types):
            self.reader.feed_data(self.framer.syn_stream(2 * number + 1, {"streamtype": kind}))

    def data(self, stream: int) -> bytes:
        return b"".join(f.data for f in self.received if isinstance(f, DataFrame) and f.stream == stream)

    def controls(self, kind: int) -> list[int]:
        return [f.stream for f in self.received if isinstance(f, ControlFrame) and f.type == kind]


def played(play: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        await play(Client())

    asyncio.run(main())


def test_the_command_waits_for_the_streams_that_its_request_names() -> None:
    assert remotespdy.expected({"stdout": "true", "stderr": "true"}) == {STDOUT, STDERR, ERROR}
    assert remotespdy.expected({"stdin": "1", "stdout": "1", "tty": "1"}) == {STDIN, STDOUT, ERROR, RESIZE}

    async def play(client: Client) -> None:
        opening = asyncio.create_task(client.channels.opened({ERROR, STDOUT}))
        client.open("error")
        await asyncio.sleep(0)
        assert not opening.done()
        client.open("error", "stdout")
        assert await opening
        assert client.controls(SYN_REPLY)[-2:] == [1, 3]

    played(play)


def test_a_client_that_leaves_before_opens_nothing() -> None:
    async def play(client: Client) -> None:
        client.open("error")
        client.reader.feed_eof()
        assert not await client.channels.opened({ERROR, STDIN})

    played(play)


def test_data_and_ends_come_with_their_channel() -> None:
    async def play(client: Client) -> None:
        client.open("error", "stdin", "stdout", "resize")
        assert await client.channels.opened({ERROR, STDIN, STDOUT, RESIZE})
        client.reader.feed_data(client.framer.data(7, b'{"Width":80,"Height":24}\n'))
        client.reader.feed_data(client.framer.data(3, b"typed") + client.framer.data(3, b"", fin=True))
        assert await client.channels.receive() == (RESIZE, b'{"Width":80,"Height":24}\n')
        assert await client.channels.receive() == (STDIN, b"typed")
        assert await client.channels.receive() == (CLOSE, bytes([STDIN]))
        client.reader.feed_data(client.framer.goaway(0))
        assert await client.channels.receive() is None

    played(play)


def test_output_goes_to_the_stream_of_its_channel_and_closing_ends_them_all() -> None:
    async def play(client: Client) -> None:
        client.open("error", "stdout")
        assert await client.channels.opened({ERROR, STDOUT})
        client.channels.send(STDOUT, b"said")
        client.channels.send(STDERR, b"nobody asked for it")
        client.channels.send(ERROR, b"{}")
        client.reader.feed_eof()
        await client.channels.close()
        client.channels.send(STDOUT, b"too late")
        assert (client.data(3), client.data(1)) == (b"said", b"{}")
        assert {f.stream for f in client.received if isinstance(f, DataFrame) and f.fin} == {1, 3}
        assert client.controls(GOAWAY) == [3]

    played(play)


def test_pings_are_answered() -> None:
    async def play(client: Client) -> None:
        client.reader.feed_data(client.framer.ping(5))
        client.reader.feed_eof()
        assert await client.channels.receive() is None
        assert client.controls(PING) == [5]

    played(play)


def test_only_the_protocol_that_tells_the_exit_code_is_spoken() -> None:
    assert remotespdy.agreed("v5.channel.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io")
    assert not remotespdy.agreed("v3.channel.k8s.io, channel.k8s.io")
    headers, body = remotespdy.refusal("v3.channel.k8s.io")
    assert ("x-accepted-stream-protocol-versions", "v4.channel.k8s.io") in headers
    assert body.endswith(b"client supports [v3.channel.k8s.io], server accepts [v4.channel.k8s.io]")
