"""How nginx answers a request: which server, which location, what is rewritten, what answers in the end.

Rules: src/http/ngx_http_core_module.c (the phases, ngx_http_core_find_location), ngx_http_request.c
(ngx_http_find_virtual_server), ngx_http_special_response.c (error_page) of nginx 1.26.3.
"""

from __future__ import annotations

import re
from dataclasses import replace

from grader.embedded.core.kernel import ConnectionReset_
from grader.embedded.core.programs.net.http import Response
from grader.embedded.core.programs.servers.nginx.log import Log
from grader.embedded.core.programs.servers.nginx.proxy import Failed, Upstreams
from grader.embedded.core.programs.servers.nginx.rewrite import Break, If, Return, Rewrite, Rule, Set
from grader.embedded.core.programs.servers.nginx.sites import Config, Location, Site
from grader.embedded.core.programs.servers.nginx.static import (
    absolute,
    error,
    found_by_try_files,
    headers,
    serve,
    typed,
)
from grader.embedded.core.programs.servers.nginx.variables import Call

_CYCLES = 10  # ngx_http_request.h NGX_HTTP_MAX_URI_CHANGES
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ONLY_CLOSED = 444  # ngx_http_request.h NGX_HTTP_CLOSE: the connection is closed without an answer


class Returned(Exception):
    """The rewrite module answers.

    Attributes:
        response: with what.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status))
        self.response = response


def find_site(config: Config, port: int, host: str) -> Site:
    """The server for a Host header: an exact name, a wildcard, an expression, the default one of the port."""
    here = [site for site in config.sites if port in site.ports]
    if len(here) > 1:
        name = re.sub(r":\d*$", "", host).lower().rstrip(".")
        for fits in (_same, _ends, _begins, _matches):
            for site in here:
                if any(fits(each, name) for each in site.names):
                    return site
    return next((site for site in here if site.ports[port]), here[0])


def _same(pattern: str, name: str) -> bool:
    return pattern == name or (pattern.startswith(".") and pattern[1:] == name)


def _ends(pattern: str, name: str) -> bool:
    return pattern.startswith(("*.", ".")) and name.endswith(pattern.lstrip("*"))


def _begins(pattern: str, name: str) -> bool:
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


def _matches(pattern: str, name: str) -> bool:
    return pattern.startswith("~") and re.search(pattern[1:].replace("(?<", "(?P<"), name) is not None


class Phases:
    """Answers requests by a configuration."""

    def __init__(self, config: Config, upstreams: Upstreams, log: Log) -> None:
        self.config = config
        self.upstreams = upstreams
        self.log = log

    async def answer(self, call: Call, site: Site) -> Response:
        """The answer to a request; `call.location` is where it came from."""
        try:
            self._steps(call, site.own.steps)
            return await self._located(call, site)
        except Returned as done:
            return done.response
        except Failed as failed:
            return await self._error_page(call, site, failed)

    async def _error_page(self, call: Call, site: Site, failed: Failed) -> Response:
        page = call.location.error_pages.get(failed.status)
        if page is None:
            return error(call, call.location, failed)
        to = call.text(page.to)
        if not to.startswith(("/", "@")):
            status = int(page.status) if page.status.isdigit() and int(page.status) in _REDIRECTS else 302
            return error(call, call.location, Failed(status, to))
        call.request = replace(call.request, method="HEAD" if call.request.method == "HEAD" else "GET")
        call.rewritten = True
        try:
            if to.startswith("@"):
                response = await self._located(call, site, named=to[1:])
            else:
                call.uri, _, call.args = to.partition("?")
                response = await self._located(call, site)
        except Returned as done:
            response = done.response
        except Failed as second:
            return error(call, call.location, second)
        if page.status == "=":
            return response
        return replace(response, status=int(page.status or failed.status), reason="")

    async def _located(self, call: Call, site: Site, named: str = "") -> Response:
        """Find the location, and again while it sends the request elsewhere. Raises Failed, Returned."""
        for _ in range(_CYCLES + 1):
            call.location = self._named(call, site, named) if named else find(call, site.own)
            named = ""
            location = call.location
            if location.internal and not call.rewritten:
                raise Failed(404)
            if self._steps(call, location.steps) == "last":
                continue
            if location.max_body and len(call.request.body) > location.max_body:
                self.log.failed(call, f"client intended to send too large body: {len(call.request.body)} bytes")
                raise Failed(413)
            if location.try_files:
                named, again = self._try_files(call, location)
                if again:
                    continue
            return await self._content(call, location)
        self.log.failed(call, "rewrite or internal redirection cycle while processing the request")
        raise Failed(500)

    def _named(self, call: Call, site: Site, name: str) -> Location:
        for location in site.own.inner:
            if (location.modifier, location.name) == ("@", name):
                return location
        self.log.failed(call, f'could not find named location "@{name}"')
        raise Failed(500)

    async def _content(self, call: Call, location: Location) -> Response:
        handing = location.handing
        if handing is None:
            return serve(call, location, self.log)
        response = await self.upstreams.hand_on(call, location, handing)
        if handing.intercept and response.status in location.error_pages:
            raise Failed(response.status)
        kinds = {key.lower(): value for key, value in response.headers}
        first = headers(call.context, location, kinds.get("content-type", ""), len(response.body))
        kept = [(key, value) for key, value in first if value and (key != "Content-Type" or "content-type" in kinds)]
        if response.status in {204, 304}:
            kept = [each for each in kept if each[0] != "Content-Length"]
        rest = [(key, absolute(call, location, value) if key.lower() == "location" else value)
                for key, value in response.headers if key.lower() != "content-type"]  # fmt: skip
        return replace(response, headers=[*kept, ("Connection", "keep-alive"), *rest])

    def _try_files(self, call: Call, location: Location) -> tuple[str, bool]:
        """Look for files in turn; returns a named location and whether to look for a location again."""
        *candidates, last = location.try_files
        for each in candidates:
            candidate = call.text(each)
            if found_by_try_files(call, location, candidate):
                call.uri = candidate
                return "", False
        to = call.text(last)
        if to.startswith("="):
            raise Failed(int(to[1:]) if to[1:].isdigit() else 500)
        call.rewritten = True
        if to.startswith("@"):
            return to[1:], True
        call.uri, mark, args = to.partition("?")
        call.args = args if mark else ""
        return "", True

    # --- the rewrite module

    def _steps(self, call: Call, steps: tuple[Rule, ...]) -> str:
        """Run a block's directives; "last" where a location is to be looked for again. Raises Returned, Failed."""
        changed = False
        for step in steps:
            match step:
                case Set():
                    call.values[step.name] = call.text(step.value)
                case Break():
                    return "break"
                case Return():
                    self._return(call, step)
                case If():
                    if call.holds(step) and (inner := self._steps(call, step.steps)):
                        return inner
                case Rewrite():
                    if (match := step.pattern.search(call.uri)) is None:
                        continue
                    _keep(call, match)
                    _rewrite(call, step)
                    changed = True
                    if step.flag in {"last", "break"}:
                        return step.flag
        return "last" if changed else ""

    def _return(self, call: Call, step: Return) -> None:
        status = step.status
        if status == _ONLY_CLOSED:
            raise ConnectionReset_
        if step.text is None and status >= 300:
            raise Failed(status)
        text = call.text(step.text) if step.text is not None else ""
        if status in _REDIRECTS:
            raise Failed(status, text)
        body = text.encode()
        kind = typed(call.location, call.uri)
        found = headers(call.context, call.location, kind, len(body))
        raise Returned(Response(status, body, [*found, ("Connection", "keep-alive")]))


def _keep(call: Call, match: re.Match[str]) -> None:
    call.captures = (match[0], *(group or "" for group in match.groups()))
    call.values |= {name: value or "" for name, value in match.groupdict().items()}


def _rewrite(call: Call, step: Rewrite) -> None:
    to = call.text(step.to)
    keeps = not to.endswith("?")
    to, _, args = to.removesuffix("?").partition("?")
    if keeps:
        args = "&".join(filter(None, (args, call.args)))
    if step.flag in {"redirect", "permanent"}:
        raise Failed(302 if step.flag == "redirect" else 301, to + (f"?{args}" if args else ""))
    call.uri, call.args, call.rewritten = to, args, True


def find(call: Call, around: Location) -> Location:
    """The location of a URI within a server. Raises Failed for the redirect to a location's own slash."""
    return _find(call, around)[0] or around


def _find(call: Call, around: Location) -> tuple[Location | None, bool]:
    """The location among those inside of another, and whether it is final: exact, or by an expression."""
    uri = call.uri
    best: Location | None = None
    slash: Location | None = None
    for location in around.inner:
        if location.modifier == "=":
            if location.name == uri:
                return location, True
        elif location.modifier in {"", "^~"}:
            if uri.startswith(location.name):
                if best is None or len(location.name) > len(best.name):
                    best = location
            elif location.handing is not None and location.name == f"{uri}/":
                slash = location
    if slash is not None and (best is None or best.name != uri):
        raise Failed(301, f"{slash.name}{f'?{call.args}' if call.args else ''}")
    found = best
    if best is not None and best.inner:
        nested, final = _find(call, best)
        if final:
            return nested, True
        found = nested or best
    if best is None or best.modifier != "^~":
        for location in around.inner:
            if location.pattern is not None and (match := location.pattern.search(uri)) is not None:
                _keep(call, match)
                nested, _ = _find(call, location)
                return nested or location, True
    return found, False
