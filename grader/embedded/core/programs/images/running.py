"""The images the embedded cluster knows, and how a command is run in one of them.

An image is emulated: a name for a set of programs and a default command. Any other reference cannot be pulled.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

from grader.embedded.core.programs.context import Program, ProgramContext
from grader.embedded.core.programs.host import Host
from grader.embedded.core.programs.images.catalogue import ALPINE, DEBIAN, PROGRAMS
from grader.embedded.core.programs.images.releases import was_released
from grader.embedded.core.programs.images.specs import ALIASES, IMAGES, ImageSpec
from grader.embedded.core.programs.images.users import User, home_of, user_of
from grader.embedded.core.programs.mounts import telling
from grader.embedded.core.programs.process import Input, Process
from grader.embedded.core.programs.signals import STDERR, STDOUT
from grader.embedded.core.programs.terminal import Terminal

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


_PREFIXES = (
    ("docker.io/library/", ""),
    ("index.docker.io/library/", ""),
    ("registry-1.docker.io/library/", ""),
    ("public.ecr.aws/docker/library/", ""),
    ("mirror.gcr.io/library/", ""),
    ("library/", ""),
    ("docker.io/", ""),
    ("index.docker.io/", ""),
    ("registry-1.docker.io/", ""),
    ("mirror.gcr.io/", ""),
    ("k8s.gcr.io/", "registry.k8s.io/"),
    ("gcr.io/google_containers/", "registry.k8s.io/"),
)
"""Registries that have the same images, and what their names stand for."""


class ProgramNotFound(Exception):
    """The image has no such program; `str()` is containerd's message, without the wrapping of the kubelet."""

    def __init__(self, name: str) -> None:
        reason = "no such file or directory" if "/" in name else "executable file not found in $PATH"
        text = f'exec: "{name}": stat {name}: {reason}' if "/" in name else f'exec: "{name}": {reason}'
        super().__init__(f"unable to start container process: {text}")
        self.name = name


_TAG = re.compile(
    r"(latest|stable|mainline|glibc|musl|uclibc|alpine|debian|bookworm|trixie|slim|edge|v?\d+(\.\d+){0,2})"
    r"(-(perl|otel|slim|alpine(\d+(\.\d+)*)?|bookworm|trixie|glibc|musl|uclibc))*"
)


def repositories() -> tuple[str, ...]:
    """The repositories that can be had, in their shortest form."""
    return tuple(IMAGES)


def split_reference(reference: str) -> tuple[str, str]:
    """An image reference as (repository in its shortest form, tag); the tag is `latest` where none is given."""
    name, _, digest = reference.partition("@")
    head, slash, tail = name.rpartition("/")
    base, _, tag = tail.partition(":")
    repository = f"{head}{slash}{base}"
    for prefix, stands_for in _PREFIXES:
        if repository.startswith(prefix):
            repository = stands_for + repository.removeprefix(prefix)
            break
    repository = ALIASES.get(repository, repository)
    return repository, tag or ("" if digest else "latest")


def find(reference: str) -> ImageSpec | None:
    """The image of a reference, or None when it cannot be pulled here.

    Of a known repository any tag is had that is plausible and may be of a release.
    """
    repository, tag = split_reference(reference)
    spec = IMAGES.get(repository)
    if spec is None or (tag and not (_TAG.fullmatch(tag) and was_released(repository, tag))):
        return None
    if spec.tags is not None and tag not in {"", "latest"} and not re.fullmatch(spec.tags, tag):
        return None
    if spec.versions is not None:
        spec = replace(spec, version=spec.versions.get(tag, spec.version))
    elif match := re.match(r"v?(\d+\.\d+(\.\d+)?)", tag):
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
    program: Program = getattr(import_module(f"grader.embedded.core.programs.{module}"), function)
    return telling(program)


def warm(*names: str) -> None:
    """Import programs ahead of their first use; by default those of the grader's probes."""
    for name in names or ("agnhost", "sh", "dig", "curl"):
        load(name)


def available(spec: ImageSpec, name: str) -> str | None:
    """The name under which a command is found in the image, folders taken off; None where there is none."""
    base = name.rsplit("/", 1)[-1]
    return base if base in spec.programs else None


def environment(host: Host, spec: ImageSpec, user: User, *, tty: bool = False) -> Mapping[str, str]:
    """The environment of a process in a container: the runtime's, the image's, the container's own.

    The last is not copied, because it may be long (`kubelet.environment.service_variables`).
    """
    terminal = {"TERM": "xterm"} if tty else {}
    home = {"HOME": home_of(spec, user.uid)}
    given = {"PATH": PATH, "HOSTNAME": host.hostname, **terminal, **home, **spec.env}
    return ChainMap(host.env, given)  # type: ignore[arg-type]  # nobody writes to it


def run(
    host: Host,
    spec: ImageSpec,
    argv: list[str],
    *,
    stdin: bool = False,
    tty: bool = False,
    env: Mapping[str, str] | None = None,
    init: bool = False,
    cwd: str = "/",
    user: User | None = None,
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
        cwd: its working directory.
        user: who it runs as, None for the image's user.

    Raises ProgramNotFound.
    """
    name = available(spec, argv[0]) if argv else None
    if name is None:
        raise ProgramNotFound(argv[0] if argv else "")
    user = user_of(spec) if user is None else user
    process = Process(host.kernel, argv, stdin=stdin, init=init)
    host.processes.add(process, first=init)
    if tty:
        process.terminal = Terminal(process)
    context = ProgramContext(
        host=host,
        image=spec,
        process=process,
        argv=list(argv),
        env={**environment(host, spec, user, tty=tty), **env} if env else environment(host, spec, user, tty=tty),
        stdin=Input(process.stdin.get),
        out=lambda data: process.write(STDOUT, data),
        err=lambda data: process.write(STDERR, data),
        tty=tty,
        cwd=cwd,
        user=user,
    )
    process.start(load(name)(context))
    return process
