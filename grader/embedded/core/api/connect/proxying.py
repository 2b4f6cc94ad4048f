"""HTTP requests into the emulated network, as the Pod and Service proxies and the outside client's path make them.

What the proxies change of request and answer: k8s.io/apimachinery v0.36.3 pkg/util/proxy/upgradeaware.go and
transport.go, net/http/httputil/reverseproxy.go. The Host header stays the client's; a server's certificate is believed
(kube-apiserver's proxy transport: InsecureSkipVerify).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from grader.embedded.core.api.connect import targets
from grader.embedded.core.api.connect.htmllinks import rewrite_links
from grader.embedded.core.api.http.messages import Connect
from grader.embedded.core.kernel import ConnectionReset_, Stream
from grader.embedded.core.programs.net import tls
from grader.embedded.core.programs.net.http import BadReply, exchange
from grader.embedded.core.store import Store

# net/http/httputil/reverseproxy.go hopHeaders
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
OWN = frozenset(("authorization", "host", "content-length", "expect"))
_CORS = frozenset(f"access-control-allow-{what}" for what in ("credentials", "headers", "methods", "origin"))
_REDIRECTED = ("GET", "HEAD")


class BadAnswer(Exception):
    """The server inside of the network did not answer in HTTP."""


@dataclass(frozen=True)
class Proxied:
    """An HTTP answer, complete.

    Attributes:
        status: status code.
        headers: end-to-end headers, without content-length.
        body: the whole body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Passage:
    """A request that is passed on.

    Attributes:
        address: address and port of the server.
        method: the request's method.
        target: the request line's target at the server.
        host: the Host header, "" where it is the address.
        secure: whether the server is spoken to in TLS.
        prefix: path of the API in front of the server's own; "" where the answer is left as it is.
    """

    address: tuple[str, int]
    method: str
    target: str
    host: str = ""
    secure: bool = False
    prefix: str = ""


def to_outside(method: str, target: str) -> Passage:
    """A request to the netexec server of the outside client."""
    return Passage(("127.0.0.1", 8080), method, target)


def passage(
    store: Store, connect: Connect, raw_path: str, raw_query: str, headers: Mapping[str, str]
) -> Passage | Proxied:
    """Where a request to `/api/v1/namespaces/NAMESPACE/KIND/NAME/proxy/REST` goes on to.

    One that ends in `/proxy` is answered at once: it belongs to `/proxy/` (proxyRedirectsforRootPath).

    Args:
        store: all objects.
        connect: what is asked for.
        raw_path: the path, percent-encoded as REST then remains.
        raw_query: the query, "" where there is none.
        headers: the request's, by lower-case name.

    Raises ApiError.
    """
    address = targets.proxied(store, connect)
    parts = raw_path.split("/", 8)
    query = f"?{raw_query}" if raw_query else ""
    if len(parts) <= 8 and connect.method in _REDIRECTED:
        return Proxied(301, (("location", f"{raw_path}/{query}"),), b"")
    target = f"/{''.join(parts[8:])}{query}"
    secure = connect.scheme == "https"
    return Passage(address, connect.method, target, headers.get("host", ""), secure, "/".join(parts[:8]))


async def fetch(stream: Stream, to: Passage, headers: Iterable[tuple[str, str]], body: bytes) -> Proxied:
    """Send one request over a connected stream and take the whole answer; runs inside of the kernel.

    Raises BadAnswer where the peer speaks no HTTP (or no TLS) or breaks off.
    """
    forwarded = (("x-forwarded-for", "127.0.0.1"), ("x-forwarded-uri", to.prefix + to.target.partition("?")[0]))
    sent = [
        ("host", to.host or f"{to.address[0]}:{to.address[1]}"),
        *((name, value) for name, value in headers if name not in HOP_BY_HOP and name not in OWN),
        *forwarded,
        ("connection", "close"),
    ]
    if body or to.method in ("POST", "PUT", "PATCH"):
        sent.append(("content-length", str(len(body))))
    try:
        if to.secure:
            await tls.connect(stream, to.address[0])
        response = await exchange(stream, to.method, to.target, sent, body)
    except tls.NotTls as error:
        raise BadAnswer("tls: first record does not look like a TLS handshake") from error
    except BadReply as error:
        raise BadAnswer("EOF" if error.empty else f"malformed HTTP response: {error}") from error
    except ConnectionReset_ as error:
        raise BadAnswer(str(error)) from error
    finally:
        stream.close()
    received = ((name.lower(), value) for name, value in response.headers)
    kept = tuple((name, value) for name, value in received if name not in HOP_BY_HOP and name != "content-length")
    answer = Proxied(response.status, kept, response.body)
    return _fitted(answer, to) if to.prefix else answer


def _fitted(answer: Proxied, to: Passage) -> Proxied:
    """What the proxy makes of an answer: links lead through it, CORS headers are gone."""
    given = dict(answer.headers)
    headers = tuple((name, value) for name, value in answer.headers if name not in _CORS)
    if given.get("location"):
        return replace(
            answer,
            headers=tuple((name, _through(value, to) if name == "location" else value) for name, value in headers),
        )
    body = answer.body
    if given.get("content-type", "").partition(";")[0].strip() == "text/html" and "content-encoding" not in given:
        page = body.decode("utf-8", "surrogateescape")
        body = rewrite_links(page, lambda link: _through(link, to)).encode("utf-8", "surrogateescape")
    return Proxied(answer.status, headers, body)


def _through(link: str, to: Passage) -> str:
    """A link that leads through the proxy, where it leads to the server itself (Transport.rewriteURL)."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    if parts.netloc not in ("", to.host, f"{to.address[0]}:{to.address[1]}") or not parts.path.startswith("/"):
        return link
    if parts.netloc != to.host:
        parts = parts._replace(scheme="", netloc="")
    if not parts.path.startswith(to.prefix):
        path = posixpath.normpath(to.prefix + parts.path)
        parts = parts._replace(path=path + "/" if parts.path.endswith("/") else path)
    return urlunsplit(parts)
