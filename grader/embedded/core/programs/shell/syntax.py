"""Reading the shell's language: text → tree (POSIX.1-2017, Shell Command Language, the part people type).

Words keep what was quoted, because expansion needs to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


class SyntaxError_(Exception):  # noqa: N801
    """The text is not a program; `str()` is the shell's message after its own name."""


class Incomplete(SyntaxError_):
    """The text ends in the middle of a command: an interactive shell asks for more."""


@dataclass(frozen=True)
class Literal:
    """Characters as they are; quoted ones are neither split nor taken as a pattern."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Variable:
    """`$name` or `${name op word}`; op is "", one of the operators of POSIX 2.6.2 such as `:-` and `%%`, or `len`."""

    name: str
    op: str
    word: Word | None
    quoted: bool


@dataclass(frozen=True)
class Substitution:
    """`$(…)` or backquotes."""

    script: Script
    quoted: bool


@dataclass(frozen=True)
class Arithmetic:
    """`$((…))`."""

    word: Word
    quoted: bool


@dataclass(frozen=True)
class Escaped:
    """`$'…'`, which dash does not know."""

    text: str
    quoted: bool = True


Part: TypeAlias = "Literal | Escaped | Variable | Substitution | Arithmetic"


@dataclass(frozen=True)
class Word:
    """Parts written without a space between them (of a here-document: read after the line that announced it)."""

    parts: Sequence[Part]

    @property
    def literal(self) -> str | None:
        """The text, where nothing in it is quoted or expanded."""
        if all(isinstance(part, Literal) and not part.quoted for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Literal))
        return None


@dataclass(frozen=True)
class Redirect:
    """`fd op target`; op is `<`, `>`, `>>`, `>&`, `<&`, `<<` (target: the text), `&>`; over: it was `>|`."""

    fd: int
    op: str
    target: Word
    over: bool = False


@dataclass(frozen=True)
class Simple:
    """Assignments, words, redirects."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int = 1


@dataclass(frozen=True)
class If:
    """`if … then … elif … else … fi`."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None


@dataclass(frozen=True)
class Loop:
    """`while` and `until`."""

    condition: Script
    body: Script
    until: bool


@dataclass(frozen=True)
class For:
    """`for name in words; do … done`; words None: the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


@dataclass(frozen=True)
class Case:
    """`case word in pattern) … ;; esac`."""

    word: Word
    branches: tuple[tuple[tuple[Word, ...], Script], ...]


@dataclass(frozen=True)
class Group:
    """`{ …; }` or, in a subshell, `( … )`; doubled: it began with `((`, which is arithmetic to bash."""

    body: Script
    subshell: bool
    doubled: bool = False


@dataclass(frozen=True)
class Function:
    """`name() body`."""

    name: str
    body: Command


@dataclass(frozen=True)
class Redirected:
    """A compound command with redirects."""

    command: Command
    redirects: tuple[Redirect, ...]


Command: TypeAlias = "Simple | If | Loop | For | Case | Group | Function | Redirected"


@dataclass(frozen=True)
class Pipeline:
    """Commands joined by `|`."""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True)
class AndOr:
    """Pipelines joined by `&&` and `||`; the first operator is always `&&`."""

    items: tuple[tuple[str, Pipeline], ...]
    background: bool = False


@dataclass(frozen=True)
class Script:
    """Commands one after the other."""

    items: tuple[AndOr, ...] = field(default_factory=tuple)
