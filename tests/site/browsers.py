"""A static server as plain as `python -m http.server`, and browsers that look at it: Debian's Chromium and Firefox."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SITE = Path(__file__).resolve().parents[2] / "build" / "site"
PROGRAMS = {"chrome": ("chromium", "google-chrome"), "firefox": ("firefox-esr", "firefox")}
HOST = "course.test"  # stands for 127.0.0.1, and is no address that a browser takes for a secure context


class Handler(SimpleHTTPRequestHandler):
    """Serves files below a path, compresses nothing, forbids the browser's own cache."""

    server: Server

    def do_GET(self) -> None:
        if not self.path.startswith(self.server.below) or self.server.broken(self.path):
            self.send_error(404)
            return
        self.path = self.path.removeprefix(self.server.below.rstrip("/"))
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        if self.server.encoded and self.path.endswith(".bin"):
            self.send_header("Content-Encoding", "gzip")
        if self.server.policy:
            self.send_header("Content-Security-Policy", self.server.policy)
        super().end_headers()

    def send_response(self, code: int, message: str | None = None) -> None:
        super().send_response(code, message)
        self.server.asked.append(self.path)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves a folder.

    Attributes:
        asked: paths that were asked for, in order.
        lacks: ends of paths that are not found.
        encoded: whether what is stored compressed is sent with Content-Encoding, as some hosts do.
        policy: a Content-Security-Policy, "" for none.
        below: path of the site's root; a site need not be at the root of its host.
    """

    daemon_threads = True

    def __init__(self, folder: Path, below: str) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.asked: list[str] = []
        self.lacks: tuple[str, ...] = ()
        self.encoded = False
        self.policy = ""
        self.below = below

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}{self.below}"

    def broken(self, path: str) -> bool:
        return bool(self.lacks) and path.endswith(self.lacks)

    def large(self) -> list[str]:
        """What was asked for of the files that a page loads only when it is told to."""
        return [path for path in self.asked if path.endswith(".bin")]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no fault."""


@contextmanager
def serving(folder: Path, below: str = "/some/path/") -> Iterator[Server]:
    server = Server(folder, below)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def executable(name: str) -> str | None:
    """Where a browser is, None where there is none."""
    return next((found for program in PROGRAMS[name] if (found := shutil.which(program))), None)


class Browser:
    """One window.

    Attributes:
        name: "chrome" or "firefox".
    """

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process = process
        self.name = name

    def _ask(self, **question: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def open(self, url: str) -> None:
        """Load a page."""
        self._ask(open=url)

    def reload(self) -> None:
        """Load the page again, as it was at first."""
        self.open(str(self.evaluate("location.href")))

    def evaluate(self, source: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        return self._ask(evaluate=f"async () => {source}")

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window a size in CSS pixels."""
        self._ask(resize={"width": width, "height": height})

    @property
    def complaints(self) -> list[str]:
        """What pages wrote to the console as errors."""
        found: list[str] = self._ask()
        return found


@contextmanager
def browser(name: str) -> Iterator[Browser]:
    """Start a browser and its driver; both are gone afterwards."""
    program = executable(name)
    assert program, f"no {name} is installed"
    command = ["node", str(HERE / "drive.mjs"), name, program, HOST]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Browser(process, name)
        assert process.stdin
        process.stdin.close()
