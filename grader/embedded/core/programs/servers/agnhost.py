"""The agnhost image: `netexec`, `serve-hostname`, `porter`, `connect`, `pause` and smaller ones.

Behaviour and texts: k8s.io/kubernetes/test/images/agnhost v1.36.3 (agnhost.go, serve-hostname, connect, pause, dns,
test-webserver, entrypoint-tester).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from grader.embedded.core.kernel import Address, Event, Stream, TimeoutError_, sleep, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import read_file
from grader.embedded.core.programs.host import NetworkError
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers.agnhost_porter import porter
from grader.embedded.core.programs.servers.goflags import Flags
from grader.embedded.core.programs.servers.golang import GoError, dial, join, log, lookup, plain, port_number, sniffed
from grader.embedded.core.programs.servers.netexec import netexec
from grader.embedded.core.programs.signals import SIGINT, SIGTERM

_OTHERS = frozenset(
    "audit-proxy crd-conversion-webhook fake-gitserver fake-registry-server guestbook inclusterclient liveness"
    " logs-generator mounttest net nettest no-snat-test no-snat-test-proxy port-forward-tester"
    " resource-consumer-controller tcp-reset webhook test-service-account-issuer-discovery grpc-health-checking stress"
    " podcertificatesigner mtlsclient mtlsserver nonewprivs external-metrics".split()
)
"""Subcommands that the real image has (agnhost.go main)."""
_ALLOWED = "DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,Cache-Control,Content-Type"
_WEBSERVER_HEADERS = (
    ("Cache-Control", "private"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", _ALLOWED),
)


async def main(context: ProgramContext) -> int:
    """Run a subcommand."""
    commands: dict[str, Callable[[ProgramContext, list[str]], Awaitable[int]]] = {
        "netexec": netexec,
        "serve-hostname": serve_hostname,
        "connect": connect,
        "pause": pause,
        "test-webserver": test_webserver,
        "porter": porter,
        "dns-suffix": partial(_resolv_conf, "search"),
        "dns-server-list": partial(_resolv_conf, "nameserver"),
        "etc-hosts": etc_hosts,
        "entrypoint-tester": entrypoint_tester,
    }
    args = context.args
    if args[:1] == ["--version"]:
        context.print(f"app version {context.image.version}")
        return 0
    if args and args[0] in _OTHERS:
        context.error(f"Error: the embedded cluster does not emulate agnhost {args[0]}")
        return 1
    if not args or args[0] not in commands:
        name = args[0] if args else ""
        context.error(f'Error: unknown command "{name}" for "app"', "Run 'app --help' for usage.")
        return 1
    try:
        return await commands[args[0]](context, args[1:])
    except GoError as error:
        context.error(f"Error: {error}")
        return 1


async def pause(context: ProgramContext, args: list[str]) -> int:
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


async def serve_hostname(context: ProgramContext, args: list[str]) -> int:
    """Answer every request with the hostname, by HTTP, raw TCP or UDP."""
    flags = Flags({"tcp": False, "udp": False, "http": True, "close": False, "port": 9376}).parse(args)
    port, host, process = flags.number("port"), context.host, context.process
    name = host.hostname.encode()
    raw = flags.on("tcp") or flags.on("udp")
    if flags.on("http") and raw:
        log(context, "Can't server TCP/UDP mode and HTTP mode at the same time")
        return 1

    async def respond(request: Request) -> Response:
        log(context, f"HTTP request from {join(request.peer)}")
        return plain(context, name.decode(), headers=[("Connection", "close")] if flags.on("close") else [])

    async def give(stream: Stream, peer: Address) -> None:
        log(context, f"TCP request from {join(peer)}")
        stream.send(name)
        stream.close()

    def answer(data: bytes, peer: Address) -> bytes:
        log(context, f"UDP request from {join(peer)}")
        return name

    if flags.on("tcp"):
        process.serve(host.listen, port, give)
    if flags.on("udp"):
        process.at_exit(host.listen_udp(port, answer))
    if flags.on("http"):
        process.serve(host.listen, port, http.server(process, respond))
    log(context, f"Serving on port {port}.")
    await process.signalled(SIGTERM)
    log(context, "Shutting down after receiving signal: terminated.", "Awaiting pod deletion.")
    await sleep(60)  # seconds: so it stays for the grace period, and traffic that still comes is not refused
    return 0


async def _resolv_conf(keyword: str, context: ProgramContext, args: list[str]) -> int:
    """Print what the first line of resolv.conf with a keyword lists, comma-separated."""
    Flags({}).parse(args)
    for line in _text(context, "/etc/resolv.conf").split("\n"):
        if line.startswith(keyword):
            context.print(",".join(line.split(" ")[1:]))
            return 0
    context.error("panic: Could not find DNS search list!")
    return 2


async def etc_hosts(context: ProgramContext, args: list[str]) -> int:
    """Print /etc/hosts."""
    Flags({}).parse(args)
    context.print(_text(context, "/etc/hosts"))
    return 0


async def entrypoint_tester(context: ProgramContext, args: list[str]) -> int:
    """Print the command line as Go prints a slice."""
    context.print(f"[{' '.join(context.argv)}]")
    return 0


def _text(context: ProgramContext, path: str) -> str:
    return (read_file(context, path) or b"").decode(errors="replace")


async def test_webserver(context: ProgramContext, args: list[str]) -> int:
    """Serve the container's files, by default on port 80; folders are not listed."""
    flags = Flags({"port": 80}).parse(args)
    host, process = context.host, context.process

    async def respond(request: Request) -> Response:
        content = read_file(context, request.path)
        if content is None:
            return plain(context, "404 page not found\n", 404)
        kind, date = ("Content-Type", sniffed(content)), ("Date", http.date(host.kernel.now()))
        return Response(200, content, [*_WEBSERVER_HEADERS, kind, date])

    process.serve(host.listen, flags.number("port"), http.server(process, respond))
    await Event().wait()
    return 0


async def connect(context: ProgramContext, args: list[str]) -> int:
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


async def _connect_udp(context: ProgramContext, ip: str, port: int, timeout: float | None, data: str) -> int:
    where = f"read udp {context.host.ip}:40000->{ip}:{port}"
    try:
        await with_timeout(timeout, context.host.udp(ip, port, f"{data}\n".encode()))
    except TimeoutError_:
        raise context.fail(1, f"TIMEOUT: {where}: i/o timeout") from None
    except NetworkError as error:
        raise context.fail(1, f"REFUSED: {where}: read: {error}") from None
    return 0
