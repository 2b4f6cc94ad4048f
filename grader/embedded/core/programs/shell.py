"""A small POSIX shell: what stands behind `sh`, `ash`, `dash` and `bash` in the emulated images.

It runs its commands inside its own process; a pipeline's stages run at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from grader.embedded.core.kernel import Cancelled, ConnectionReset_, Task, pair, turn
from grader.embedded.core.programs import shell_expand as expand
from grader.embedded.core.programs.files import children, exists, is_folder, read_file
from grader.embedded.core.programs.images import available, load
from grader.embedded.core.programs.process import SIGINT, SIGPIPE, Context, Exit, Input, Sink
from grader.embedded.core.programs.shell_expand import ExpansionError
from grader.embedded.core.programs.shell_parser import parse
from grader.embedded.core.programs.shell_syntax import (
    AndOr,
    Case,
    Command,
    For,
    Group,
    If,
    Incomplete,
    Loop,
    Pipeline,
    Redirect,
    Redirected,
    Script,
    Simple,
    SyntaxError_,
    Word,
)

if TYPE_CHECKING:
    from grader.embedded.core.programs.shell_builtins import Builtin

SPECIAL = frozenset("@*#?$!-0123456789")


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


class Shell:
    """One shell.

    Attributes:
        context: the program's surroundings; its `cwd` and `env` are those it started with.
        variables: all variables.
        exported: names that commands see.
        positional: `$1` and so on.
        functions: what `name() …` defined.
        status: `$?`.
        flags: letters switched on by `set`.
        jobs: background tasks by number.
    """

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

    async def capture(self, script: Script) -> str:
        """Return what a script writes to standard output; its status becomes `$?`."""
        chunks: list[bytes] = []
        channels = replace(self.channels, out=chunks.append, tty=False)
        self.status = await self.fork().subshell(script, channels)
        return b"".join(chunks).decode(errors="replace")

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

    # --- running

    channels: Channels

    def fork(self) -> Shell:
        """Return a copy for a subshell: what it changes stays in it."""
        child = Shell.__new__(Shell)
        child.__dict__.update(self.__dict__)
        child.variables = dict(self.variables)
        child.exported = set(self.exported)
        child.positional = list(self.positional)
        child.functions = dict(self.functions)
        child.flags = set(self.flags)
        child.jobs = {}
        child.interactive = False
        child.traps = {}
        return child

    async def subshell(self, script: Script, channels: Channels) -> int:
        """Run a script in this (forked) shell and return its exit code."""
        try:
            return await self.run(script, channels)
        except Exit as done:
            return done.code
        except Leave:
            return self.status
        except ConnectionReset_:
            return 128 + SIGPIPE

    async def source(self, text: str, channels: Channels) -> int:
        """Parse and run a text. Raises Exit."""
        try:
            script = parse(text)
        except SyntaxError_ as error:
            self.complain(str(error), channels)
            self.status = 2
            return 2
        return await self.run(script, channels)

    async def run(self, script: Script, channels: Channels) -> int:
        """Run a script; returns its status. Raises Exit, Leave."""
        before = getattr(self, "channels", None)
        self.channels = channels
        try:
            for item in script.items:
                if item.background:
                    self._background(item, channels)
                else:
                    self.status = await self._and_or(item, channels)
        finally:
            if before is not None:
                self.channels = before
        return self.status

    def _background(self, item: AndOr, channels: Channels) -> None:
        child = self.fork()
        quiet = replace(channels, stdin=Input.of_bytes(b""), tty=False)
        task = self.context.host.kernel.spawn(
            child.subshell(Script((AndOr(item.items),)), quiet), f"{self.name} background"
        )
        self.last_job = max((*self.jobs, self.context.process.pid)) + 1
        self.jobs[self.last_job] = task
        self.context.process.at_exit(task.cancel)
        self.status = 0

    async def _and_or(self, item: AndOr, channels: Channels) -> int:
        status = 0
        for index, (operator, pipeline) in enumerate(item.items):
            if index and (status == 0) != (operator == "&&"):
                continue
            last = index == len(item.items) - 1
            checked, self._checked = self._checked, self._checked or not last or pipeline.negated
            try:
                status = await self._pipeline(pipeline, channels)
            finally:
                self._checked = checked
            self.status = status
            if status and last and not pipeline.negated and "e" in self.flags and not self._checked:
                raise Exit(status)
        return status

    async def _pipeline(self, pipeline: Pipeline, channels: Channels) -> int:
        if len(pipeline.commands) == 1:
            status = await self.execute(pipeline.commands[0], channels)
        else:
            status = await self._piped(pipeline.commands, channels)
        return int(not status) if pipeline.negated else status

    async def _piped(self, commands: Sequence[Command], channels: Channels) -> int:
        kernel = self.context.host.kernel
        tasks: list[Task[int]] = []
        source = channels.stdin
        for index, command in enumerate(commands):
            if index == len(commands) - 1:
                stage = replace(channels, stdin=source)
                tasks.append(kernel.spawn(self.fork()._stage(command, stage, None)))
                break
            left, right = pair()
            stage = replace(channels, stdin=source, out=left.send, tty=False)
            tasks.append(kernel.spawn(self.fork()._stage(command, stage, left.close)))
            source = Input.of_stream(right)
            self.context.process.at_exit(left.reset)
        status = 0
        try:
            for task in tasks:
                status = await task
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        return status

    async def _stage(self, command: Command, channels: Channels, close: Callable[[], None] | None) -> int:
        try:
            return await self.subshell(Script((AndOr((("&&", Pipeline((command,), False)),)),)), channels)
        finally:
            if close is not None:
                close()
            channels.stdin.close()

    async def execute(self, command: Command, channels: Channels) -> int:
        """Run one command. Raises Exit, Leave."""
        if isinstance(command, Simple):
            return await self._simple(command, channels)
        if isinstance(command, Redirected):
            try:
                return await self.execute(command.command, await self._redirect(command.redirects, channels))
            except RedirectError as error:
                self.complain(str(error), channels)
                return 1
        if isinstance(command, If):
            return await self._if(command, channels)
        if isinstance(command, Loop):
            return await self._loop(command, channels)
        if isinstance(command, For):
            return await self._for(command, channels)
        if isinstance(command, Case):
            return await self._case(command, channels)
        if isinstance(command, Group):
            if command.subshell:
                return await self.fork().subshell(command.body, channels)
            return await self.run(command.body, channels)
        self.functions[command.name] = command.body
        return 0

    async def _condition(self, script: Script, channels: Channels) -> bool:
        checked, self._checked = self._checked, True
        try:
            return await self.run(script, channels) == 0
        finally:
            self._checked = checked

    async def _if(self, command: If, channels: Channels) -> int:
        for condition, body in command.branches:
            if await self._condition(condition, channels):
                return await self.run(body, channels)
        if command.otherwise is not None:
            return await self.run(command.otherwise, channels)
        return 0

    async def _loop(self, command: Loop, channels: Channels) -> int:
        status = 0
        while True:
            await turn()
            try:
                if await self._condition(command.condition, channels) == command.until:
                    return status
                status = await self.run(command.body, channels)
            except Leave as leave:
                if self._leaves(leave):
                    return 0

    async def _for(self, command: For, channels: Channels) -> int:
        values = self.positional if command.words is None else await expand.fields(command.words, self)
        status = 0
        for value in list(values):
            await turn()
            self.variables[command.name] = value
            try:
                status = await self.run(command.body, channels)
            except Leave as leave:
                if self._leaves(leave):
                    return 0
        return status

    def _leaves(self, leave: Leave) -> bool:
        """Whether a loop that was told to leave ends; raises it again where an outer loop is meant."""
        if leave.kind == "return":
            raise leave
        if leave.count > 1:
            raise Leave(leave.kind, leave.count - 1)
        return leave.kind == "break"

    async def _case(self, command: Case, channels: Channels) -> int:
        value = await expand.text(command.word, self)
        for patterns, body in command.branches:
            for pattern in patterns:
                if expand.matches(value, await expand.pattern(pattern, self)):
                    return await self.run(body, channels) if body.items else 0
        return 0

    async def _simple(self, command: Simple, channels: Channels) -> int:
        self._line = command.line
        try:
            argv = await expand.fields(command.words, self)
            assignments = [(name, await expand.text(word, self)) for name, word in command.assignments]
            channels = await self._redirect(command.redirects, channels)
        except (ExpansionError, RedirectError) as error:
            self.complain(str(error), channels)
            if isinstance(error, ExpansionError) and not self.interactive:
                raise Exit(2) from None
            return 1
        if not argv:
            for name, value in assignments:
                self.set(name, value)
            return self.status if _substitutes(command) else 0
        if "x" in self.flags:
            channels.err(("+ " + " ".join([f"{n}={v}" for n, v in assignments] + argv) + "\n").encode())
        saved = {name: self.variables.get(name) for name, _ in assignments}
        added = {name for name, _ in assignments} - self.exported
        self.variables.update(assignments)
        self.exported |= added
        try:
            return await self.invoke(argv, channels)
        finally:
            for name, old in saved.items():
                if old is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = old
            self.exported -= added

    async def invoke(self, argv: list[str], channels: Channels, *, functions: bool = True) -> int:
        """Run a function, a builtin or a program by its command line."""
        from grader.embedded.core.programs.shell_builtins import BUILTINS

        name = argv[0]
        if functions and name in self.functions:
            return await self._function(name, argv, channels)
        builtin: Builtin | None = BUILTINS.get(name)
        if builtin is not None:
            return await builtin(self, argv, channels)
        return await self.program(argv, channels)

    async def _function(self, name: str, argv: list[str], channels: Channels) -> int:
        saved, self.positional = self.positional, argv[1:]
        try:
            return await self.execute(self.functions[name], channels)
        except Leave as leave:
            if leave.kind != "return":
                raise
            return leave.count
        finally:
            self.positional = saved

    async def program(self, argv: list[str], channels: Channels) -> int:
        """Run a program of the image and return its exit code."""
        name = argv[0]
        found = available(self.context.image, name)
        if found is None:
            path = self.context.with_(cwd=self.cwd).path(name)
            if "/" in name and is_folder(self.context, path):
                self.complain(f"{name}: Permission denied", channels)
                return 126
            script = read_file(self.context, path) if "/" in name else None
            if script is None or not script.startswith(b"#!"):
                missing = "command not found" if self._make == "bash" else "not found"
                self.complain(f"{name}: {missing}", channels)
                return 127
            argv, found = ["sh", name, *argv[1:]], "sh"
        child = self.context.with_(
            argv=argv,
            env={key: self.variables[key] for key in sorted(self.exported) if key in self.variables},
            stdin=channels.stdin,
            out=channels.out,
            err=channels.err,
            tty=channels.tty,
            cwd=self.cwd,
        )
        return await run_program(load(found)(child))

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
        if not append or path not in files:
            files[path] = b""

        def write(data: bytes) -> None:
            files[path] = files.get(path, b"") + data

        return write


def _discard(data: bytes) -> None:
    return None


def _substitutes(command: Simple) -> bool:
    from grader.embedded.core.programs.shell_syntax import Substitution

    words: list[Word] = [word for _, word in command.assignments] + list(command.words)
    return any(isinstance(part, Substitution) for word in words for part in word.parts)


async def run_program(program: Coroutine[Any, Any, int]) -> int:
    """Run a program inside the current process and return its exit code."""
    try:
        return await program
    except Exit as done:
        return done.code
    except ConnectionReset_:
        return 128 + SIGPIPE


def _prompt(context: Context) -> str:
    sign = "#" if context.image.user == 0 else "$"
    if context.name == "bash":
        return f"root@{context.host.hostname}:\\w{sign} "
    if context.image.shell == "dash":
        return f"{sign} "
    return f"\\w {sign} "


async def main(context: Context) -> int:
    """Run `sh [-eiux] [-c command [name [args]]] [script [args]]`, or read standard input."""
    flags: set[str] = set()
    args = list(context.args)
    command: str | None = None
    while args and args[0][:1] in {"-", "+"} and len(args[0]) > 1:
        option = args.pop(0)
        if option == "--":
            break
        if option.startswith("--"):
            context.error(f"{context.argv[0]}: illegal option {option}")
            return 2
        if "c" in option[1:]:
            if not args:
                context.error(f"{context.argv[0]}: -c requires an argument")
                return 2
            command = args.pop(0)
        if "o" in option[1:] and args:
            args.pop(0)
        flags |= set(option[1:]) - {"c", "o"}
    channels = Channels(context.stdin, context.out, context.err, context.tty)
    if command is not None:
        shell = Shell(context, args[0] if args else context.argv[0], args[1:])
        shell.flags = flags & set("eux")
        return await _ended(shell, shell.source(command, channels))
    if args:
        script = read_file(context, context.path(args[0]))
        if script is None:
            text = "cannot open" if context.image.shell == "dash" else "can't open"
            context.error(f"{context.argv[0]}: {text} '{args[0]}': No such file or directory")
            return 2
        shell = Shell(context, args[0], args[1:])
        shell.flags = flags & set("eux")
        return await _ended(shell, shell.source(script.decode(errors="replace"), channels))
    shell = Shell(context, context.argv[0], [])
    shell.flags = flags & set("eux")
    shell.interactive = context.tty or "i" in flags
    return await _ended(shell, _session(shell, channels))


async def _ended(shell: Shell, work: Coroutine[Any, Any, int]) -> int:
    shell.channels = Channels(shell.context.stdin, shell.context.out, shell.context.err, shell.context.tty)
    try:
        code = await work
    except Exit as done:
        code = done.code
    except Leave:
        code = shell.status
    if "EXIT" in shell.traps:
        await shell.source(shell.traps.pop("EXIT"), shell.channels)
    return code


async def _session(shell: Shell, channels: Channels) -> int:
    """Read commands from standard input, with a prompt when interactive."""
    process = shell.context.process
    current: list[Task[int]] = []
    interrupted: list[bool] = []

    def interrupt() -> None:
        interrupted.append(True)
        if current:
            current[0].cancel()
        else:
            process.stdin.put(b"\n")

    if shell.interactive:
        process.on_signal(SIGINT, interrupt)
    text = ""
    while True:
        if shell.interactive:
            _show_prompt(shell, channels, "PS2" if text else "PS1")
        line = (await channels.stdin.readline()).decode(errors="replace")
        if interrupted:
            interrupted.clear()
            shell.status, text = 130, ""
            channels.err(b"\n")
            continue
        if not line and not text:
            return shell.status
        text += line
        try:
            script = parse(text)
        except Incomplete as error:
            if line:
                continue
            shell.complain(str(error), channels)
            return 2
        except SyntaxError_ as error:
            shell.complain(str(error), channels)
            shell.status, text = 2, ""
            if not shell.interactive:
                return 2
            continue
        if shell.interactive and process.terminal is not None and text.strip():
            process.terminal.history.append(text.rstrip("\n"))
        text = ""
        if not shell.interactive:
            shell.status = await shell.run(script, channels)
            continue
        task = shell.context.host.kernel.spawn(_interactive(shell, script, channels), f"{shell.name} command")
        current.append(task)
        try:
            code = await task
            if code >= 0:
                raise Exit(code)
        except Cancelled:
            if not interrupted:
                task.cancel()
                raise
            interrupted.clear()
            shell.status = 130
            channels.err(b"\n")
        finally:
            current.clear()


async def _interactive(shell: Shell, script: Script, channels: Channels) -> int:
    """Run one typed command; returns an exit code when the shell is to end, else -1."""
    try:
        await shell.run(script, channels)
    except Exit as done:
        return done.code
    except Leave:
        return -1
    except ConnectionReset_:
        shell.status = 128 + SIGPIPE
    return -1


def _show_prompt(shell: Shell, channels: Channels, which: str) -> None:
    home = shell.get("HOME") or "/"
    shown = "~" if shell.cwd == home else shell.cwd
    prompt = (shell.get(which) or "").replace("\\w", shown).replace("\\h", shell.context.host.hostname)
    channels.err(prompt.replace("\\u", "root").replace("\\$", "#").encode())
