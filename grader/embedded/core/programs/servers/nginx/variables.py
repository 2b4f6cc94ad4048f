"""What nginx' variables stand for while a request is answered.

Rules: src/http/ngx_http_variables.c and ngx_http_script.c of nginx 1.26.3.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers.nginx.rewrite import If
from grader.embedded.core.programs.servers.nginx.sites import Location, Site
from grader.embedded.core.programs.servers.nginx.text import Map, Text


@dataclass
class Call:
    """One request on its way through nginx.

    Attributes:
        context: the program's surroundings.
        request: as it came.
        port: the server's port that it came to.
        number: of the connection, for the logs.
        site: the server that answers.
        uri: decoded and normal; internal redirects and rewrites change it.
        args: what follows the question mark.
        values: variables that the configuration set, and $proxy_host and the like.
        captures: of the last regular expression that matched.
        maps: variables that `map` defines.
        location: where it is answered, as far as that is known.
        rewritten: whether a rewrite or an internal redirect changed the URI.
        started: when it came, in seconds of the clock.
        response: what was answered, once it is.
    """

    context: ProgramContext
    request: Request
    port: int
    number: int
    site: Site
    uri: str
    args: str
    maps: dict[str, Map]
    location: Location
    values: dict[str, str] = field(default_factory=dict)
    captures: tuple[str, ...] = ()
    rewritten: bool = False
    started: float = 0.0
    response: Response | None = None

    def text(self, text: Text) -> str:
        """Fill in a text's variables."""
        pieces = text.pieces
        if len(pieces) == 1:
            return pieces[0]
        return "".join(self.value(piece) if odd & 1 else piece for odd, piece in enumerate(pieces))

    def value(self, name: str) -> str:
        """What a variable stands for; "" for what is not there."""
        if name.isdigit():
            return self.captures[int(name)] if int(name) < len(self.captures) else ""
        if name in self.values:
            return self.values[name]
        if name in self.maps:
            return self._mapped(self.maps[name])
        if name.startswith("http_"):
            return ", ".join(self._headers(name[5:]))
        if name.startswith(("sent_http_", "upstream_http_")):
            return self.response.header(name.partition("http_")[2].replace("_", "-")) if self.response else ""
        if name.startswith("arg_"):
            found = (word.partition("=") for word in self.args.split("&"))
            return next((value for key, _, value in found if key.lower() == name[4:]), "")
        if name.startswith("cookie_"):
            found = (word.strip().partition("=") for word in self.request.header("cookie").split(";"))
            return next((value for key, _, value in found if key == name[7:]), "")
        return self._builtin(name)

    def holds(self, condition: If) -> bool:
        """Whether the condition of an `if` is true."""
        value = self.text(condition.left)
        if condition.pattern is not None:
            match = condition.pattern.search(value)
            if match is not None:
                self.captures = (match[0], *(group or "" for group in match.groups()))
            return (match is not None) != condition.operator.startswith("!")
        if condition.operator:
            return (value == condition.right) == (condition.operator == "=")
        return value not in {"", "0"}

    def _mapped(self, table: Map) -> str:
        wanted = self.text(table.source)
        found = table.exact.get(wanted.lower())
        if found is None:
            found = next((value for pattern, value in table.patterns if pattern.search(wanted)), table.default)
        return self.text(found)

    def _headers(self, name: str) -> list[str]:
        wanted = name.replace("_", "-")
        return [value for key, value in self.request.headers if key.lower() == wanted]

    @property
    def host(self) -> str:
        """The name that was asked for, without port, or the server's first name."""
        return re.sub(r":\d*$", "", self.request.header("host")).lower() or self.site.name

    def _builtin(self, name: str) -> str:
        request, host = self.request, self.context.host
        now = host.kernel.now()
        size = len(self.response.body) if self.response and request.method != "HEAD" else 0
        match name:
            case "host":
                return self.host
            case "uri" | "document_uri":
                return self.uri
            case "args" | "query_string":
                return self.args
            case "is_args":
                return "?" if self.args else ""
            case "request_uri":
                return request.target
            case "remote_addr":
                return request.peer[0]
            case "remote_port":
                return str(request.peer[1])
            case "proxy_add_x_forwarded_for":
                return ", ".join([*self._headers("x_forwarded_for"), request.peer[0]])
            case "scheme":
                return "http"
            case "server_protocol":
                return "HTTP/1.1"
            case "request":
                return f"{request.method} {request.target} HTTP/1.1"
            case "request_method":
                return request.method
            case "request_body":
                return request.body.decode(errors="replace")
            case "content_length" | "content_type":
                return request.header(name.replace("_", "-"))
            case "server_name":
                return self.site.name
            case "server_addr":
                return host.ip
            case "server_port":
                return str(self.port)
            case "hostname":
                return host.hostname
            case "nginx_version":
                return self.context.image.version
            case "document_root":
                return self.text(self.location.root)
            case "request_filename":
                return f"{self.text(self.location.root)}{self.uri}"
            case "status":
                return str(self.response.status) if self.response else "000"
            case "body_bytes_sent" | "bytes_sent":
                return str(size)
            case "time_local":
                return _local(int(now))
            case "time_iso8601":
                return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S+00:00}"
            case "msec":
                return f"{now:.3f}"
            case "request_time":
                return f"{now - self.started:.3f}"
            case "request_length":
                return str(len(request.body) + len(request.target) + 20)
            case "request_id":
                return hashlib.sha256(f"{self.number} {self.started}".encode()).hexdigest()[:32]
            case "connection":
                return str(self.number)
            case "connection_requests":
                return "1"
            case "pid":
                return "29"
            case _:
                return ""


@lru_cache(64)
def _local(now: int) -> str:
    return f"{datetime.fromtimestamp(now, UTC):%d/%b/%Y:%H:%M:%S +0000}"
