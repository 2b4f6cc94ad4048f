"""nginx' variables: texts with `$name` in them, and what the names stand for while a request is answered.

Rules: src/http/ngx_http_variables.c and ngx_http_script.c of nginx 1.26.3.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers.nginx.conf import Emerg

if TYPE_CHECKING:
    from grader.embedded.core.programs.process import Context
    from grader.embedded.core.programs.servers.nginx.config import Location, Site

_NAME = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_PREFIXES = ("http_", "sent_http_", "upstream_http_", "arg_", "cookie_")
KNOWN = frozenset(
    """args body_bytes_sent bytes_sent connection connection_requests content_length content_type document_root
    document_uri host hostname https is_args msec nginx_version pid proxy_add_x_forwarded_for proxy_host proxy_port
    query_string remote_addr remote_port remote_user request request_body request_filename request_id request_length
    request_method request_time request_uri scheme server_addr server_name server_port server_protocol status
    time_iso8601 time_local upstream_addr upstream_connect_time upstream_header_time upstream_response_length
    upstream_response_time upstream_status uri""".split()
)


@dataclass(frozen=True)
class Text:
    """A text with variables.

    Attributes:
        pieces: literal texts at even places, names of variables at odd ones.
    """

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Text:
        """Read a text."""
        pieces: list[str] = []
        at = 0
        for match in _NAME.finditer(text):
            pieces += [text[at : match.start()], match[1] or match[2]]
            at = match.end()
        return cls((*pieces, text[at:]))

    @property
    def names(self) -> tuple[str, ...]:
        """The variables in it."""
        return self.pieces[1::2]


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

    context: Context
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
            return self.maps[name].look_up(self)
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


@dataclass(frozen=True)
class Map:
    """A `map` block (src/http/modules/ngx_http_map_module.c).

    Attributes:
        source: what is looked up.
        exact: lower-case text → value.
        patterns: regular expressions in order, and their values.
        default: the value of everything else.
    """

    source: Text
    exact: dict[str, Text]
    patterns: tuple[tuple[re.Pattern[str], Text], ...] = ()
    default: Text = Text(("",))

    def look_up(self, call: Call) -> str:
        """The value for a request."""
        wanted = call.text(self.source)
        found = self.exact.get(wanted.lower())
        if found is None:
            found = next((value for pattern, value in self.patterns if pattern.search(wanted)), self.default)
        return call.text(found)


def require_known(names: set[str], own: set[str]) -> None:
    """Raise Emerg for the first variable that there is not, as nginx does once all is read."""
    for name in sorted(names):
        if name not in KNOWN and name not in own and not name.isdigit() and not name.startswith(_PREFIXES):
            raise Emerg(f'unknown "{name}" variable')
