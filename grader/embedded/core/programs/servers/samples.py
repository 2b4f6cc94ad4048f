"""Small servers that Kubernetes' own pages begin with: hello-app, kubernetes-bootcamp, serve_hostname.

hello-app: GoogleCloudPlatform/kubernetes-engine-samples, quickstarts/hello-app/main.go. kubernetes-bootcamp: what the
tutorials at kubernetes.io/docs/tutorials/kubernetes-basics show of it. serve_hostname: the program that became
agnhost's `serve-hostname` (kubernetes/test/images/agnhost/serve-hostname v1.36.3), with Go's flags of one dash.
"""

from __future__ import annotations

from datetime import UTC, datetime

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers import agnhost, webserver
from grader.embedded.core.programs.servers.golang import GoError, log_line, plain


async def hello_app(context: ProgramContext) -> int:
    """Run hello-app: three lines for every request, on $PORT."""
    port = context.env.get("PORT") or "8080"

    def log(text: str) -> None:
        context.error(log_line(context.host.kernel.now(), text))

    async def respond(request: Request) -> Response:
        log(f"Serving request: {request.path}")
        return plain(context, f"Hello, world!\nVersion: {context.image.version}\nHostname: {context.host.hostname}\n")

    def in_use(number: int) -> str:
        return log_line(context.host.kernel.now(), f"listen tcp :{number}: bind: address already in use")

    log(f"Server listening on port {port}")
    return await webserver.serve(context, [int(port)], respond, in_use)


async def bootcamp(context: ProgramContext) -> int:
    """Run `node server.js`, which is all that this node can."""
    if [word.rpartition("/")[2] for word in context.args] != ["server.js"]:
        raise context.fail(1, "node: the embedded cluster runs nothing but server.js")
    name, started, requests = context.env.get("HOSTNAME", ""), context.host.kernel.now(), 0

    def now() -> str:
        moment = datetime.fromtimestamp(context.host.kernel.now(), UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    async def respond(request: Request) -> Response:
        nonlocal requests
        requests += 1
        uptime = f"{context.host.kernel.now() - started:.3f}".rstrip("0").rstrip(".")
        context.print(
            f"Running On: {name} | Total Requests: {requests} | App Uptime: {uptime} seconds | Log Time: {now()}"
        )
        body = f"Hello Kubernetes bootcamp! | Running on: {name} | v={context.image.version}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Date", http.date(context.host.kernel.now())),
                   ("Connection", "keep-alive")]  # fmt: skip
        return Response(200, body, headers)

    context.print(f"Kubernetes Bootcamp App Started At: {now()} | Running On:  {name} ", "")
    return await webserver.serve(context, [8080], respond, lambda port: f"Error: listen EADDRINUSE :::{port}")


async def serve_hostname(context: ProgramContext) -> int:
    """Run `serve_hostname [-port n] [-tcp] [-udp] [-close]`."""
    words = [f"-{word}" if word.startswith("-") and not word.startswith("--") else word for word in context.args]
    try:
        return await agnhost.serve_hostname(context, words)
    except GoError as error:
        text = str(error).replace("unknown flag: -", "flag provided but not defined: ")
        raise context.fail(2, text, f"Usage of {context.argv[0]}:") from None
