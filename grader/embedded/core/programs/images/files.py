"""The few files that the emulated images bring along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.embedded.core.programs.images import users
from grader.embedded.core.programs.mounts import folders

if TYPE_CHECKING:
    from grader.embedded.core.programs.host import Host
from grader.embedded.core.programs.images.specs import ImageSpec

FOLDERS = frozenset(
    "/bin /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/sbin"
    " /usr/local /usr/local/bin /usr/share /var /var/log /var/run /var/tmp".split()
)

NGINX_ROOT = "/usr/share/nginx/html"
NGINX_SITES = "/etc/nginx/conf.d"
HTTPD_ROOT = "/usr/local/apache2/htdocs"

NGINX_INDEX = b"""<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
NGINX_50X = b"""<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
</body>
</html>
"""
NGINX_CONF = b"""
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    #tcp_nopush     on;

    keepalive_timeout  65;

    #gzip  on;

    include /etc/nginx/conf.d/*.conf;
}
"""
NGINX_TYPES = b"""
types {
    text/html                                        html htm shtml;
    text/css                                         css;
    text/xml                                         xml;
    image/gif                                        gif;
    image/jpeg                                       jpeg jpg;
    application/javascript                           js;
    application/atom+xml                             atom;
    application/rss+xml                              rss;

    text/plain                                       txt;
    image/png                                        png;
    image/svg+xml                                    svg svgz;
    image/webp                                       webp;
    image/x-icon                                     ico;
    font/woff                                        woff;
    font/woff2                                       woff2;
    application/json                                 json;
    application/pdf                                  pdf;
    application/wasm                                 wasm;
    application/zip                                  zip;
    video/mp4                                        mp4;
}
"""
NGINX_SITE = b"""server {
    listen       80;
    listen  [::]:80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
HTTPD_INDEX = b"<html><body><h1>It works!</h1></body></html>\n"
SERVER_JS = b"""const http = require('http');
let requests = 0, started;
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  response.end('Hello Kubernetes bootcamp! | Running on: ' + process.env.HOSTNAME + ' | v=VERSION\\n');
  requests += 1;
});
server.listen(8080, () => { started = new Date(); });
"""


def image_files(spec: ImageSpec, host: Host) -> dict[str, bytes]:
    """The image's own files: absolute path → content, without those over whose folder a volume is mounted."""
    if not spec.shell:
        return {}
    files = {
        "/etc/passwd": users.passwd(spec).encode(),
        "/etc/group": users.group(spec).encode(),
        "/etc/os-release": _os_release(spec).encode(),
    }
    if spec.name == "nginx":
        files |= {"/etc/nginx/nginx.conf": NGINX_CONF, "/etc/nginx/mime.types": NGINX_TYPES}
        files[f"{NGINX_SITES}/default.conf"] = NGINX_SITE
        files[f"{NGINX_ROOT}/index.html"] = NGINX_INDEX
        files[f"{NGINX_ROOT}/50x.html"] = NGINX_50X
    if spec.name == "httpd":
        files[f"{HTTPD_ROOT}/index.html"] = HTTPD_INDEX
    if spec.name == "kubernetes-bootcamp":
        files["/server.js"] = SERVER_JS.replace(b"VERSION", spec.version.encode())
    if spec.name == "agnhost":
        files |= {"/agnhost": b"\x7fELF", "/uploads/.keep": b""}
    for folder in folders(host.files):
        files = {path: content for path, content in files.items() if not path.startswith(f"{folder}/")}
    return files


def _os_release(spec: ImageSpec) -> str:
    if spec.flavour == "debian":
        return 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n'
    return 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.2\nPRETTY_NAME="Alpine Linux v3.22"\n'
