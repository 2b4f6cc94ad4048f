"""What an nginx configuration says, ready to answer with: servers, locations, upstreams."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.embedded.core.programs.servers.nginx.conf import Directive
from grader.embedded.core.programs.servers.nginx.proxy_config import Handing
from grader.embedded.core.programs.servers.nginx.rewrite import Rule
from grader.embedded.core.programs.servers.nginx.text import Map, Text
from grader.embedded.core.programs.servers.nginx.upstream import Server


@dataclass(frozen=True)
class ErrorPage:
    """An `error_page`: where to, and with which status ("" for the same one; "=" for that of what answers)."""

    to: Text
    status: str = ""


@dataclass(frozen=True)
class Location:
    """A `location` block, or a server outside of its locations.

    Attributes:
        modifier: `=`, `^~`, `~`, `~*`, `@`, or "".
        name: the prefix or the expression, the name after `@`.
        pattern: the expression.
        root: the document root; `alias` says what replaces the location's name.
        index: names of a folder's own page.
        steps: what the rewrite module does, in order.
        try_files: what to look for in turn.
        handing: how a request is handed on to an upstream.
        types: ending → media type.
        default_type: the media type of everything else.
        headers: what add_header adds: name, value, whether always.
        error_pages: status → page.
        logs: access logs: path and name of a format.
        max_body: how long a request may be in bytes; 0: any.
        internal: whether only internal redirects come here.
        absolute: whether redirects name the host.
        tokens: whether errors name the version.
        resolver: addresses or names of name servers, and the directive.
        inner: nested locations.
    """

    modifier: str
    name: str
    pattern: re.Pattern[str] | None
    root: Text
    alias: Text | None
    index: tuple[Text, ...]
    steps: tuple[Rule, ...]
    try_files: tuple[Text, ...]
    handing: Handing | None
    types: dict[str, str]
    default_type: str
    headers: tuple[tuple[str, Text, bool], ...]
    error_pages: dict[int, ErrorPage]
    logs: tuple[tuple[str, str], ...]
    max_body: int
    internal: bool
    absolute: bool
    tokens: bool
    resolver: tuple[Directive | None, float]
    inner: tuple[Location, ...]


@dataclass(frozen=True)
class Site:
    """A `server` block.

    Attributes:
        ports: port → whether it is the default server there.
        names: of server_name.
        own: the block outside of its locations, which are `own.inner`.
    """

    ports: dict[int, bool]
    names: tuple[str, ...]
    own: Location

    @property
    def name(self) -> str:
        """The first name, "" without any."""
        return self.names[0].removeprefix("~") if self.names else ""


@dataclass(frozen=True)
class Config:
    """A whole configuration.

    Attributes:
        sites: the servers.
        upstreams: name → servers, and whether ip_hash chooses.
        maps: variable → map.
        formats: access log formats.
        daemon: whether nginx goes into the background.
        notes: what is written to the error log about it: level and text.
    """

    sites: tuple[Site, ...]
    upstreams: dict[str, tuple[tuple[Server, ...], bool]]
    maps: dict[str, Map]
    formats: dict[str, Text]
    daemon: bool
    notes: tuple[tuple[str, str], ...]
