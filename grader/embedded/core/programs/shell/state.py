"""What a shell knows: variables, parameters, channels; its messages, and its redirects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from grader.embedded.core.kernel import Task
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import children, exists, is_folder, read_file
from grader.embedded.core.programs.images import users
from grader.embedded.core.programs.mounts import refusal
from grader.embedded.core.programs.process import Input, Sink
from grader.embedded.core.programs.shell import expand
from grader.embedded.core.programs.shell.arithmetic import ExpansionError
from grader.embedded.core.programs.shell.syntax import Command, Redirect, Script
from grader.embedded.core.programs.signals import STDERR


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
        others: what the shell opened under other numbers.
    """

    stdin: Input
    out: Sink
    err: Sink
    tty: bool = False
    others: Mapping[int, Input | Sink] = field(default_factory=dict)

    def fd(self, number: int) -> Input | Sink | None:
        """What is open under a number."""
        if number == 0:
            return self.stdin
        return {1: self.out, 2: self.err}.get(number) or self.others.get(number)

    def with_fd(self, number: int, held: Input | Sink) -> Channels:
        """The channels with something else open under a number."""
        if number > STDERR:
            return replace(self, others={**self.others, number: held})
        if isinstance(held, Input):
            return replace(self, stdin=held, tty=False) if number == 0 else self
        if number == STDERR:
            return replace(self, err=held)
        return replace(self, out=held, tty=False) if number else self

    def print(self, text: str) -> None:
        """Write a line to standard output."""
        self.out(f"{text}\n".encode())


class RedirectError(Exception):
    """A redirect's file cannot be opened."""


@dataclass(eq=False)
class ShellState(ABC):
    """One shell: all that it knows, and what its builtins need of it.

    Attributes:
        context: the program's surroundings; its `cwd` and `env` are those it started with.
        name: `$0`.
        channels: where the shell itself reads and writes.
        variables: all variables.
        exported: names that commands see.
        readonly: names that cannot be assigned any more.
        positional: `$1` and so on.
        functions: what `name() …` defined.
        status: `$?`.
        flags: letters switched on by `set`.
        cwd: the working folder.
        jobs: background tasks by number.
        last_job: `$!`, 0 before the first.
        interactive: whether somebody types at it.
        calls: how many functions are being called inside of each other.
        traps: what `trap` set, by the signal's name or EXIT.
        line: `$LINENO`.
        checked: whether a failure is looked at where it happens, so that `set -e` does not end the shell.
    """

    context: ProgramContext
    name: str
    channels: Channels
    variables: dict[str, str]
    exported: set[str]
    cwd: str
    readonly: set[str] = field(default_factory=set)
    positional: list[str] = field(default_factory=list)
    functions: dict[str, Command] = field(default_factory=dict)
    status: int = 0
    flags: set[str] = field(default_factory=set)
    jobs: dict[int, Task[int]] = field(default_factory=dict)
    last_job: int = 0
    interactive: bool = False
    traps: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    line: int = 1
    checked: bool = False

    @classmethod
    def begun(cls, context: ProgramContext) -> Self:
        """A new shell in the surroundings of a program."""
        variables = {"PS1": _prompt(context), "PS2": "> ", "PWD": context.cwd, **context.env}
        channels = Channels(context.stdin, context.out, context.err, context.tty)
        return cls(context, context.argv[0], channels, variables, {"PWD", *context.env}, context.cwd)

    def fork(self) -> Self:
        """Return a copy for a subshell: what it changes stays in it."""
        return replace(
            self,
            variables=dict(self.variables),
            exported=set(self.exported),
            readonly=set(self.readonly),
            positional=list(self.positional),
            functions=dict(self.functions),
            flags=set(self.flags),
            jobs={},
            interactive=False,
            traps={},
        )

    # --- what runs commands

    @abstractmethod
    async def source(self, text: str, channels: Channels) -> int:
        """Parse and run a text. Raises Exit."""

    @abstractmethod
    async def invoke(self, argv: list[str], channels: Channels, *, functions: bool = True) -> int:
        """Run a function, a builtin or a program by its command line."""

    @abstractmethod
    async def program(self, argv: list[str], channels: Channels) -> int:
        """Run a program of the image and return its exit code."""

    @abstractmethod
    async def capture(self, script: Script) -> str:
        """Return what a script writes to standard output; its status becomes `$?`."""

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
        if name == "LINENO":
            return str(self.line)
        if name == "PPID" and name not in self.variables:
            return "0"
        if name in {"UID", "EUID"} and self.make == "bash":
            return str(self.context.user.uid)
        if name == "RANDOM":
            return str(int(self.context.host.kernel.now() * 1_000_003) % 32768)
        return self.variables.get(name)

    def set(self, name: str, value: str) -> None:
        """Assign a variable. Raises ExpansionError for one that is read only."""
        if name in self.readonly:
            raise ExpansionError(f"{name}: {'readonly variable' if self.make == 'bash' else 'is read only'}")
        self.variables[name] = value
        if "a" in self.flags:
            self.exported.add(name)

    @property
    def strict(self) -> bool:
        """Whether an unset variable is an error."""
        return "u" in self.flags

    def paths(self) -> list[str]:
        """Return what patterns can match: nothing with `set -f`."""
        if "f" in self.flags:
            return []
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
        if kind == "dash" and not self.interactive and self.make != "bash":
            where += f"{self.line}: "
        elif self.make == "bash" and not self.interactive:
            where += f"line {self.line}: "
        (channels or self.channels).err(f"{where}{message}\n".encode())

    def complain_of(self, builtin: str, message: str, channels: Channels | None = None) -> None:
        """Write an error of a builtin: ash tells the line there, which is 0 in a command string."""
        ash = self.make not in {"dash", "bash"} and not self.interactive
        self.complain(f"{builtin}: {'line 0: ' if ash else ''}{message}", channels)

    @property
    def make(self) -> str:
        """Whose shell it is: bash, dash, or ash under any other name."""
        base = self.context.name
        return base if base in {"bash", "dash", "ash"} else self.context.image.shell

    # --- redirects

    async def _redirect(self, redirects: Sequence[Redirect], channels: Channels) -> Channels:
        for redirect in redirects:
            target = await expand.text(redirect.target, self)
            if redirect.op in {"<&", ">&"} and (target.isdigit() or target == "-"):
                channels = self._duplicated(redirect.fd, target, channels)
            else:
                channels = self._redirected(redirect, target, channels)
        return channels

    def _redirected(self, redirect: Redirect, target: str, channels: Channels) -> Channels:
        operator, fd = redirect.op, redirect.fd
        if operator == "<&":
            raise RedirectError(f"{target}: ambiguous redirect" if self.make == "bash" else "bad fd number")
        if operator in {"<<", "<"}:
            given = Input.of_bytes(target.encode()) if operator == "<<" else self._source(target, channels)
            return channels.with_fd(fd, given)
        sink = self._sink(target, channels, append=operator == ">>", over=redirect.over)
        if operator in {"&>", ">&"}:
            return replace(channels, out=sink, err=sink, tty=False)
        return channels.with_fd(fd, sink)

    def _duplicated(self, fd: int, target: str, channels: Channels) -> Channels:
        """`fd>&target`, `fd<&target`; `-` closes."""
        if target == "-":
            if fd > STDERR:
                return replace(channels, others={key: held for key, held in channels.others.items() if key != fd})
            return channels.with_fd(fd, _discard if fd else Input.of_bytes(b""))
        held = channels.fd(int(target))
        if held is None or isinstance(held, Input) != (fd == 0 or (fd > STDERR and isinstance(held, Input))):
            raise RedirectError(f"{target}: Bad file descriptor")
        return channels if int(target) == fd else channels.with_fd(fd, held)

    def _source(self, name: str, channels: Channels) -> Input:
        if name in {"/dev/stdin", "/dev/tty"}:
            return channels.stdin
        data = read_file(self.context, self.context.with_(cwd=self.cwd).path(name))
        if data is None:
            dash = self.context.image.shell == "dash"
            text = f"cannot open {name}: No such file" if dash else f"can't open {name}: no such file"
            raise RedirectError(text)
        return Input.of_bytes(data)

    def _sink(self, name: str, channels: Channels, *, append: bool, over: bool) -> Sink:
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
        if why := refusal(files, path):
            verb = "cannot" if self.context.image.shell == "dash" else "can't"
            raise RedirectError(f"{verb} create {name}: {why}")
        if "C" in self.flags and not append and not over and read_file(self.context, path) is not None:
            if self.make == "bash":
                raise RedirectError(f"{name}: cannot overwrite existing file")
            raise RedirectError(
                f"{'cannot' if self.make == 'dash' else 'can' + chr(39) + 't'} create {name}: File exists"
            )
        if not append or path not in files:
            files[path] = b""

        def write(data: bytes) -> None:
            files[path] = files.get(path, b"") + data

        return write


def _discard(data: bytes) -> None:
    return None


def _prompt(context: ProgramContext) -> str:
    sign = "#" if context.user.uid == 0 else "$"
    if context.name == "bash":
        name = users.name_of(users.passwd(context.image), context.user.uid) or "I have no name!"
        return f"{name}@{context.host.hostname}:\\w{sign} "
    if context.image.shell == "dash":
        return f"{sign} "
    return f"\\w {sign} "
