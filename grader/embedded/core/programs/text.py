"""Filters of text: sort, uniq, wc, head, tail, grep, cut, tr, xargs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from grader.embedded.core.kernel import Event
from grader.embedded.core.programs.files import is_folder, read_file
from grader.embedded.core.programs.process import Context, Exit, Input
from grader.embedded.core.programs.small import execute


def options(context: Context, switches: str, valued: str = "") -> tuple[dict[str, list[str]], list[str]]:
    """Split arguments into options (with their values) and operands. Raises Exit for an unknown option."""
    found: dict[str, list[str]] = {}
    rest, operands = list(context.args), list[str]()
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        if word[1:].isdigit() and "n" in valued:
            found.setdefault("n", []).append(word[1:])
            continue
        if word.startswith("--"):
            found.setdefault(word, []).append("")
            continue
        for index, letter in enumerate(word[1:], 1):
            if letter in valued:
                value = word[index + 1 :] or (rest.pop(0) if rest else "")
                found.setdefault(letter, []).append(value)
                break
            if letter not in switches:
                raise usage(context, letter)
            found.setdefault(letter, []).append("")
    return found, operands


def usage(context: Context, letter: str) -> Exit:
    """Complain about an option as the image's make of tool does."""
    text = f"{context.name}: invalid option -- '{letter}'"
    if context.image.flavour == "busybox":
        return context.fail(1, text.replace("invalid", "unrecognized").replace(" -- '", ": ").rstrip("'"))
    return context.fail(2 if context.name in {"grep", "sort"} else 1, text, f"Try '{context.name} --help' for more.")


async def sources(context: Context, names: list[str]) -> AsyncIterator[tuple[str, Input]]:
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


async def lines_of(context: Context, names: list[str]) -> list[str]:
    """Return all lines of the inputs that operands name, without their newlines."""
    found: list[str] = []
    async for _, source in sources(context, names):
        found += (await source.read_all()).decode(errors="replace").splitlines()
    return found


async def sort(context: Context) -> int:
    """`sort [-nruVh] [-k field] [-t separator]`."""
    given, names = options(context, "nruVhfbsz", "kto")
    lines = await lines_of(context, names)
    separator = given["t"][0] if "t" in given else None
    field = int(re.match(r"\d+", given["k"][0])[0]) if "k" in given else 0  # type: ignore[index]

    def key(line: str) -> tuple[float, str]:
        text = line
        if field:
            parts = line.split(separator)
            text = (separator or " ").join(parts[field - 1 :]) if len(parts) >= field else ""
        number = re.match(r"\s*-?\d*\.?\d+", text) if "n" in given or "h" in given else None
        return (float(number[0]) if number else 0.0, text)

    lines.sort(key=key, reverse="r" in given)
    if "u" in given:
        lines = list(dict.fromkeys(lines))
    context.print(*lines)
    return 0


async def uniq(context: Context) -> int:
    """`uniq [-cdu]`."""
    given, names = options(context, "cdui")
    groups: list[tuple[str, int]] = []
    for line in await lines_of(context, names):
        if groups and groups[-1][0] == line:
            groups[-1] = (line, groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    for line, count in groups:
        if ("d" in given and count == 1) or ("u" in given and count > 1):
            continue
        context.print(f"{count:7} {line}" if "c" in given else line)
    return 0


async def wc(context: Context) -> int:
    """`wc [-lwc]`."""
    given, names = options(context, "lwcm")
    async for name, source in sources(context, names):
        data = await source.read_all()
        text = data.decode(errors="replace")
        counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(data), "m": len(text)}
        shown = [str(counts[key]) for key in counts if key in given] or [f"{counts[key]:7}" for key in "lwc"]
        context.print(" ".join([*shown, *([] if name == "-" else [name])]))
    return 0


async def head(context: Context) -> int:
    """`head [-n count] [-c bytes]`."""
    given, names = options(context, "qv", "nc")
    async for _, source in sources(context, names):
        if "c" in given:
            context.out((await source.read_all())[: int(given["c"][-1])])
            continue
        count = int(given["n"][-1]) if "n" in given else 10
        for _ in range(count):
            line = await source.readline()
            if not line:
                break
            context.out(line)
    return 0


async def tail(context: Context) -> int:
    """`tail [-n count] [-c bytes] [-f]`."""
    given, names = options(context, "qvfF", "ncs")
    async for _, source in sources(context, names):
        if "c" in given:
            context.out((await source.read_all())[-int(given["c"][-1]) :])
            continue
        lines = (await source.read_all()).splitlines(keepends=True)
        text = given["n"][-1] if "n" in given else "10"
        chosen = lines[int(text) - 1 :] if text.startswith("+") else lines[-int(text) :] if int(text) else []
        context.out(b"".join(chosen))
    if ("f" in given or "F" in given) and names:
        await Event().wait()
    return 0


async def grep(context: Context) -> int:
    """`grep [-ivcnqEFoxwlhHr] [-A|-B|-C count] [-m count] [-e pattern] pattern [file…]`; 1 where nothing matches."""
    given, names = options(context, "ivcnqEFoxwlhHrRsaPL", "eABCm")
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
    async for name, source in sources(context, names):
        prefix = f"{name}:" if (len(names) > 1 or "H" in given) and "h" not in given else ""
        found = await _grep_one(context, given, rule, name, source, prefix) or found
        if found and "q" in given:
            break
    return 0 if found else 1


async def _grep_one(
    context: Context, given: dict[str, list[str]], rule: re.Pattern[str], name: str, source: Input, prefix: str
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
        if not given.keys() & {"c", "l"}:
            context.print(*(prefix.replace(":", "-") + item for item in kept))
            kept = []
            matches = [match[0] for match in rule.finditer(text) if match[0]] if "o" in given else [text]
            context.print(*(where + item for item in matches))
        trailing = after
        if limit is not None and count >= limit:
            break
    if "c" in given:
        context.print(f"{prefix}{count}")
    elif "l" in given and count:
        context.print(name if name != "-" else "(standard input)")
    return count > 0


def classes(pattern: str) -> str:
    """Replace POSIX character classes."""
    named = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "upper": "A-Z", "lower": "a-z"}
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


async def cut(context: Context) -> int:
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


async def tr(context: Context) -> int:
    """`tr [-cds] set1 [set2]`."""
    given, sets = options(context, "cdsC")
    if not sets:
        raise context.fail(1, "tr: missing operand")
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


def _set(text: str) -> str:
    for name, chars in {
        "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
        "[:digit:]": "0123456789",
        "[:space:]": " \t\n\r\f\v",
    }.items():
        text = text.replace(name, chars)
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").replace("\\0", "\0")

    def spread(match: re.Match[str]) -> str:
        return "".join(chr(code) for code in range(ord(match[1]), ord(match[2]) + 1))

    return re.sub(r"(.)-(.)", spread, text, flags=re.DOTALL)


async def xargs(context: Context) -> int:
    """`xargs [-n count] [-I name] [-r] command…`."""
    rest, per, name, empty = list(context.args), 0, "", True
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word[:2] == "-n":
            per = int(word[2:] or rest.pop(0))
        elif word[:2] == "-I":
            name = word[2:] or rest.pop(0)
        elif word[:2] == "-P":
            _ = word[2:] or rest.pop(0)
        elif word == "-r":
            empty = False
        elif word not in {"-t", "-0"}:
            raise usage(context, word[1:2])
    command = rest or ["echo"]
    text = (await context.stdin.read_all()).decode(errors="replace")
    quiet = context.with_(stdin=Input.of_bytes(b""), tty=False)
    if name:
        runs = [[part.replace(name, line.strip()) for part in command] for line in text.splitlines() if line.strip()]
    else:
        words = text.split()
        size = per or max(len(words), 1)
        runs = [[*command, *words[at : at + size]] for at in range(0, len(words), size)] or ([command] if empty else [])
    code = 0
    for argv in runs:
        status = await execute(quiet, argv)
        code = 123 if status and status < 126 else status or code
    return code
