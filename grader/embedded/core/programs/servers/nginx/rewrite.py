"""nginx' rewrite module: set, rewrite, return, break and if, in the order in which they stand.

Rules: src/http/modules/ngx_http_rewrite_module.c and ngx_http_script.c of nginx 1.26.3. Of what stands inside of an
`if`, only these directives count here; others are said to be ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.embedded.core.programs.servers.nginx.conf import Directive
from grader.embedded.core.programs.servers.nginx.scope import Reading
from grader.embedded.core.programs.servers.nginx.text import Text

RULE_NAMES = frozenset({"set", "rewrite", "return", "break", "if"})


@dataclass(frozen=True)
class Set:
    """`set $name value`."""

    name: str
    value: Text


@dataclass(frozen=True)
class Rewrite:
    """`rewrite regex replacement [flag]`; flag is last, break, redirect, permanent or ""."""

    pattern: re.Pattern[str]
    to: Text
    flag: str


@dataclass(frozen=True)
class Return:
    """`return code [text]`: `text` is None where there is none."""

    status: int
    text: Text | None


@dataclass(frozen=True)
class Break:
    """`break`."""


@dataclass(frozen=True)
class If:
    """`if (…)`: left side, operator ("" asks whether it is something) and right side."""

    left: Text
    operator: str
    right: str
    pattern: re.Pattern[str] | None
    steps: tuple[Rule, ...]


Rule = Set | Rewrite | Return | Break | If


def regex(at: Directive, text: str, *, ignore_case: bool) -> re.Pattern[str]:
    """Compile an expression of PCRE as Python's. Raises Emerg."""
    try:
        return re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", text), re.I if ignore_case else 0)
    except re.error as error:
        raise at.emerg(f'pcre2_compile() failed: {error.msg} in "{text}"') from None


def rules(reading: Reading, directives: list[Directive]) -> Iterator[Rule]:
    """Read the directives of a block. Raises Emerg."""
    for at in directives:
        if at.name == "set":
            if not at.args[0].startswith("$") or len(at.args[0]) < 2:
                raise at.emerg(f'invalid variable name "{at.args[0]}"')
            reading.own.add(at.args[0][1:])
            yield Set(at.args[0][1:], reading.text(at.args[1]))
        elif at.name == "break":
            yield Break()
        elif at.name == "return":
            yield _return(reading, at)
        elif at.name == "rewrite":
            flag = at.args[2] if len(at.args) > 2 else ""
            if flag not in {"", "last", "break", "redirect", "permanent"}:
                raise at.emerg(f'invalid parameter "{flag}"')
            if not flag and at.args[1].startswith(("http://", "https://", "$scheme")):
                flag = "redirect"
            pattern = regex(at, at.args[0], ignore_case=False)
            reading.own |= set(pattern.groupindex)
            yield Rewrite(pattern, reading.text(at.args[1]), flag)
        else:
            yield _if(reading, at)


def _return(reading: Reading, at: Directive) -> Return:
    first = at.args[0]
    if len(at.args) == 1 and first.startswith(("http://", "https://", "$scheme")):
        return Return(302, reading.text(first))
    if not (first.isdigit() and int(first) <= 999):
        raise at.emerg(f'invalid return code "{first}"')
    return Return(int(first), reading.text(at.args[1]) if len(at.args) > 1 else None)


def _if(reading: Reading, at: Directive) -> If:
    words = " ".join(at.args)
    if not (words.startswith("(") and words.endswith(")")):
        raise at.emerg(f'invalid condition "{at.args[0]}"')
    parts = words[1:-1].strip().split(None, 2)
    inside = [each for each in at.block or () if each.name in RULE_NAMES]
    steps = tuple(rules(reading, inside))
    for each in at.block or ():
        if each.name not in RULE_NAMES:
            reading.ignored(each, f'"{each.name}" directive inside of "if"')
    if parts and parts[0].startswith("$") and len(parts) == 1:
        return If(reading.text(parts[0]), "", "", None, steps)
    if len(parts) == 1 or not parts or parts[0].lstrip("!") in {"-f", "-d", "-e", "-x"}:
        reading.ignored(at, f'condition "{words}" of "if"')
        return If(Text(("",)), "", "", None, ())
    left, operator, right = (*parts, "")[:3]
    if operator in {"=", "!="}:
        return If(reading.text(left), operator, right, None, steps)
    if operator in {"~", "~*", "!~", "!~*"}:
        pattern = regex(at, right, ignore_case=operator.endswith("*"))
        reading.own |= set(pattern.groupindex)
        return If(reading.text(left), operator, right, pattern, steps)
    raise at.emerg(f'unexpected "{operator}" in condition')
