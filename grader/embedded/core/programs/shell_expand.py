"""Expanding the shell's words: parameters, command substitution, arithmetic, field splitting, patterns, paths."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from grader.embedded.core.programs.escapes import unescape
from grader.embedded.core.programs.shell_syntax import Arithmetic, Escaped, Literal, Part, Script, Variable, Word


class ExpansionError(Exception):
    """An expansion failed; the shell says why and gives up the command."""


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
    for word in words:
        result += await _fields_of(word, scope)
    return result


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
    if value is None:
        if scope.strict and part.name not in {"@", "*"}:
            raise ExpansionError(f"{part.name}: parameter not set")
        return ""
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


def _trim(value: str, operator: str, glob: str) -> str:
    cuts = range(len(value) + 1)
    if operator in {"#", "##"}:
        order = cuts if operator == "#" else reversed(cuts)
        return next((value[cut:] for cut in order if matches(value[:cut], glob)), value)
    order = reversed(cuts) if operator == "%" else cuts
    return next((value[:cut] for cut in order if matches(value[cut:], glob)), value)


_TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%]=|\+\+|--|.)")
_LEVELS: list[dict[str, Callable[[int, int], int]]] = [
    {"||": lambda a, b: int(bool(a) or bool(b))},
    {"&&": lambda a, b: int(bool(a) and bool(b))},
    {"|": lambda a, b: a | b},
    {"^": lambda a, b: a ^ b},
    {"&": lambda a, b: a & b},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        ">": lambda a, b: int(a > b),
        "<=": lambda a, b: int(a <= b),
        ">=": lambda a, b: int(a >= b),
    },
    {"<<": lambda a, b: a << min(b, 63), ">>": lambda a, b: a >> b},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: _divide(a, b), "%": lambda a, b: a - b * _divide(a, b)},
]


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise ExpansionError("divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def evaluate(expression: str, scope: Scope) -> int:
    """Return the value of an arithmetic expression (POSIX 2.6.4). Raises ExpansionError."""
    return _Arithmetic(_TOKEN.findall(expression.strip()), scope).value()


class _Arithmetic:
    def __init__(self, tokens: list[str], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope

    def value(self) -> int:
        if not self._tokens:
            return 0
        result = self._assignment()
        if self._tokens:
            raise ExpansionError("arithmetic syntax error")
        return result

    def _peek(self, ahead: int = 0) -> str:
        return self._tokens[ahead] if ahead < len(self._tokens) else ""

    def _assignment(self) -> int:
        name, operator = self._peek(), self._peek(1)
        if (name[:1].isalpha() or name[:1] == "_") and operator in {"=", "+=", "-=", "*=", "/=", "%="}:
            del self._tokens[:2]
            value = self._assignment()
            if operator != "=":
                rule = next(level for level in _LEVELS if operator[0] in level)
                value = rule[operator[0]](self._of(name), value)
            self._scope.set(name, str(value))
            return value
        return self._ternary()

    def _ternary(self) -> int:
        condition = self._binary(0)
        if self._peek() != "?":
            return condition
        self._tokens.pop(0)
        yes = self._assignment()
        if self._peek() != ":":
            raise ExpansionError("arithmetic syntax error")
        self._tokens.pop(0)
        no = self._assignment()
        return yes if condition else no

    def _binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = self._tokens.pop(0)
            left = _LEVELS[level][operator](left, self._binary(level + 1))
        return left

    def _unary(self) -> int:
        token = self._tokens.pop(0) if self._tokens else ""
        if token in {"-", "+", "!", "~"}:
            value = self._unary()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[token]
        if token in {"++", "--"}:
            name = self._tokens.pop(0) if self._tokens else ""
            value = self._of(name) + (1 if token == "++" else -1)
            self._scope.set(name, str(value))
            return value
        if token == "(":
            value = self._assignment()
            if not self._tokens or self._tokens.pop(0) != ")":
                raise ExpansionError("arithmetic syntax error")
            return value
        if token[:1].isdigit():
            return _number(token)
        if token[:1].isalpha() or token[:1] == "_":
            value = self._of(token)
            if self._peek() in {"++", "--"}:
                step = 1 if self._tokens.pop(0) == "++" else -1
                self._scope.set(token, str(value + step))
            return value
        raise ExpansionError("arithmetic syntax error")

    def _of(self, name: str) -> int:
        value = (self._scope.get(name) or "0").strip()
        sign = -1 if value.startswith("-") else 1
        digits = value.lstrip("+-")
        if not digits[:1].isdigit():
            raise ExpansionError("arithmetic syntax error")
        return sign * _number(digits)


def _number(token: str) -> int:
    try:
        if token[:2].lower() == "0x":
            return int(token, 16)
        return int(token, 8) if len(token) > 1 and token.startswith("0") else int(token)
    except ValueError:
        raise ExpansionError("arithmetic syntax error") from None
