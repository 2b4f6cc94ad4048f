"""registry.k8s.io/echoserver: what a request looked like when it came, as text.

An nginx with a Lua template, of the ingress-nginx project (images/echo-server; before, kubernetes/contrib,
ingress/echoheaders). The texts are those that Kubernetes' pages and minikube's print for 1.4 and 1.10; what these do
not show (a Pod's environment variables in 1.10, the order of the headers) follows the template.
"""

from __future__ import annotations

import re

from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers import webserver

_POD = (("node name", "NODE_NAME"), ("pod name", "POD_NAME"), ("pod namespace", "POD_NAMESPACE"), ("pod IP", "POD_IP"))


async def main(context: ProgramContext) -> int:
    """Serve on port 8080."""
    old = context.image.older_than(1, 5)
    options.tell_ignored(context, context.args)

    async def respond(request: Request) -> Response:
        body = (_old(request) if old else _new(context, request)).encode()
        headers = [("Date", http.date(context.host.kernel.now())), ("Content-Type", "text/plain"),
                   ("Connection", "keep-alive"), ("Server", "nginx/1.10.0" if old else "echoserver")]  # fmt: skip
        response = Response(200, body, headers)
        webserver.log_request(context, request, response, combined=True)
        return response

    def in_use(port: int) -> str:
        return f"nginx: [emerg] bind() to 0.0.0.0:{port} failed (98: Address already in use)"

    return await webserver.serve(context, [8080], respond, in_use)


def _received(request: Request) -> list[str]:
    return sorted(f"{name.lower()}={value}" for name, value in request.headers)


def _uri(request: Request) -> str:
    return f"http://{re.sub(r':[0-9]*$', '', request.header('host'))}:8080{request.target}"


def _old(request: Request) -> str:
    query = request.target.partition("?")[2] or "nil"
    lines = [
        "CLIENT VALUES:", f"client_address={request.peer[0]}", f"command={request.method}",
        f"real path={request.target}", f"query={query}", "request_version=1.1", f"request_uri={_uri(request)}", "",
        "SERVER VALUES:", "server_version=nginx: 1.10.0 - lua: 10001", "",
        "HEADERS RECEIVED:", *_received(request), "BODY:",
    ]  # fmt: skip
    return "\n".join([*lines, request.body.decode(errors="replace") or "-no body in request-"])


def _new(context: ProgramContext, request: Request) -> str:
    pod = ["\t-no pod information available-"]
    if "POD_NAME" in context.env:
        pod = [f"\t{name}:\t{context.env.get(variable, 'N/A')}" for name, variable in _POD]
    lines = [
        "", "", f"Hostname: {context.host.hostname}", "", "Pod Information:", *pod, "",
        "Server values:", "\tserver_version=nginx: 1.13.3 - lua: 10008", "",
        "Request Information:", f"\tclient_address={request.peer[0]}", f"\tmethod={request.method}",
        f"\treal path={request.target}", f"\tquery={request.target.partition('?')[2]}", "\trequest_version=1.1",
        "\trequest_scheme=http", f"\trequest_uri={_uri(request)}", "",
        "Request Headers:", *(f"\t{line}" for line in _received(request)), "",
        "Request Body:", request.body.decode(errors="replace") or "\t-no body in request-", "", "",
    ]  # fmt: skip
    return "\n".join(lines)
