"""nginx' own answers: files, folders, redirects, errors.

Rules: src/http/modules/ngx_http_static_module.c, ngx_http_index_module.c, ngx_http_try_files_module.c,
src/http/ngx_http_special_response.c, ngx_http_header_filter_module.c of nginx 1.26.3.
"""

from __future__ import annotations

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import is_folder, read_file
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Response
from grader.embedded.core.programs.servers.nginx.log import Log
from grader.embedded.core.programs.servers.nginx.proxy import Failed
from grader.embedded.core.programs.servers.nginx.sites import Location
from grader.embedded.core.programs.servers.nginx.variables import Call

_PHRASES = {
    302: "Found", 405: "Not Allowed", 408: "Request Time-out", 413: "Request Entity Too Large",
    500: "Internal Server Error", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
}  # fmt: skip


def headers(context: ProgramContext, location: Location, type: str, size: int) -> http.Headers:
    """The headers that begin every answer."""
    return [
        ("Server", f"nginx/{context.image.version}" if location.tokens else "nginx"),
        ("Date", http.date(context.host.kernel.now())),
        ("Content-Type", type),
        ("Content-Length", str(size)),
    ]


def absolute(call: Call, location: Location, url: str) -> str:
    """A redirect's target: a path is completed with the host that was asked for, and the server's port."""
    if not url.startswith("/") or not location.absolute:
        return url
    return f"http://{call.host}{f':{call.port}' if call.port != 80 else ''}{url}"


def error(call: Call, location: Location, failed: Failed) -> Response:
    """The page for an error or a redirect."""
    status = failed.status
    phrase = f"{status} {_PHRASES.get(status) or http.REASONS.get(status, '')}".rstrip()
    shown = f"nginx/{call.context.image.version}" if location.tokens else "nginx"
    body = (
        f"<html>\r\n<head><title>{phrase}</title></head>\r\n<body>\r\n<center><h1>{phrase}</h1></center>\r\n"
        f"<hr><center>{shown}</center>\r\n</body>\r\n</html>\r\n"
    ).encode()
    if not 300 <= status <= 599 or status == 304:
        body = b""
    found = [*headers(call.context, location, "text/html", len(body)), ("Connection", "keep-alive")]
    if failed.location:
        found.append(("Location", absolute(call, location, failed.location)))
    return Response(status, body, found, _PHRASES.get(status, ""))


def typed(location: Location, path: str) -> str:
    """The media type of a path."""
    name = path.rpartition("/")[2]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return location.types.get(ending, location.default_type)


def path_of(call: Call, location: Location, uri: str) -> str:
    """The file that a URI names."""
    if location.alias is not None:
        return call.text(location.alias) + (uri[len(location.name) :] if location.pattern is None else "")
    root = call.text(location.root)
    return f"{root if root.startswith('/') else f'/etc/nginx/{root}'}{uri}"


def found_by_try_files(call: Call, location: Location, candidate: str) -> bool:
    """Whether a candidate of try_files is there: a folder where it ends with a slash, else a file."""
    path = path_of(call, location, candidate)
    if candidate.endswith("/"):
        return is_folder(call.context, path.rstrip("/") or "/")
    return read_file(call.context, call.context.path(path)) is not None


def serve(call: Call, location: Location, log: Log) -> Response:
    """Answer with a file. Raises Failed."""
    context = call.context
    if call.request.method not in {"GET", "HEAD"}:
        raise Failed(405)
    path = path_of(call, location, call.uri)
    if call.uri.endswith("/"):
        content, path = _index(call, location, path, log)
    else:
        found = read_file(context, context.path(path))
        if found is None:
            if is_folder(context, context.path(path)):
                raise Failed(301, f"{call.uri}/{f'?{call.args}' if call.args else ''}")
            log.failed(call, f'open() "{path}" failed (2: No such file or directory)')
            raise Failed(404)
        content = found
    modified = int(context.host.kernel.now()) // 86400 * 86400
    return Response(200, content, [
        *headers(context, location, typed(location, path), len(content)),
        ("Last-Modified", http.date(modified)),
        ("Connection", "keep-alive"),
        ("ETag", f'"{modified:x}-{len(content):x}"'),
        ("Accept-Ranges", "bytes"),
    ])  # fmt: skip


def _index(call: Call, location: Location, folder: str, log: Log) -> tuple[bytes, str]:
    context = call.context
    last = folder
    for name in location.index:
        last = f"{folder}{call.text(name)}"
        if (content := read_file(context, context.path(last))) is not None:
            return content, last
    if is_folder(context, context.path(folder)):
        log.failed(call, f'directory index of "{folder}" is forbidden')
        raise Failed(403)
    log.failed(call, f'"{last}" is not found (2: No such file or directory)')
    raise Failed(404)
