"""The shell's arithmetic (POSIX 2.6.4)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Protocol


class ExpansionError(Exception):
    """An expansion failed; the shell says why and gives up the command."""


class Names(Protocol):
    """What arithmetic needs of a shell: its variables."""

    def get(self, name: str) -> str | None:
        """Return the value of a variable or special parameter."""
        ...

    def set(self, name: str, value: str) -> None:
        """Assign a variable."""
        ...


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


def evaluate(expression: str, scope: Names) -> int:
    """Return the value of an arithmetic expression (POSIX 2.6.4). Raises ExpansionError."""
    return _Arithmetic(_TOKEN.findall(expression.strip()), scope).value()


class _Arithmetic:
    def __init__(self, tokens: list[str], scope: Names) -> None:
        self._tokens = deque(tokens)
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
            self._tokens.popleft()
            self._tokens.popleft()
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
        self._tokens.popleft()
        yes = self._assignment()
        if self._peek() != ":":
            raise ExpansionError("arithmetic syntax error")
        self._tokens.popleft()
        no = self._assignment()
        return yes if condition else no

    def _binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = self._tokens.popleft()
            left = _wrapped(_LEVELS[level][operator](left, self._binary(level + 1)))
        return left

    def _unary(self) -> int:
        token = self._tokens.popleft() if self._tokens else ""
        if token in {"-", "+", "!", "~"}:
            value = self._unary()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[token]
        if token in {"++", "--"}:
            name = self._tokens.popleft() if self._tokens else ""
            value = self._of(name) + (1 if token == "++" else -1)
            self._scope.set(name, str(value))
            return value
        if token == "(":
            value = self._assignment()
            if not self._tokens or self._tokens.popleft() != ")":
                raise ExpansionError("arithmetic syntax error")
            return value
        if token[:1].isdigit():
            return _wrapped(_number(token))
        if token[:1].isalpha() or token[:1] == "_":
            value = self._of(token)
            if self._peek() in {"++", "--"}:
                step = 1 if self._tokens.popleft() == "++" else -1
                self._scope.set(token, str(value + step))
            return value
        raise ExpansionError("arithmetic syntax error")

    def _of(self, name: str) -> int:
        value = (self._scope.get(name) or "0").strip()
        sign = -1 if value.startswith("-") else 1
        digits = value.lstrip("+-")
        if not digits[:1].isdigit():
            raise ExpansionError("arithmetic syntax error")
        return _wrapped(sign * _number(digits))


def _wrapped(value: int) -> int:
    """A value as 64 bits hold it (intmax_t)."""
    return (value + 2**63) % 2**64 - 2**63


def _number(token: str) -> int:
    try:
        if token[:2].lower() == "0x":
            return int(token, 16)
        return int(token, 8) if len(token) > 1 and token.startswith("0") else int(token)
    except ValueError:
        raise ExpansionError("arithmetic syntax error") from None
