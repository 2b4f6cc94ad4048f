"""agnhost's `netexec`: an HTTP and UDP server with the endpoints that probes use.

Behaviour and texts: k8s.io/kubernetes/test/images/agnhost/netexec/netexec.go v1.36.3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from grader.embedded.core.kernel import Address, Event, TimeoutError_, sleep, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import AddressInUse, NetworkError
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers.goflags import Flags
from grader.embedded.core.programs.servers.golang import (
    GoError,
    duration,
    get,
    join,
    log,
    plain,
    resolve_address,
    show_duration,
    to_go_map,
    to_json,
)
from grader.embedded.core.programs.signals import SIGTERM

HTTP_TIMEOUT = UDP_TIMEOUT = 5.0
SIGNALS = {1: "hangup", 2: "interrupt", 3: "quit", 6: "aborted", 9: "killed", 13: "broken pipe", 15: "terminated"}


class Netexec:
    """The `netexec` server.

    Args:
        context: the program's surroundings.
        flags: its flags.
    """

    def __init__(self, context: ProgramContext, flags: Flags) -> None:
        self.context = context
        self.host = context.host
        self.port = flags.number("http-port")
        self.udp_port = flags.number("udp-port")
        self.delay = flags.number("delay-shutdown")
        self.ready = False
        self.terminating = False
        self.override = flags.text("http-override")
        self._ephemeral = 40000
        self._routes: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/clientip": self._client_ip,
            "/serverport": self._server_port,
            "/header": self._header,
            "/dial": self._dial,
            "/echo": self._echo,
            "/exit": self._exit,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/hostname": self._hostname,
            "/redirect": self._redirect,
            "/shell": self._shell,
            "/upload": self._upload,
            "/hostName": self._hostname,
            "/shutdown": self._shutdown,
        }

    def log(self, text: str) -> None:
        """Write a log line."""
        log(self.context, text)

    async def run(self) -> int:
        """Serve until a signal or a request ends it."""
        process = self.context.process
        process.on_signal(SIGTERM, lambda: self.host.kernel.spawn(self._terminate(), "netexec shutdown"))
        try:
            if self.udp_port != -1:
                process.at_exit(self.host.listen_udp(self.udp_port, self._datagram))
                self.log(f"Started UDP server on port  {self.udp_port}")
                self.ready = True
            self.log(f"Started HTTP server on port {self.port}")
            process.serve(self.host.listen, self.port, http.server(process, self.respond))
        except AddressInUse as error:
            self.log(f"listen tcp :{self.port}: bind: {error}")
            return 1
        await Event().wait()
        return 0

    async def respond(self, request: Request) -> Response:
        """Answer one request."""
        if self.override:
            request = Request("GET", self.override, [], b"", request.peer)
        return await self._routes.get(request.path, self._root)(request)

    async def _terminate(self) -> None:
        self.terminating = True
        if self.delay > 0:
            self.log(f"Sleeping {self.delay} seconds before terminating...")
            await sleep(self.delay)
        self.context.process.exit(0)

    def _text(self, body: str, status: int = 200) -> Response:
        return plain(self.context, body, status)

    def _error(self, body: str, status: int) -> Response:
        return plain(self.context, f"{body}\n", status, [("X-Content-Type-Options", "nosniff")])

    async def _root(self, request: Request) -> Response:
        self.log("GET /")
        now = self.host.kernel.now()
        return self._text(f"NOW: {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S.%f}000 +0000 UTC m=+1.0")

    async def _client_ip(self, request: Request) -> Response:
        self.log("GET /clientip")
        return self._text(join(request.peer))

    async def _server_port(self, request: Request) -> Response:
        self.log("GET /serverport")
        return self._text(str(self.port))

    async def _header(self, request: Request) -> Response:
        key = request.query.get("key", "")
        if key:
            self.log(f"GET /header?key={key}")
            return self._text("" if key.lower() == "host" else request.header(key))
        self.log("GET /header")
        found: dict[str, list[str]] = {}
        for name, value in request.headers:
            if name.lower() != "host":
                found.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value)
        return self._text(to_json(found))

    async def _echo(self, request: Request) -> Response:
        message, code = _form(request, "msg"), _form(request, "code")
        self.log(f"GET /echo?msg={message}&code={code}")
        if not code:
            return self._text(message)
        if not code.lstrip("-").isdigit():
            return self._text(f"argument 'code' must be an integer or empty, got {to_json(code)}\n")
        return self._text(message, int(code))

    async def _exit(self, request: Request) -> Response:
        wait, timeout, code = (_form(request, name) for name in ("wait", "timeout", "code"))
        self.log(f"GET /exit?code={code}&timeout={timeout}&wait={wait}")
        for name, value in (("timeout", timeout), ("wait", wait)):
            if value and not _is_duration(value):
                problem = f"argument '{name}' must be a valid golang duration or empty, got {to_json(value)}\n"
                return self._text(problem)
        if code and not code.isdigit():
            return self._text(f"argument 'code' must be an integer [0-127] or empty, got {to_json(code)}\n")
        shown = [show_duration(duration(value or "0")) for value in (wait, timeout)]
        how = f"allowing {shown[1]} for connections to close, then will exit with {code or 0}"
        self.log(f"Will begin shutdown in {shown[0]}, {how}")
        await sleep(duration(wait or "0"))
        self.context.process.exit(int(code or 0))
        return self._text("")

    async def _healthz(self, request: Request) -> Response:
        self.log("GET /healthz")
        return self._text("", 200 if self.ready else 412)

    async def _readyz(self, request: Request) -> Response:
        self.log("GET /readyz")
        if self.terminating:
            return self._text("shutting down", 503)
        return self._text("ok") if self.ready else self._text("", 412)

    async def _hostname(self, request: Request) -> Response:
        self.log(f"GET {request.path}")
        return self._text(self.host.hostname)

    async def _shutdown(self, request: Request) -> Response:
        self.log("GET /shutdown")
        self.context.process.exit(0)
        return self._text("")

    async def _redirect(self, request: Request) -> Response:
        location, code = _form(request, "location"), _form(request, "code")
        self.log(f"{request.method} /redirect?msg={location}&code={code}")
        if code and not code.isdigit():
            return self._text(f"argument 'code' must be an integer or empty, got {to_json(code)}\n")
        status = int(code or 302)
        body = f'<a href="{location}">{http.REASONS.get(status, "")}</a>.\n\n' if request.method == "GET" else ""
        when = http.date(self.host.kernel.now())
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Location", location), ("Date", when)]
        return Response(status, body.encode(), headers)

    async def _upload(self, request: Request) -> Response:
        self.log("GET /upload")
        self.log("Unable to upload file: request Content-Type isn't multipart/form-data")
        return self._text(to_json({"error": "Unable to upload file."}))

    async def _shell(self, request: Request) -> Response:
        command = _form(request, "shellCommand") or _form(request, "cmd")
        self.log(f"GET /shell?cmd={command}")
        code, signal, text = await self._capture(["/bin/sh", "-c", command])
        output: dict[str, str] = {}
        if text:
            output["output"] = text
        if signal is not None:
            output["error"] = f"signal: {SIGNALS.get(signal, signal)}"
        elif code:
            output["error"] = f"exit status {code}"
        self.log(f"Output: {to_go_map(output)}")
        return self._text(to_json(output))

    async def _capture(self, argv: list[str]) -> tuple[int, int | None, str]:
        """Run a command and return its exit code, the signal that ended it, and both its outputs."""
        from grader.embedded.core.programs.images.running import run

        process = run(self.host, self.context.image, argv, env=self.context.env)
        self.context.process.at_exit(process.kill_now)
        chunks: list[bytes] = []
        process.on_output(lambda fd, data: chunks.append(data))
        try:
            code = await process.wait()
        finally:
            self.context.process.forget(process.kill_now)
        return code, process.signal, b"".join(chunks).decode(errors="replace")

    async def _dial(self, request: Request) -> Response:
        names = ("host", "port", "request", "protocol", "tries")
        host, port, what, protocol, tries = (request.query.get(name, "") for name in names)
        self.log(f"GET /dial?host={host}&protocol={protocol}&port={port}&request={what}&tries={tries}")
        if tries and not tries.lstrip("+-").isdigit():
            problem = f'strconv.Atoi: parsing "{tries}": invalid syntax'
            return self._error(f"tries parameter is invalid. {problem}", 400)
        if not what:
            return self._error("request parameter not specified. <nil>", 400)
        if protocol.lower() not in {"", "http", "udp"}:
            return self._error(f"unsupported protocol. {protocol}", 400)
        network = "udp" if protocol.lower() == "udp" else "tcp"
        try:
            ip, number = await resolve_address(self.host, host, port, network)
        except GoError as error:
            return self._error(f"host and/or port param are invalid. {error}", 400)
        responses: list[str] = []
        errors: list[str] = []
        last = ""
        for _ in range(int(tries or 1)):
            try:
                last = await (self._dial_udp if network == "udp" else self._dial_http)(what, ip, number)
                responses.append(last)
            except GoError as error:
                last = ""
                errors.append(str(error))
        output: dict[str, list[str]] = {}
        if last:
            output["responses"] = responses
        if errors:
            output["errors"] = errors
        return self._text(to_json(output))

    async def _dial_http(self, what: str, ip: str, port: int) -> str:
        response = await get(self.host, ip, port, what, HTTP_TIMEOUT)
        return response.body.decode(errors="replace")

    async def _dial_udp(self, what: str, ip: str, port: int) -> str:
        self._ephemeral = 40000 + (self._ephemeral - 39999) % 20000
        where = f"read udp {self.host.ip}:{self._ephemeral}->{ip}:{port}"
        try:
            answer = await with_timeout(UDP_TIMEOUT, self.host.udp(ip or "127.0.0.1", port, what.encode()))
        except TimeoutError_:
            raise GoError(f"reading from udp connection failed. err:'{where}: i/o timeout'") from None
        except NetworkError as error:
            raise GoError(f"reading from udp connection failed. err:'{where}: read: {error}'") from None
        if not answer:
            raise GoError("reading from udp connection failed. err:'<nil>'")
        return answer.decode(errors="replace")

    def _datagram(self, data: bytes, peer: Address) -> bytes | None:
        text = data.decode(errors="replace").strip().lower()
        if text == "hostname":
            self.log("Sending udp hostName response")
            return self.host.hostname.encode()
        if text.startswith("echo "):
            self.log(f"Echoing {text[5:]} to UDP client {join(peer)}")
            return text[5:].encode()
        if text == "clientip":
            self.log(f"Sending clientip back to UDP client {join(peer)}")
            return join(peer).encode()
        if text == "serverport":
            self.log(f"Sending server port to UDP client {self.udp_port}")
            return str(self.udp_port).encode()
        if text:
            self.log(f"Unknown UDP command received from {join(peer)}: {text}")
        return None


async def netexec(context: ProgramContext, args: list[str]) -> int:
    """Serve HTTP and UDP with the endpoints that e2e tests and our probes use."""
    flags = Flags(
        {
            "http-port": 8080,
            "udp-port": 8081,
            "sctp-port": -1,
            "tls-cert-file": "",
            "tls-private-key-file": "",
            "http-override": "",
            "udp-listen-addresses": "",
            "delay-shutdown": 0,
        }
    ).parse(args)
    return await Netexec(context, flags).run()


def _form(request: Request, name: str) -> str:
    """A form value: of the body first, then of the query, as http.Request.FormValue."""
    if request.header("content-type").startswith("application/x-www-form-urlencoded"):
        from urllib.parse import parse_qs

        if found := parse_qs(request.body.decode(errors="replace"), keep_blank_values=True).get(name):
            return found[0]
    return request.query.get(name, "")


def _is_duration(text: str) -> bool:
    try:
        duration(text)
    except ValueError:
        return False
    return True
