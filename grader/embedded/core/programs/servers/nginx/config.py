"""Reads an nginx configuration: a tree of directives → a Config.

Rules: the `set` and `merge` functions of src/http (ngx_http_core_module.c, ngx_http_upstream.c,
modules/ngx_http_rewrite_module.c, ngx_http_proxy_module.c) of nginx 1.26.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.embedded.core.programs.servers import webserver
from grader.embedded.core.programs.servers.nginx.conf import Directive, Emerg
from grader.embedded.core.programs.servers.nginx.directives import HARMLESS, OBEYED
from grader.embedded.core.programs.servers.nginx.proxy_config import handing, seconds
from grader.embedded.core.programs.servers.nginx.rewrite import RULE_NAMES, regex, rules
from grader.embedded.core.programs.servers.nginx.scope import Reading, Scope
from grader.embedded.core.programs.servers.nginx.sites import Config, ErrorPage, Location, Site
from grader.embedded.core.programs.servers.nginx.text import Map, Text, require_known
from grader.embedded.core.programs.servers.nginx.upstream import Server, place

DEFAULT_ROOT = "/etc/nginx/html"
_SIZE = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LISTEN = re.compile(
    r"default_server|default|bind|deferred|reuseport|http2|(setfib|backlog|rcvbuf|sndbuf|accept_filter|fastopen)=.+"
    r"|ipv6only=(on|off)|so_keepalive=.+"
)
_LISTEN_IGNORED = ("ssl", "quic", "proxy_protocol")


class Compiler(Reading):
    """Makes a Config of a tree; `build` does it all."""

    def build(self, tree: tuple[Directive, ...]) -> Config:
        """Read the tree. Raises Emerg."""
        main = Scope(tree)
        if "events" not in main.own:
            raise Emerg('no "events" section in configuration')
        self._note_ignored(tree)
        http = Scope(tuple(each for block in main.own.get("http", []) for each in block.block or ()), main)
        upstreams: dict[str, tuple[tuple[Server, ...], bool]] = {}
        for block in http.own.get("upstream", []):
            name = block.args[0].lower()
            if name in upstreams:
                raise block.emerg(f'duplicate upstream "{block.args[0]}"')
            upstreams[name] = self._upstream(block)
        maps = {block.args[1].lstrip("$"): self._map(block) for block in http.own.get("map", [])}
        for name in ("geo", "split_clients"):
            self.own |= {block.args[-1].lstrip("$") for block in http.own.get(name, [])}
        self.own |= set(maps)
        formats = {at.args[0]: self.text("".join(word for word in at.args[1:] if not word.startswith("escape=")))
                   for at in http.own.get("log_format", [])}  # fmt: skip
        sites = tuple(self._site(block, http, upstreams) for block in http.own.get("server", []))
        require_known(self.names, self.own)
        self._note_conflicts(sites)
        return Config(sites, upstreams, maps, formats, main.on("daemon", default=True), tuple(self.notes))

    def _note_ignored(self, tree: tuple[Directive, ...]) -> None:
        for each in tree:
            if each.name in HARMLESS or each.name == "upstream":
                continue
            if each.name not in OBEYED and each.name != "error_log":
                self.ignored(each)
            elif each.block and each.name not in {"map", "types"}:
                self._note_ignored(each.block)

    def _note_conflicts(self, sites: tuple[Site, ...]) -> None:
        seen: set[tuple[int, str]] = set()
        for site in sites:
            for key in [(port, name) for port in site.ports for name in site.names or ("",)]:
                if key in seen:
                    self.notes.append(("warn", f'conflicting server name "{key[1]}" on 0.0.0.0:{key[0]}, ignored'))
                seen.add(key)

    def _upstream(self, block: Directive) -> tuple[tuple[Server, ...], bool]:
        servers: list[Server] = []
        for at in block.block or ():
            if at.name == "server":
                servers.append(self._server(at))
            elif at.name not in HARMLESS | {"ip_hash"}:
                self.ignored(at)
        if not servers:
            raise block.emerg("no servers are inside upstream")
        if all(server.backup for server in servers):
            raise block.emerg(f'no servers in upstream "{block.args[0]}"')
        return tuple(servers), any(at.name == "ip_hash" for at in block.block or ())

    def _server(self, at: Directive) -> Server:
        host, port, _ = place(at.args[0], at)
        server = {"weight": 1, "max_fails": 1, "max_conns": 0}
        timeout, flags = 10.0, set[str]()
        for word in at.args[1:]:
            name, equals, value = word.partition("=")
            if equals and name in server and value.isdigit() and not (name == "weight" and int(value) == 0):
                server[name] = int(value)
            elif name == "fail_timeout" and (length := seconds(value)) is not None:
                timeout = length
            elif word in {"backup", "down"}:
                flags.add(word)
            elif word == "resolve" or name in {"service", "route", "slow_start"}:
                self.ignored(at, f'"{word}" parameter')
            else:
                raise at.emerg(f'invalid parameter "{word}"')
        if server["max_conns"]:
            self.ignored(at, '"max_conns" parameter')
        return Server(host, port, at, at.args[0], server["weight"], server["max_fails"], timeout,
                      "backup" in flags, "down" in flags)  # fmt: skip

    def _map(self, block: Directive) -> Map:
        exact: dict[str, Text] = {}
        patterns: list[tuple[re.Pattern[str], Text]] = []
        default = Text(("",))
        for at in block.block or ():
            if at.name in {"hostnames", "volatile", "include"}:
                if at.name != "volatile":
                    self.ignored(at, f'"{at.name}" parameter of "map"')
                continue
            if len(at.args) != 1:
                raise at.emerg("invalid number of the map parameters")
            value = self.text(at.args[0])
            if at.name == "default":
                default = value
            elif at.name.startswith("~"):
                patterns.append((regex(at, at.name.lstrip("~*"), ignore_case=at.name.startswith("~*")), value))
            else:
                exact[at.name.removeprefix("\\").lower()] = value
        return Map(self.text(block.args[0]), exact, tuple(patterns), default)

    def _site(self, block: Directive, http: Scope, upstreams: dict[str, tuple[tuple[Server, ...], bool]]) -> Site:
        scope = Scope(block.block or (), http)
        ports: dict[int, bool] = {}
        bound: set[str] = set()
        for at in scope.own.get("listen", []):
            for address, port, default in self._listen(at):
                if address in bound:
                    raise at.emerg(f"a duplicate listen {address}")
                bound.add(address)
                ports[port] = ports.get(port, False) or default
        names = tuple(name.lower() for at in scope.own.get("server_name", []) for name in at.args)
        return Site(ports or {80: False}, names, self._location(block, scope, set(upstreams)))

    def _listen(self, at: Directive) -> Iterator[tuple[str, int, bool]]:
        for word in at.args[1:]:
            if word in _LISTEN_IGNORED:
                self.ignored(at, f'"{word}" parameter of "listen"')
            elif not _LISTEN.fullmatch(word):
                raise at.emerg(f'invalid parameter "{word}"')
        where = at.args[0]
        if where.startswith("unix:"):
            self.ignored(at, f'"{where}" of "listen"')
            return
        match = re.fullmatch(r"(?:(\[[0-9a-fA-F:.]*\]|\*|[^:]*):)?(\d+)", where)
        address, port = (match[1] or "0.0.0.0", match[2]) if match else (where, "80")
        if not 0 < int(port) < 65536:
            raise at.emerg(f'invalid port in "{where}" of the "listen" directive')
        if not re.fullmatch(r"\[.*\]|\*|localhost|[\d.]+", address):
            raise at.emerg(f'host not found in "{where}" of the "listen" directive')
        if address not in {"0.0.0.0", "*", "[::]"}:
            self.ignored(at, f'address of "listen {where}" (it listens on all of them)')
        address = "0.0.0.0" if address == "*" else address
        yield f"{address}:{port}", int(port), bool({"default_server", "default"} & set(at.args[1:]))

    def _location(self, block: Directive, scope: Scope, upstreams: set[str]) -> Location:
        modifier, name = _named(block)
        pattern = regex(block, name, ignore_case=modifier == "~*") if modifier in {"~", "~*"} else None
        if pattern is not None:
            self.own |= set(pattern.groupindex)
        inner: list[Location] = []
        for each in scope.own.get("location", []):
            made = self._location(each, Scope(each.block or (), scope), upstreams)
            if any((made.modifier, made.name) == (held.modifier, held.name) for held in inner):
                raise each.emerg(f'duplicate location "{made.name}"')
            inner.append(made)
        types: dict[str, str] = {}
        for at in scope.all("types"):
            types |= {ending: each.name for each in at.block or () for ending in each.args}
        pages: dict[int, ErrorPage] = {}
        for at in scope.all("error_page"):
            pages |= self._error_page(at)
        tries = scope.own.get("try_files", [])
        alias = scope.own.get("alias", [])
        steps = tuple(rules(self, [at for at in block.block or () if at.name in RULE_NAMES]))
        return Location(
            modifier=modifier,
            name=name,
            pattern=pattern,
            root=self.text(scope.word("root", DEFAULT_ROOT)),
            alias=self.text(alias[0].args[0]) if alias else None,
            index=tuple(self.text(word) for at in scope.all("index") for word in at.args) or (Text(("index.html",)),),
            steps=steps,
            try_files=tuple(self.text(word) for word in tries[0].args) if tries else (),
            handing=handing(self, scope, modifier, name, upstreams),
            types=types or webserver.TYPES,
            default_type=scope.word("default_type", "text/plain"),
            headers=tuple((at.args[0], self.text(at.args[1]), len(at.args) > 2) for at in scope.all("add_header")),
            error_pages=pages,
            logs=tuple(_logs(scope)),
            max_body=_size(scope),
            internal="internal" in scope.own,
            absolute=scope.on("absolute_redirect", default=True),
            tokens=scope.on("server_tokens", default=True),
            resolver=(scope.last("resolver"), seconds(scope.word("resolver_timeout", "30s")) or 30.0),
            inner=tuple(inner),
        )

    def _error_page(self, at: Directive) -> dict[int, ErrorPage]:
        codes, status = list(at.args[:-1]), ""
        if codes and codes[-1].startswith("="):
            status = codes.pop()[1:] or "="
        for code in codes:
            if not re.fullmatch(r"[3-5]\d\d", code):
                raise at.emerg(f'invalid value "{code}"' if not code.isdigit() else
                               f'value "{code}" must be between 300 and 599')  # fmt: skip
        return {int(code): ErrorPage(self.text(at.args[-1]), status) for code in codes}


def _named(block: Directive) -> tuple[str, str]:
    """A location's modifier and name; a server has none."""
    if block.name != "location":
        return "", ""
    if len(block.args) == 2:
        if block.args[0] not in {"=", "^~", "~", "~*"}:
            raise block.emerg(f'invalid location modifier "{block.args[0]}"')
        return block.args[0], block.args[1]
    word = block.args[0]
    for modifier in ("^~", "~*", "~", "=", "@"):
        if word.startswith(modifier):
            return modifier, word.removeprefix(modifier)
    return "", word


def _logs(scope: Scope) -> Iterator[tuple[str, str]]:
    found = scope.all("access_log")
    if not found:
        yield "/var/log/nginx/access.log", "combined"
    for at in found:
        if at.args[0] != "off":
            named = at.args[1] if len(at.args) > 1 and "=" not in at.args[1] else "combined"
            defined = [each.args[0] for each in scope.all("log_format")]
            if named != "combined" and named not in defined:
                raise at.emerg(f'unknown log format "{named}"')
            yield at.args[0], named


def _size(scope: Scope) -> int:
    at = scope.last("client_max_body_size")
    if at is None:
        return 1 << 20
    match = re.fullmatch(r"(\d+)([kmg]?)", at.args[0].lower())
    if match is None:
        raise at.emerg('"client_max_body_size" directive invalid value')
    return int(match[1]) * _SIZE[match[2]]
