"""The nginx image: its entrypoint script, and a server that does what its configuration says.

Configuration is read in nginx_conf and nginx_config, requests are handed on in nginx_proxy. Texts follow nginx 1.29 and
the official image's docker-entrypoint.sh and docker-entrypoint.d (20-envsubst-on-templates.sh).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from posixpath import normpath

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import children, read_file
from grader.embedded.core.programs.host import AddressInUse
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.images.files import NGINX_SITES, image_files
from grader.embedded.core.programs.mounts import refusal
from grader.embedded.core.programs.net import http
from grader.embedded.core.programs.net.http import Request, Response
from grader.embedded.core.programs.servers.nginx.conf import MAIN, Directive, Emerg, Files, Reader
from grader.embedded.core.programs.servers.nginx.config import Compiler
from grader.embedded.core.programs.servers.nginx.log import Log
from grader.embedded.core.programs.servers.nginx.paths import require_writable
from grader.embedded.core.programs.servers.nginx.phases import Phases, find_site
from grader.embedded.core.programs.servers.nginx.proxy import Upstreams
from grader.embedded.core.programs.servers.nginx.sites import Config
from grader.embedded.core.programs.servers.nginx.variables import Call
from grader.embedded.core.programs.servers.webserver import SIGWINCH
from grader.embedded.core.programs.signals import SIGINT, SIGQUIT, SIGTERM
from grader.embedded.core.programs.small import execute

SIGHUP = 1
_TEMPLATES = "/etc/nginx/templates"
_BEFORE = (
    "/docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    "Looking for shell scripts in /docker-entrypoint.d/",
    "Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
    "Launching /docker-entrypoint.d/15-local-resolvers.envsh",
    "Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
)
_AFTER = (
    "Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
    "Configuration complete; ready for start up",
)
_ADDED = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})
_FOLDER = "/etc/nginx/"
_REMEMBERED = 256
_KNOWN: dict[tuple[object, ...], tuple[Config, dict[str, str], tuple[Directive, ...]]] = {}
_SIGNALS = {"stop": SIGTERM, "quit": SIGQUIT, "reload": SIGHUP}


async def main(context: ProgramContext) -> int:
    """Run the entrypoint script, or `nginx [-?hvVtTq] [-s signal] [-c file] [-g directives]`."""
    if context.name == "docker-entrypoint.sh":
        args = context.args or ["nginx", "-g", "daemon off;"]
        if args[0] in {"nginx", "nginx-debug"}:
            context.print(*_before(context))
            _fill_templates(context)
            context.print(*(f"/docker-entrypoint.sh: {line}" for line in _AFTER))
        return await execute(context, args)
    flags, values = _options(context)
    if flags & set("vV?h"):
        context.error(f"nginx version: nginx/{context.image.version}")
        return 0
    server = Nginx(context, values.get("c", MAIN), values.get("g", ""))
    try:
        await server.load()
    except Emerg as failure:
        server.log.emerg(str(failure))
        if flags & set("tT"):
            context.error(f"nginx: configuration file {server.path} test failed")
        return 1
    if "t" in flags or "T" in flags:
        if "q" not in flags:
            context.error(f"nginx: the configuration file {server.path} syntax is ok",
                          f"nginx: configuration file {server.path} test is successful")  # fmt: skip
        if "T" in flags:
            for path, text in server.reader.seen.items():
                context.print(f"# configuration file {path}:", text)
        return 0
    if "s" in values:
        return _signal(context, server.log, values["s"])
    if server.config.daemon:
        return _into_background(context)
    return await server.run()


def _options(context: ProgramContext) -> tuple[set[str], dict[str, str]]:
    """Read the command line (ngx_get_options of src/core/nginx.c)."""
    flags, values, rest = set[str](), dict[str, str](), list(context.args)
    needs = {"s": "parameter", "c": "file name", "g": "parameter", "p": "directory name", "e": "file name"}
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            raise context.fail(1, f'nginx: invalid option: "{word}"')
        for at, letter in enumerate(word[1:], 1):
            if letter in needs:
                value = word[at + 1 :] or (rest.pop(0) if rest else "")
                if not value:
                    raise context.fail(1, f'nginx: option "-{letter}" requires {needs[letter]}')
                values[letter] = value
                break
            if letter not in "?hvVtTq":
                raise context.fail(1, f'nginx: invalid option: "{letter}"')
            flags.add(letter)
    for letter in filter(values.__contains__, "pe"):
        context.error(f"nginx: the embedded cluster ignores the option -{letter}")
    if "s" in values and values["s"] not in {*_SIGNALS, "reopen"}:
        raise context.fail(1, f'nginx: invalid option: "-s {values["s"]}"')
    return flags, values


def _signal(context: ProgramContext, log: Log, name: str) -> int:
    """`nginx -s`: tell the master process that runs."""
    log.say("notice", "signal process started")
    for process in context.host.processes.running().values():
        if process is not context.process and _is_server(process.argv):
            if name in _SIGNALS:
                process.kill(_SIGNALS[name])
            return 0
    text = 'open() "/run/nginx.pid" failed (2: No such file or directory)'
    log.say("error", text)
    context.error(f"nginx: [error] {text}")
    return 1


def _is_server(argv: list[str]) -> bool:
    return any(word.rpartition("/")[2] in {"nginx", "nginx-debug", "docker-entrypoint.sh"} for word in argv[:1])


def _into_background(context: ProgramContext) -> int:
    """Without `daemon off;` a child serves, which ends with a container whose first process this is."""
    if context.process.pid != 1 or context.process.argv != context.argv:
        images.run(
            context.host, context.image, [*context.argv, "-g", "daemon off;"], env=context.env, user=context.user
        )
    return 0


def _before(context: ProgramContext) -> Iterator[str]:
    """What the entrypoint says of its first steps."""
    site = f"{NGINX_SITES}/default.conf"
    for line in _BEFORE:
        yield f"/docker-entrypoint.sh: {line}"
        if "listen-on-ipv6" in line and refusal(context.host.files, site):
            yield f"10-listen-on-ipv6-by-default.sh: info: can not modify {site} (read-only file system?)"


def _fill_templates(context: ProgramContext) -> None:
    """Write conf.d from the templates, with the environment filled in (20-envsubst-on-templates.sh)."""
    below = f"{_TEMPLATES}/"
    for path in sorted(path for path in context.host.files if path.startswith(below) and path.endswith(".template")):
        target = f"{NGINX_SITES}/{path.removeprefix(below).removesuffix('.template')}"
        text = context.host.files[path].decode(errors="replace")
        filled = re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda found: context.env.get(found[1] or found[2], found[0]), text)
        if refusal(context.host.files, target):
            text = f"ERROR: {_TEMPLATES} exists, but {NGINX_SITES} is not writable"
            context.print(f"20-envsubst-on-templates.sh: {text}")
            return
        context.print(f"20-envsubst-on-templates.sh: Running envsubst on {path} to {target}")
        context.host.files[target] = filled.encode()


class Nginx:
    """A server and its configuration.

    Attributes:
        path: the configuration file.
        reader: what read it last.
        config: what it says.
        tree: the same as it is written.
    """

    config: Config
    tree: tuple[Directive, ...]
    phases: Phases

    def __init__(self, context: ProgramContext, path: str, extra: str) -> None:
        self.context = context
        self.path = path
        self.extra = extra
        self.log = Log(context)
        self.reader = Reader(Files(partial(read_file, context), partial(children, context)))
        self._open: dict[int, Callable[[], None]] = {}
        self._calls = 0

    async def load(self) -> None:
        """Read the configuration and resolve its names. Raises Emerg and keeps what there was."""
        config = self._read()
        upstreams = Upstreams(self.context, self.log)
        await upstreams.prepare(config)
        self.config, self.phases = config, Phases(config, upstreams, self.log)
        for level, text in config.notes:
            self.log.say(level, text)
        if self.context.user.uid and any(each.name == "user" for each in self.tree):  # src/core/nginx.c ngx_set_user
            text = "makes sense only if the master process runs with super-user privileges, ignored"
            self.log.say("warn", f'the "user" directive {text}')
        require_writable(self.tree, self.context.host.files)

    def _read(self) -> Config:
        """The configuration; what is read below /etc/nginx, and nowhere else, is read once for all that have it."""
        names = (*self.context.host.files, *image_files(self.context.image, self.context.host))
        paths = sorted({name for name in names if name.startswith(_FOLDER)})
        key = (self.path, self.extra, tuple((name, read_file(self.context, name)) for name in paths))
        if (known := _KNOWN.get(key)) is not None:
            config, self.reader.seen, self.tree = known
            return config
        self.reader.seen = {}
        given = self.reader.text(self.extra, "command line", "m") if self.extra else ()
        self.tree = (*given, *self.reader.main(self.path))
        config = Compiler().build(self.tree)
        if all(path.startswith(_FOLDER) for path in self.reader.seen):
            if len(_KNOWN) >= _REMEMBERED:
                _KNOWN.clear()
            _KNOWN[key] = (config, self.reader.seen, self.tree)
        return config

    async def run(self) -> int:
        """Serve until a signal comes."""
        self.log.say("notice", 'using the "epoll" event method', f"nginx/{self.context.image.version}",
                     "start worker processes")  # fmt: skip
        process = self.context.process
        process.at_exit(self._close)
        if not self._listen():
            return 1
        process.on_signal(SIGHUP, lambda: self.context.host.kernel.spawn(self._reload(), "nginx reload"))
        await process.signalled(SIGTERM, SIGQUIT, SIGINT, SIGWINCH)
        return 0

    def _close(self) -> None:
        for close in self._open.values():
            close()

    async def _reload(self) -> None:
        self.log.say("notice", "signal 1 (SIGHUP) received, reconfiguring", "reconfiguring")
        try:
            await self.load()
        except Emerg as failure:
            self.log.say("emerg", str(failure))
            return
        if self._listen():
            self.log.say("notice", "start worker processes")

    def _listen(self) -> bool:
        """Open and close ports as the configuration says; tells whether all could be had."""
        process = self.context.process
        wanted = {port for site in self.config.sites for port in site.ports}
        for port in sorted(wanted - set(self._open)):
            try:
                handler = http.server(process, partial(self.respond, port))
                self._open[port] = self.context.host.listen(port, handler)
            except AddressInUse:
                self.log.emerg(f"bind() to 0.0.0.0:{port} failed (98: Address already in use)")
                return False
        for port in sorted(set(self._open) - wanted):
            self._open.pop(port)()
        process.ports[:] = sorted(wanted)
        return True

    async def respond(self, port: int, request: Request) -> Response:
        """Answer one request and log it."""
        self._calls += 1
        path = request.path
        uri = path if "//" not in path and "/." not in path else _normal(path)
        config = self.config
        site = find_site(config, port, request.header("host"))
        call = Call(self.context, request, port, self._calls, site, uri, request.target.partition("?")[2],
                    config.maps, site.own, started=self.context.host.kernel.now())  # fmt: skip
        response = await self.phases.answer(call, site)
        location = call.location
        if location.headers:
            added = [(key, call.text(value)) for key, value, always in location.headers
                     if always or response.status in _ADDED]  # fmt: skip
            response = Response(response.status, response.body, [*response.headers, *added], response.reason)
        call.response = response
        self.log.access(call, location, config)
        return response


def _normal(path: str) -> str:
    """A path without doubled slashes and dots (ngx_http_parse_complex_uri)."""
    return "/" + normpath(path).strip("/") + ("/" if path.endswith(("/", "/.", "/..")) and path.strip("/.") else "")
