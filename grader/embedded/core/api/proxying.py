"""HTTP requests into the emulated network, as the Pod and Service proxies and the outside client's path make them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import h11

from grader.embedded.core.kernel import ConnectionReset_, Stream

# net/http/httputil/reverseproxy.go hopHeaders
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
OWN = frozenset(("authorization", "host", "content-length", "expect"))


class BadAnswer(Exception):
    """The server inside of the network did not answer in HTTP."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, complete.

    Attributes:
        status: status code.
        headers: end-to-end headers, without content-length.
        body: the whole body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


async def fetch(
    stream: Stream, method: str, target: str, host: str, headers: Iterable[tuple[str, str]], body: bytes
) -> Answer:
    """Send one request over a connected stream and take the whole answer; runs inside of the kernel.

    Raises BadAnswer where the peer speaks no HTTP or breaks off.
    """
    connection = h11.Connection(h11.CLIENT)
    sent = [
        ("host", host),
        *((name, value) for name, value in headers if name not in HOP_BY_HOP and name not in OWN),
        ("connection", "close"),
    ]
    if body or method in ("POST", "PUT", "PATCH"):
        sent.append(("content-length", str(len(body))))
    try:
        stream.send(connection.send(h11.Request(method=method, target=target, headers=sent)) or b"")
        stream.send(connection.send(h11.Data(data=body)) or b"")
        stream.send(connection.send(h11.EndOfMessage()) or b"")
        status, chunks = 0, bytearray()
        received: tuple[tuple[str, str], ...] = ()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.recv())
            elif isinstance(event, h11.Response):
                status = event.status_code
                received = tuple(
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in event.headers
                    if name.decode("latin-1") not in HOP_BY_HOP | {"content-length"}
                )
            elif isinstance(event, h11.Data):
                chunks += event.data
            elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                break
    except h11.RemoteProtocolError as error:
        raise BadAnswer(f"malformed HTTP response: {error}") from error
    except ConnectionReset_ as error:
        raise BadAnswer(str(error)) from error
    finally:
        stream.close()
    if not status:
        raise BadAnswer("EOF")
    return Answer(status, received, bytes(chunks))
