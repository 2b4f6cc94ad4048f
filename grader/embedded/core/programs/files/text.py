"""Filters of text: uniq, wc, head, tail, grep, cut, tr, xargs."""

from __future__ import annotations

import re
import string
from collections.abc import AsyncIterator

from grader.embedded.core.kernel import Event
from grader.embedded.core.programs import options as getopt
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import children, is_folder, read_file
from grader.embedded.core.programs.process import Exit, Input
from grader.embedded.core.programs.small import execute

LONGS = {
    "head": {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"},
    "tail": {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v", "follow": "f"},
    "wc": {"lines": "l", "words": "w", "bytes": "c", "chars": "m"},
    "sort": {"numeric-sort": "n", "reverse": "r", "unique": "u", "version-sort": "V", "human-numeric-sort": "h",
             "ignore-case": "f", "key": "k", "field-separator": "t", "output": "o", "stable": "s"},
    "uniq": {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i"},
    "cut": {"delimiter": "d", "fields": "f", "characters": "c", "bytes": "b", "only-delimited": "s"},
    "tr": {"complement": "c", "delete": "d", "squeeze-repeats": "s"},
    "sed": {"quiet": "n", "silent": "n", "regexp-extended": "E", "expression": "e", "in-place": "i"},
    "grep": {"ignore-case": "i", "invert-match": "v", "count": "c", "line-number": "n", "quiet": "q", "silent": "q",
             "extended-regexp": "E", "fixed-strings": "F", "only-matching": "o", "line-regexp": "x",
             "word-regexp": "w", "files-with-matches": "l", "files-without-match": "L", "no-filename": "h",
             "with-filename": "H", "no-messages": "s", "text": "a", "perl-regexp": "P", "regexp": "e",
             "after-context": "A", "before-context": "B", "context": "C", "max-count": "m", "color": "k",
             "colour": "k"},
}  # fmt: skip
"""Long options by program; those of `grep --color` show nothing where there is no terminal of its own."""


def options(context: ProgramContext, switches: str, valued: str = "") -> tuple[dict[str, list[str]], list[str]]:
    """Split arguments into options (with their values) and operands. Raises Exit for an unknown option."""
    if "n" in valued:  # `head -5`
        before = ["", *context.args]
        words = [
            f"-n{word[1:]}" if re.fullmatch(r"-\d+", word) and at not in {"-n", "-c"} else word
            for at, word in zip(before, context.args, strict=False)
        ]
        context = context.with_(argv=[context.argv[0], *words])
    name = context.name.removeprefix("e").removeprefix("f") if context.name.endswith("grep") else context.name
    code = 2 if name in {"grep", "sort"} else 1
    known = switches + "".join(f"{letter}:" for letter in valued)
    read = getopt.read(context, known, LONGS.get(name), code=code)
    return read.given, read.rest


def count(context: ProgramContext, text: str) -> int:
    """A number of lines or bytes. Raises Exit where it is none."""
    if not re.fullmatch(r"[-+]?\d+", text):
        kind = "number" if context.image.flavour == "busybox" else "number of lines"
        raise context.fail(1, f"{context.name}: invalid {kind}{'' if kind == 'number' else ':'} '{text}'")
    return int(text)


async def sources(context: ProgramContext, names: list[str]) -> AsyncIterator[tuple[str, Input]]:
    """Give the inputs that operands name, standard input where there is none.

    Missing files are complained of; after the last input they raise Exit.
    """
    missing = False
    for name in names or ["-"]:
        if name == "-":
            yield name, context.stdin
            continue
        content = read_file(context, context.path(name))
        if content is None:
            reason = "Is a directory" if is_folder(context, context.path(name)) else "No such file or directory"
            context.error(f"{context.name}: {name}: {reason}")
            missing = True
            continue
        yield name, Input.of_bytes(content)
    if missing:
        raise Exit(2 if context.name in {"grep", "egrep", "fgrep", "sort"} else 1)


async def lines_of(context: ProgramContext, names: list[str]) -> list[str]:
    """Return all lines of the inputs that operands name, without their newlines."""
    found: list[str] = []
    async for _, source in sources(context, names):
        found += (await source.read_all()).decode(errors="replace").splitlines()
    return found


async def uniq(context: ProgramContext) -> int:
    """`uniq [-cdu]`."""
    given, names = options(context, "cdui")
    groups: list[tuple[str, int]] = []
    for line in await lines_of(context, names):
        if groups and (groups[-1][0] == line or ("i" in given and groups[-1][0].lower() == line.lower())):
            groups[-1] = (groups[-1][0], groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    for line, count in groups:
        if ("d" in given and count == 1) or ("u" in given and count > 1):
            continue
        context.print(f"{count:7} {line}" if "c" in given else line)
    return 0


async def wc(context: ProgramContext) -> int:
    """`wc [-lwc]`."""
    given, names = options(context, "lwcm")
    async for name, source in sources(context, names):
        data = await source.read_all()
        text = data.decode(errors="replace")
        counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(data), "m": len(text)}
        shown = [str(counts[key]) for key in counts if key in given] or [f"{counts[key]:7}" for key in "lwc"]
        context.print(" ".join([*shown, *([] if name == "-" else [name])]))
    return 0


async def head(context: ProgramContext) -> int:
    """`head [-n count] [-c bytes]`."""
    given, names = options(context, "qv", "nc")
    first = True
    async for name, source in sources(context, names):
        first = _headline(context, given, names, name, first=first)
        wanted = count(context, given.get("c", given.get("n", ["10"]))[-1])
        if "c" in given:
            context.out((await source.read_all())[:wanted])
            continue
        if wanted < 0:
            context.out(b"".join((await source.read_all()).splitlines(keepends=True)[:wanted]))
        for _ in range(wanted):
            line = await source.readline()
            if not line:
                break
            context.out(line)
    return 0


def _headline(
    context: ProgramContext, given: dict[str, list[str]], names: list[str], name: str, *, first: bool
) -> bool:
    """Name the file above its lines, where there are several; returns False."""
    if (len(names) > 1 or "v" in given) and "q" not in given:
        context.print(*([] if first else [""]), f"==> {'standard input' if name == '-' else name} <==")
    return False


async def tail(context: ProgramContext) -> int:
    """`tail [-n count] [-c bytes] [-f]`."""
    given, names = options(context, "qvfF", "ncs")
    first = True
    async for name, source in sources(context, names):
        first = _headline(context, given, names, name, first=first)
        text = given.get("c", given.get("n", ["10"]))[-1]
        wanted, data = abs(count(context, text)), await source.read_all()
        pieces = [data[at : at + 1] for at in range(len(data))] if "c" in given else data.splitlines(keepends=True)
        start = max(wanted - 1, 0) if text.startswith("+") else max(len(pieces) - wanted, 0)
        context.out(b"".join(pieces[start:]))
    if ("f" in given or "F" in given) and names:
        await Event().wait()
    return 0


async def grep(context: ProgramContext) -> int:
    """`grep [-ivcnqEFoxwlhHr] [-A|-B|-C count] [-m count] [-e pattern] pattern [file…]`; 1 where nothing matches."""
    given, names = options(context, "ivcnqEFoxwlhHrRsaPLk", "eABCm")
    for letter in filter(given.__contains__, "ABCm"):
        count(context, given[letter][-1])
    if "e" not in given and not names:
        raise context.fail(2, f"Usage: {context.name} [OPTION]... PATTERNS [FILE]...")
    patterns = given.get("e") or [names.pop(0)]
    fixed, extended = "F" in given or context.name == "fgrep", "E" in given or "P" in given or context.name == "egrep"
    body = "|".join(re.escape(item) if fixed else item if extended else basic(item) for item in patterns)
    if "w" in given:
        body = rf"\b(?:{body})\b"
    if "x" in given:
        body = rf"\A(?:{body})\Z"
    try:
        rule = re.compile(classes(body), re.IGNORECASE if "i" in given else 0)
    except re.error:
        raise context.fail(2, f"{context.name}: bad regex '{patterns[0]}'") from None
    found = False
    if given.keys() & {"r", "R"}:
        below = [_files_below(context, name) for name in names or ["."]]
        given, names = {"H": [""], **given}, [path for paths in below for path in paths]
        if not names:
            return 1
    if "s" in given:
        context = context.with_(err=lambda data: None)
    async for name, source in sources(context, names):
        prefix = f"{name}:" if (len(names) > 1 or "H" in given) and "h" not in given else ""
        found = await _grep_one(context, given, rule, name, source, prefix) or found
        if found and "q" in given:
            break
    return 0 if found else 1


def _files_below(context: ProgramContext, name: str) -> list[str]:
    path = context.path(name)
    if not is_folder(context, path):
        return [name]
    inner = [f"{name.rstrip('/')}/{child}" for child in children(context, path)]
    return [each for child in inner for each in _files_below(context, child)]


async def _grep_one(
    context: ProgramContext, given: dict[str, list[str]], rule: re.Pattern[str], name: str, source: Input, prefix: str
) -> bool:
    after = int((given.get("A") or given.get("C") or ["0"])[-1])
    before = int((given.get("B") or given.get("C") or ["0"])[-1])
    limit = int(given["m"][-1]) if "m" in given else None
    kept: list[str] = []
    count = number = trailing = 0
    while line := await source.readline():
        number += 1
        text = line.decode(errors="replace").rstrip("\n")
        where = f"{prefix}{number}:" if "n" in given else prefix
        if bool(rule.search(text)) == ("v" in given):
            kept = [*kept, text][-before:] if before else []
            if trailing and not given.keys() & {"q", "c", "l", "o"}:
                trailing -= 1
                kept = []
                context.print(where.replace(":", "-") + text)
            continue
        count += 1
        if "q" in given:
            return True
        if not given.keys() & {"c", "l", "L"}:
            context.print(*(prefix.replace(":", "-") + item for item in kept))
            kept = []
            matches = [match[0] for match in rule.finditer(text) if match[0]] if "o" in given else [text]
            context.print(*(where + item for item in matches))
        trailing = after
        if limit is not None and count >= limit:
            break
    if "c" in given:
        context.print(f"{prefix}{count}")
    elif ("l" in given and count) or ("L" in given and not count):
        context.print(name if name != "-" else "(standard input)")
    return count > 0


def classes(pattern: str) -> str:
    """Replace POSIX character classes."""
    named = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "upper": "A-Z", "lower": "a-z",
             "blank": r" \t", "xdigit": "0-9A-Fa-f", "punct": r"!-/:-@\[-`{-~"}  # fmt: skip
    for name, chars in named.items():
        pattern = pattern.replace(f"[:{name}:]", chars)
    return pattern


def basic(pattern: str) -> str:
    """Return a POSIX basic regular expression in Python's syntax."""
    result, at = "", 0
    while at < len(pattern):
        pair = pattern[at : at + 2]
        if len(pair) == 2 and pair[0] == "\\":
            result += pair[1] if pair[1] in "(){}|+?" else pair
            at += 2
            continue
        char = pattern[at]
        if char == "[":
            stop = pattern.find("]", at + 2)
            stop = stop if stop > 0 else len(pattern) - 1
            result += pattern[at : stop + 1]
            at = stop + 1
            continue
        result += f"\\{char}" if char in "(){}|+?" else char
        at += 1
    return f"\\{result}" if result.startswith("*") else result


async def cut(context: ProgramContext) -> int:
    """`cut -d separator -f list`, `cut -c list`."""
    given, names = options(context, "s", "dfcb")
    spec = (given.get("f") or given.get("c") or given.get("b") or [""])[-1]
    if not spec:
        raise context.fail(1, "cut: expected a list of bytes, characters, or fields")
    separator = given.get("d", ["\t"])[-1]
    ranges: list[tuple[int, int]] = []
    for item in spec.split(","):
        low, dash, high = item.partition("-")
        ranges.append((int(low or 1), int(high or (10**9 if dash else low))))
    for line in await lines_of(context, names):
        parts = line.split(separator) if "f" in given else list(line)
        if "f" in given and len(parts) == 1:
            if "s" not in given:
                context.print(line)
            continue
        chosen = [part for index, part in enumerate(parts, 1) if any(low <= index <= high for low, high in ranges)]
        context.print((separator if "f" in given else "").join(chosen))
    return 0


async def tr(context: ProgramContext) -> int:
    """`tr [-cds] set1 [set2]`."""
    given, sets = options(context, "cdsC")
    if not sets:
        raise context.fail(1, "tr: missing operand")
    for text in sets:
        for name in re.findall(r"\[:(\w+):\]", text):
            if f"[:{name}:]" not in _CLASSES:
                raise context.fail(1, f"tr: invalid character class '{name}'")
    first = _set(sets[0])
    second = _set(sets[1]) if len(sets) > 1 else ""
    inverted = "c" in given or "C" in given
    text = (await context.stdin.read_all()).decode(errors="replace")
    result: list[str] = []
    squeeze = (second or first) if "s" in given else ""
    for char in text:
        hit = (char in first) != inverted
        new = char
        if hit and "d" in given:
            continue
        if hit and second:
            new = second[-1] if inverted else second[min(first.index(char), len(second) - 1)]
        if new in squeeze and result and result[-1] == new and (hit or not second):
            continue
        result.append(new)
    context.out("".join(result).encode())
    return 0


_CLASSES = {
    "[:upper:]": string.ascii_uppercase, "[:lower:]": string.ascii_lowercase, "[:digit:]": string.digits,
    "[:space:]": " \t\n\r\f\v", "[:alpha:]": string.ascii_letters, "[:alnum:]": string.ascii_letters + string.digits,
    "[:blank:]": " \t", "[:punct:]": string.punctuation.replace("-", "") + "-", "[:xdigit:]": string.hexdigits,
    "[:cntrl:]": "".join(map(chr, (*range(32), 127))), "[:print:]": "".join(map(chr, range(32, 127))),
}  # fmt: skip


def _set(text: str) -> str:
    for name, chars in _CLASSES.items():
        text = text.replace(name, chars)
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").replace("\\0", "\0")

    def spread(match: re.Match[str]) -> str:
        return "".join(chr(code) for code in range(ord(match[1]), ord(match[2]) + 1))

    return re.sub(r"(.)-(.)", spread, text, flags=re.DOTALL)


async def xargs(context: ProgramContext) -> int:
    """`xargs [-n count] [-I name] [-rt0] command…`."""
    asked = getopt.read(context, "n:I:P:rt0", stop=True)
    per, name, empty = count(context, asked.last("n", "0")), asked.last("I"), "r" not in asked
    command = asked.rest or ["echo"]
    text = (await context.stdin.read_all()).decode(errors="replace")
    items = [item for item in text.split("\0") if item] if "0" in asked else None
    quiet = context.with_(stdin=Input.of_bytes(b""), tty=False)
    if name:
        lines = items if items is not None else [line.strip() for line in text.splitlines() if line.strip()]
        runs = [[part.replace(name, line) for part in command] for line in lines]
    else:
        words = items if items is not None else text.split()
        size = per or max(len(words), 1)
        runs = [[*command, *words[at : at + size]] for at in range(0, len(words), size)] or ([command] if empty else [])
    code = 0
    for argv in runs:
        if "t" in asked:
            context.error(" ".join(argv))
        status = await execute(quiet, argv)
        code = 123 if status and status < 126 else status or code
    return code
