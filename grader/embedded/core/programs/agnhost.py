"""The agnhost image: `netexec`, `serve-hostname`, `connect`, `pause`.

Behaviour and texts: k8s.io/kubernetes/test/images/agnhost v1.36.3 (netexec/netexec.go, serve-hostname, connect, pause).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from grader.embedded.core.kernel import Event, Stream, TimeoutError_, sleep, with_timeout
from grader.embedded.core.programs import http
from grader.embedded.core.programs.golang import (
    Flags,
    GoError,
    dial,
    duration,
    get,
    klog_line,
    lookup,
    port_number,
    resolve_address,
    show_duration,
    to_go_map,
    to_json,
)
from grader.embedded.core.programs.host import Address, AddressInUse, NetworkError
from grader.embedded.core.programs.http import Request, Response
from grader.embedded.core.programs.process import SIGINT, SIGTERM, Context

TEXT = ("Content-Type", "text/plain; charset=utf-8")
HTTP_TIMEOUT = UDP_TIMEOUT = 5.0
SIGNALS = {1: "hangup", 2: "interrupt", 3: "quit", 6: "aborted", 9: "killed", 13: "broken pipe", 15: "terminated"}


async def main(context: Context) -> int:
    """Run a subcommand."""
    commands: dict[str, Callable[[Context, list[str]], Awaitable[int]]] = {
        "netexec": netexec,
        "serve-hostname": serve_hostname,
        "connect": connect,
        "pause": pause,
        "test-webserver": test_webserver,
    }
    args = context.args
    if args[:1] == ["--version"]:
        context.print(f"app version {context.image.version}")
        return 0
    if not args or args[0] not in commands:
        name = args[0] if args else ""
        context.error(f'Error: unknown command "{name}" for "app"', "Run 'app --help' for usage.")
        return 1
    try:
        return await commands[args[0]](context, args[1:])
    except GoError as error:
        context.error(f"Error: {error}")
        return 1


async def pause(context: Context, args: list[str]) -> int:
    """Do nothing until a signal comes."""
    done = Event()
    codes: list[int] = []

    def stop(text: str, code: int) -> None:
        context.print(f'exiting because of signal "{text}"')
        codes.append(code)
        done.set()

    context.print("Paused")
    context.process.on_signal(SIGINT, lambda: stop("interrupt", 1))
    context.process.on_signal(SIGTERM, lambda: stop("terminated", 2))
    context.print("Signals registered")
    await done.wait()
    return codes[0]


async def serve_hostname(context: Context, args: list[str]) -> int:
    """Answer every request with the hostname, by HTTP, raw TCP or UDP."""
    flags = Flags({"tcp": False, "udp": False, "http": True, "close": False, "port": 9376}).parse(args)
    port, host, process = flags.number("port"), context.host, context.process
    name = host.hostname.encode()
    raw = flags.on("tcp") or flags.on("udp")
    if flags.on("http") and raw:
        _log(context, "Can't server TCP/UDP mode and HTTP mode at the same time")
        return 1

    async def respond(request: Request) -> Response:
        _log(context, f"HTTP request from {_join(request.peer)}")
        return _text(context, name.decode(), headers=[("Connection", "close")] if flags.on("close") else [])

    async def give(stream: Stream, peer: Address) -> None:
        _log(context, f"TCP request from {_join(peer)}")
        stream.send(name)
        stream.close()

    def answer(data: bytes, peer: Address) -> bytes:
        _log(context, f"UDP request from {_join(peer)}")
        return name

    if flags.on("tcp"):
        process.serve(host, port, give)
    if flags.on("udp"):
        process.at_exit(host.listen_udp(port, answer))
    if flags.on("http"):
        process.serve(host, port, http.server(process, respond))
    _log(context, f"Serving on port {port}.")
    stopped = Event()
    process.on_signal(SIGTERM, stopped.set)
    await stopped.wait()
    _log(context, "Shutting down after receiving signal: terminated.", "Awaiting pod deletion.")
    await sleep(60)
    return 0


async def test_webserver(context: Context, args: list[str]) -> int:
    """Serve the container's files on port 80."""
    host, process = context.host, context.process

    async def respond(request: Request) -> Response:
        content = host.files.get(request.path)
        if content is None:
            return _text(context, "404 page not found\n", 404)
        return Response(200, content, [TEXT, ("Date", http.date(host.kernel.now()))])

    process.serve(host, 80, http.server(process, respond))
    await Event().wait()
    return 0


async def connect(context: Context, args: list[str]) -> int:
    """Try one connection and say REFUSED, TIMEOUT, DNS, OTHER or UNKNOWN."""
    flags = Flags({"timeout": 0.0, "protocol": "tcp", "udp-data": "hostname", "sctp-data": "hostname"}).parse(args)
    if len(flags.args) != 1:
        raise GoError(f"accepts 1 arg(s), received {len(flags.args)}")
    destination = flags.args[0]
    name, colon, port = destination.rpartition(":")
    if not colon:
        raise context.fail(1, f"UNKNOWN: address {destination}: missing port in address")
    protocol, timeout = flags.text("protocol"), flags.seconds("timeout") or None
    try:
        number = port_number(port, protocol)
        ip = await lookup(context.host, name)
    except GoError as error:
        raise context.fail(1, f"DNS: {error}") from None
    if protocol == "udp":
        return await _connect_udp(context, ip, number, timeout, flags.text("udp-data"))
    if protocol not in {"", "tcp"}:
        context.err(f"Unsupported protocol\n{protocol}".encode())
        return 1
    try:
        (await dial(context.host, ip, number, timeout)).close()
    except GoError as error:
        verdict = "TIMEOUT" if error.timeout else "REFUSED" if error.refused else f"OTHER: {error}"
        raise context.fail(1, verdict) from None
    return 0


async def _connect_udp(context: Context, ip: str, port: int, timeout: float | None, data: str) -> int:
    where = f"read udp {context.host.ip}:40000->{ip}:{port}"
    try:
        await with_timeout(timeout, context.host.udp(ip, port, f"{data}\n".encode()))
    except TimeoutError_:
        raise context.fail(1, f"TIMEOUT: {where}: i/o timeout") from None
    except NetworkError as error:
        raise context.fail(1, f"REFUSED: {where}: read: {error}") from None
    return 0



class Netexec:
    """The `netexec` server.

    Args:
        context: the program's surroundings.
        flags: its flags.
    """

    def __init__(self, context: Context, flags: Flags) -> None:
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
        _log(self.context, text)

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
            process.serve(self.host, self.port, http.server(process, self.respond))
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
        return _text(self.context, body, status)

    def _error(self, body: str, status: int) -> Response:
        return _text(self.context, f"{body}\n", status, [("X-Content-Type-Options", "nosniff")])

    async def _root(self, request: Request) -> Response:
        self.log("GET /")
        from datetime import UTC, datetime

        now = self.host.kernel.now()
        return self._text(f"NOW: {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S.%f}000 +0000 UTC m=+1.0")

    async def _client_ip(self, request: Request) -> Response:
        self.log("GET /clientip")
        return self._text(_join(request.peer))

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
        from grader.embedded.core.programs.images import run

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
            self.log(f"Echoing {text[5:]} to UDP client {_join(peer)}")
            return text[5:].encode()
        if text == "clientip":
            self.log(f"Sending clientip back to UDP client {_join(peer)}")
            return _join(peer).encode()
        if text == "serverport":
            self.log(f"Sending server port to UDP client {self.udp_port}")
            return str(self.udp_port).encode()
        if text:
            self.log(f"Unknown UDP command received from {_join(peer)}: {text}")
        return None


async def netexec(context: Context, args: list[str]) -> int:
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


def _text(context: Context, body: str, status: int = 200, headers: http.Headers | None = None) -> Response:
    """Answer as net/http does for plain text: it sniffs the type, and adds the date."""
    data = body.encode()
    own: http.Headers = [("Date", http.date(context.host.kernel.now())), ("Content-Length", str(len(data)))]
    return Response(status, data, [*(headers or []), *own, *([TEXT] if data else [])])


def _log(context: Context, *texts: str) -> None:
    now = context.host.kernel.now()
    context.error(*(klog_line(now, text) for text in texts))


def _join(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


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
