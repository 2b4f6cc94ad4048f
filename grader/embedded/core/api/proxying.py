"""HTTP requests into the emulated network, as the Pod and Service proxies and the outside client's path make them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.embedded.core.kernel import ConnectionReset_, Stream
from grader.embedded.core.programs.http import BadReply, exchange

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
    sent = [
        ("host", host),
        *((name, value) for name, value in headers if name not in HOP_BY_HOP and name not in OWN),
        ("connection", "close"),
    ]
    if body or method in ("POST", "PUT", "PATCH"):
        sent.append(("content-length", str(len(body))))
    try:
        response = await exchange(stream, method, target, sent, body)
    except BadReply as error:
        raise BadAnswer("EOF" if error.empty else f"malformed HTTP response: {error}") from error
    except ConnectionReset_ as error:
        raise BadAnswer(str(error)) from error
    finally:
        stream.close()
    received = ((name.lower(), value) for name, value in response.headers)
    kept = tuple((name, value) for name, value in received if name not in HOP_BY_HOP and name != "content-length")
    return Answer(response.status, kept, response.body)
