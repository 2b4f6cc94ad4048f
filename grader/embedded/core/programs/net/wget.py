"""BusyBox's `wget` (networking/wget.c)."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from grader.embedded.core.kernel import ConnectionReset_, TimeoutError_, with_timeout
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.host import NetworkError
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Response
from grader.embedded.core.programs.options import banner
from grader.embedded.core.programs.process import Exit
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, resolve

TIMEOUT = 900.0  # seconds: wget.c's default for -T
LONG = {
    "--quiet": "q", "--spider": "spider", "--output-document": "O", "--timeout": "T", "--header": "header",
    "--tries": "t", "--server-response": "S", "--post-data": "post", "--no-check-certificate": "nocheck",
    "--user-agent": "U", "--continue": "c", "--directory-prefix": "P", "--output-file": "o",
}  # fmt: skip
TAKES_VALUE = {"O", "T", "header", "t", "post", "U", "P", "o", "Y"}
SHORT = set("qSOTtUPocY")


class Wget:
    """One run of the program."""

    def __init__(self, context: ProgramContext) -> None:
        self.context = context
        self.on: set[str] = set()
        self.values: dict[str, str] = {}
        self.headers: list[tuple[str, str]] = []
        self.urls: list[str] = []

    def parse(self) -> None:
        """Read the command line. Raises Exit."""
        rest = list(self.context.args)
        while rest:
            word = rest.pop(0)
            if word.startswith("--"):
                name, equals, value = word.partition("=")
                if name not in LONG:
                    raise self._usage(f"unrecognized option '{word}'")
                if LONG[name] in TAKES_VALUE and not equals:
                    value = rest.pop(0) if rest else ""
                self._give(LONG[name], value)
            elif word.startswith("-") and len(word) > 1:
                self._short(word, rest)
            else:
                self.urls.append(word)
        if not self.urls:
            raise self._usage("")

    def _short(self, word: str, rest: list[str]) -> None:
        for index, letter in enumerate(word[1:], 1):
            if letter not in SHORT:
                raise self._usage(f"unrecognized option: {letter}")
            if letter in TAKES_VALUE:
                value = word[index + 1 :] or (rest.pop(0) if rest else "")
                self._give(letter, value)
                return
            self._give(letter, "")

    def _give(self, name: str, value: str) -> None:
        if name == "header":
            key, _, content = value.partition(":")
            self.headers.append((key.strip(), content.strip()))
        elif name in TAKES_VALUE:
            self.values[name] = value
        else:
            self.on.add(name)

    def _usage(self, problem: str) -> Exit:
        lines = [f"wget: {problem}"] if problem else []
        lines += [
            f"{banner(self.context)} multi-call binary.",
            "",
            "Usage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]",
            "\t[--post-data STR | --post-file FILE] [-Y on/off]",
            "\t[-P DIR] [-U AGENT] [-T SEC] URL...",
        ]
        return self.context.fail(1, *lines)

    def say(self, text: str) -> None:
        """Write progress, unless -q."""
        if "q" in self.on:
            return
        if "o" in self.values:
            path = self.context.path(self.values["o"])
            self.context.host.files[path] = self.context.host.files.get(path, b"") + f"{text}\n".encode()
        else:
            self.context.error(text)

    async def fetch(self, url: str) -> None:
        """Download one URL. Raises Exit (1) after a message."""
        for _ in range(20):
            parts = urlsplit(url if "://" in url else f"http://{url}")
            if parts.scheme != "http":
                kind = "not an http or ftp url" if parts.scheme != "https" else "error getting response"
                raise self.context.fail(1, f"wget: {kind}: {url}")
            limit = float(self.values.get("T", TIMEOUT)) or TIMEOUT
            try:
                response = await with_timeout(limit, self._once(parts))
            except TimeoutError_:
                raise self.context.fail(1, "wget: download timed out") from None
            if response.status in {301, 302, 303, 307, 308} and response.header("location"):
                url = urljoin(parts.geturl(), response.header("location"))
                continue
            if response.status not in {200, 201, 202, 203, 204, 206}:
                status = f"HTTP/1.1 {response.status} {response.reason}"
                raise self.context.fail(1, f"wget: server returned error: {status}")
            self._deliver(parts, response)
            return
        raise self.context.fail(1, "wget: too many redirections")

    async def _once(self, parts: SplitResult) -> Response:
        host, port = parts.hostname or "", parts.port or 80
        try:
            address = (await resolve(self.context.host, host))[0]
        except (NameNotFound, NameserverTimeout):
            raise self.context.fail(1, f"wget: bad address '{parts.netloc}'") from None
        self.say(f"Connecting to {parts.netloc} ({address}:{port})")
        try:
            stream = await self.context.host.connect(address, port)
        except NetworkError as error:
            reason = str(error).capitalize().replace("No route to host", "Host is unreachable")
            raise self.context.fail(1, f"wget: can't connect to remote host ({address}): {reason}") from None
        headers = [("Host", parts.netloc), ("User-Agent", self.values.get("U", "Wget")), ("Connection", "close")]
        own = {key.lower() for key, _ in self.headers}
        headers = [item for item in headers if item[0].lower() not in own] + self.headers
        body = self.values.get("post", "").encode()
        if body:
            headers += [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body)))]
        method = "POST" if body else "HEAD" if "spider" in self.on else "GET"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            return await http.exchange(stream, method, target, headers, body, on_response=self._on_head)
        except (ConnectionReset_, http.BadReply):
            raise self.context.fail(1, "wget: error getting response") from None
        finally:
            stream.close()

    def _on_head(self, response: Response) -> None:
        if "S" in self.on:
            self.context.error(f"  HTTP/1.1 {response.status} {response.reason}")
            self.context.error(*(f"  {key}: {value}" for key, value in response.headers), "  ")

    def _deliver(self, parts: SplitResult, response: Response) -> None:
        if "spider" in self.on:
            self.say("remote file exists")
            return
        name = self.values.get("O") or parts.path.rpartition("/")[2] or "index.html"
        if "P" in self.values and "O" not in self.values:
            name = f"{self.values['P'].rstrip('/')}/{name}"
        size = len(response.body)
        done = f"100% |********************************| {size:5}  0:00:00 ETA"
        if name == "-":
            self.say("writing to stdout")
            self.context.out(response.body)
            self.say(f"-                    {done}")
            self.say("written to stdout")
            return
        if name != "/dev/null":
            if "O" not in self.values and self.context.path(name) in self.context.host.files:
                raise self.context.fail(1, f"wget: can't open '{name}': File exists")
            self.context.host.files[self.context.path(name)] = response.body
        self.say(f"saving to '{name}'")
        self.say(f"{name:<20} {done}")
        self.say(f"'{name}' saved")


async def main(context: ProgramContext) -> int:
    """Run `wget`."""
    run = Wget(context)
    run.parse()
    for url in run.urls:
        await run.fetch(url)
    return 0
