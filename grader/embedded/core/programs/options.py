"""Options of a command line as getopt(3) reads them, and what a program says to one that it does not know.

BusyBox: libbb/getopt32.c and libbb/appletlib.c (bb_show_usage) of 1.37.0; its C library is glibc in busybox' own
image and musl in Alpine's, whose getopt has words of its own (src/misc/getopt.c). Debian's programs are coreutils'
(src/system.h, emit_try_help).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.process import Exit


@dataclass(frozen=True)
class Options:
    """What a command line says.

    Attributes:
        given: option → its values in order ("" for a flag); long ones under the letter that they stand for.
        rest: what is no option.
    """

    given: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def __contains__(self, letter: str) -> bool:
        return letter in self.given

    def last(self, letter: str, default: str = "") -> str:
        """The last value of an option."""
        return self.given[letter][-1] if letter in self.given else default

    def count(self, letter: str) -> int:
        """How often an option was given."""
        return len(self.given.get(letter, ()))


def read(
    context: ProgramContext,
    letters: str,
    longs: Mapping[str, str] | None = None,
    *,
    usage: str = "",
    code: int = 1,
    stop: bool = False,
) -> Options:
    """Read the arguments of a program.

    Args:
        context: the program's surroundings.
        letters: known letters, each with a colon where it has a value: `np:`.
        longs: long option → the letter it stands for.
        usage: what BusyBox shows after `Usage: `.
        code: exit code of a refusal.
        stop: whether the first word that is no option ends the options (POSIX; a leading `+` of getopt).

    Raises Exit after saying what is wrong.
    """
    found = Options()
    args = list(context.args)
    while args:
        word = args.pop(0)
        if word == "--":
            found.rest.extend(args)
            break
        if not word.startswith("-") or word == "-":
            found.rest.append(word)
            if stop:
                found.rest.extend(args)
                break
            continue
        if word.startswith("--"):
            _long(context, found, word, args, letters, longs or {}, usage, code)
            continue
        at = 1
        while at < len(word):
            letter = word[at]
            at += 1
            index = letters.find(letter) if letter != ":" else -1
            if index < 0:
                raise refuse(context, letter, usage, code)
            if letters[index + 1 : index + 2] != ":":
                found.given.setdefault(letter, []).append("")
                continue
            if at == len(word) and not args:
                raise refuse(context, letter, usage, code, wants=True)
            found.given.setdefault(letter, []).append(word[at:] if at < len(word) else args.pop(0))
            break
    return found


def _long(
    context: ProgramContext,
    found: Options,
    word: str,
    args: list[str],
    letters: str,
    longs: Mapping[str, str],
    usage: str,
    code: int,
) -> None:
    name, equals, value = word[2:].partition("=")
    fits = [long for long in longs if long.startswith(name)]
    letter = longs.get(name) or (longs[fits[0]] if len(fits) == 1 else "")
    if not letter:
        raise refuse(context, name, usage, code)
    if f"{letter}:" in letters and not equals:
        if not args:
            raise refuse(context, name, usage, code, wants=True)
        value = args.pop(0)
    found.given.setdefault(letter, []).append(value)


def refuse(context: ProgramContext, option: str, usage: str = "", code: int = 1, *, wants: bool = False) -> Exit:
    """Say that an option is unknown, or wants a value; the Exit to raise."""
    name = context.name
    if context.image.flavour == "busybox" and context.image.name != "busybox":
        line = f"option requires an argument: {option}" if wants else f"unrecognized option: {option}"
    elif len(option) > 1:
        line = f"option '--{option}' requires an argument" if wants else f"unrecognized option '--{option}'"
    else:
        line = f"option requires an argument -- '{option}'" if wants else f"invalid option -- '{option}'"
    context.error(f"{name}: {line}")
    return show_usage(context, usage, code)


def show_usage(context: ProgramContext, usage: str = "", code: int = 1) -> Exit:
    """Say how a program is used; the Exit to raise."""
    if context.image.flavour != "busybox":
        return context.fail(code, f"Try '{context.name} --help' for more information.")
    return context.fail(
        code, f"{banner(context)} multi-call binary.", "", f"Usage: {usage or f'{context.name} [OPTIONS]'}"
    )


def tell_ignored(context: ProgramContext, words: Iterable[str]) -> None:
    """Say of each option that a server would obey, and that has no effect here."""
    for word in words:
        context.error(f"{context.name}: the embedded cluster ignores the option {word}")


def banner(context: ProgramContext) -> str:
    """BusyBox' name and version. Alpine's releases have one of their own (3.22: 1.37.0)."""
    return f"BusyBox v{context.image.version if context.image.name == 'busybox' else '1.37.0'}"
