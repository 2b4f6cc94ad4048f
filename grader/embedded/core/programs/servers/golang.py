"""What programs written in Go show of themselves: log lines, durations, quoting and the errors of package net.

Texts follow Go's net, net/http and log packages.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import SplitResult, quote

from grader.embedded.core.kernel import Address, ConnectionReset_, Stream, TimeoutError_, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import Host, NetworkError
from grader.embedded.core.programs.net import http, tls
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, ResolvConf, is_ipv4, resolve

TEXT = ("Content-Type", "text/plain; charset=utf-8")
_HTML = re.compile(
    rb"<(!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--)[ >]", re.IGNORECASE
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SERVICES = {"http": 80, "https": 443, "domain": 53, "ssh": 22, "ftp": 21, "smtp": 25}


class GoError(Exception):
    """An error value; `str()` is what `%v` prints.

    Attributes:
        timeout: whether `Timeout()` is true of it.
        refused: whether it wraps ECONNREFUSED.
    """

    def __init__(self, text: str, *, timeout: bool = False, refused: bool = False) -> None:
        super().__init__(text)
        self.timeout = timeout
        self.refused = refused


def log_line(now: float, text: str) -> str:
    """A line of package log with its default flags: local date and time."""
    return f"{datetime.fromtimestamp(now, UTC):%Y/%m/%d %H:%M:%S} {text}"


def klog_line(now: float, text: str) -> str:
    """A line of package log where klog has taken it over, as in programs that use component-base's cli."""
    return f"I{datetime.fromtimestamp(now, UTC):%m%d %H:%M:%S.%f}       1 log.go:244] {text}"


def to_json(value: object) -> str:
    """As json.Marshal writes: compact, keys sorted, and <, >, & escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def to_go_map(values: dict[str, str]) -> str:
    """As `%s` prints a map[string]string."""
    return "map[" + " ".join(f"{key}:{values[key]}" for key in sorted(values)) + "]"


def duration(text: str) -> float:
    """Seconds of time.ParseDuration's syntax, such as `1m30s`. Raises ValueError."""
    if text in {"0", "+0", "-0"}:
        return 0.0
    rest, total = text.lstrip("+-"), 0.0
    if not rest:
        raise ValueError(text)
    while rest:
        number = ""
        while rest and (rest[0].isdigit() or rest[0] == "."):
            number, rest = number + rest[0], rest[1:]
        unit = ""
        while rest and not (rest[0].isdigit() or rest[0] == "."):
            unit, rest = unit + rest[0], rest[1:]
        total += float(number) * _UNITS.get(unit, float("nan"))
    if total != total:
        raise ValueError(text)
    return -total if text.startswith("-") else total


def show_duration(seconds: float) -> str:
    """As a time.Duration prints."""
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{rest:g}s"


def port_number(text: str, network: str = "tcp") -> int:
    """Return a port given by number or by name. Raises GoError (net.AddrError, net.DNSError)."""
    if text == "":
        return 0
    if text.lstrip("+-").isdigit():
        number = int(text)
        if not 0 <= number <= 65535:
            raise GoError(f"address {text}: invalid port")
        return number
    if text in _SERVICES:
        return _SERVICES[text]
    raise GoError(f"lookup {network}/{text}: unknown port")


async def resolve_address(host: Host, name: str, port: str, network: str = "tcp") -> tuple[str, int]:
    """As net.ResolveTCPAddr or ResolveUDPAddr. Raises GoError; an empty name gives an empty address."""
    number = port_number(port, network)
    return (await lookup(host, name) if name else ""), number


async def lookup(host: Host, name: str) -> str:
    """Return the first IPv4 address of a name. Raises GoError (net.DNSError)."""
    if is_ipv4(name):
        return name
    server = next(iter(ResolvConf.of(host).nameservers), "127.0.0.1")
    try:
        return (await resolve(host, name))[0]
    except NameNotFound:
        raise GoError(f"lookup {name} on {server}:53: no such host") from None
    except NameserverTimeout as error:
        reason = "server misbehaving" if error.rcode else "i/o timeout"
        raise GoError(f"lookup {name} on {server}:53: {reason}", timeout=not error.rcode) from None


async def dial(host: Host, ip: str, port: int, timeout: float | None = None) -> Stream:
    """As net.DialTimeout("tcp", …). Raises GoError (net.OpError)."""
    try:
        return await with_timeout(timeout or 127.0, host.connect(ip or "127.0.0.1", port))
    except NetworkError as error:
        refused = "refused" in str(error)
        raise GoError(f"dial tcp {ip}:{port}: connect: {error}", refused=refused) from None
    except TimeoutError_:
        reason = "i/o timeout" if timeout else "connect: connection timed out"
        raise GoError(f"dial tcp {ip}:{port}: {reason}", timeout=True) from None


async def get(host: Host, ip: str, port: int, path: str, timeout: float) -> http.Response:
    """As http.Client{Timeout: timeout}.Get of `http://ip:port/path`, redirects followed.

    Raises GoError (url.Error): refused, `context deadline exceeded`, EOF, reset.
    """
    url = f"http://{ip}:{port}/{path}"
    try:
        return await with_timeout(timeout, _get(host, ip, port, path))
    except TimeoutError_:
        text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        raise GoError(f'Get "{url}": {text}', timeout=True) from None
    except GoError as error:
        raise GoError(f'Get "{url}": {error}', refused=error.refused) from None


async def _get(host: Host, ip: str, port: int, path: str) -> http.Response:
    for _ in range(10):
        stream = await dial(host, ip, port)
        headers = [("Host", f"{ip}:{port}"), ("User-Agent", "Go-http-client/1.1"), ("Accept-Encoding", "gzip")]
        try:
            target = "/" + quote(path, safe="/?&=%:@!$'()*+,;~-._#").split("#")[0]
            response = await http.exchange(stream, "GET", target, headers)
        except ConnectionReset_:
            raise GoError(f"read tcp {host.ip}->{ip}:{port}: read: connection reset by peer") from None
        except http.BadReply as error:
            raise GoError("EOF" if error.empty else f"net/http: HTTP/1.x transport broken: {error}") from None
        finally:
            stream.close()
        location = response.header("location")
        if response.status not in {301, 302, 303, 307, 308} or not location:
            return response
        from urllib.parse import urljoin, urlsplit

        parts: SplitResult = urlsplit(urljoin(f"http://{ip}:{port}/{path}", location))
        ip = await lookup(host, parts.hostname or "")
        port = parts.port or 80
        path = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
    raise GoError("stopped after 10 redirects")


async def accept_tls(stream: Stream, certificate: tls.Certificate) -> bool:
    """Let a client in that speaks TLS; tell any other what net/http's server.go tells it. Raises ConnectionReset_."""
    other = await tls.accept(stream, certificate)
    if other is not None and other[:1].isalpha():
        stream.send(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    return other is None


def sniffed(data: bytes) -> str:
    """The type of a body that names none, as net/http's sniff.go tells texts apart; it knows more formats."""
    head = data[:512]
    start = head.lstrip(b"\t\n\x0c\r ")
    if start[:1] == b"<":
        if _HTML.match(start):
            return "text/html; charset=utf-8"
        if start.startswith(b"<?xml"):
            return "text/xml; charset=utf-8"
    return "application/octet-stream" if _BINARY.search(head) else TEXT[1]


def plain(context: ProgramContext, body: str, status: int = 200, headers: http.Headers | None = None) -> http.Response:
    """Answer as net/http does where the program names no type: it adds the date and sniffs the type."""
    data = body.encode()
    own: http.Headers = [("Date", http.date(context.host.kernel.now())), ("Content-Length", str(len(data)))]
    return http.Response(status, data, [*(headers or []), *own, *([("Content-Type", sniffed(data))] if data else [])])


def log(context: ProgramContext, *texts: str) -> None:
    """Write log lines to standard error, as klog does."""
    now = context.host.kernel.now()
    context.error(*(klog_line(now, text) for text in texts))


def join(address: Address) -> str:
    """Join address and port (net.JoinHostPort)."""
    return f"{address[0]}:{address[1]}"
