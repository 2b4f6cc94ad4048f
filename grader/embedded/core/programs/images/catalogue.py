"""Which programs there are: name → module and function, and which image has which. No program is imported here."""

from __future__ import annotations

_MODULES: dict[str, str] = {
    "servers.agnhost:main": "agnhost",
    "servers.nginx.server:main": "nginx nginx-debug docker-entrypoint.sh",
    "servers.httpd:main": "httpd httpd-foreground",
    "servers.httpecho:main": "http-echo",
    "servers.echoserver:main": "echoserver",
    "servers.samples:hello_app": "hello-app",
    "servers.samples:bootcamp": "node",
    "servers.samples:serve_hostname": "serve_hostname",
    "servers.redis:server": "redis-server",
    "servers.redis:cli": "redis-cli",
    "servers.postgres:server": "postgres",
    "servers.postgres:is_ready": "pg_isready",
    "small:pause": "pause",
    "net.curl:main": "curl",
    "net.wget:main": "wget",
    "net.nslookup:main": "nslookup",
    "net.dig:main": "dig",
    "net.host_cmd:main": "host",
    "net.getent:main": "getent",
    "net.nc:main": "nc",
    "net.ping:main": "ping",
    "shell.session:main": "sh ash bash dash zsh",
    "small:entrypoint": "entrypoint.sh",
    "small:true": "true",
    "small:false": "false",
    "small:echo": "echo",
    "small:printf": "printf",
    "small:env": "env printenv",
    "small:hostname": "hostname",
    "small:sleep_": "sleep",
    "small:date": "date",
    "small:seq": "seq",
    "shell.conditions:test": "test [",
    "small:uname": "uname",
    "small:id_": "id",
    "servers.whoami:main": "whoami",
    "small:timeout": "timeout",
    "small:yes": "yes",
    "small:nproc": "nproc",
    "small:which": "which",
    "small:clear": "clear",
    "small:busybox": "busybox",
    "files.filesystem:cat": "cat",
    "files.filesystem:ls": "ls",
    "files.filesystem:touch": "touch",
    "files.filesystem:rm": "rm",
    "files.filesystem:cp": "cp mv",
    "files.filesystem:mkdir": "mkdir",
    "files.filesystem:tee": "tee",
    "files.filesystem:pwd": "pwd",
    "files.filesystem:basename": "basename dirname",
    "files.find:find": "find",
    "files.sorting:sort": "sort",
    "files.text:uniq": "uniq",
    "files.text:wc": "wc",
    "files.text:head": "head",
    "files.text:tail": "tail",
    "files.text:grep": "grep egrep fgrep",
    "files.text:cut": "cut",
    "files.text:tr": "tr",
    "files.sed:sed": "sed",
    "files.tar:tar": "tar",
    "files.text:xargs": "xargs",
    "files.awk:awk": "awk",
    "shell.sysinfo:ps": "ps",
    "shell.sysinfo:kill": "kill",
    "shell.sysinfo:ip": "ip ifconfig",
    "shell.sysinfo:netstat": "netstat ss",
}

PROGRAMS: dict[str, str] = {name: target for target, names in _MODULES.items() for name in names.split()}

_COMMON = frozenset(
    "sh true false echo printf env printenv hostname sleep date seq test [ uname id whoami timeout yes nproc which"
    " cat ls touch rm cp mv mkdir tee pwd basename dirname sort uniq wc head tail grep egrep fgrep cut tr sed"
    " tar xargs awk clear find".split()
)
_APPLETS = _COMMON | set("ash busybox kill wget nslookup nc ping ps ip ifconfig netstat".split())
BUSYBOX = _APPLETS | {"httpd"}
ALPINE = _APPLETS | {"getent"}
CURL_ALPINE = ALPINE | {"curl", "entrypoint.sh"}
DEBIAN = _COMMON | set("bash dash getent".split())
GLIBC_DNS = DEBIAN | set("dig host nslookup".split())
_NETWORK = ALPINE | set("bash curl dig host ss".split())
AGNHOST = _NETWORK | {"agnhost"}
NETSHOOT = _NETWORK | {"zsh", "httpd"}
