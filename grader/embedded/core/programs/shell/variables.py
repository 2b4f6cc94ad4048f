"""The shell's builtins that look after variables: export, readonly, local, unset, set, read."""

from __future__ import annotations

from grader.embedded.core.kernel import TimeoutError_, with_timeout
from grader.embedded.core.programs import small
from grader.embedded.core.programs.process import Input
from grader.embedded.core.programs.shell.arithmetic import ExpansionError
from grader.embedded.core.programs.shell.options import change, letters
from grader.embedded.core.programs.shell.state import Channels, ShellState
from grader.embedded.core.programs.shell.words import is_name


def quoted(value: str) -> str:
    """A value as the shell would read it again."""
    return "'" + value.replace("'", "'\\''") + "'"


async def export(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """`export`, `readonly`."""
    name = argv[0]
    if (read := letters(shell, argv, "np" if shell.make == "bash" and name == "export" else "p", channels)) is None:
        return shell.status
    given, args = read
    marked = shell.exported if name == "export" else shell.readonly
    if not args:
        for each in sorted(marked):
            if each in shell.variables:
                channels.print(f"{name} {each}={quoted(shell.variables[each])}")
        return 0
    return _assign(shell, name, args, channels, marked, take="n" in given)


def _assign(
    shell: ShellState, name: str, words: list[str], channels: Channels, marked: set[str] | None, *, take: bool = False
) -> int:
    for word in words:
        variable, equals, value = word.partition("=")
        if not is_name(variable):
            shell.complain(f"{name}: {variable}: bad variable name", channels)
            return 2
        if equals:
            try:
                shell.set(variable, value)
            except ExpansionError as error:
                shell.complain_of(name, str(error), channels)
                return 1 if shell.make == "bash" else 2
        if marked is not None and take:
            marked.discard(variable)
        elif marked is not None:
            marked.add(variable)
    return 0


async def local(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """`local`: functions share their variables here."""
    if (read := letters(shell, argv, "", channels)) is None:
        return shell.status
    return _assign(shell, argv[0], read[1], channels, None)


async def unset(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """`unset [-fv] name…`."""
    if (read := letters(shell, argv, "fv", channels)) is None:
        return shell.status
    given, names = read
    for name in names:
        if name in shell.readonly:
            shell.complain_of("unset", f"{name}: is read only", channels)
            return 2
        if "f" not in given:
            shell.variables.pop(name, None)
            shell.exported.discard(name)
        if "v" not in given:
            shell.functions.pop(name, None)
    return 0


async def set_(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """`set [options] [arguments]`."""
    args = argv[1:]
    if not args:
        for name in sorted(shell.variables):
            channels.print(f"{name}={quoted(shell.variables[name])}")
        return 0
    if (status := change(shell, args, channels)) is not None:
        return status
    if args:
        shell.positional = args[1:] if args[0] == "--" else args
    return 0


async def read(shell: ShellState, argv: list[str], channels: Channels) -> int:
    """`read [-r] [-p prompt] [-t seconds] [-u fd] [name…]`."""
    known = "rp:" if shell.make == "dash" else "rp:t:su:"
    if (found := letters(shell, argv, known, channels)) is None:
        return shell.status
    given, args = found
    if "p" in given and channels.tty:
        channels.err(given["p"].encode())
    source = channels.fd(int(given["u"])) if given.get("u", "0").isdigit() and "u" in given else channels.stdin
    limit = small.seconds(given["t"]) if "t" in given else None
    if not isinstance(source, Input) or ("t" in given and limit is None):
        wrong = given["u"] if not isinstance(source, Input) else given["t"]
        shell.complain_of("read", f"{wrong}: {'Bad file descriptor' if wrong == given.get('u') else 'invalid timeout'}")
        return 1
    try:
        line = (await with_timeout(limit, source.readline())).decode(errors="replace")
    except TimeoutError_:
        return 142 if shell.make == "bash" else 1
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
