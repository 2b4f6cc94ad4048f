"""Expanding the shell's words: parameters, command substitution, arithmetic, field splitting, patterns, paths."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from grader.embedded.core.programs.escapes import unescape
from grader.embedded.core.programs.shell.arithmetic import ExpansionError, evaluate
from grader.embedded.core.programs.shell.syntax import Arithmetic, Escaped, Literal, Part, Script, Variable, Word


class Scope(Protocol):
    """What expansion needs of a shell."""

    def get(self, name: str) -> str | None:
        """Return the value of a variable or special parameter."""
        ...

    def set(self, name: str, value: str) -> None:
        """Assign a variable."""
        ...

    @property
    def positional(self) -> list[str]:
        """The positional parameters."""
        ...

    @property
    def strict(self) -> bool:
        """Whether an unset variable is an error (`set -u`)."""
        ...

    @property
    def make(self) -> str:
        """Whose shell it is."""
        ...

    async def capture(self, script: Script) -> str:
        """Return what a script writes to standard output."""
        ...

    def paths(self) -> list[str]:
        """Return the files that a pattern can match, relative to the working directory or absolute."""
        ...


@dataclass
class _Piece:
    """Text on its way: whether it may be split, and whether its characters may be a pattern."""

    text: str
    split: bool
    pattern: bool


async def fields(words: Sequence[Word], scope: Scope) -> list[str]:
    """Expand words to arguments."""
    result: list[str] = []
    bash = scope.make == "bash"
    for word in words:
        for each in braces(word) if bash else (word,):
            result += await _fields_of(each, scope)
    return result


_BRACES = re.compile(r"\{([^{}]*,[^{}]*|-?\d+\.\.-?\d+|[a-zA-Z]\.\.[a-zA-Z])\}")


def braces(word: Word) -> list[Word]:
    """The words that bash makes of `a{b,c}` and `{1..3}`, where all of the braces' inside is plain text."""
    for at, part in enumerate(word.parts):
        if not isinstance(part, Literal) or part.quoted or (match := _BRACES.search(part.text)) is None:
            continue
        before, after = part.text[: match.start()], part.text[match.end() :]
        made = [Word((*word.parts[:at], Literal(f"{before}{one}{after}", False), *word.parts[at + 1 :]))
                for one in _alternatives(match[1])]  # fmt: skip
        return [each for one in made for each in braces(one)]
    return [word]


def _alternatives(inside: str) -> list[str]:
    if "," in inside:
        return inside.split(",")
    first, _, last = inside.partition("..")
    letters = not first.lstrip("-").isdigit()
    low, high = (ord(first), ord(last)) if letters else (int(first), int(last))
    numbers = range(low, high + 1) if low <= high else range(low, high - 1, -1)
    return [chr(number) if letters else str(number) for number in numbers]


async def text(word: Word, scope: Scope) -> str:
    """Expand a word to one string, without splitting: an assignment's value, a redirect's target, a here-document."""
    pieces: list[str] = []
    for part in _tilde(word, scope):
        if isinstance(part, Variable) and part.name in {"@", "*"} and not part.op:
            pieces.append(" ".join(scope.positional))
        else:
            pieces.append(await _value(part, scope))
    return "".join(pieces)


async def pattern(word: Word, scope: Scope) -> str:
    """Expand a word to a pattern for `fnmatch`: what was quoted stands for itself."""
    pieces: list[str] = []
    for part in word.parts:
        value = await _value(part, scope)
        pieces.append(_quote(value) if part.quoted else value)
    return "".join(pieces)


def matches(value: str, glob: str) -> bool:
    """Whether a value matches a shell pattern."""
    return fnmatchcase(value, glob.replace("[^", "[!"))


async def _fields_of(word: Word, scope: Scope) -> list[str]:
    done: list[list[_Piece]] = [[]]
    dropped = False
    for part in _tilde(word, scope):
        if isinstance(part, Variable) and part.name == "@" and part.quoted and not part.op:
            if not scope.positional:
                dropped = True
            for index, value in enumerate(scope.positional):
                if index:
                    done.append([])
                done[-1].append(_Piece(value, False, False))
            continue
        if isinstance(part, Variable) and part.name in {"@", "*"} and not part.op:
            value = " ".join(scope.positional)
        else:
            value = await _value(part, scope)
        if isinstance(part, Literal) or part.quoted:
            done[-1].append(_Piece(value, False, not part.quoted))
            continue
        separators = scope.get("IFS")
        parts, lead, trail = _split(value, " \t\n" if separators is None else separators)
        if (lead or not parts) and done[-1] and lead:
            done.append([])
        for index, item in enumerate(parts):
            if index:
                done.append([])
            done[-1].append(_Piece(item, True, True))
        if trail and parts:
            done.append([])
    result: list[str] = []
    for pieces in done:
        if not pieces or (dropped and not any(piece.text for piece in pieces)):
            continue
        result += _glob(pieces, scope)
    return result


def _split(value: str, separators: str) -> tuple[list[str], bool, bool]:
    """Split at separators; whether the value begins and ends with one."""
    if not value:
        return [], False, False
    if not separators:
        return [value], False, False
    blank = "".join(char for char in separators if char in " \t\n")
    solid = "".join(char for char in separators if char not in " \t\n")
    trimmed = value.strip(blank) if blank else value
    if not trimmed:
        return [], True, True
    space = f"[{re.escape(blank)}]" if blank else "(?!)"
    rule = f"{space}*[{re.escape(solid)}]{space}*|{space}+" if solid else f"{space}+"
    found = re.split(rule, trimmed)
    if found and not found[-1]:
        found.pop()
    return found, value[0] in blank, value[-1] in separators


def _glob(pieces: list[_Piece], scope: Scope) -> list[str]:
    plain = "".join(piece.text for piece in pieces)
    if not any(piece.pattern and set(piece.text) & set("*?[") for piece in pieces):
        return [plain]
    glob = "".join(piece.text if piece.pattern else _quote(piece.text) for piece in pieces)
    depth = plain.count("/")
    found = sorted(
        path
        for path in scope.paths()
        if path.count("/") == depth
        and all(
            matches(name, rule) and (rule.startswith(".") or not name.startswith("."))
            for name, rule in zip(path.split("/"), glob.split("/"), strict=True)
        )
    )
    return found or [plain]


def _quote(value: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", value)


def _tilde(word: Word, scope: Scope) -> list[Part]:
    parts = list(word.parts)
    if parts and isinstance(parts[0], Literal) and not parts[0].quoted:
        first = parts[0].text
        if first == "~" or first.startswith("~/"):
            parts[0] = Literal((scope.get("HOME") or "/") + first[1:], False)
    return parts


async def _value(part: Part, scope: Scope) -> str:
    if isinstance(part, Literal):
        return part.text
    if isinstance(part, Escaped):
        return f"${part.text}" if scope.make == "dash" else unescape(part.text.replace("\\'", "'"))[0]
    if isinstance(part, Variable):
        return await _variable(part, scope)
    if isinstance(part, Arithmetic):
        return str(evaluate(await text(part.word, scope), scope))
    return (await scope.capture(part.script)).rstrip("\n")


async def _variable(part: Variable, scope: Scope) -> str:
    value = " ".join(scope.positional) if part.name in {"@", "*"} else scope.get(part.name)
    operator = part.op.removeprefix(":")
    if operator == "len":
        return str(len(value or ""))
    if operator in {"-", "=", "?", "+"}:
        missing = value is None or (part.op.startswith(":") and value == "")
        return await _conditional(part, operator, value or "", missing, scope)
    if part.op in {":", "/", "//"} and scope.make == "dash":
        raise ExpansionError("Bad substitution")
    if value is None:
        if scope.strict and part.name not in {"@", "*"}:
            raise ExpansionError(f"{part.name}: parameter not set")
        return ""
    if part.op in {":", "/", "//"}:
        return await _cut_out(value, part, scope)
    if operator and part.word is not None:
        return _trim(value, operator, await pattern(part.word, scope))
    return value


async def _conditional(part: Variable, operator: str, value: str, missing: bool, scope: Scope) -> str:
    given: Callable[[], Awaitable[str]] = lambda: text(part.word or Word(()), scope)  # noqa: E731
    if operator == "+":
        return "" if missing else await given()
    if not missing:
        return value
    if operator == "?":
        raise ExpansionError(f"{part.name}: {await given() or 'parameter not set'}")
    if operator == "=":
        scope.set(part.name, await given())
        return scope.get(part.name) or ""
    return await given()


async def _cut_out(value: str, part: Variable, scope: Scope) -> str:
    """`${name:offset:length}`, `${name/pattern/text}` and, for all that match, `${name//pattern/text}`."""
    word = part.word or Word(())
    if part.op == ":":
        offset, colon, length = (await text(word, scope)).partition(":")
        start = evaluate(offset, scope)
        start = max(len(value) + start, 0) if start < 0 else min(start, len(value))
        count = evaluate(length, scope) if colon else len(value)
        return value[start : len(value) + count if count < 0 else start + count]
    glob, _, replacement = (await pattern(word, scope)).partition("/")
    if not glob:
        return value
    result, at = "", 0
    while at < len(value):
        stop = next((stop for stop in range(len(value), at, -1) if matches(value[at:stop], glob)), at)
        if stop == at:
            result, at = result + value[at], at + 1
            continue
        result, at = result + replacement, stop
        if part.op == "/":
            break
    return result + value[at:]


def _trim(value: str, operator: str, glob: str) -> str:
    cuts = range(len(value) + 1)
    if operator in {"#", "##"}:
        order = cuts if operator == "#" else reversed(cuts)
        return next((value[cut:] for cut in order if matches(value[:cut], glob)), value)
    order = reversed(cuts) if operator == "%" else cuts
    return next((value[:cut] for cut in order if matches(value[cut:], glob)), value)
