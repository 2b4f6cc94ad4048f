"""The folders and the file that nginx makes when it starts, and where a read-only file system stops it.

Source: nginx 1.26.3 src/core/ngx_file.c (ngx_create_paths), src/core/ngx_cycle.c (ngx_create_pidfile); the paths are
those that the official image is built with (`nginx -V`).
"""

from __future__ import annotations

from grader.embedded.core.programs.mounts import Files, folders, is_writable
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
        if not is_writable(files, path) and path not in folders(files):
            raise Emerg(f'mkdir() "{path}" failed (30: Read-only file system)')
    pid = next((each.args[0] for each in tree if each.name == "pid"), PID)
    if not is_writable(files, pid) and not is_writable(files, f"/var{pid}"):  # /var/run is a link to /run
        raise Emerg(f'open() "{pid}" failed (30: Read-only file system)')
