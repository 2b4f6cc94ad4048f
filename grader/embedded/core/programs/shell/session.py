"""`sh` as a program: a command string, a script, or commands from standard input, with a prompt on a terminal."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from grader.embedded.core.kernel import Cancelled, ConnectionReset_, Task
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import read_file
from grader.embedded.core.programs.process import Exit
from grader.embedded.core.programs.shell.interpreter import Shell
from grader.embedded.core.programs.shell.options import LETTERS, NAMES, change
from grader.embedded.core.programs.shell.parser import parse
from grader.embedded.core.programs.shell.state import Channels, Leave
from grader.embedded.core.programs.shell.syntax import Incomplete, Script, SyntaxError_
from grader.embedded.core.programs.signals import SIGINT, SIGPIPE

_LONG = frozenset({"--login", "--norc", "--noprofile", "--posix", "--noediting"})


async def main(context: ProgramContext) -> int:
    """Run `sh [-eiux] [-c command [name [args]]] [script [args]]`, or read standard input."""
    args = list(context.args)
    shell = Shell.begun(context)
    channels = shell.channels
    commands = False
    while args and args[0][:1] in {"-", "+"} and len(args[0]) > 1:
        option = args.pop(0)
        if option == "--":
            break
        if option.startswith("--"):
            if option in _LONG:
                continue
            return _refused(shell, option)
        commands = commands or "c" in option[1:]
        for letter in option[1:].replace("c", ""):
            named = args.pop(0) if letter == "o" and args else ""
            if letter not in LETTERS | {"o"} or (named and named not in NAMES):
                return _refused(shell, f"{option[0]}{letter}{f' {named}' if named else ''}")
            change(shell, [f"{option[0]}{letter}", *([named] if named else [])], channels)
    if commands and not args:
        context.error(f"{context.argv[0]}: -c requires an argument")
        return 2
    if commands:
        command, *args = args
        shell.name, shell.positional = args[0] if args else shell.name, args[1:]
        return await _ended(shell, shell.source(command, channels))
    if args and "s" not in shell.flags:
        script = read_file(context, context.path(args[0]))
        if script is None:
            text = "cannot open" if context.image.shell == "dash" else "can't open"
            context.error(f"{context.argv[0]}: {text} '{args[0]}': No such file or directory")
            return 2
        shell.name, shell.positional = args[0], args[1:]
        return await _ended(shell, shell.source(script.decode(errors="replace"), channels))
    shell.positional = args
    shell.interactive = context.tty or "i" in shell.flags
    shell.flags = shell.flags - {"i"}
    return await _ended(shell, _session(shell, channels))


def _refused(shell: Shell, option: str) -> int:
    """Say that the shell has no such option."""
    if shell.make == "bash":
        shell.channels.err(f"{shell.name}: {option}: invalid option\n".encode())
    elif shell.make == "dash":
        shell.channels.err(f"{shell.name}: 0: Illegal option {option if option[1] != '-' else '--'}\n".encode())
    else:
        shell.channels.err(f"{shell.name}: illegal option {option}\n".encode())
    return 2


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
