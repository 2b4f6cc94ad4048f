"""The folders and the files that nginx makes when it starts, and where it is stopped because it may not.

Source: nginx 1.26.3 src/core/ngx_file.c (ngx_create_paths), src/core/ngx_cycle.c (ngx_init_cycle, ngx_create_pidfile);
the paths are those that the official image is built with (`nginx -V`).
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.embedded.core.programs.mounts import ERRNO, Files, folders, refusal
from grader.embedded.core.programs.servers.nginx.conf import Directive, Emerg

TEMPORARY = {
    "client_body_temp_path": "/var/cache/nginx/client_temp",
    "proxy_temp_path": "/var/cache/nginx/proxy_temp",
    "fastcgi_temp_path": "/var/cache/nginx/fastcgi_temp",
    "uwsgi_temp_path": "/var/cache/nginx/uwsgi_temp",
    "scgi_temp_path": "/var/cache/nginx/scgi_temp",
}
"""By directive, in the order in which they are made."""
PID = "/run/nginx.pid"


def require_writable(tree: tuple[Directive, ...], files: Files) -> None:
    """Make sure that nginx can write where a configuration says. Raises Emerg."""
    http = [each for block in tree if block.name == "http" for each in block.block or ()]
    for directive, default in TEMPORARY.items():
        path = next((each.args[0] for each in http if each.name == directive), default)
        if (why := refusal(files, path)) and path not in folders(files):
            raise Emerg(f'mkdir() "{path}" failed ({ERRNO[why]}: {why})')
    for path in _logs(tree):
        if why := refusal(files, path):
            raise Emerg(f'open() "{path}" failed ({ERRNO[why]}: {why})')
    pid = next((each.args[0] for each in tree if each.name == "pid"), PID)
    if (why := refusal(files, pid)) and refusal(files, f"/var{pid}"):  # /var/run is a link to /run
        raise Emerg(f'open() "{pid}" failed ({ERRNO[why]}: {why})')


def _logs(tree: tuple[Directive, ...]) -> Iterator[str]:
    """The log files of a configuration; those of the image are links to its output."""
    for each in tree:
        if each.name in ("access_log", "error_log") and each.args and each.args[0].startswith("/"):
            if not each.args[0].startswith(("/dev/", "/var/log/nginx/")):
                yield each.args[0]
        yield from _logs(tuple(each.block or ()))
