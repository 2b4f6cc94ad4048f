from __future__ import annotations

import asyncio

from grader.embedded.core.kernel import Stream, pair
from grader.embedded.server.portforward import ForwardError, SpdySession
from grader.embedded.server.spdy import GOAWAY, PING, SYN_REPLY, ControlFrame, DataFrame, Frame, Framer


class Client:
    """kubectl's end of a SPDY connection, without any socket."""

    def __init__(self) -> None:
        self.framer = Framer()
        self.received: list[Frame] = []
        self.dialled: list[int] = []
        self.pod: Stream | None = None
        self.session = SpdySession(lambda data: self.received.extend(self.framer.feed(data)), self.dial)

    async def dial(self, port: int) -> Stream:
        self.dialled.append(port)
        if port == 81:
            raise ForwardError("nobody listens")
        near, self.pod = pair()
        return near

    def open(self, request: str = "0", port: str = "80", *, error: int = 1, data: int = 3) -> None:
        headers = {"port": port, "requestid": request}
        self.session.feed(self.framer.syn_stream(error, {**headers, "streamtype": "error"}))
        self.session.feed(self.framer.syn_stream(data, {**headers, "streamtype": "data"}))

    def data(self, stream: int) -> bytes:
        return b"".join(f.data for f in self.received if isinstance(f, DataFrame) and f.stream == stream)

    def ended(self, stream: int) -> bool:
        return any(f.fin for f in self.received if isinstance(f, DataFrame) and f.stream == stream)


def test_both_streams_are_accepted_and_the_pod_is_dialled_once() -> None:
    async def main() -> None:
        client = Client()
        client.open()
        await asyncio.sleep(0)
        replies = [f.stream for f in client.received if isinstance(f, ControlFrame) and f.type == SYN_REPLY]
        assert replies == [1, 3]
        assert client.dialled == [80]

    asyncio.run(main())


def test_bytes_that_come_before_the_pod_is_connected_are_not_lost() -> None:
    async def main() -> None:
        client = Client()
        client.open()
        client.session.feed(client.framer.data(3, b"GET / "))
        await asyncio.sleep(0)
        client.session.feed(client.framer.data(3, b"HTTP/1.1\r\n", fin=True))
        assert client.pod is not None
        got = bytearray()
        client.pod.on_data(got.extend)
        assert bytes(got) == b"GET / HTTP/1.1\r\n"

    asyncio.run(main())


def test_the_answer_and_its_end_reach_the_client() -> None:
    async def main() -> None:
        client = Client()
        client.open()
        await asyncio.sleep(0)
        assert client.pod is not None
        client.pod.send(b"hello")
        client.pod.close()
        assert client.data(3) == b"hello"
        assert client.ended(3)
        assert client.ended(1)
        assert client.data(1) == b""

    asyncio.run(main())


def test_a_refused_port_is_told_on_the_error_stream() -> None:
    async def main() -> None:
        client = Client()
        client.open(port="81")
        await asyncio.sleep(0)
        assert client.data(1) == b"nobody listens"
        assert client.ended(1)
        assert client.ended(3)

    asyncio.run(main())


def test_two_requests_at_once_are_kept_apart() -> None:
    async def main() -> None:
        client = Client()
        client.open("0", error=1, data=3)
        await asyncio.sleep(0)
        first = client.pod
        client.open("1", error=5, data=7)
        await asyncio.sleep(0)
        assert first is not None and client.pod is not None
        client.pod.send(b"second")
        first.send(b"first")
        assert (client.data(3), client.data(7)) == (b"first", b"second")

    asyncio.run(main())


def test_pings_are_answered_and_goodbye_ends_the_session() -> None:
    async def main() -> None:
        client = Client()
        assert client.session.feed(client.framer.ping(7))
        assert ControlFrame(PING, 7, False, {}) in client.received
        assert not client.session.feed(client.framer.goaway(0))
        assert not any(isinstance(f, ControlFrame) and f.type == GOAWAY for f in client.received)

    asyncio.run(main())


def test_closing_the_session_resets_the_pods_connection() -> None:
    async def main() -> None:
        client = Client()
        client.open()
        await asyncio.sleep(0)
        assert client.pod is not None
        closed: list[bool] = []
        client.pod.on_close(closed.append)
        client.session.close()
        assert closed == [True]

    asyncio.run(main())
