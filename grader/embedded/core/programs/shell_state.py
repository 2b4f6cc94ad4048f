"""What a shell knows: variables, parameters, channels; its messages, and its redirects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.embedded.core.kernel import Task
from grader.embedded.core.programs import shell_expand as expand
from grader.embedded.core.programs.files import children, exists, is_folder, read_file
from grader.embedded.core.programs.mounts import is_writable
from grader.embedded.core.programs.process import Context, Input, Sink
from grader.embedded.core.programs.shell_syntax import Command, Redirect, Script


class Leave(Exception):
    """Leaves loops (`break`, `continue`) or a function (`return`)."""

    def __init__(self, kind: str, count: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.count = count


@dataclass(frozen=True)
class Channels:
    """Where a command reads and writes.

    Attributes:
        stdin: standard input.
        out: standard output.
        err: standard error.
        tty: whether input and output are a terminal.
    """

    stdin: Input
    out: Sink
    err: Sink
    tty: bool = False

    def print(self, text: str) -> None:
        """Write a line to standard output."""
        self.out(f"{text}\n".encode())


class RedirectError(Exception):
    """A redirect's file cannot be opened."""


class ShellState(ABC):
    """One shell, without what runs commands.

    Attributes:
        context: the program's surroundings; its `cwd` and `env` are those it started with.
        variables: all variables.
        exported: names that commands see.
        positional: `$1` and so on.
        functions: what `name() …` defined.
        status: `$?`.
        flags: letters switched on by `set`.
        jobs: background tasks by number.
        channels: where the shell itself reads and writes.
    """

    channels: Channels

    def __init__(self, context: Context, name: str, positional: list[str]) -> None:
        self.context = context
        self.name = name
        self.variables: dict[str, str] = dict(context.env)
        self.exported: set[str] = set(context.env)
        self.positional = positional
        self.functions: dict[str, Command] = {}
        self.status = 0
        self.flags: set[str] = set()
        self.cwd = context.cwd
        self.jobs: dict[int, Task[int]] = {}
        self.last_job = 0
        self.interactive = False
        self.traps: dict[str, str] = {}
        self._line = 1
        self._checked = False
        self.variables.setdefault("PWD", self.cwd)
        self.exported.add("PWD")
        self.variables.setdefault("PS1", _prompt(context))
        self.variables.setdefault("PS2", "> ")

    # --- Scope, for expansion

    def get(self, name: str) -> str | None:
        """Return the value of a variable or special parameter."""
        if name == "?":
            return str(self.status)
        if name == "#":
            return str(len(self.positional))
        if name == "$":
            return str(self.context.process.pid)
        if name == "!":
            return str(self.last_job) if self.last_job else None
        if name == "-":
            return "".join(sorted(self.flags)) + ("i" if self.interactive else "")
        if name == "0":
            return self.name
        if name.isdigit():
            return self.positional[int(name) - 1] if int(name) <= len(self.positional) else None
        if name == "RANDOM":
            return str(int(self.context.host.kernel.now() * 1_000_003) % 32768)
        return self.variables.get(name)

    def set(self, name: str, value: str) -> None:
        """Assign a variable."""
        self.variables[name] = value

    @property
    def strict(self) -> bool:
        """Whether an unset variable is an error."""
        return "u" in self.flags

    @abstractmethod
    async def capture(self, script: Script) -> str:
        """Return what a script writes to standard output."""

    def paths(self) -> list[str]:
        """Return what patterns can match."""
        files = self.context.host.files
        absolute = [path for path in files if path.startswith("/")]
        folders = {path.rsplit("/", 1)[0] for path in absolute if path.count("/") > 1}
        prefix = self.cwd.rstrip("/") + "/"
        here = [f"{name}" for name in children(self.context, self.cwd)]
        below = [path.removeprefix(prefix) for path in absolute if path.startswith(prefix)]
        return list({*here, *below, *absolute, *folders})

    # --- messages

    def complain(self, message: str, channels: Channels | None = None) -> None:
        """Write an error the way this make of shell does."""
        where = f"{self.name}: "
        kind = self.context.image.shell
        if kind == "dash" and not self.interactive and self._make != "bash":
            where += f"{self._line}: "
        elif self._make == "bash" and not self.interactive:
            where += f"line {self._line}: "
        (channels or self.channels).err(f"{where}{message}\n".encode())

    @property
    def _make(self) -> str:
        base = self.context.name
        return base if base in {"bash", "dash", "ash"} else self.context.image.shell

    # --- redirects

    async def _redirect(self, redirects: Sequence[Redirect], channels: Channels) -> Channels:
        for redirect in redirects:
            target = await expand.text(redirect.target, self)
            channels = self._redirected(redirect, target, channels)
        return channels

    def _redirected(self, redirect: Redirect, target: str, channels: Channels) -> Channels:
        operator, fd = redirect.op, redirect.fd
        if operator == "<<":
            return replace(channels, stdin=Input.of_bytes(target.encode()), tty=False)
        if operator == "<":
            return replace(channels, stdin=self._source(target, channels), tty=False)
        if operator == "<&":
            return channels
        if operator == ">&" and (target.isdigit() or target == "-"):
            sink = {"1": channels.out, "2": channels.err, "-": _discard}.get(target, _discard)
        else:
            sink = self._sink(target, channels, append=operator == ">>")
        if operator == "&>" or (operator == ">&" and not (target.isdigit() or target == "-")):
            return replace(channels, out=sink, err=sink, tty=False)
        if fd == 2:
            return replace(channels, err=sink)
        return replace(channels, out=sink, tty=False) if fd == 1 else channels

    def _source(self, name: str, channels: Channels) -> Input:
        if name in {"/dev/stdin", "/dev/tty"}:
            return channels.stdin
        data = read_file(self.context, self.context.with_(cwd=self.cwd).path(name))
        if data is None:
            dash = self.context.image.shell == "dash"
            text = f"cannot open {name}: No such file" if dash else f"can't open {name}: no such file"
            raise RedirectError(text)
        return Input.of_bytes(data)

    def _sink(self, name: str, channels: Channels, *, append: bool) -> Sink:
        special = {"/dev/null": _discard, "/dev/stdout": channels.out, "/dev/stderr": channels.err}
        special["/dev/tty"] = channels.out
        if name in special:
            return special[name]
        path = self.context.with_(cwd=self.cwd).path(name)
        files = self.context.host.files
        parent = path.rsplit("/", 1)[0] or "/"
        if is_folder(self.context, path) or not exists(self.context, parent):
            dash = self.context.image.shell == "dash"
            reason = "Directory nonexistent" if dash else "nonexistent directory"
            reason = "Is a directory" if is_folder(self.context, path) else reason
            verb = "cannot" if dash else "can't"
            raise RedirectError(f"{verb} create {name}: {reason}")
        if not is_writable(files, path):
            verb = "cannot" if self.context.image.shell == "dash" else "can't"
            raise RedirectError(f"{verb} create {name}: Read-only file system")
        if not append or path not in files:
            files[path] = b""

        def write(data: bytes) -> None:
            files[path] = files.get(path, b"") + data

        return write


def _discard(data: bytes) -> None:
    return None


def _prompt(context: Context) -> str:
    sign = "#" if context.image.user == 0 else "$"
    if context.name == "bash":
        return f"root@{context.host.hostname}:\\w{sign} "
    if context.image.shell == "dash":
        return f"{sign} "
    return f"\\w {sign} "
