"""The nginx image: its entrypoint script, and a server of static files configured by `conf.d/*.conf`.

Understood are listen, root, return and location. Texts follow nginx 1.29 and the official image's
docker-entrypoint.sh. A configuration's proxy_pass is not served.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grader.embedded.core.programs import http, webserver
from grader.embedded.core.programs.files import children, read_file
from grader.embedded.core.programs.http import Request, Response
from grader.embedded.core.programs.image_files import NGINX_ROOT, NGINX_SITES
from grader.embedded.core.programs.process import Context
from grader.embedded.core.programs.small import execute

ENTRYPOINT_LINES = (
    "/docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    "Looking for shell scripts in /docker-entrypoint.d/",
    "Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
    "Launching /docker-entrypoint.d/15-local-resolvers.envsh",
    "Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
    "Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
    "Configuration complete; ready for start up",
)


@dataclass(frozen=True)
class Site:
    """One `server` block.

    Attributes:
        ports: what it listens on.
        root: its document root.
        locations: path prefix → (status, body) of a `return`, or another root.
    """

    ports: tuple[int, ...] = (80,)
    root: str = NGINX_ROOT
    locations: dict[str, tuple[int, str] | str] = field(default_factory=dict)


def sites(text: str) -> list[Site]:
    """Read the `server` blocks of a configuration, as far as they are understood."""
    found: list[Site] = []
    text = re.sub(r"#[^\n]*", "", text)
    for block in _blocks(text, r"server\s*"):
        locations: dict[str, tuple[int, str] | str] = {}
        outer = block
        for match in re.finditer(r"location\s+(=|\^~)?\s*(\S+)\s*\{([^{}]*)\}", block):
            outer = outer.replace(match[0], "")
            if answer := _return(match[3]):
                locations[match[2]] = answer
            elif root := re.search(r"\broot\s+([^;]+);", match[3]):
                locations[match[2]] = root[1].strip()
        if answer := _return(outer):
            locations["/"] = answer
        ports = {int(port) for port in re.findall(r"listen\s+(?:[^\s;]*:)?(\d+)[^;]*;", outer)} or {80}
        root = re.search(r"\broot\s+([^;]+);", outer)
        found.append(Site(tuple(sorted(ports)), root[1].strip() if root else NGINX_ROOT, locations))
    return found


def _return(text: str) -> tuple[int, str] | None:
    match = re.search(r"""\breturn\s+(\d{3})(?:\s+("[^"]*"|'[^']*'|[^;\s]+))?\s*;""", text)
    if match is None:
        return None
    body = (match[2] or "").strip("\"'").replace("\\n", "\n")
    return int(match[1]), body


def _blocks(text: str, head: str) -> list[str]:
    found: list[str] = []
    for match in re.finditer(rf"\b{head}\{{", text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        found.append(text[match.end() : at - 1])
    return found


async def main(context: Context) -> int:
    """Run the entrypoint script, or `nginx [-g …] [-v] [-t] [-s signal]`."""
    if context.name == "docker-entrypoint.sh":
        args = context.args or ["nginx", "-g", "daemon off;"]
        if args[0] in {"nginx", "nginx-debug"}:
            context.print(*(f"/docker-entrypoint.sh: {line}" for line in ENTRYPOINT_LINES))
        return await execute(context, args)
    if "-v" in context.args or "-V" in context.args:
        context.error(f"nginx version: nginx/{context.image.version}")
        return 0
    if "-t" in context.args:
        context.error(
            "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok",
            "nginx: configuration file /etc/nginx/nginx.conf test is successful",
        )
        return 0
    if "-s" in context.args:
        return 0
    return await Nginx(context).run()


class Nginx:
    """The running server."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._sites = self._configured()

    def _configured(self) -> list[Site]:
        names = [name for name in children(self.context, NGINX_SITES) if name.endswith(".conf")]
        if "/etc/nginx/nginx.conf" in self.context.host.files:
            main_text = self.context.host.files["/etc/nginx/nginx.conf"].decode(errors="replace")
            if found := sites(main_text):
                return found
        texts = (read_file(self.context, f"{NGINX_SITES}/{name}") or b"" for name in names)
        return [site for text in texts for site in sites(text.decode(errors="replace"))]

    async def run(self) -> int:
        """Serve until a signal comes."""
        version = f"nginx/{self.context.image.version}"
        self._notice('using the "epoll" event method', version, "start worker processes")
        ports = sorted({port for site in self._sites for port in site.ports})
        return await webserver.serve(self.context, ports, self.respond, self._in_use)

    def _notice(self, *texts: str) -> None:
        now = datetime.fromtimestamp(self.context.host.kernel.now(), UTC)
        self.context.error(*(f"{now:%Y/%m/%d %H:%M:%S} [notice] 1#1: {text}" for text in texts))

    def _in_use(self, port: int) -> str:
        now = datetime.fromtimestamp(self.context.host.kernel.now(), UTC)
        text = f"bind() to 0.0.0.0:{port} failed (98: Address already in use)"
        return f"{now:%Y/%m/%d %H:%M:%S} [emerg] 1#1: {text}\nnginx: [emerg] {text}"

    async def respond(self, request: Request) -> Response:
        """Answer one request and log it."""
        response = self._answer(request)
        webserver.log_request(self.context, request, response, combined=True)
        if response.status == 404:
            self._log_missing(request)
        return response

    def _log_missing(self, request: Request) -> None:
        now = datetime.fromtimestamp(self.context.host.kernel.now(), UTC)
        path = f"{self._sites[0].root}{request.path}"
        self.context.error(
            f'{now:%Y/%m/%d %H:%M:%S} [error] 29#29: *1 open() "{path}" failed (2: No such file or directory), '
            f'client: {request.peer[0]}, server: localhost, request: "{request.method} {request.target} HTTP/1.1", '
            f'host: "{request.header("host")}"'
        )

    def _answer(self, request: Request) -> Response:
        site, place = self._sites[0], "/"
        for prefix in site.locations:
            if request.path.startswith(prefix) and len(prefix) >= len(place):
                place = prefix
        rule = site.locations.get(place, site.root)
        if isinstance(rule, tuple):
            return self._returned(*rule)
        if request.method not in {"GET", "HEAD"}:
            return self._error(405)
        content, path = webserver.find_file(self.context, rule, request.path)
        if content is None:
            if webserver.is_directory(self.context, rule, request.path):
                if request.path.endswith("/"):
                    return self._error(403)
                location = f"http://{request.header('host')}{request.path}/"
                return self._error(301, [("Location", location)])
            return self._error(404)
        modified = int(self.context.host.kernel.now()) // 86400 * 86400
        extra = [
            ("Last-Modified", http.date(modified)),
            ("Connection", "keep-alive"),
            ("ETag", f'"{modified:x}-{len(content):x}"'),
            ("Accept-Ranges", "bytes"),
        ]
        return Response(200, content, [*self._headers(webserver.content_type(path), len(content)), *extra])

    def _returned(self, status: int, body: str) -> Response:
        if status in {301, 302, 303, 307, 308}:
            return self._error(status, [("Location", body)])
        if not body and status >= 300:
            return self._error(status)
        content = body.encode()
        headers = self._headers("application/octet-stream", len(content))
        return Response(status, content, [*headers, ("Connection", "keep-alive")])

    def _headers(self, type: str, size: int) -> http.Headers:
        return [
            ("Server", f"nginx/{self.context.image.version}"),
            ("Date", http.date(self.context.host.kernel.now())),
            ("Content-Type", type),
            ("Content-Length", str(size)),
        ]

    def _error(self, status: int, extra: http.Headers | None = None) -> Response:
        phrase = f"{status} {_PHRASES.get(status) or http.REASONS.get(status, '')}"
        body = (
            f"<html>\r\n<head><title>{phrase}</title></head>\r\n<body>\r\n<center><h1>{phrase}</h1></center>\r\n"
            f"<hr><center>nginx/{self.context.image.version}</center>\r\n</body>\r\n</html>\r\n"
        ).encode()
        headers = [*self._headers("text/html", len(body)), ("Connection", "keep-alive"), *(extra or [])]
        return Response(status, body, headers, "Not Allowed" if status == 405 else "")


_PHRASES = {405: "Not Allowed", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
