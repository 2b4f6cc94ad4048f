"""A small API server for tests: keeps what is created, lists it, deletes it, and can be told to fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]


class FakeApi:
    """Objects by path, and the requests that were made.

    `created` may change an object as it is stored, as controllers would; `replies` answers a path in its place.
    """

    def __init__(self, created: Callable[[Object], Object] = lambda obj: obj) -> None:
        self.objects: dict[str, Object] = {}
        self.requests: list[tuple[str, str, dict[str, list[str]], Any]] = []
        self.replies: dict[str, tuple[int, bytes]] = {}
        self.closing = False
        self.closed = threading.Semaphore(0)
        self._created = created

    def put(self, path: str, obj: Object) -> None:
        """Store an object, by its own path."""
        self.objects[path] = obj

    def methods(self, method: str) -> list[str]:
        """The paths of requests with a method, in order."""
        return [path for used, path, _, _ in self.requests if used == method]

    def answer(self, method: str, target: str, body: Any) -> tuple[int, bytes]:
        parts = urlsplit(target)
        path = parts.path
        self.requests.append((method, path, parse_qs(parts.query), body))
        if path in self.replies:
            return self.replies[path]
        match method:
            case "GET" if path in self.objects:
                return 200, json.dumps(self.objects[path]).encode()
            case "GET" if path.rsplit("/", 1)[-1].isalpha() and path.rsplit("/", 1)[-1].endswith("s"):
                items = [item for key, item in self.objects.items() if key.rsplit("/", 1)[0] == path]
                return 200, json.dumps({"kind": "List", "items": items}).encode()
            case "POST" | "PATCH":
                key = f"{path}/{body['metadata']['name']}" if method == "POST" else path
                if method == "POST" and key in self.objects:
                    return 409, status("AlreadyExists", f"{key} already exists")
                self.objects[key] = self._created(body)
                return 201, json.dumps(self.objects[key]).encode()
            case "DELETE" if path in self.objects:
                return 200, json.dumps(self.objects.pop(path)).encode()
        return 404, status("NotFound", f"{path} not found")


def status(reason: str, message: str, causes: list[Object] | None = None) -> bytes:
    """A Status object as the API server sends it."""
    details = {"causes": causes} if causes else {}
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "details": details}).encode()


@contextmanager
def serving(api: FakeApi, folder: Path) -> Iterator[Path]:
    """Serve it on a loopback port; yields the path of a kubeconfig."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, content = api.answer(self.command, self.path, body)
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = api.closing

        def finish(self) -> None:
            super().finish()
            self.request.close()
            api.closed.release()

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the standard library's names

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    path = folder / "kubeconfig"
    path.write_text(kubeconfig(f"http://127.0.0.1:{server.server_port}"))
    try:
        yield path
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(server: str, **user: str) -> str:
    """A kubeconfig with one context."""
    return json.dumps(
        {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": user}],
        }
    )
