"""The shell's builtin commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from grader.embedded.core.kernel import Cancelled
from grader.embedded.core.programs import small
from grader.embedded.core.programs.files import is_folder, read_file
from grader.embedded.core.programs.images import available
from grader.embedded.core.programs.process import Context, Exit, processes
from grader.embedded.core.programs.shell_parser import RESERVED
from grader.embedded.core.programs.shell_state import Leave
from grader.embedded.core.programs.shell_words import is_name

if TYPE_CHECKING:
    from grader.embedded.core.programs.shell import Shell
    from grader.embedded.core.programs.shell_state import Channels

Builtin: TypeAlias = "Callable[[Shell, list[str], Channels], Awaitable[int]]"

SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15, "CONT": 18, "STOP": 19}


def _as_context(shell: Shell, argv: list[str], channels: Channels) -> Context:
    return shell.context.with_(
        argv=argv,
        env=shell.variables,
        stdin=channels.stdin,
        out=channels.out,
        err=channels.err,
        tty=channels.tty,
        cwd=shell.cwd,
    )


def _of(program: Callable[[Context], Awaitable[int]]) -> Builtin:
    """Make a builtin of a program that needs nothing of the shell."""

    async def run(shell: Shell, argv: list[str], channels: Channels) -> int:
        try:
            return await program(_as_context(shell, argv, channels))
        except Exit as done:
            return done.code

    return run


async def _cd(shell: Shell, argv: list[str], channels: Channels) -> int:
    target = argv[1] if len(argv) > 1 else shell.get("HOME") or "/"
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


async def _pwd(shell: Shell, argv: list[str], channels: Channels) -> int:
    channels.print(shell.cwd)
    return 0


async def _export(shell: Shell, argv: list[str], channels: Channels) -> int:
    if len(argv) == 1 or argv[1] == "-p":
        for name in sorted(shell.exported):
            if name in shell.variables:
                channels.print(f"export {name}={_quoted(shell.variables[name])}")
        return 0
    return _assign(shell, argv, channels, export=argv[0] == "export")


def _assign(shell: Shell, argv: list[str], channels: Channels, *, export: bool) -> int:
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if not is_name(name):
            if not word.startswith("-"):
                shell.complain(f"{argv[0]}: {name}: bad variable name", channels)
                return 2
            continue
        if equals:
            shell.set(name, value)
        if export:
            shell.exported.add(name)
    return 0


async def _local(shell: Shell, argv: list[str], channels: Channels) -> int:
    return _assign(shell, argv, channels, export=False)


async def _unset(shell: Shell, argv: list[str], channels: Channels) -> int:
    for name in argv[1:]:
        if name == "-f" or name == "-v":
            continue
        shell.variables.pop(name, None)
        shell.functions.pop(name, None)
    return 0


async def _set(shell: Shell, argv: list[str], channels: Channels) -> int:
    args = argv[1:]
    if not args:
        for name in sorted(shell.variables):
            channels.print(f"{name}={_quoted(shell.variables[name])}")
        return 0
    while args and args[0][:1] in {"-", "+"} and len(args[0]) > 1:
        option = args.pop(0)
        if option == "--":
            shell.positional = args
            return 0
        letters = set(option[1:])
        if "o" in letters and args:
            named = {"errexit": "e", "nounset": "u", "xtrace": "x"}.get(args.pop(0), "")
            letters = (letters - {"o"}) | set(named)
        shell.flags = shell.flags | letters if option[0] == "-" else shell.flags - letters
    if args:
        shell.positional = args
    return 0


async def _exit(shell: Shell, argv: list[str], channels: Channels) -> int:
    if len(argv) > 1 and not argv[1].lstrip("-").isdigit():
        shell.complain(f"{argv[0]}: Illegal number: {argv[1]}", channels)
        raise Exit(2)
    raise Exit(int(argv[1]) & 0xFF if len(argv) > 1 else shell.status)


async def _leave(shell: Shell, argv: list[str], channels: Channels) -> int:
    number = int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else None
    if argv[0] == "return":
        raise Leave("return", shell.status if number is None else number)
    raise Leave(argv[0], number or 1)


async def _read(shell: Shell, argv: list[str], channels: Channels) -> int:
    args, raw = argv[1:], False
    while args and args[0].startswith("-"):
        option = args.pop(0)
        raw = raw or "r" in option
        if option[-1] in "ptnd" and args:
            value = args.pop(0)
            if option[-1] == "p" and channels.tty:
                channels.err(value.encode())
    line = (await channels.stdin.readline()).decode(errors="replace")
    ended = not line.endswith("\n")
    line = line.removesuffix("\n")
    names = args or ["REPLY"]
    separators = shell.get("IFS")
    blanks = " \t\n" if separators is None else separators
    rest = line.strip(blanks) if blanks and blanks.isspace() else line
    for name in names[:-1]:
        at = next((index for index, char in enumerate(rest) if char in blanks), len(rest))
        shell.set(name, rest[:at])
        rest = rest[at + 1 :]
        if blanks.isspace():
            rest = rest.lstrip(blanks)
    shell.set(names[-1], rest)
    return 1 if ended and not line else 0


async def _shift(shell: Shell, argv: list[str], channels: Channels) -> int:
    count = int(argv[1]) if len(argv) > 1 else 1
    if count > len(shell.positional):
        shell.complain("shift: can't shift that many", channels)
        return 2
    shell.positional = shell.positional[count:]
    return 0


async def _eval(shell: Shell, argv: list[str], channels: Channels) -> int:
    return await shell.source(" ".join(argv[1:]), channels)


async def _dot(shell: Shell, argv: list[str], channels: Channels) -> int:
    path = _as_context(shell, argv, channels).path(argv[1]) if len(argv) > 1 else ""
    content = read_file(shell.context, path)
    if content is None:
        shell.complain(f".: can't open '{argv[1] if len(argv) > 1 else ''}': No such file or directory", channels)
        return 2
    return await shell.source(content.decode(errors="replace"), channels)


async def _exec(shell: Shell, argv: list[str], channels: Channels) -> int:
    if len(argv) > 1:
        raise Exit(await shell.program(argv[1:], channels))
    shell.channels = channels
    return 0


async def _command(shell: Shell, argv: list[str], channels: Channels) -> int:
    args = argv[1:]
    if args and args[0] in {"-v", "-V"}:
        return _locate(shell, args[1:], channels, short=args[0] == "-v")
    if args[:1] == ["-p"]:
        args = args[1:]
    return await shell.invoke(args, channels, functions=False) if args else 0


async def _type(shell: Shell, argv: list[str], channels: Channels) -> int:
    return _locate(shell, argv[1:], channels, short=False)


def _locate(shell: Shell, names: list[str], channels: Channels, *, short: bool) -> int:
    code = 0
    for name in names:
        if name in shell.functions:
            what = "a function"
        elif name in BUILTINS:
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


async def _wait(shell: Shell, argv: list[str], channels: Channels) -> int:
    wanted = [int(word) for word in argv[1:] if word.isdigit()] or list(shell.jobs)
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


async def _kill(shell: Shell, argv: list[str], channels: Channels) -> int:
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
    table, code = processes(shell.context.host), 0
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


async def _trap(shell: Shell, argv: list[str], channels: Channels) -> int:
    if len(argv) < 3:
        return 0
    for name in argv[2:]:
        key = "EXIT" if name in {"0", "EXIT"} else name.upper().removeprefix("SIG")
        shell.traps[key] = argv[1]
        number = int(key) if key.isdigit() else SIGNALS.get(key)
        if number is None:
            continue
        if argv[1] == "-":
            shell.context.process.on_signal(number, None)
        else:
            shell.context.process.on_signal(number, lambda: _trapped(shell, argv[1], channels))
    return 0


def _trapped(shell: Shell, text: str, channels: Channels) -> None:
    async def handle() -> None:
        try:
            await shell.fork().source(text, channels)
        except Exit as done:
            shell.context.process.exit(done.code)

    shell.context.host.kernel.spawn(handle(), "trap")


async def _nothing(shell: Shell, argv: list[str], channels: Channels) -> int:
    return 0


async def _jobs(shell: Shell, argv: list[str], channels: Channels) -> int:
    for index, task in enumerate(shell.jobs.values(), 1):
        channels.print(f"[{index}]  {'Done' if task.done else 'Running'}")
    return 0


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


BUILTINS: dict[str, Builtin] = {
    "cd": _cd,
    "pwd": _pwd,
    "export": _export,
    "readonly": _export,
    "local": _local,
    "unset": _unset,
    "set": _set,
    "exit": _exit,
    "logout": _exit,
    "break": _leave,
    "continue": _leave,
    "return": _leave,
    "read": _read,
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
    "umask": _nothing,
    "ulimit": _nothing,
    "alias": _nothing,
    "hash": _nothing,
    "jobs": _jobs,
    "fg": _nothing,
    ":": _of(small.true),
    "true": _of(small.true),
    "false": _of(small.false),
    "echo": _of(small.echo),
    "printf": _of(small.printf),
    "test": _of(small.test),
    "[": _of(small.test),
}
