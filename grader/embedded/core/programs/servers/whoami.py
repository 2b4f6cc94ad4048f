"""traefik/whoami: who answers, and what the request looked like.

Source: app.go of traefik/whoami v1.11: `/`, `/api`, `/bench`, `/data`, `/health`; its web socket (`/echo`), its upload
and TLS are not emulated. In other images `whoami` tells the user.
"""

from __future__ import annotations

import json

from grader.embedded.core.kernel import sleep
from grader.embedded.core.programs import small
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers import webserver
from grader.embedded.core.programs.servers.goflags import Flags
from grader.embedded.core.programs.servers.golang import TEXT, GoError, duration, join, log_line, plain

_UNITS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
_LARGEST = 1 << 24
_LETTERS = "-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


async def main(context: ProgramContext) -> int:
    """Run `whoami [-port 80] [-name text] [-verbose]`."""
    if context.image.name != "whoami":
        return await small.id_(context)
    words = [f"-{word}" if word.startswith("-") and not word.startswith("--") else word for word in context.args]
    port, name = context.env.get("WHOAMI_PORT_NUMBER") or "80", context.env.get("WHOAMI_NAME", "")
    try:
        flags = Flags({"port": port, "name": name, "verbose": False, "cert": "", "key": "", "cacert": ""}).parse(words)
    except GoError as error:
        text = str(error).replace("unknown flag: -", "flag provided but not defined: ")
        raise context.fail(2, text, f"Usage of {context.argv[0]}:") from None
    if flags.text("cert") and flags.text("key"):
        raise context.fail(1, "whoami: the embedded cluster has no TLS")
    server = Whoami(context, flags)
    server.log(f"Starting up on port {flags.text('port')}")
    return await webserver.serve(
        context, [int(flags.text("port"))], server.respond,
        lambda number: log_line(context.host.kernel.now(), f"listen tcp :{number}: bind: address already in use"),
    )  # fmt: skip


class Whoami:
    """The server.

    Attributes:
        health: what `/health` answers with.
    """

    def __init__(self, context: ProgramContext, flags: Flags) -> None:
        self.context = context
        self.name = flags.text("name")
        self.verbose = flags.on("verbose")
        self.health = 200

    def log(self, text: str) -> None:
        """Write a log line, as Go's log package does."""
        self.context.error(log_line(self.context.host.kernel.now(), text))

    async def respond(self, request: Request) -> Response:
        """Answer one request."""
        response = await self._answer(request)
        if self.verbose:
            self.log(f'{join(request.peer)} - - "{request.method} {request.path} HTTP/1.1" - -')
        return response

    async def _answer(self, request: Request) -> Response:
        if request.path == "/bench":
            return plain(self.context, "1", headers=[("Connection", "keep-alive")])
        if request.path == "/health":
            return self._health(request)
        if request.path == "/data":
            return self._data(request)
        if request.path == "/api":
            return self._api(request)
        if request.path in {"/echo", "/upload"}:
            return plain(self.context, f"whoami: the embedded cluster has no {request.path}\n", 501)
        return await self._whoami(request)

    def _health(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(self.health, b"", [("Date", http.date(self.context.host.kernel.now()))])
        text = request.body.decode(errors="replace").strip()
        if not text.isdigit():
            return plain(self.context, f"invalid character {text[:1]!r} looking for beginning of value\n", 400)
        self.health = int(text)
        self.context.print(f"Update health check status code [{text}]")
        return plain(self.context, "")

    def _data(self, request: Request) -> Response:
        size = request.query.get("size", "")
        count = int(size) if size.isdigit() else 1
        count *= _UNITS.get(request.query.get("unit", "").lower(), 1)
        if count > _LARGEST:
            return plain(self.context, f"whoami: the embedded cluster has no more than {_LARGEST} bytes\n", 501)
        text = "|" + (_LETTERS * (count // len(_LETTERS) + 1))[: max(count - 2, 0)] + "|"
        return plain(self.context, text[:count])

    def _addresses(self) -> list[str]:
        return ["127.0.0.1", "::1", self.context.host.ip]

    def _environment(self, request: Request) -> list[str]:
        if request.query.get("env") not in _TRUE:
            return []
        return [f"{name}={value}" for name, value in self.context.env.items()]

    async def _whoami(self, request: Request) -> Response:
        if wait := request.query.get("wait"):
            try:
                await sleep(duration(wait))
            except ValueError:
                pass
        lines = [f"Name: {self.name}"] if self.name else []
        lines += [f"Hostname: {self.context.host.hostname}", *(f"IP: {ip}" for ip in self._addresses())]
        lines.append(f"RemoteAddr: {join(request.peer)}")
        first = ("host", "user-agent", "content-length")
        rest = sorted(f"{_canonical(key)}: {value}" for key, value in request.headers if key.lower() not in first)
        head = [f"{request.method} {request.target} HTTP/1.1", f"Host: {request.header('host')}"]
        head += [f"{_canonical(key)}: {request.header(key)}" for key in first[1:] if request.header(key)]
        wire = "".join(f"{line}\r\n" for line in [*head, *rest, ""]) + request.body.decode(errors="replace")
        environment = "".join(f"{line}\n" for line in self._environment(request))
        return plain(self.context, "".join(f"{line}\n" for line in lines) + wire + environment)

    def _api(self, request: Request) -> Response:
        headers: dict[str, list[str]] = {}
        for key, value in request.headers:
            if key.lower() != "host":
                headers.setdefault(_canonical(key), []).append(value)
        found: dict[str, object] = {
            "hostname": self.context.host.hostname, "ip": self._addresses(), "headers": dict(sorted(headers.items())),
            "url": request.target, "host": request.header("host"), "method": request.method, "name": self.name,
            "remoteAddr": join(request.peer),
            "environ": dict(sorted(line.split("=", 1) for line in self._environment(request))),
        }  # fmt: skip
        body = json.dumps({key: value for key, value in found.items() if value}, separators=(",", ":"))
        fields = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "*")]
        response = plain(self.context, f"{body}\n", headers=fields)
        kept = [field for field in response.headers if field != TEXT]
        return Response(200, response.body, [*kept, ("Content-Type", "application/json")])


def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
