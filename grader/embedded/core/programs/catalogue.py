"""Which programs there are: name → module and function, and which image has which. No program is imported here."""

from __future__ import annotations

_MODULES: dict[str, str] = {
    "agnhost:main": "agnhost",
    "nginx:main": "nginx nginx-debug docker-entrypoint.sh",
    "httpd:main": "httpd httpd-foreground",
    "httpecho:main": "http-echo",
    "echoserver:main": "echoserver",
    "samples:hello_app": "hello-app",
    "samples:bootcamp": "node",
    "samples:serve_hostname": "serve_hostname",
    "redis:server": "redis-server",
    "redis:cli": "redis-cli",
    "postgres:server": "postgres",
    "postgres:is_ready": "pg_isready",
    "small:pause": "pause",
    "curl:main": "curl",
    "wget:main": "wget",
    "nslookup:main": "nslookup",
    "dig:main": "dig",
    "host_cmd:main": "host",
    "getent:main": "getent",
    "nc:main": "nc",
    "ping:main": "ping",
    "shell_session:main": "sh ash bash dash zsh",
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
    "conditions:test": "test [",
    "small:uname": "uname",
    "small:id_": "id",
    "whoami:main": "whoami",
    "small:timeout": "timeout",
    "small:yes": "yes",
    "small:nproc": "nproc",
    "small:which": "which",
    "small:clear": "clear",
    "small:busybox": "busybox",
    "files:cat": "cat",
    "files:ls": "ls",
    "files:touch": "touch",
    "files:rm": "rm",
    "files:cp": "cp mv",
    "files:mkdir": "mkdir",
    "files:tee": "tee",
    "files:pwd": "pwd",
    "files:basename": "basename dirname",
    "find:find": "find",
    "sorting:sort": "sort",
    "text:uniq": "uniq",
    "text:wc": "wc",
    "text:head": "head",
    "text:tail": "tail",
    "text:grep": "grep egrep fgrep",
    "text:cut": "cut",
    "text:tr": "tr",
    "sed:sed": "sed",
    "tar:tar": "tar",
    "text:xargs": "xargs",
    "awk:awk": "awk",
    "sysinfo:ps": "ps",
    "sysinfo:kill": "kill",
    "sysinfo:ip": "ip ifconfig",
    "sysinfo:netstat": "netstat ss",
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
