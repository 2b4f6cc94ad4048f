"""A small POSIX shell: what stands behind `sh`, `ash`, `dash` and `bash` in the emulated images.

It runs its commands inside its own process; a pipeline's stages run at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from grader.embedded.core.kernel import ConnectionReset_, Task, pair, turn
from grader.embedded.core.programs.files.filesystem import is_folder, read_file
from grader.embedded.core.programs.images.running import available, load
from grader.embedded.core.programs.mounts import TOO_DEEP
from grader.embedded.core.programs.process import Exit, Input, NoFork
from grader.embedded.core.programs.shell import expand
from grader.embedded.core.programs.shell.arithmetic import ExpansionError
from grader.embedded.core.programs.shell.builtins import BUILTINS, lacking
from grader.embedded.core.programs.shell.makes import own
from grader.embedded.core.programs.shell.parser import parse
from grader.embedded.core.programs.shell.state import Channels, Leave, RedirectError, ShellState
from grader.embedded.core.programs.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Group,
    If,
    Loop,
    Pipeline,
    Redirected,
    Script,
    Simple,
    Substitution,
    SyntaxError_,
    Word,
)
from grader.embedded.core.programs.signals import SIGPIPE, SIGSEGV

DEEPEST = 1000
"""Calls of functions inside of each other that dash takes (src/eval.c of dash 0.5.12, evalfun)."""


class Shell(ShellState):
    """A shell that runs commands."""

    async def capture(self, script: Script) -> str:
        """Return what a script writes to standard output; its status becomes `$?`."""
        chunks: list[bytes] = []
        channels = replace(self.channels, out=chunks.append, tty=False)
        self.status = await self.fork().subshell(script, channels)
        return b"".join(chunks).decode(errors="replace")

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
        except RecursionError:
            self.complain(TOO_DEEP, channels)
            return 128 + SIGSEGV

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
        before, self.channels = self.channels, channels
        try:
            for item in script.items:  # by channels that `exec` may have changed
                if item.background:
                    self._background(item, self.channels)
                else:
                    self.status = await self._and_or(item, self.channels)
        finally:
            self.channels = before
        return self.status

    def _background(self, item: AndOr, channels: Channels) -> None:
        child = self.fork()
        quiet = replace(channels, stdin=Input.of_bytes(b""), tty=False)
        task = self._fork(child.subshell(Script((AndOr(item.items),)), quiet), f"{self.name} background", channels)
        self.last_job = max((*self.jobs, self.context.process.pid)) + 1
        self.jobs[self.last_job] = task
        self.context.process.at_exit(task.cancel)
        self.status = 0

    def _fork(self, call: Coroutine[Any, Any, int], name: str, channels: Channels) -> Task[int]:
        """Start a subshell. Where no more can be had, all of them end: a fork bomb would go on for ever."""
        try:
            return self.context.process.fork(call, name)
        except NoFork:
            cannot = {"dash": "Cannot fork", "bash": "fork: Resource temporarily unavailable"}
            self.complain(cannot.get(self.make, "can't fork: Resource temporarily unavailable"), channels)
            self.context.process.exit(2)
            raise Exit(2) from None

    async def _and_or(self, item: AndOr, channels: Channels) -> int:
        status = 0
        for index, (operator, pipeline) in enumerate(item.items):
            if index and (status == 0) != (operator == "&&"):
                continue
            last = index == len(item.items) - 1
            checked, self.checked = self.checked, self.checked or not last or pipeline.negated
            try:
                status = await self._pipeline(pipeline, channels)
            finally:
                self.checked = checked
            self.status = status
            if status and last and not pipeline.negated and "e" in self.flags and not self.checked:
                raise Exit(status)
        return status

    async def _pipeline(self, pipeline: Pipeline, channels: Channels) -> int:
        if len(pipeline.commands) == 1:
            status = await self.execute(pipeline.commands[0], channels)
        else:
            status = await self._piped(pipeline.commands, channels)
        return int(not status) if pipeline.negated else status

    async def _piped(self, commands: Sequence[Command], channels: Channels) -> int:
        tasks: list[Task[int]] = []
        source = channels.stdin
        for index, command in enumerate(commands):
            if index == len(commands) - 1:
                stage = replace(channels, stdin=source)
                tasks.append(self._fork(self.fork()._stage(command, stage, None), "", channels))
                break
            left, right = pair()
            stage = replace(channels, stdin=source, out=left.send, tty=False)
            tasks.append(self._fork(self.fork()._stage(command, stage, left.close), "", channels))
            source = Input.of_stream(right)
            self.context.process.at_exit(left.reset)
        status = failed = 0
        try:
            for task in tasks:
                status = await task
                failed = status or failed
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        return failed if "p" in self.flags else status

    async def _stage(self, command: Command, channels: Channels, close: Callable[[], None] | None) -> int:
        try:
            return await self.subshell(Script((AndOr((("&&", Pipeline((command,), False)),)),)), channels)
        finally:
            if close is not None:
                close()
            channels.stdin.close()

    async def execute(self, command: Command, channels: Channels) -> int:
        """Run one command. Raises Exit, Leave, and RecursionError where there are too many inside of each other."""
        process = self.context.process
        if process.is_deep():
            return await process.on_new_stack(self.execute(command, channels))
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
            if command.doubled and self.make == "bash":
                self.complain("((: the embedded cluster's shell does not have it", channels)
                return 2
            if command.subshell:
                return await self.fork().subshell(command.body, channels)
            return await self.run(command.body, channels)
        self.functions[command.name] = command.body
        return 0

    async def _condition(self, script: Script, channels: Channels) -> bool:
        checked, self.checked = self.checked, True
        try:
            return await self.run(script, channels) == 0
        finally:
            self.checked = checked

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
        self.line = command.line
        try:
            argv = await expand.fields(command.words, self)
            assignments = [(name, await expand.text(word, self)) for name, word in command.assignments]
            channels = await self._redirect(command.redirects, channels)
        except (ExpansionError, RedirectError) as error:
            if isinstance(error, ExpansionError):
                return self._given_up(error, channels)
            self.complain(str(error), channels)
            return 2 if self.make == "dash" else 1
        if not argv:
            try:
                for name, value in assignments:
                    self.set(name, value)
            except ExpansionError as error:
                return self._given_up(error, channels)
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

    def _given_up(self, error: ExpansionError, channels: Channels) -> int:
        """An expansion failed: that ends a shell that nobody types at."""
        self.complain(str(error), channels)
        if not self.interactive:
            raise Exit(1 if self.make == "bash" else 2) from None
        return 1

    async def invoke(self, argv: list[str], channels: Channels, *, functions: bool = True) -> int:
        """Run a function, a builtin or a program by its command line."""
        name = argv[0]
        if functions and name in self.functions:
            return await self._function(name, argv, channels)
        builtin = BUILTINS.get(name)
        if builtin is not None and name in own(self.make):
            return await builtin(self, argv, channels)
        return await self.program(argv, channels)

    async def _function(self, name: str, argv: list[str], channels: Channels) -> int:
        if self.calls >= DEEPEST and self.make == "dash":
            self.complain(f"Maximum function recursion depth ({DEEPEST}) reached", channels)
            raise Exit(2)
        saved, self.positional = self.positional, argv[1:]
        self.calls += 1
        try:
            return await self.execute(self.functions[name], channels)
        except Leave as leave:
            if leave.kind != "return":
                raise
            return leave.count
        finally:
            self.positional = saved
            self.calls -= 1

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
                missing = "command not found" if self.make == "bash" else "not found"
                if name in lacking(self.make):
                    missing = "the embedded cluster's shell does not have it"
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


def _substitutes(command: Simple) -> bool:
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
