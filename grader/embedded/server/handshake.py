"""Whether a request becomes a WebSocket, and which subprotocol both sides speak: pure, from the request's headers.

Rules: golang.org/x/net v0.49.0 websocket/hybi.go ReadHandshake and server.go; k8s.io/streaming v0.36.3
pkg/httpstream/wsstream/conn.go (IsWebSocketRequest, handshake).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

PROTOCOL = "sec-websocket-protocol"
BEARER = "base64url.bearer.authorization.k8s.io."


class Refused(Exception):
    """A handshake that is answered without a Status, in plain text, and the connection closed.

    Attributes:
        code: HTTP status.
        text: body, "" for none.
    """

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or f"WebSocket handshake refused: {code}")
        self.code = code
        self.text = text


def is_websocket(headers: Mapping[str, str]) -> bool:
    """Whether a request asks for a WebSocket; headers by lower-case name."""
    return headers.get("upgrade", "").lower() == "websocket" and "upgrade" in headers.get("connection", "").lower()


def subprotocols(headers: Mapping[str, str]) -> list[str]:
    """The subprotocols that a client asks for, in its order; none where it names none."""
    asked = headers.get(PROTOCOL, "").strip()
    return [item.strip() for item in asked.split(",")] if asked else []


def bearer(headers: Mapping[str, str]) -> tuple[str, list[str]] | None:
    """The token that a browser hides among its subprotocols, and the others; None where there is none to be used.

    k8s.io/apiserver v0.36.3 pkg/authentication/request/websocket/protocol.go: exactly one, beside another subprotocol.
    """
    if not is_websocket(headers):
        return None
    asked = subprotocols(headers)
    hidden = [item.removeprefix(BEARER) for item in asked if item.startswith(BEARER)]
    others = [item for item in asked if not item.startswith(BEARER)]
    if len(hidden) != 1 or not others:
        return None
    try:
        return base64.urlsafe_b64decode(hidden[0] + "=" * (-len(hidden[0]) % 4)).decode(), others
    except ValueError:
        return None


def check(headers: Mapping[str, str]) -> None:
    """Whether the handshake itself is complete. Raises Refused (400)."""
    if not is_websocket(headers):
        raise Refused(400, "not websocket protocol")
    if not headers.get("sec-websocket-key"):
        raise Refused(400, "mismatch challenge/response")
    if headers.get("sec-websocket-version") != "13":
        raise Refused(400, "missing or bad WebSocket Version")


def agree(headers: Mapping[str, str], offered: Iterable[str]) -> str:
    """The client's first subprotocol that is offered ("" for a client that names none). Raises Refused (400, 403)."""
    check(headers)
    known = tuple(offered)
    for protocol in subprotocols(headers) or [""]:
        if protocol in known:
            return protocol
    raise Refused(403)


def agree_to_any(headers: Mapping[str, str]) -> str | None:
    """The subprotocol of a watch: what the client asks for, where it comes with an Origin; None where it names none.

    As golang.org/x/net's websocket.Handler, which k8s.io/apiserver's watch.go uses: 403 without an Origin that is a
    URL or an absolute path (url.ParseRequestURI), 400 where several are asked for, of which nobody chooses.

    Raises Refused (400, 403).
    """
    check(headers)
    origin = headers.get("origin", "")
    if not _is_request_uri(origin):
        raise Refused(403)
    asked = subprotocols(headers)
    if len(asked) > 1:
        raise Refused(400)
    return asked[0] if asked else None


def _is_request_uri(text: str) -> bool:
    """Go's url.ParseRequestURI (net/url/url.go parse): an absolute URI or path, without control or space."""
    if not text or any(char <= " " or char == "\x7f" for char in text):
        return False
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        return False
    return bool(scheme) or text.startswith("/") or text == "*"
