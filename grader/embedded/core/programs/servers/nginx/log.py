"""What nginx writes: its error log on standard error, its access logs where the configuration says.

Texts: src/core/ngx_log.c, src/http/ngx_http_request.c (ngx_http_log_error_handler) of nginx 1.26.3.
"""

from __future__ import annotations

from datetime import UTC, datetime

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.servers.nginx.sites import Config, Location
from grader.embedded.core.programs.servers.nginx.text import Text
from grader.embedded.core.programs.servers.nginx.variables import Call

_COMBINED = Text.of(
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
_STDOUT = frozenset({"/var/log/nginx/access.log", "/dev/stdout"})
_STDERR = frozenset({"/var/log/nginx/error.log", "/dev/stderr"})


class Log:
    """The logs of one nginx."""

    def __init__(self, context: ProgramContext) -> None:
        self.context = context
        self.pid = context.process.pid

    def say(self, level: str, *texts: str) -> None:
        """Write lines of the master process."""
        now = datetime.fromtimestamp(self.context.host.kernel.now(), UTC)
        self.context.error(*(f"{now:%Y/%m/%d %H:%M:%S} [{level}] {self.pid}#{self.pid}: {text}" for text in texts))

    def emerg(self, text: str) -> None:
        """Write why nginx does not start: to the log, and to standard error once more."""
        self.say("emerg", text)
        self.context.error(f"nginx: [emerg] {text}")

    def failed(self, call: Call, text: str, upstream: str = "", level: str = "error") -> None:
        """Write what went wrong with a request."""
        now = datetime.fromtimestamp(self.context.host.kernel.now(), UTC)
        request = call.request
        said = [text, f"client: {request.peer[0]}", f"server: {call.site.name}",
                f'request: "{request.method} {request.target} HTTP/1.1"']  # fmt: skip
        said += [f'upstream: "{upstream}"'] if upstream else []
        said += [f'host: "{request.header("host")}"']
        self.context.error(f"{now:%Y/%m/%d %H:%M:%S} [{level}] 29#29: *{call.number} {', '.join(said)}")

    def access(self, call: Call, location: Location, config: Config) -> None:
        """Write the access logs of the location that answered."""
        for path, name in location.logs:
            form = config.formats.get(name, _COMBINED)
            pieces = form.pieces
            line = "".join((call.value(piece) or "-") if odd & 1 else piece for odd, piece in enumerate(pieces))
            if path in _STDOUT:
                self.context.print(line)
            elif path in _STDERR:
                self.context.error(line)
            else:
                files = self.context.host.files
                files[path] = files.get(path, b"") + f"{line}\n".encode()
