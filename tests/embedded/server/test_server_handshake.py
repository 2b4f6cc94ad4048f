"""Answers are kind's (1.36.3)."""

from __future__ import annotations

import base64

import pytest

from grader.embedded.core.api.http.status import ApiError
from grader.embedded.server import handshake, portforward, remotecommand

UPGRADE = {
    "upgrade": "websocket",
    "connection": "keep-alive, Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
}


def asking(protocols: str = "", **more: str) -> dict[str, str]:
    return {**UPGRADE, **({handshake.PROTOCOL: protocols} if protocols else {}), **more}


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("sec-websocket-key", "mismatch challenge/response"),
        ("sec-websocket-version", "missing or bad WebSocket Version"),
        ("connection", "not websocket protocol"),
    ],
)
def test_an_incomplete_handshake_is_told_what_it_lacks(header: str, text: str) -> None:
    headers = {key: value for key, value in UPGRADE.items() if key != header}
    with pytest.raises(handshake.Refused, match=text) as refused:
        handshake.agree(headers, [""])
    assert refused.value.code == 400


@pytest.mark.parametrize("origin", ["", "x y", "no-uri"])
def test_a_watch_needs_an_origin(origin: str) -> None:
    with pytest.raises(handshake.Refused) as refused:
        handshake.agree_to_any(asking(origin=origin))
    assert (refused.value.code, refused.value.text) == (403, "")


def test_a_watch_speaks_whatever_one_subprotocol_is_asked_for() -> None:
    assert handshake.agree_to_any(asking(origin="https://x")) is None
    assert handshake.agree_to_any(asking("v4.channel.k8s.io", origin="https://x")) == "v4.channel.k8s.io"
    with pytest.raises(handshake.Refused) as refused:
        handshake.agree_to_any(asking("a, b", origin="https://x"))
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", ""),
        ("channel.k8s.io", "channel.k8s.io"),
        ("base64.channel.k8s.io", "base64.channel.k8s.io"),
        ("v4.channel.k8s.io, v5.channel.k8s.io", "v5.channel.k8s.io"),
        ("SPDY/3.1+portforward.k8s.io, v4.base64.channel.k8s.io", "v4.base64.channel.k8s.io"),
    ],
)
def test_a_command_speaks_v5_with_whoever_knows_it(asked: str, spoken: str) -> None:
    headers = asking(asked)
    assert handshake.agree(headers, remotecommand.offered(headers)) == spoken


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", ""),
        ("v5.channel.k8s.io, v4.channel.k8s.io", "v4.channel.k8s.io"),
        ("v4.channel.k8s.io, SPDY/3.1+portforward.k8s.io",) * 2,
    ],
)
def test_a_forwarded_port_goes_through_the_tunnel_with_whoever_knows_it(asked: str, spoken: str) -> None:
    headers = asking(asked)
    assert handshake.agree(headers, portforward.offered(headers)) == spoken.rpartition(", ")[2]


def test_a_subprotocol_that_nobody_speaks_is_forbidden() -> None:
    for offered in (remotecommand.offered, portforward.offered):
        headers = asking("foo")
        with pytest.raises(handshake.Refused) as refused:
            handshake.agree(headers, offered(headers))
        assert refused.value.code == 403


def test_a_browsers_token_stands_among_its_subprotocols() -> None:
    hidden = handshake.BEARER + base64.urlsafe_b64encode(b"secret").decode().rstrip("=")
    assert handshake.bearer(asking(f"{hidden}, binary.k8s.io")) == ("secret", ["binary.k8s.io"])
    assert handshake.bearer(asking(hidden)) is None  # none would be left to echo
    assert handshake.bearer(asking(f"{hidden}, {hidden}, x")) is None
    assert handshake.bearer({handshake.PROTOCOL: f"{hidden}, x"}) is None


def test_numbered_channels_need_ports_that_are_ports() -> None:
    assert portforward.ports_of([("ports", "80,81"), ("x", "1"), ("ports", "82")]) == [80, 81, 82]
    for text, why in (("0", 'port "0" must be > 0'), ("70000", "value out of range")):
        with pytest.raises(handshake.Refused, match=why):
            portforward.ports_of([("ports", text)])
    with pytest.raises(handshake.Refused, match='query parameter "port" is required'):
        portforward.ports_of([])
    with pytest.raises(ApiError, match=r"cannot convert to \[\]int32"):
        portforward.ports_of([("ports", "x")])
