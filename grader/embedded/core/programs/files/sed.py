"""`sed`: the substitutions and deletions people type."""

from __future__ import annotations

import re

from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import read_file
from grader.embedded.core.programs.files.text import basic, classes, lines_of, options


async def sed(context: ProgramContext) -> int:
    """`sed [-nEri] [-e] script [file…]` with `s`, `d`, `p`, `q` and addresses by number, `$` or pattern."""
    given, names = options(context, "nEri", "e")
    scripts = given.get("e") or [names.pop(0)] if given.get("e") or names else []
    if not scripts:
        raise context.fail(1, "sed: no script specified")
    commands = [_sed_command(context, part, "E" in given or "r" in given) for part in _sed_split("\n".join(scripts))]
    if "i" in given:
        for name in names:
            inner: list[bytes] = []
            lines = (read_file(context, context.path(name)) or b"").decode(errors="replace").splitlines()
            _sed(context.with_(out=inner.append), commands, lines, "n" in given)
            context.host.files[context.path(name)] = b"".join(inner)
        return 0
    _sed(context, commands, await lines_of(context, names), "n" in given)
    return 0


SedCommand = tuple[str, str, str, str, str]


def _sed_split(script: str) -> list[str]:
    """Cut a script at the semicolons and line ends that are not inside of a substitution."""
    parts, current, escaped, inside = list[str](), list[str](), False, 0
    delimiter, looking = "", "s"  # looking for the letter s, then for the letter behind it
    for char in script:
        if char in ";\n" and not escaped and inside in {0, 3}:
            parts.append("".join(current))
            current, inside, delimiter, looking = [], 0, "", "s"
            continue
        if delimiter and char == delimiter and not escaped:
            inside = (inside or 1) + 1
        escaped = char == "\\" and not escaped
        if looking == "delimiter":
            delimiter, looking = char, ""
            inside = 1 if re.fullmatch(r"\s*[\d$,]*s", "".join(current)) else inside
        elif looking and char in "s/":
            looking = "delimiter" if char == "s" else ""
        current.append(char)
    return [part for part in [*parts, "".join(current)] if part.strip()]


def _sed_command(context: ProgramContext, text: str, extended: bool) -> SedCommand:
    """Read one command as (address, letter, pattern, replacement, flags)."""
    match = re.match(r"\s*((?:\d+|\$|/(?:\\.|[^/])*/)(?:,(?:\d+|\$|/(?:\\.|[^/])*/))?)?\s*(!?)([sdpq=])", text)
    if match is None:
        raise context.fail(1, f"sed: unsupported command {text.strip()[:1]}")
    address, letter, rest = (match[1] or "") + match[2], match[3], text[match.end() :]
    if letter != "s":
        if rest.strip():
            raise context.fail(1, f"sed: extra characters after command: {text.strip()}")
        return address, letter, "", "", ""
    parts, current, at = list[str](), "", 1
    while at < len(rest) and len(parts) < 2:
        if rest[at] == "\\" and at + 1 < len(rest):
            current += rest[at + 1] if rest[at + 1] == rest[0] and rest[0] != "\\" else rest[at : at + 2]
            at += 2
            continue
        if rest[at] == rest[0]:
            parts.append(current)
            current = ""
        else:
            current += rest[at]
        at += 1
    if len(parts) < 2:
        raise context.fail(1, "sed: bad option in substitution expression")
    if not re.fullmatch(r"[gpiI]*\d*[gpiI]*", rest[at:].strip()):
        raise context.fail(1, f"sed: unknown option to s command: {text.strip()}")
    pattern = classes(parts[0] if extended else basic(parts[0]))
    replacement = re.sub(r"(?<!\\)&", r"\\g<0>", parts[1]).replace("\\&", "&")
    return address, letter, pattern, replacement, rest[at:].strip()


def _sed(context: ProgramContext, commands: list[SedCommand], lines: list[str], quiet: bool) -> None:
    active = [False] * len(commands)
    for number, original in enumerate(lines, 1):
        line, deleted, stop = original, False, False
        for index, (address, letter, pattern, replacement, flags) in enumerate(commands):
            if not _addressed(address, number, len(lines), line, active, index):
                continue
            if letter == "d":
                deleted = True
                break
            if letter == "p":
                context.print(line)
            elif letter == "=":
                context.print(str(number))
            elif letter == "q":
                stop = True
            elif letter == "s":
                rule = re.IGNORECASE if "i" in flags.lower() else 0
                new, count = _replaced(pattern, replacement, line, flags, rule)
                line = new
                if count and "p" in flags:
                    context.print(line)
        if not deleted and not quiet:
            context.print(line)
        if stop:
            return


def _replaced(pattern: str, replacement: str, line: str, flags: str, rule: int) -> tuple[str, int]:
    """A line with its matches replaced: the first, all (`g`), or from the nth on or that alone (`2g`, `2`)."""
    which = int("".join(filter(str.isdigit, flags)) or 1)
    count = 0

    def put(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        wanted = count >= which if "g" in flags else count == which
        return match.expand(replacement) if wanted else match[0]

    new = re.sub(pattern, put, line, flags=rule)
    return new, int(count >= which)


def _addressed(address: str, number: int, total: int, line: str, active: list[bool], index: int) -> bool:
    inverted = address.endswith("!")
    first, comma, last = address.rstrip("!").partition(",")
    if not first:
        return not inverted

    def hits(text: str) -> bool:
        if text == "$":
            return number == total
        return number == int(text) if text.isdigit() else bool(re.search(basic(text[1:-1]), line))

    if not comma:
        return hits(first) != inverted
    if active[index]:
        active[index] = not hits(last) and not (last.isdigit() and number >= int(last))
        return not inverted
    begins = hits(first)
    active[index] = begins and not (last.isdigit() and number >= int(last))
    return begins != inverted
