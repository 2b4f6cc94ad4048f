"""What nginx' proxy module is told by a location: where requests go, and with what.

Rules: src/http/modules/ngx_http_proxy_module.c of nginx 1.26.3 (ngx_http_proxy_pass, ngx_http_proxy_init_headers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.embedded.core.programs.servers.nginx.conf import Directive
from grader.embedded.core.programs.servers.nginx.scope import Reading, Scope
from grader.embedded.core.programs.servers.nginx.text import Text
from grader.embedded.core.programs.servers.nginx.upstream import Server, place

_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NEXT = frozenset(
    "error timeout invalid_header http_500 http_502 http_503 http_504 http_403 http_404 http_429 non_idempotent off"
    .split()
)  # fmt: skip
_DEFAULTS = (
    ("Host", "$proxy_host"), ("Connection", "close"), ("Content-Length", "$proxy_internal_body_length"),
    ("Transfer-Encoding", ""), ("TE", ""), ("Keep-Alive", ""), ("Expect", ""), ("Upgrade", ""),
)  # fmt: skip
_HIDDEN = frozenset(
    "date server x-pad x-accel-expires x-accel-redirect x-accel-limit-rate x-accel-buffering x-accel-charset"
    " connection keep-alive transfer-encoding content-length".split()
)


def seconds(text: str) -> float | None:
    """A time of a configuration in seconds, such as `60`, `500ms` or `1m 30s`; None where it is none."""
    parts = re.findall(r"(\d+)(ms|[smhdw]?)", text)
    if not parts or "".join(map("".join, parts)) != text.replace(" ", ""):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Handing:
    """How requests are handed on.

    Attributes:
        at: the proxy_pass.
        url: with variables, where they decide; else it is read already.
        secure: whether it begins with https.
        host: host and port as the URL writes them ($proxy_host).
        group: the name of the upstream: a block's, or `host:port`.
        server: what that is where no block says so.
        uri: the URI part, "" without one.
        location: the location's name, which `uri` replaces.
        headers: what is sent, in order; "" is not sent.
        pass_headers: whether the client's headers are sent too, and its body.
        pass_body: whether the client's body is sent.
        body: what is sent in its place.
        method: what is sent in place of the method.
        hide: headers of the answer that the client does not get, in lower case.
        redirects: what replaces the beginning of Location.
        connect: seconds to wait for a connection.
        read: seconds to wait for the answer.
        next: for which failures the next server is asked.
        tries: how many are asked at the most; 0: all.
        intercept: whether error_page counts for what was answered.
    """

    at: Directive
    url: Text
    secure: bool
    host: str
    group: str
    server: Server | None
    uri: str
    location: str
    headers: tuple[tuple[str, Text], ...]
    pass_headers: bool
    pass_body: bool
    body: Text | None
    method: Text | None
    hide: frozenset[str]
    redirects: tuple[tuple[str, Text], ...]
    connect: float
    read: float
    next: frozenset[str]
    tries: int
    intercept: bool


def handing(reading: Reading, scope: Scope, modifier: str, name: str, upstreams: set[str]) -> Handing | None:
    """Read the proxy directives of a location; None without proxy_pass, which is not inherited. Raises Emerg."""
    if not (found := scope.own.get("proxy_pass")):
        return None
    at = found[0]
    text = at.args[0]
    url = reading.text(text)
    variable = bool(url.names)
    secure, rest = text.lower().startswith("https://"), text.partition("://")[2]
    host, group, uri, server = "", "", "", None
    if not variable:
        if not text.lower().startswith(("http://", "https://")):
            raise at.emerg("invalid URL prefix")
        host, group, uri, server = _target(at, rest, upstreams, 443 if secure else 80)
        if uri and modifier in {"~", "~*", "@"}:
            raise at.emerg(
                '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location,'
                ' or inside "if" statement, or inside "limit_except" block'
            )
    version = scope.last("proxy_http_version")
    if version is not None and version.args[0] not in {"1.0", "1.1", "2"}:
        raise version.emerg(f'invalid value "{version.args[0]}"')
    own = [(each.args[0], reading.text(each.args[1])) for each in scope.all("proxy_set_header")]
    said = {key.lower() for key, _ in own}
    defaults = [(key, Text.of(value)) for key, value in _DEFAULTS if key.lower() not in said]
    passed = {word.lower() for each in scope.all("proxy_pass_header") for word in each.args}
    hidden = {word.lower() for each in scope.all("proxy_hide_header") for word in each.args}
    body, method = scope.last("proxy_set_body"), scope.last("proxy_method")
    return Handing(
        at=at,
        url=url,
        secure=secure,
        host=host,
        group=group,
        server=server,
        uri=uri,
        location="" if modifier in {"~", "~*", "@"} else name,
        headers=(*own, *defaults),
        pass_headers=scope.on("proxy_pass_request_headers", default=True),
        pass_body=scope.on("proxy_pass_request_body", default=True),
        body=reading.text(body.args[0]) if body else None,
        method=reading.text(method.args[0]) if method else None,
        hide=frozenset((_HIDDEN - passed) | hidden),
        redirects=_redirects(reading, scope, "" if variable else text, uri, name),
        connect=_time(scope, "proxy_connect_timeout"),
        read=_time(scope, "proxy_read_timeout"),
        next=_next(scope),
        tries=int(scope.word("proxy_next_upstream_tries", "0")),
        intercept=scope.on("proxy_intercept_errors", default=False),
    )


def _target(at: Directive, rest: str, upstreams: set[str], default: int) -> tuple[str, str, str, Server | None]:
    match = re.match(r"[^/?#]*", rest)
    where = match[0] if match else ""
    uri = rest[len(where) :]
    uri = f"/{uri}" if uri.startswith("?") else uri
    host, port, written = place(where, at, default)
    if host in upstreams:
        if written:
            raise at.emerg(f'upstream "{host}" may not have port {port}')
        return where, host, uri, None
    return where, f"{host}:{port}", uri, Server(host, port, at, host)


def _redirects(reading: Reading, scope: Scope, url: str, uri: str, name: str) -> tuple[tuple[str, Text], ...]:
    found: list[tuple[str, Text]] = []
    if not scope.all("proxy_redirect") and url:
        found.append((url, Text((name,))) if uri else (f"{url}/", Text(("/",))))
    for at in scope.all("proxy_redirect"):
        if at.args == ("default",):
            if url:
                found.append((url, Text((name,))) if uri else (f"{url}/", Text(("/",))))
        elif at.args == ("off",):
            return ()
        elif len(at.args) != 2:
            raise at.emerg(f'invalid parameter "{at.args[0]}"')
        elif at.args[0].startswith("~"):
            reading.ignored(at, 'regular expression of "proxy_redirect"')
        else:
            found.append((at.args[0], reading.text(at.args[1])))
    return tuple(found)


def _time(scope: Scope, name: str) -> float:
    at = scope.last(name)
    length = seconds(at.args[0]) if at else 60.0
    if length is None and at is not None:
        raise at.emerg(f'"{name}" directive invalid value')
    return length or 60.0


def _next(scope: Scope) -> frozenset[str]:
    at = scope.last("proxy_next_upstream")
    if at is None:
        return frozenset({"error", "timeout"})
    for word in at.args:
        if word not in _NEXT:
            raise at.emerg(f'invalid value "{word}"')
    return frozenset() if "off" in at.args else frozenset(at.args)
