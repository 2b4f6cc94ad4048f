"""The httpd image: Apache's static files on port 80. Texts follow httpd 2.4."""

from __future__ import annotations

from datetime import UTC, datetime

from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.images.files import HTTPD_ROOT
from grader.embedded.core.programs.mounts import ERRNO, refusal
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers import httpd_busybox, webserver

_PREFIX = "/usr/local/apache2"


async def main(context: ProgramContext) -> int:
    """Run `httpd-foreground` or `httpd [-v]`; elsewhere than in the httpd image it is BusyBox'."""
    if context.image.name != "httpd":
        return await httpd_busybox.main(context)
    if "-v" in context.args:
        context.print(f"Server version: Apache/{context.image.version} (Unix)")
        return 0
    options.tell_ignored(context, (word for word in context.args if word not in {"-D", "-DFOREGROUND", "FOREGROUND"}))

    def notice(text: str) -> None:
        now = datetime.fromtimestamp(context.host.kernel.now(), UTC)
        context.error(f"[{now:%a %b %d %H:%M:%S.%f %Y}] {text}")

    async def respond(request: Request) -> Response:
        response = _answer(context, request)
        webserver.log_request(context, request, response, combined=False)
        return response

    def in_use(port: int) -> str:
        return f"(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:{port}"

    notice(f"[mpm_event:notice] [pid 1:tid 1] AH00489: Apache/{context.image.version} (Unix) configured")
    notice("[core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'")
    pid = f"{_PREFIX}/logs/httpd.pid"
    if why := refusal(context.host.files, pid):  # server/log.c ap_log_pid (2.4)
        error = "[core:error] [pid 1:tid 1]"
        notice(f"{error} ({ERRNO[why]}){why}: AH00099: could not create {pid}.new")
        notice(f"{error} AH00100: httpd: could not log pid to file {pid}")
        return 1
    return await webserver.serve(context, [80], respond, in_use)


def _answer(context: ProgramContext, request: Request) -> Response:
    headers: http.Headers = [
        ("Date", http.date(context.host.kernel.now())),
        ("Server", f"Apache/{context.image.version} (Unix)"),
    ]
    content, path = webserver.find_file(context, HTTPD_ROOT, request.path)
    if content is None:
        body = (
            b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>404 Not Found</title>\n'
            b"</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n"
            b"</body></html>\n"
        )
        return Response(404, body, [*headers, ("Content-Type", "text/html; charset=iso-8859-1")])
    return Response(200, content, [*headers, ("Content-Type", webserver.content_type(path))])
