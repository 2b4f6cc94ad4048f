"""The images the embedded cluster knows, and how a command is run in one of them.

An image is emulated: a name for a set of programs and a default command. Any other reference cannot be pulled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING

from grader.embedded.core.programs.catalogue import (
    AGNHOST,
    ALPINE,
    BUSYBOX,
    CURL_ALPINE,
    DEBIAN,
    GLIBC_DNS,
    PROGRAMS,
)
from grader.embedded.core.programs.mounts import telling
from grader.embedded.core.programs.process import (
    STDERR,
    STDOUT,
    Context,
    Input,
    Process,
    Program,
    next_pid,
    processes,
)

if TYPE_CHECKING:
    from grader.embedded.core.programs.host import Host

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ProgramNotFound(Exception):
    """The image has no such program; `str()` is containerd's message, without the wrapping of the kubelet."""

    def __init__(self, name: str) -> None:
        reason = "no such file or directory" if "/" in name else "executable file not found in $PATH"
        text = f'exec: "{name}": stat {name}: {reason}' if "/" in name else f'exec: "{name}": {reason}'
        super().__init__(f"unable to start container process: {text}")
        self.name = name


@dataclass(frozen=True)
class ImageSpec:
    """An image.

    Attributes:
        name: the repository in short, such as `nginx`.
        version: version of what the image is about, such as `1.29.4`.
        flavour: whose tools it has: `busybox` (Alpine too) or `debian`.
        entrypoint: as in the image's configuration.
        args: default arguments (CMD).
        env: environment set by the image.
        programs: names of the programs that can be run.
        ports: ports that the image says it exposes.
        stop_signal: what the kubelet sends to end it: 15 or the image's STOPSIGNAL.
        shell: the program behind `/bin/sh`, for its prompt and messages: ash, busybox, dash; "" where there is none.
        user: numeric user id that programs run as.
    """

    name: str
    version: str
    flavour: str
    entrypoint: tuple[str, ...]
    args: tuple[str, ...]
    programs: frozenset[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    stop_signal: int = 15
    shell: str = "ash"
    user: int = 0

    def command(self, command: list[str] | None, args: list[str] | None) -> list[str]:
        """The command line of a container, from its `command` and `args` (Kubernetes' rule: command resets both)."""
        if command:
            return [*command, *(args or ())]
        return [*self.entrypoint, *(args if args is not None and args else self.args)]

    def older_than(self, *version: int) -> bool:
        """Whether its version comes before another one."""
        return tuple(int(part) for part in self.version.split(".")[: len(version)]) < version


_TAG = re.compile(
    r"(latest|stable|mainline|glibc|musl|uclibc|alpine|debian|bookworm|trixie|slim|edge|v?\d+(\.\d+){0,2})"
    r"(-(perl|otel|slim|alpine(\d+(\.\d+)*)?|bookworm|trixie|glibc|musl|uclibc))*"
)

_NGINX = ImageSpec(
    name="nginx",
    version="1.29.4",
    flavour="debian",
    entrypoint=("/docker-entrypoint.sh",),
    args=("nginx", "-g", "daemon off;"),
    programs=DEBIAN | {"nginx", "docker-entrypoint.sh", "curl"},
    ports=(80,),
    stop_signal=3,
    shell="dash",
)

_IMAGES: dict[str, ImageSpec] = {
    "nginx": _NGINX,
    "httpd": ImageSpec(
        name="httpd",
        version="2.4.66",
        flavour="debian",
        entrypoint=(),
        args=("httpd-foreground",),
        programs=DEBIAN | {"httpd-foreground", "httpd"},
        env={"HTTPD_PREFIX": "/usr/local/apache2"},
        ports=(80,),
        stop_signal=28,
        shell="dash",
    ),
    "busybox": ImageSpec(
        name="busybox", version="1.37.0", flavour="busybox", entrypoint=(), args=("sh",), programs=BUSYBOX
    ),
    "alpine": ImageSpec(
        name="alpine", version="3.22", flavour="busybox", entrypoint=(), args=("/bin/sh",), programs=ALPINE
    ),
    "curlimages/curl": ImageSpec(
        name="curl",
        version="8.17.0",
        flavour="busybox",
        entrypoint=("/entrypoint.sh",),
        args=("curl",),
        programs=CURL_ALPINE,
        user=100,
    ),
    "hashicorp/http-echo": ImageSpec(
        name="http-echo",
        version="1.0.0",
        flavour="busybox",
        entrypoint=("/http-echo",),
        args=(),
        programs=frozenset({"http-echo"}),
        ports=(5678,),
        shell="",
    ),
    "redis": ImageSpec(
        name="redis",
        version="8.2.3",
        flavour="debian",
        entrypoint=("docker-entrypoint.sh",),
        args=("redis-server",),
        programs=DEBIAN | {"docker-entrypoint.sh", "redis-server", "redis-cli"},
        ports=(6379,),
        shell="dash",
    ),
    "postgres": ImageSpec(
        name="postgres",
        version="18.1",
        flavour="debian",
        entrypoint=("docker-entrypoint.sh",),
        args=("postgres",),
        programs=DEBIAN | {"docker-entrypoint.sh", "postgres", "pg_isready"},
        ports=(5432,),
        stop_signal=2,
        shell="dash",
    ),
    "registry.k8s.io/e2e-test-images/agnhost": ImageSpec(
        name="agnhost",
        version="2.63.0",
        flavour="busybox",
        entrypoint=("/agnhost",),
        args=("pause",),
        programs=AGNHOST,
        ports=(80, 8080, 8081, 9376, 5000),
    ),
    "registry.k8s.io/e2e-test-images/glibc-dns-testing": ImageSpec(
        name="glibc-dns-testing",
        version="2.1.0",
        flavour="debian",
        entrypoint=(),
        args=("bash",),
        programs=GLIBC_DNS,
        shell="dash",
    ),
    "registry.k8s.io/pause": ImageSpec(
        name="pause",
        version="3.10.1",
        flavour="busybox",
        entrypoint=("/pause",),
        args=(),
        programs=frozenset({"pause"}),
        shell="",
    ),
}


def repositories() -> tuple[str, ...]:
    """The repositories that can be had, in their shortest form."""
    return tuple(_IMAGES)


def split_reference(reference: str) -> tuple[str, str]:
    """An image reference as (repository in its shortest form, tag); the tag is `latest` where none is given."""
    name, _, digest = reference.partition("@")
    head, slash, tail = name.rpartition("/")
    base, _, tag = tail.partition(":")
    repository = f"{head}{slash}{base}"
    for prefix in ("docker.io/library/", "index.docker.io/library/", "library/", "docker.io/", "index.docker.io/"):
        if repository.startswith(prefix):
            repository = repository.removeprefix(prefix)
            break
    return repository, tag or ("" if digest else "latest")


def find(reference: str) -> ImageSpec | None:
    """The image of a reference, or None when it cannot be pulled here.

    Any plausible tag is had of a known repository; of agnhost, any 2.x.
    """
    repository, tag = split_reference(reference)
    spec = _IMAGES.get(repository)
    if spec is None or (tag and not _TAG.fullmatch(tag)):
        return None
    if spec.name == "agnhost" and tag not in {"", "latest"} and not re.fullmatch(r"2\.\d+(\.\d+)?", tag):
        return None
    if match := re.match(r"v?(\d+\.\d+(\.\d+)?)", tag):
        found = match[1]
        if not spec.version.startswith(f"{found}."):
            spec = replace(spec, version=found if match[2] or spec.name == "alpine" else f"{found}.0")
    if "alpine" in tag and spec.flavour == "debian":
        own = spec.programs - DEBIAN - {"curl"}
        extra = {"curl"} if spec.name == "nginx" else set()
        spec = replace(spec, flavour="busybox", programs=ALPINE | own | extra, shell="ash")
    return spec


def load(name: str) -> Program:
    """The program of that name; imports its module. Raises KeyError for a name that is in no image."""
    module, function = PROGRAMS[name].split(":")
    program: Program = getattr(import_module(f"{__package__}.{module}"), function)
    return telling(program)


def warm(*names: str) -> None:
    """Import programs ahead of their first use; by default those of the grader's probes."""
    for name in names or ("agnhost", "sh", "dig", "curl"):
        load(name)


def available(spec: ImageSpec, name: str) -> str | None:
    """The name under which a command is found in the image, folders taken off; None where there is none."""
    base = name.rsplit("/", 1)[-1]
    return base if base in spec.programs else None


def environment(host: Host, spec: ImageSpec, *, tty: bool = False) -> dict[str, str]:
    """The environment of a process in a container: the runtime's, the image's, the container's own."""
    terminal = {"TERM": "xterm"} if tty else {}
    home = {"HOME": "/root" if spec.user == 0 else "/"}
    return {"PATH": PATH, "HOSTNAME": host.hostname, **terminal, **home, **spec.env, **host.env}


def run(
    host: Host,
    spec: ImageSpec,
    argv: list[str],
    *,
    stdin: bool = False,
    tty: bool = False,
    env: Mapping[str, str] | None = None,
    init: bool = False,
) -> Process:
    """Start a command in a container of an image.

    Args:
        host: the machine it runs on.
        spec: the image.
        argv: the command line, already complete (see `ImageSpec.command`).
        stdin: whether standard input is kept open; else it is at its end.
        tty: whether it gets a terminal.
        env: more environment, over `host.env`.
        init: whether it is the container's first process, which ignores signals that it does not handle.

    Raises ProgramNotFound.
    """
    name = available(spec, argv[0]) if argv else None
    if name is None:
        raise ProgramNotFound(argv[0] if argv else "")
    process = Process(host.kernel, argv, stdin=stdin, init=init, pid=1 if init else next_pid(host))
    processes(host)[process.pid] = process
    if tty:
        from grader.embedded.core.programs.terminal import Terminal

        process.terminal = Terminal(process)
    context = Context(
        host=host,
        image=spec,
        process=process,
        argv=list(argv),
        env={**environment(host, spec, tty=tty), **(env or {})},
        stdin=Input(process.stdin.get),
        out=lambda data: process.write(STDOUT, data),
        err=lambda data: process.write(STDERR, data),
        tty=tty,
    )
    process.start(load(name)(context))
    return process
