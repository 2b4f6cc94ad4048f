"""Texts with `$name` in them, as an nginx configuration writes them, and which names there are.

Rules: src/http/ngx_http_variables.c and ngx_http_script.c of nginx 1.26.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.embedded.core.programs.servers.nginx.conf import Emerg

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


def require_known(names: set[str], own: set[str]) -> None:
    """Raise Emerg for the first variable that there is not, as nginx does once all is read."""
    for name in sorted(names):
        if name not in KNOWN and name not in own and not name.isdigit() and not name.startswith(_PREFIXES):
            raise Emerg(f'unknown "{name}" variable')
