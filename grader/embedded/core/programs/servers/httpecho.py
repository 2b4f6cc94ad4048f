"""hashicorp/http-echo: one text for every request (its main.go and handlers.go)."""

from __future__ import annotations

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers import webserver
from grader.embedded.core.programs.servers.goflags import Flags
from grader.embedded.core.programs.servers.golang import GoError, log_line


async def main(context: ProgramContext) -> int:
    """Run `http-echo -text=… [-listen=:5678] [-status-code=200]`."""
    words = [f"-{word}" if word.startswith("-") and not word.startswith("--") else word for word in context.args]
    try:
        flags = Flags({"listen": ":5678", "text": "", "status-code": 200, "version": False}).parse(words)
    except GoError as error:
        context.error(str(error))
        return 127
    if flags.on("version"):
        context.error(f"http-echo v{context.image.version}")
        return 0
    text = flags.text("text") or context.env.get("ECHO_TEXT", "hello-world")
    port = int(flags.text("listen").rpartition(":")[2])

    async def respond(request: Request) -> Response:
        now = context.host.kernel.now()
        body = f"{text}\n".encode()
        context.print(
            log_line(now, f"{request.header('host')} {request.peer[0]}:{request.peer[1]} "
                          f'"{request.method} {request.target} HTTP/1.1" {flags.number("status-code")} {len(body)} '
                          f'"{request.header("user-agent")}" 10µs')
        )  # fmt: skip
        headers = [("X-App-Name", "http-echo"), ("X-App-Version", context.image.version), ("Date", http.date(now)),
                   ("Content-Type", "text/plain; charset=utf-8")]  # fmt: skip
        return Response(flags.number("status-code"), body, headers)

    context.error(log_line(context.host.kernel.now(), f"[INFO] server is listening on :{port}"))
    return await webserver.serve(context, [port], respond, lambda number: f"listen tcp :{number}: bind: address in use")
