"""nginx hands a request on to an upstream, and its answer back.

Rules: src/http/ngx_http_upstream.c (ngx_http_upstream_next, the texts of failures) and
modules/ngx_http_proxy_module.c (ngx_http_proxy_create_request, _handler) of nginx 1.26.3.
"""

from __future__ import annotations

from urllib.parse import quote

import h11

from grader.embedded.core.kernel import ConnectionReset_, TimeoutError_, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import ConnectionRefused_, NetworkError
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import BadReply, Response
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, resolve
from grader.embedded.core.programs.servers.nginx.conf import Directive, Emerg
from grader.embedded.core.programs.servers.nginx.log import Log
from grader.embedded.core.programs.servers.nginx.proxy_config import Handing
from grader.embedded.core.programs.servers.nginx.sites import Config, Location
from grader.embedded.core.programs.servers.nginx.upstream import (
    Group,
    Peer,
    ResolveError,
    Resolver,
    Server,
    group,
    place,
)
from grader.embedded.core.programs.servers.nginx.variables import Call

_SAFE = "/:@!$&'()*+,;=-._~"


class Failed(Exception):
    """The request ends with an error of nginx' own.

    Attributes:
        status: the code.
        location: where a redirect goes.
    """

    def __init__(self, status: int, location: str = "") -> None:
        super().__init__(str(status))
        self.status = status
        self.location = location


class _Next(Exception):
    """This server failed: the next one is asked, if the kind of failure is one for which that is done."""

    def __init__(self, kind: str, status: int, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status


class Upstreams:
    """The upstreams of a configuration, resolved."""

    def __init__(self, context: ProgramContext, log: Log) -> None:
        self.context = context
        self.host = context.host
        self.log = log
        self.groups: dict[str, Group] = {}
        self.resolvers: dict[Directive, Resolver] = {}

    async def prepare(self, config: Config) -> None:
        """Resolve all names that the configuration has. Raises Emerg."""
        for name, (servers, by_client) in config.upstreams.items():
            self.groups[name] = await group(self.host, name, servers, by_client=by_client)
        for location in (each for site in config.sites for each in _all(site.own)):
            at, timeout = location.resolver
            if at is not None and at not in self.resolvers:
                self.resolvers[at] = await _resolver(self.context, at, timeout)
            handing = location.handing
            if handing is not None and handing.server is not None and handing.group not in self.groups:
                self.groups[handing.group] = await group(self.host, handing.group, (handing.server,))

    async def hand_on(self, call: Call, location: Location, handing: Handing) -> Response:
        """Answer a request with what an upstream answers to it. Raises Failed."""
        peers, scheme, uri = await self._where(call, location, handing)
        method = call.text(handing.method) if handing.method else call.request.method
        tried: list[Peer] = []
        tries = min(handing.tries or peers.tries(), peers.tries())
        while True:
            now = self.host.kernel.now()
            peer = peers.next(tried, call.request.peer[0], now)
            if peer is None:
                self.log.failed(call, "no live upstreams while connecting to upstream", f"{scheme}{peers.name}{uri}")
                raise Failed(502)
            tried.append(peer)
            call.values["upstream_addr"] = ", ".join(each.address for each in tried)
            try:
                response = await self._ask(call, handing, peer, method, uri)
            except _Next as failure:
                call.values["upstream_status"] = str(failure.status)
                peers.done(peer, failed=True, now=now)
                self.log.failed(call, str(failure), f"{scheme}{peer.address}{uri}")
                idempotent = method not in {"POST", "PATCH", "LOCK"} or "connect" in failure.kind
                again = failure.kind.split()[0] in handing.next
                if len(tried) < tries and again and (idempotent or "non_idempotent" in handing.next):
                    continue
                raise Failed(failure.status) from None
            kind = f"http_{response.status}"
            peers.done(peer, failed=kind in handing.next and response.status >= 500, now=now)
            if kind in handing.next and len(tried) < tries:
                continue
            call.values["upstream_status"] = str(response.status)
            took = f"{self.host.kernel.now() - now:.3f}"
            call.values |= {"upstream_response_time": took, "upstream_header_time": took,
                            "upstream_response_length": str(len(response.body))}  # fmt: skip
            return self._back(call, handing, response)

    async def _where(self, call: Call, location: Location, handing: Handing) -> tuple[Group, str, str]:
        """The peers, the scheme and the URI to ask for."""
        scheme = "https://" if handing.secure else "http://"
        if not handing.url.names:
            call.values |= {"proxy_host": handing.host, "proxy_port": handing.group.rpartition(":")[2]}
            return self.groups[handing.group], scheme, _uri(call, handing)
        url = call.text(handing.url)
        if not url.lower().startswith(("http://", "https://")):
            self.log.failed(call, f'invalid URL prefix in "{url}"')
            raise Failed(500)
        head, _, rest = url.partition("://")
        scheme = f"{head.lower()}://"
        where, slash, path = rest.partition("/")
        try:
            host, port, _ = place(where, handing.at, 443 if scheme == "https://" else 80)
        except Emerg as error:
            self.log.failed(call, str(error).partition(" in /")[0])
            raise Failed(500) from None
        call.values |= {"proxy_host": where, "proxy_port": str(port)}
        uri = f"{slash}{path}" or _unparsed(call)
        if (peers := self.groups.get(host) or self.groups.get(f"{host}:{port}")) is not None:
            return peers, scheme, uri
        at = location.resolver[0]
        resolver = self.resolvers.get(at) if at is not None else Resolver(self.host, ())
        if resolver is None or (not resolver.servers and not host.replace(".", "").isdigit()):
            self.log.failed(call, f"no resolver defined to resolve {host}")
            raise Failed(502)
        try:
            found = await resolver.look_up(host)
        except ResolveError as error:
            self.log.failed(call, str(error))
            raise Failed(502) from None
        server = Server(host, port, handing.at, host)
        return Group(host, [Peer(ip, port, server) for ip in found]), scheme, uri

    async def _ask(self, call: Call, handing: Handing, peer: Peer, method: str, uri: str) -> Response:
        """Ask one server. Raises _Next."""
        try:
            stream = await with_timeout(handing.connect, self.host.connect(peer.ip, peer.port))
        except TimeoutError_:
            text = "upstream timed out (110: Operation timed out) while connecting to upstream"
            raise _Next("timeout connect", 504, text) from None
        except NetworkError as error:
            reason = "111: Connection refused" if isinstance(error, ConnectionRefused_) else "113: Host is unreachable"
            text = f"connect() failed ({reason}) while connecting to upstream"
            raise _Next("error connect", 502, text) from None
        if handing.secure:
            stream.reset()
            text = "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)"
            raise _Next("error", 502, f"{text} while SSL handshaking to upstream")
        body = call.text(handing.body).encode() if handing.body else call.request.body if handing.pass_body else b""
        headers = self._headers(call, handing, body)
        waiting = "while reading response header from upstream"
        try:
            return await with_timeout(handing.read, http.exchange(stream, method, uri, headers, body))
        except TimeoutError_:
            raise _Next("timeout", 504, f"upstream timed out (110: Operation timed out) {waiting}") from None
        except ConnectionReset_:
            raise _Next("error", 502, f"recv() failed (104: Connection reset by peer) {waiting}") from None
        except BadReply as error:
            text = "upstream prematurely closed connection" if error.empty else "upstream sent invalid header"
            raise _Next("error" if error.empty else "invalid_header", 502, f"{text} {waiting}") from None
        except h11.LocalProtocolError as error:
            raise _Next("error", 502, f"the request cannot be written ({error}) {waiting}") from None
        finally:
            stream.close()

    def _headers(self, call: Call, handing: Handing, body: bytes) -> http.Headers:
        length = str(len(body)) if body or call.request.header("content-length") else ""
        call.values["proxy_internal_body_length"] = length
        sent = [(key, value) for key, text in handing.headers if (value := call.text(text))]
        names = {key.lower() for key, _ in handing.headers}
        if handing.pass_headers:
            sent += [(key, value) for key, value in call.request.headers if key.lower() not in names]
        if not any(key.lower() == "host" for key, _ in sent):
            sent.append(("Host", ""))  # HTTP/1.0 without Host: what is sent here is HTTP/1.1
        return sent

    def _back(self, call: Call, handing: Handing, response: Response) -> Response:
        """The answer as the client gets it: without what is hidden, and with Location of this side."""
        headers: http.Headers = []
        for key, value in response.headers:
            if key.lower() in handing.hide:
                continue
            if key.lower() == "location":
                for prefix, to in handing.redirects:
                    if value.startswith(prefix):
                        value = call.text(to) + value.removeprefix(prefix)
                        break
            headers.append((key, value))
        return Response(response.status, response.body, headers, response.reason)


def _all(location: Location) -> list[Location]:
    return [location, *(each for inner in location.inner for each in _all(inner))]


async def _resolver(context: ProgramContext, at: Directive, timeout: float) -> Resolver:
    from grader.embedded.core.programs.servers.nginx.proxy_config import seconds

    servers: list[str] = []
    valid: float | None = None
    for word in at.args:
        name, equals, value = word.partition("=")
        if name == "valid" and equals:
            if (valid := seconds(value)) is None:
                raise at.emerg(f"invalid parameter: {word}")
        elif equals and name in {"ipv6", "ipv4", "status_zone"}:
            continue
        else:
            try:
                servers += await resolve(context.host, word.partition(":")[0])
            except (NameNotFound, NameserverTimeout):
                raise at.emerg(f'host not found in resolver "{word}"') from None
    if not servers:
        raise at.emerg("no name servers defined")
    return Resolver(context.host, tuple(servers), valid, timeout)


def _unparsed(call: Call) -> str:
    """The URI as it came, or as it is after a rewrite."""
    if not call.rewritten:
        return call.request.target
    return quote(call.uri, safe=_SAFE) + (f"?{call.args}" if call.args else "")


def _uri(call: Call, handing: Handing) -> str:
    """The URI to ask for: that of the proxy_pass replaces the location's name."""
    if not handing.uri or call.rewritten:
        return _unparsed(call)
    rest = quote(call.uri[len(handing.location) :], safe=_SAFE)
    return f"{handing.uri}{rest}" + (f"?{call.args}" if call.args else "")
