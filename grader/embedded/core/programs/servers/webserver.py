"""What nginx and httpd have in common: static files, conditional on nothing, with an access log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import is_folder, read_file
from grader.embedded.core.programs.host import AddressInUse
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.signals import SIGINT, SIGQUIT, SIGTERM

TYPES = {
    "html": "text/html", "htm": "text/html", "css": "text/css", "js": "application/javascript", "txt": "text/plain",
    "json": "application/json", "svg": "image/svg+xml", "png": "image/png", "xml": "text/xml",
}  # fmt: skip
SIGWINCH = 28


def content_type(path: str) -> str:
    """Return the media type by the file's ending."""
    return TYPES.get(path.rpartition(".")[2], "application/octet-stream")


def find_file(context: ProgramContext, root: str, path: str) -> tuple[bytes | None, str]:
    """Return a static file's content and path; folders give their index.html, None where there is none."""
    target = context.path(f"{root}/{path.lstrip('/')}")
    if path.endswith("/"):
        target = f"{target.rstrip('/')}/index.html"
    if not (target + "/").startswith(root.rstrip("/") + "/"):
        return None, target
    return read_file(context, target), target


def is_directory(context: ProgramContext, root: str, path: str) -> bool:
    """Whether the path is a folder under the root."""
    return is_folder(context, context.path(f"{root}/{path.lstrip('/')}"))


def log_request(context: ProgramContext, request: Request, response: Response, *, combined: bool) -> None:
    """Write an access log line: the combined format (nginx) or the common one (httpd)."""
    now = datetime.fromtimestamp(context.host.kernel.now(), UTC)
    size = len(response.body) if request.method != "HEAD" else 0
    line = (
        f'{request.peer[0]} - - [{now:%d/%b/%Y:%H:%M:%S} +0000] "{request.method} {request.target} HTTP/1.1"'
        f" {response.status} {size}"
    )
    if combined:
        line += "".join(f' "{request.header(key) or "-"}"' for key in ("referer", "user-agent", "x-forwarded-for"))
    context.print(line)


async def serve(
    context: ProgramContext, ports: list[int], respond: http.Responder, in_use: Callable[[int], str]
) -> int:
    """Listen until a signal comes; returns the exit code."""
    process = context.process
    for port in ports:
        try:
            process.serve(context.host.listen, port, http.server(process, respond))
        except AddressInUse:
            context.error(in_use(port))
            return 1
    await process.signalled(SIGTERM, SIGQUIT, SIGINT, SIGWINCH)
    return 0
