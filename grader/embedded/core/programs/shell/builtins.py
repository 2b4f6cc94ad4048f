"""The shell's builtin commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from grader.embedded.core.kernel import Cancelled
from grader.embedded.core.programs import small
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import is_folder, read_file
from grader.embedded.core.programs.images.running import available
from grader.embedded.core.programs.process import Exit
from grader.embedded.core.programs.shell import conditions
from grader.embedded.core.programs.shell import variables as shell_variables
from grader.embedded.core.programs.shell.makes import own
from grader.embedded.core.programs.shell.options import letters
from grader.embedded.core.programs.shell.parser import RESERVED
from grader.embedded.core.programs.shell.state import Channels, Leave, ShellState
from grader.embedded.core.programs.signals import SIGSEGV

Builtin = Callable[[ShellState, list[str], Channels], Awaitable[int]]

SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15, "CONT": 18, "STOP": 19}


def _as_context(shell: ShellState, argv: list[str], channels: Channels) -> ProgramContext:
    return shell.context.with_(
        argv=argv,
        env=shell.variables,
        stdin=channels.stdin,
        out=channels.out,
        err=channels.err,
        tty=channels.tty,
        cwd=shell.cwd,
    )


def _of(program: Callable[[ProgramContext], Awaitable[int]]) -> Builtin:
    """Make a builtin of a program that needs nothing of the shell."""

    async def run(shell: ShellState, argv: list[str], channels: Channels) -> int:
        try:
            return await program(_as_context(shell, argv, channels))
        except Exit as done:
            return done.code

    return run


async def _cd(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if (read := letters(shell, argv, "LP", channels) if argv[1:2] != ["-"] else ({}, argv[1:])) is None:
        return shell.status
    args = read[1]
    target = args[0] if args else shell.get("HOME") or "/"
    if target == "-":
        target = shell.get("OLDPWD") or "/"
        channels.print(target)
    path = _as_context(shell, argv, channels).path(target)
    if not is_folder(shell.context, path):
        dash = shell.context.image.shell == "dash"
        shell.complain(f"cd: can't cd to {target}" + ("" if dash else ": No such file or directory"), channels)
        return 2 if dash else 1
    shell.set("OLDPWD", shell.cwd)
    shell.cwd = path
    shell.set("PWD", path)
    return 0


async def _pwd(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if letters(shell, argv, "LP", channels) is None:
        return shell.status
    channels.print(shell.cwd)
    return 0


async def _exit(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if len(argv) > 1 and not argv[1].lstrip("-").isdigit():
        shell.complain(f"{argv[0]}: Illegal number: {argv[1]}", channels)
        raise Exit(2)
    raise Exit(int(argv[1]) & 0xFF if len(argv) > 1 else shell.status)


async def _leave(shell: ShellState, argv: list[str], channels: Channels) -> int:
    number = int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else None
    if argv[0] == "return":
        raise Leave("return", shell.status if number is None else number)
    raise Leave(argv[0], number or 1)


async def _shift(shell: ShellState, argv: list[str], channels: Channels) -> int:
    count = int(argv[1]) if len(argv) > 1 else 1
    if count > len(shell.positional):
        shell.complain("shift: can't shift that many", channels)
        return 2
    shell.positional = shell.positional[count:]
    return 0


async def _eval(shell: ShellState, argv: list[str], channels: Channels) -> int:
    return await shell.source(" ".join(argv[1:]), channels)


async def _dot(shell: ShellState, argv: list[str], channels: Channels) -> int:
    path = _as_context(shell, argv, channels).path(argv[1]) if len(argv) > 1 else ""
    content = read_file(shell.context, path)
    if content is None:
        shell.complain(f".: can't open '{argv[1] if len(argv) > 1 else ''}': No such file or directory", channels)
        return 2
    return await shell.source(content.decode(errors="replace"), channels)


async def _exec(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if len(argv) > 1:
        raise Exit(await shell.program(argv[1:], channels))
    shell.channels = channels
    return 0


async def _command(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if (read := letters(shell, argv, "vVp", channels)) is None:
        return shell.status
    given, args = read
    if given.keys() & {"v", "V"}:
        return _locate(shell, args, channels, short="v" in given)
    return await shell.invoke(args, channels, functions=False) if args else 0


async def _type(shell: ShellState, argv: list[str], channels: Channels) -> int:
    return _locate(shell, argv[1:], channels, short=False)


def _locate(shell: ShellState, names: list[str], channels: Channels, *, short: bool) -> int:
    code = 0
    for name in names:
        if name in shell.functions:
            what = "a function"
        elif name in BUILTINS and name in own(shell.make):
            what = "a shell builtin"
        elif name in RESERVED:
            what = "a shell keyword"
        elif available(shell.context.image, name) is not None:
            path = f"/usr/bin/{name}"
            channels.print(path if short else f"{name} is {path}")
            continue
        else:
            code = 127
            if not short:
                channels.print(f"{name}: not found")
            continue
        channels.print(name if short else f"{name} is {what}")
    return code


async def _wait(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if letters(shell, argv, "", channels) is None:
        return shell.status
    for word in argv[1:]:
        if not word.removeprefix("%").isdigit():
            shell.complain_of("wait", f"{'Illegal' if shell.make == 'dash' else 'bad'} number: {word}", channels)
            return 2
    wanted = [int(word.removeprefix("%")) for word in argv[1:]] or list(shell.jobs)
    status = 0
    for number in wanted:
        task = shell.jobs.pop(number, None)
        if task is None:
            status = 127
            continue
        try:
            status = await task
        except Cancelled:
            if not task.cancelled:
                raise
            status = 143
    return status if len(argv) > 1 else 0


async def _kill(shell: ShellState, argv: list[str], channels: Channels) -> int:
    args, signal = argv[1:], 15
    if args[:1] == ["-l"]:
        channels.print(" ".join(SIGNALS))
        return 0
    if args[:1] == ["-s"] and len(args) > 1:
        args = [f"-{args[1]}", *args[2:]]
    if args and args[0].startswith("-"):
        name = args.pop(0)[1:].upper().removeprefix("SIG")
        number = int(name) if name.isdigit() else SIGNALS.get(name)
        if number is None:
            shell.complain(f"kill: invalid signal '{name}'", channels)
            return 1
        signal = number
    table, code = shell.context.host.processes.running(), 0
    for word in args:
        number = int(word.removeprefix("%")) if word.removeprefix("%").isdigit() else -1
        if number in shell.jobs:
            shell.jobs[number].cancel()
        elif number in table:
            if signal:
                table[number].kill(signal)
        else:
            shell.complain(f"kill: can't kill pid {word}: No such process", channels)
            code = 1
    return code


async def _trap(shell: ShellState, argv: list[str], channels: Channels) -> int:
    if (read := letters(shell, argv, "", channels) if argv[1:2] != ["-"] else ({}, argv[1:])) is None:
        return shell.status
    args = read[1]
    if not args:
        for key, text in shell.traps.items():
            channels.print(f"trap -- {shell_variables.quoted(text)} {key}")
        return 0
    action, names = (args[0], args[1:]) if len(args) > 1 else ("-", args)
    code = 0
    for name in names:
        key = "EXIT" if name in {"0", "EXIT"} else name.upper().removeprefix("SIG")
        number = int(key) if key.isdigit() else SIGNALS.get(key)
        if number is None and key != "EXIT":
            text = f"{name}: {'bad trap' if shell.make == 'dash' else 'invalid signal specification'}"
            shell.complain_of("trap", text, channels)
            code = 1
            continue
        shell.traps[key] = action
        if action == "-":
            del shell.traps[key]
        if number is None:
            continue
        if action == "-":
            shell.context.process.on_signal(number, None)
        else:
            shell.context.process.on_signal(number, lambda: _trapped(shell, action, channels))
    return code


def _trapped(shell: ShellState, text: str, channels: Channels) -> None:
    async def handle() -> None:
        try:
            await shell.fork().source(text, channels)
        except Exit as done:
            shell.context.process.exit(done.code)
        except RecursionError:
            shell.context.process.exit(128 + SIGSEGV)

    shell.context.host.kernel.spawn(handle(), "trap")


async def _nothing(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """Succeed: `hash` remembers where programs are, and there is one place."""
    return 0


async def _umask(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """Show the mask; another one changes nothing, since files here have no permissions."""
    if len(argv) == 1:
        channels.print("0022")
    return 0


async def _ulimit(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """Show a limit; another one changes nothing, since there is none."""
    if (read := letters(shell, argv, "HSacdfilmnpqrstuvxw", channels)) is None:
        return shell.status
    if not read[1]:
        channels.print("1048576" if "n" in read[0] else "unlimited")
    return 0


async def _alias(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """Refuse to define one: this shell expands none."""
    if len(argv) == 1:
        return 0
    shell.complain_of("alias", f"{argv[1].partition('=')[0]}: the embedded cluster's shell has no aliases", channels)
    return 1


async def _fg(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """Fail: there is no job control."""
    shell.complain_of(argv[0], "no job control" if shell.make == "bash" else "No current job", channels)
    return 1 if shell.make == "bash" else 2


async def _jobs(shell: ShellState, argv: list[str], channels: Channels) -> int:
    for index, task in enumerate(shell.jobs.values(), 1):
        channels.print(f"[{index}]  {'Done' if task.done else 'Running'}")
    return 0


BUILTINS: dict[str, Builtin] = {
    "cd": _cd,
    "chdir": _cd,
    "pwd": _pwd,
    "export": shell_variables.export,
    "readonly": shell_variables.export,
    "local": shell_variables.local,
    "unset": shell_variables.unset,
    "set": shell_variables.set_,
    "exit": _exit,
    "logout": _exit,
    "break": _leave,
    "continue": _leave,
    "return": _leave,
    "read": shell_variables.read,
    "shift": _shift,
    "eval": _eval,
    ".": _dot,
    "source": _dot,
    "exec": _exec,
    "command": _command,
    "type": _type,
    "wait": _wait,
    "kill": _kill,
    "trap": _trap,
    "umask": _umask,
    "ulimit": _ulimit,
    "alias": _alias,
    "hash": _nothing,
    "jobs": _jobs,
    "fg": _fg,
    "bg": _fg,
    ":": _of(small.true),
    "true": _of(small.true),
    "false": _of(small.false),
    "echo": _of(small.echo),
    "printf": _of(small.printf),
    "test": _of(conditions.test),
    "[": _of(conditions.test),
}


def lacking(make: str) -> frozenset[str]:
    """What a make of shell has, and the emulated one has not."""
    return own(make) - BUILTINS.keys() - RESERVED
