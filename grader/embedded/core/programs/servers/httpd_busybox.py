"""BusyBox' `httpd`: files of a folder, and scripts in its cgi-bin.

Source: networking/httpd.c of BusyBox 1.37.0. Its configuration file (access rules, passwords, proxying) is not read
here, and said to be ignored where there is one.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote, unquote

from grader.embedded.core.kernel import Event
from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import exists, is_folder, read_file
from grader.embedded.core.programs.host import AddressInUse
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.options import Options
from grader.embedded.core.programs.process import Exit, Input
from grader.embedded.core.programs.small import execute

_USAGE = """httpd [-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h HOME]
or httpd -d/-e/-m STRING

Listen for incoming HTTP requests

\t-i\t\tInetd mode
\t-f\t\tRun in foreground
\t-v[v]\t\tVerbose
\t-p [IP:]PORT\tBind to IP:PORT (default *:80)
\t-u USER[:GRP]\tSet uid/gid after binding to port
\t-r REALM\tAuthentication Realm for Basic Authentication
\t-h HOME\t\tHome directory (default .)
\t-c FILE\t\tConfiguration file (default {/etc,HOME}/httpd.conf)
\t-m STRING\tMD5 crypt STRING
\t-e STRING\tHTML encode STRING
\t-d STRING\tURL decode STRING"""
_TYPES = {
    **dict.fromkeys(("txt", "h", "c", "cc", "cpp"), "text/plain"), "htm": "text/html", "html": "text/html",
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "png": "image/png", "svg": "image/svg+xml",
    "css": "text/css", "js": "application/javascript", "wav": "audio/wav", "avi": "video/x-msvideo",
    "qt": "video/quicktime", "mov": "video/quicktime", "mpeg": "video/mpeg", "mp3": "audio/mpeg",
}  # fmt: skip
_REASONS = {
    302: ("Found", ""), 400: ("Bad Request", "Unsupported method"), 403: ("Forbidden", ""),
    404: ("Not Found", "The requested URL was not found"), 500: ("Internal Server Error", "Internal Server Error"),
    501: ("Not Implemented", "The requested method is not recognized"),
}  # fmt: skip


async def main(context: ProgramContext) -> int:
    """`httpd [-fv] [-p [ip:]port] [-h folder]`, `httpd -d|-e text`."""
    asked = options.read(context, "c:d:h:e:r:m:u:p:ifv", usage=_USAGE)
    if "d" in asked:
        context.out(unquote(asked.last("d").replace("+", " ")).encode())
        return 0
    if "e" in asked:
        text = asked.last("e")
        context.out("".join(each if each.isalnum() else f"&#{ord(each)};" for each in text).encode())
        return 0
    for letter in filter(asked.given.__contains__, "mi"):
        raise context.fail(1, f"httpd: the embedded cluster has no -{letter}")
    home = context.path(asked.last("h", "."))
    if not is_folder(context, home):
        raise context.fail(1, f"httpd: can't change directory to '{asked.last('h')}': No such file or directory")
    for conf in (asked.last("c", "/etc/httpd.conf"), f"{home}/httpd.conf"):
        if read_file(context, context.path(conf)) is not None or ("c" in asked and conf == asked.last("c")):
            context.error(f"httpd: the embedded cluster ignores {conf}")
    if "f" not in asked:
        images.run(context.host, context.image, [*context.argv, "-f", "-h", home], env=context.env, user=context.user)
        return 0
    return await _serve(context, asked, home)


async def _serve(context: ProgramContext, asked: Options, home: str) -> int:
    address, _, last = asked.last("p", "80").rpartition(":")
    if not (last.isdigit() and 0 < int(last) < 65536):
        raise context.fail(1, f"httpd: bad port '{last}'")
    if address and address != "0.0.0.0":
        context.error(f"httpd: the embedded cluster ignores the address {address}: it listens on all of them")
    server = Httpd(context, home, asked.count("v"))
    try:
        context.process.serve(context.host.listen, int(last), http.server(context.process, server.respond))
    except AddressInUse:
        shown = "Address already in use" if context.image.name == "busybox" else "Address in use"
        raise context.fail(1, f"httpd: bind: {shown}") from None
    await Event().wait()
    return 0


class Httpd:
    """The running server.

    Attributes:
        home: the folder.
        verbose: how much is told: the status with 1, the URL too with 2.
    """

    def __init__(self, context: ProgramContext, home: str, verbose: int) -> None:
        self.context = context
        self.home = home
        self.verbose = verbose

    async def respond(self, request: Request) -> Response:
        """Answer one request; the connection ends with it."""
        say = partial(self._say, f"[::ffff:{request.peer[0]}]:{request.peer[1]}")
        if self.verbose > 1:
            say(f"url:{request.path}")
        response = await self._answer(request)
        if self.verbose:
            say(f"response:{response.status}")
        return response

    def _say(self, who: str, text: str) -> None:
        self.context.error(f"{who}: {text}")

    async def _answer(self, request: Request) -> Response:
        path = self.context.path(request.path)
        if request.path.startswith("/cgi-bin/"):
            return self._error(403) if path == "/cgi-bin" else await self._script(request, path)
        if request.method not in {"GET", "HEAD"}:
            return self._error(501)
        if path.endswith("/httpd.conf"):
            return self._error(403)
        full = f"{self.home.rstrip('/')}{path}"
        if is_folder(self.context, full.rstrip("/") or "/"):
            if not request.path.endswith("/"):
                query = request.target.partition("?")[2]
                return self._error(302, f"{path}/{f'?{query}' if query else ''}")
            full = f"{full.rstrip('/')}/index.html"
        content = read_file(self.context, full)
        if content is None:
            return self._error(404)
        now = self.context.host.kernel.now()
        modified = int(now) // 86400 * 86400
        kind = _TYPES.get(full.rpartition("/")[2].partition(".")[2].rpartition(".")[2])
        return Response(200, content, [
            ("Date", http.date(now)), ("Connection", "close"), *([("Content-type", kind)] if kind else []),
            ("Accept-Ranges", "bytes"), ("Last-Modified", http.date(modified)),
            ("ETag", f'"{modified:x}-{len(content):x}"'), ("Content-Length", str(len(content))),
        ])  # fmt: skip

    def _error(self, status: int, location: str = "") -> Response:
        reason, text = _REASONS[status]
        body = (
            f"<HTML><HEAD><TITLE>{status} {reason}</TITLE></HEAD>\n<BODY><H1>{status} {reason}</H1>\n{text}\n"
            "</BODY></HTML>\n"
        )
        headers = [("Date", http.date(self.context.host.kernel.now())), ("Connection", "close"),
                   ("Content-type", "text/html")]  # fmt: skip
        if location:
            return Response(status, b"", [*headers, ("Location", quote(location, safe="/?&=%"))], reason)
        return Response(status, body.encode(), headers, reason)

    async def _script(self, request: Request, path: str) -> Response:
        """Run a script of cgi-bin and answer with its output, which begins with headers."""
        full = f"{self.home.rstrip('/')}{path}"
        if not exists(self.context, full):
            return self._error(404)
        output = bytearray()
        env = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in request.headers}
        env |= {
            **self.context.env, "REQUEST_METHOD": request.method, "REQUEST_URI": request.target, "SCRIPT_NAME": path,
            "QUERY_STRING": request.target.partition("?")[2], "REMOTE_ADDR": request.peer[0],
            "REMOTE_PORT": str(request.peer[1]), "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1",
            "CONTENT_LENGTH": str(len(request.body)), "SCRIPT_FILENAME": full,
        }  # fmt: skip
        context = self.context.with_(env=env, stdin=Input.of_bytes(request.body), out=output.extend)
        try:
            await execute(context, ["sh", full])
        except Exit:
            pass
        head, separator, body = bytes(output).replace(b"\r\n", b"\n").partition(b"\n\n")
        if not separator:
            head, body = b"", bytes(output)
        status, headers = 200, [("Connection", "close")]
        for line in head.decode(errors="replace").splitlines():
            key, colon, value = line.partition(":")
            if key.lower() == "status":
                status = int(value.split()[0])
            elif colon:
                headers.append((key, value.strip()))
        return Response(status, body, headers)
