"""Options of the shell and of its builtins, and what each make of shell says to one that it does not have.

Texts: of BusyBox' ash (shell/ash.c, options and nextopt; 1.35 on a kind cluster), dash 0.5.12 and bash 5.2.
"""

from __future__ import annotations

from grader.embedded.core.programs.process import Exit
from grader.embedded.core.programs.shell.state import Channels, ShellState

NAMES = {
    "errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "noclobber": "C",
    "monitor": "m", "notify": "b", "ignoreeof": "I", "emacs": "E", "vi": "V", "interactive": "i", "stdin": "s",
    "pipefail": "p",
}  # fmt: skip
"""Options by their long names, with the letter under which the shell keeps them."""
LETTERS = frozenset("euxfaCmbhisl")
"""Letters that are obeyed, or that change nothing where nobody types (m, b, h, i, s, l)."""
_SPECIAL = frozenset({"set", "export", "readonly", "unset", "shift"})
"""Builtins whose failure ends a shell that nobody types at (POSIX 2.14)."""


def illegal(shell: ShellState, name: str, option: str, channels: Channels) -> int:
    """Say that a builtin has no such option; returns the status. Raises Exit where that ends the shell."""
    if shell.make == "bash":
        shell.complain(f"{name}: {option}: invalid option", channels)
        return 2
    shell.complain_of(name, f"{'Illegal' if shell.make == 'dash' else 'illegal'} option {option}", channels)
    if name in _SPECIAL and not shell.interactive:
        raise Exit(2)
    return 2


def letters(
    shell: ShellState, argv: list[str], known: str, channels: Channels
) -> tuple[dict[str, str], list[str]] | None:
    """Options of a builtin by their letters (a colon: with a value), and its other arguments; None after a refusal."""
    found: dict[str, str] = {}
    args = argv[1:]
    while args and args[0].startswith("-") and len(args[0]) > 1:
        word = args.pop(0)
        if word == "--":
            break
        for at, letter in enumerate(word[1:], 1):
            if letter == ":" or letter not in known:
                shell.status = illegal(shell, argv[0], f"-{letter}", channels)
                return None
            if f"{letter}:" in known:
                found[letter] = word[at + 1 :] or (args.pop(0) if args else "")
                break
            found[letter] = ""
    return found, args


def change(shell: ShellState, args: list[str], channels: Channels, name: str = "set") -> int | None:
    """Take options off the arguments and switch them on (`-`) or off (`+`); a status where one is refused.

    Stops at the first word that is no option, and after `--`, which is taken too.
    """
    while args and args[0][:1] in {"-", "+"} and len(args[0]) > 1 and args[0] != "--":
        word = args.pop(0)
        for letter in word[1:]:
            kept = letter
            if letter == "o":
                if not args:
                    return None
                long = args.pop(0)
                kept = NAMES.get(long, "")
                if not kept or (kept == "p" and shell.make == "dash"):
                    return _no_such(shell, name, word[0], long, channels)
            elif letter not in LETTERS:
                return illegal(shell, name, f"{word[0]}{letter}", channels)
            if word[0] == "-":
                shell.flags = shell.flags | {kept}
            else:
                shell.flags = shell.flags - {kept}
    return None


def _no_such(shell: ShellState, name: str, sign: str, long: str, channels: Channels) -> int:
    if shell.make == "bash":
        shell.complain(f"{name}: {long}: invalid option name", channels)
        return 2
    return illegal(shell, name, f"{sign}o {long}", channels)
