"""`curl` 8: the options people use on Services; texts and exit codes as in curl's src/tool_*.c and lib/."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from grader.embedded.core.kernel import ConnectionReset_, Stream, TimeoutError_, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import read_file
from grader.embedded.core.programs.host import AddressNotAvailable, NetworkError
from grader.embedded.core.programs.net.curl_options import Failed, Options, parse
from grader.embedded.core.programs.net.curl_report import METER, Facts, meter, write_out
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, is_ipv4, resolve

if TYPE_CHECKING:
    from grader.embedded.core.programs.net.http import Response

VERSION = "8.17.0"
# Seconds: Linux gives up after 6 SYNs sent again (tcp(7), tcp_syn_retries), before curl's own 300 s.
CONNECT_LIMIT = 127.0
PORTS = {"http": 80, "https": 443}
TRY = "curl: try 'curl --help' or 'curl --manual' for more information"


Idle = dict[tuple[str, int], Stream]
"""Connections of one run that wait to be used again, by host and port (lib/conncache.c)."""


async def main(context: ProgramContext) -> int:
    """Run `curl`; the exit code is that of the last transfer."""
    try:
        options = parse(context.args)
    except Failed as failure:
        context.error(f"curl: {failure}", TRY)
        return failure.code
    if "version" in options.on:
        context.print(f"curl {VERSION} (x86_64-alpine-linux-musl) libcurl/{VERSION}", "Protocols: http")
        return 0
    if not options.lists["urls"]:
        context.error("curl: (2) no URL specified" if options.on or options.values else TRY)
        if options.on or options.values:
            context.error(TRY)
        return 2
    code = 0
    idle: Idle = {}
    try:
        for url in options.lists["urls"]:
            code = await _transfer(context, options, url, idle)
    finally:
        for stream in idle.values():
            stream.close()
    return code


async def _transfer(context: ProgramContext, options: Options, url: str, idle: Idle) -> int:
    facts, kernel = Facts(url_effective=url), context.host.kernel
    transfer = Transfer(context, options, facts, idle)
    start = kernel.monotonic()
    metered = not options.on & {"silent"} and not (context.tty and "output" not in options.values)
    if metered:
        context.err(METER.encode())
        context.err(meter(0).encode())
    limit = options.seconds("max_time")
    code, body = 0, b""
    for attempt in range(int(options.values.get("retry", "0")) + 1):
        try:
            transfer.started = kernel.monotonic()
            body = await with_timeout(limit, transfer.run(url))
            code = 0
            break
        except TimeoutError_:
            code = 28
            elapsed = round((limit or 0) * 1000)
            text = "Connection timed out" if not transfer.connected else "Operation timed out"
            tail = "" if not transfer.connected else f" with {facts.size_download} bytes received"
            name = f"Resolving timed out after {elapsed} milliseconds" if not transfer.resolved else ""
            facts.errormsg = name or f"{text} after {elapsed} milliseconds{tail}"
        except Failed as failure:
            code, facts.errormsg = failure.code, str(failure)
        if code not in {28, 7, 6} or attempt == int(options.values.get("retry", "0")):
            break
        from grader.embedded.core.kernel import sleep

        await sleep(2.0**attempt)
    facts.time_total = kernel.monotonic() - start
    facts.exitcode = code
    if metered:
        context.err((meter(facts.size_download) if not code else "").encode() + b"\n")
    if code and ("silent" not in options.on or "show_error" in options.on):
        context.error(f"curl: ({code}) {facts.errormsg}")
    if not code or body:
        code = _deliver(context, options, url, body) or code
    if "write_out" in options.values:
        context.out(write_out(options.values["write_out"], facts).encode())
    return code


def _deliver(context: ProgramContext, options: Options, url: str, body: bytes) -> int:
    name = options.values.get("output", "-")
    if "remote_name" in options.on:
        name = urlsplit(url).path.rpartition("/")[2] or "curl_response"
    if name == "-":
        context.out(body)
    elif name != "/dev/null":
        context.host.files[context.path(name)] = body
    return 0


class Transfer:
    """One transfer, redirects included.

    Attributes:
        started: when it began (clock seconds).
        resolved: whether the name has an address.
        connected: whether there is a connection.
    """

    def __init__(self, context: ProgramContext, options: Options, facts: Facts, idle: Idle) -> None:
        self.context = context
        self.options = options
        self.facts = facts
        self.idle = idle
        self.started = 0.0
        self.resolved = False
        self.connected = False

    def _say(self, text: str) -> None:
        if "verbose" in self.options.on:
            self.context.error(text)

    def _elapsed(self) -> int:
        return round((self.context.host.kernel.monotonic() - self.started) * 1000)

    async def run(self, url: str) -> bytes:
        """Fetch a URL and return what goes to the output. Raises Failed."""
        method = self._method()
        shown = b""
        for hop in range(51):
            parts = _split(url)
            response = await self._once(parts, method)
            facts = self.facts
            facts.http_code, facts.url_effective = response.status, url
            facts.content_type, facts.http_version = response.header("content-type"), "1.1"
            location = response.header("location")
            if "include" in self.options.on or "head" in self.options.on:
                shown += _head(response)
            if location and 300 <= response.status < 400:
                facts.redirect_url = urljoin(url, location)
                if "location" in self.options.on:
                    url, facts.num_redirects = facts.redirect_url, hop + 1
                    self._say(f"* Issue another request to this URL: '{url}'")
                    if response.status in {301, 302, 303} and method == "POST" and "method" not in self.options.values:
                        method = "GET"
                    continue
            if response.status >= 400 and "fail" in self.options.on:
                raise Failed(22, f"The requested URL returned error: {response.status}")
            facts.size_download = len(response.body)
            self._dump(shown, response)
            return shown + response.body
        raise Failed(47, "Maximum (50) redirects followed")

    def _dump(self, shown: bytes, response: Response) -> None:
        if "dump" in self.options.values:
            target = self.options.values["dump"]
            head = shown or _head(response)
            if target == "-":
                self.context.out(head)
            elif target != "/dev/null":
                self.context.host.files[self.context.path(target)] = head

    def _method(self) -> str:
        method = "HEAD" if "head" in self.options.on else "GET"
        if self.options.lists["data"] and "get" not in self.options.on:
            method = "POST"
        self.facts.method = self.options.values.get("method", method)
        return self.facts.method

    async def _addresses(self, name: str, port: int) -> list[str]:
        for entry in self.options.lists["resolve"]:
            host, _, rest = entry.lstrip("+").partition(":")
            number, _, address = rest.partition(":")
            if host.lower() == name.lower() and number == str(port):
                self._say(f"* Added {host}:{number}:{address} to DNS cache")
                return [address]
        try:
            found = await resolve(self.context.host, name)
        except NameNotFound:
            self._say(f"* Could not resolve host: {name}")
            raise Failed(6, f"Could not resolve host: {name}") from None
        except NameserverTimeout:
            self._say(f"* Could not resolve host: {name}")
            raise Failed(6, f"Could not resolve host: {name}") from None
        if not is_ipv4(name):
            self._say(f"* Host {name}:{port} was resolved.")
            self._say("* IPv6: (none)")
            self._say(f"* IPv4: {', '.join(found)}")
        return found

    async def _connect(self, name: str, port: int, *, tls: bool = False) -> Stream:
        kept = self.idle.pop((name, port), None)
        if kept is not None and not kept.ended:
            self._say(f"* Reusing existing http: connection with host {name}")
            self.resolved = self.connected = True
            self.facts.remote_ip, self.facts.remote_port = kept.peer
            self.facts.local_ip = self.context.host.ip
            return kept
        limit = self.options.seconds("connect_timeout") or CONNECT_LIMIT
        try:
            stream = await with_timeout(limit, self._try_addresses(name, port))
        except TimeoutError_:
            text = f"Failed to connect to {name} port {port} after {self._elapsed()} ms: Timeout was reached"
            if not self.resolved:
                text = f"Resolving timed out after {self._elapsed()} milliseconds"
            self._say(f"* {text}")
            self._say("* closing connection #0")
            raise Failed(28, text) from None
        self.connected = True
        self.facts.num_connects += 1
        self.facts.time_connect = self.context.host.kernel.monotonic() - self.started
        if tls:
            from grader.embedded.core.programs.net.curl_tls import secure

            self._say("* TLSv1.3 (OUT), TLS handshake, Client hello (1):")
            await secure(self.context, self.options, stream, name)
        return stream

    async def _try_addresses(self, name: str, port: int) -> Stream:
        found = await self._addresses(name, port)
        self.resolved = True
        self.facts.time_namelookup = self.context.host.kernel.monotonic() - self.started
        for address in found:
            self._say(f"*   Trying {address}:{port}...")
            try:
                stream = await self.context.host.connect(address, port, self.options.bound)
            except AddressNotAvailable as error:
                raise Failed(45, f"bind failed with errno 99: {str(error).capitalize()}") from None
            except NetworkError as error:
                reason = str(error).capitalize()
                if "route" in reason:
                    reason = "Host is unreachable"
                self._say(f"* connect to {address} port {port} from {self.context.host.ip} port 0 failed: {reason}")
                continue
            self.facts.remote_ip, self.facts.remote_port = address, port
            self.facts.local_ip = self.options.bound or self.context.host.ip
            self._say(f"* Connected to {name} ({address}) port {port}")
            return stream
        text = f"Failed to connect to {name} port {port} after {self._elapsed()} ms: Could not connect to server"
        self._say(f"* {text}")
        self._say("* closing connection #0")
        raise Failed(7, text)

    async def _once(self, parts: SplitResult, method: str) -> Response:
        from grader.embedded.core.programs.net import http

        name, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        data = "&".join(self._data(value) for value in self.options.lists["data"]).encode()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if data and "get" in self.options.on:
            target += ("&" if "?" in target else "?") + data.decode()
            data = b""
        headers = self._headers(parts, data)
        stream = await self._connect(name, port, tls=parts.scheme == "https")
        kept = False
        self._say("* using HTTP/1.x")
        for line in (f"{method} {target} HTTP/1.1", *(f"{key}: {value}" for key, value in headers)):
            self._say(f"> {line}\r")
        self._say("> \r")
        try:
            response = await http.exchange(stream, method, target, headers, data, on_response=self._on_head)
            kept = "close" not in {response.header("connection").lower(), dict(headers).get("Connection", "").lower()}
        except ConnectionReset_:
            raise Failed(56, "Recv failure: Connection reset by peer") from None
        except http.BadReply as error:
            text = "Empty reply from server" if error.empty else "Received HTTP/0.9 when not allowed"
            self._say(f"* {text}")
            self._say("* shutting down connection #0")
            raise Failed(52 if error.empty else 1, text) from None
        finally:
            if kept:
                self.idle[name, port] = stream
            else:
                stream.close()
        if response.body and "verbose" in self.options.on:
            self.context.error(f"{{ [{len(response.body)} bytes data]")
        self._say(f"* Connection #0 to host {name} left intact")
        return response

    def _on_head(self, response: Response) -> None:
        if "verbose" in self.options.on:
            for line in _head(response).decode("latin-1").splitlines():
                self._say(f"< {line}\r")

    def _data(self, value: str) -> str:
        if not value.startswith("@"):
            return value
        content = read_file(self.context, self.context.path(value[1:]))
        return (content or b"").decode(errors="replace").replace("\n", "").replace("\r", "")

    def _headers(self, parts: SplitResult, data: bytes) -> list[tuple[str, str]]:
        name = parts.hostname or ""
        port = f":{parts.port}" if parts.port and parts.port != PORTS[parts.scheme] else ""
        agent = self.options.values.get("agent", f"curl/{VERSION}")
        headers = [("Host", f"{name}{port}"), ("User-Agent", agent), ("Accept", "*/*")]
        if "user" in self.options.values:
            from base64 import b64encode

            secret = b64encode(self.options.values["user"].encode()).decode()
            headers.insert(1, ("Authorization", f"Basic {secret}"))
        if "cookie" in self.options.values:
            headers.append(("Cookie", self.options.values["cookie"]))
        if data:
            headers.append(("Content-Length", str(len(data))))
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        for line in self.options.lists["headers"]:
            key, _, value = line.partition(":")
            headers = [item for item in headers if item[0].lower() != key.strip().lower()]
            if value.strip():
                own = (key.strip(), value.strip())
                headers = [own, *headers] if key.strip().lower() == "host" else [*headers, own]
        return headers


def _head(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{key}: {value}" for key, value in response.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _split(url: str) -> SplitResult:
    _, separator, _ = url.partition("://")
    parts = urlsplit(url if separator else f"http://{url}")
    if parts.scheme not in PORTS:
        raise Failed(1, f'Protocol "{parts.scheme}" not supported')
    try:
        port = parts.port
    except ValueError:
        raise Failed(3, "URL rejected: Port number was not a decimal number between 0 and 65535") from None
    if not parts.hostname:
        raise Failed(3, "URL rejected: No host part in the URL")
    if port == 0:
        return replace_port(parts)
    return parts


def replace_port(parts: SplitResult) -> SplitResult:
    """Return the parts with the default port in the place of port 0."""
    return parts._replace(netloc=parts.hostname or "")
