"""Reading the shell's words: quotes, expansions, here-documents, and the blanks between."""

from __future__ import annotations

from abc import ABC, abstractmethod

from grader.embedded.core.programs.shell.syntax import (
    Arithmetic,
    Escaped,
    Incomplete,
    Literal,
    Part,
    Script,
    Substitution,
    SyntaxError_,
    Variable,
    Word,
)

BREAK = frozenset(" \t\n;&|<>()")
_SPECIAL = frozenset("@*#?$!-")
NESTED = 100
"""Expansions inside of each other that are read; more end the shell, as they fill the stack of a real one later."""


def is_name(text: str) -> bool:
    """Whether the text can name a variable."""
    return bool(text) and text.isascii() and text.replace("_", "a").isalnum() and not text[0].isdigit()


def _further(at: int, depth: int) -> int:
    if depth > NESTED:  # told before what is inside is read once for each level
        raise RecursionError("too many expansions inside of each other")
    return at + 1


class WordReader(ABC):
    """One reading of one text, as far as words go; commands are the parser's."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = (0, 1)
        self._heredocs: list[tuple[list[Part], str, bool, bool]] = []

    @abstractmethod
    def program(self) -> Script:
        """Read to the end of the text."""

    @abstractmethod
    def _script(self, closers: frozenset[str]) -> Script:
        """Read commands up to what ends them."""

    @abstractmethod
    def _close(self, char: str) -> None:
        """Read a closing character."""

    # --- characters and blanks

    def _peek(self, count: int = 1) -> str:
        return self._text[self._at : self._at + count]

    def _line(self) -> int:
        """The number of the line that is being read."""
        at, line = self._counted
        self._counted = (self._at, line + self._text.count("\n", at, self._at))
        return self._counted[1]

    def _blanks(self) -> None:
        while self._at < len(self._text):
            if self._text[self._at] in " \t":
                self._at += 1
            elif self._peek(2) == "\\\n":
                self._at += 2
            elif self._text[self._at] == "#":
                while self._at < len(self._text) and self._text[self._at] != "\n":
                    self._at += 1
            else:
                return

    def _newlines(self) -> None:
        self._blanks()
        while self._peek() == "\n":
            self._newline()
            self._blanks()

    def _newline(self) -> None:
        self._at += 1
        pending, self._heredocs = self._heredocs, []
        for parts, end, strip, quoted in pending:
            parts.extend(self._heredoc(end, strip, quoted))

    def _heredoc(self, end: str, strip: bool, quoted: bool) -> tuple[Part, ...]:
        lines: list[str] = []
        while True:
            if self._at >= len(self._text):
                raise Incomplete("unterminated here-document")
            stop = self._text.find("\n", self._at)
            line = self._text[self._at : stop if stop >= 0 else None]
            self._at = stop + 1 if stop >= 0 else len(self._text)
            line = line.lstrip("\t") if strip else line
            if line == end:
                break
            lines.append(f"{line}\n")
        text = "".join(lines)
        return (Literal(text, True),) if quoted else type(self)(text)._quoted_parts("")

    def _unexpected(self) -> SyntaxError_:
        if self._at >= len(self._text):
            return Incomplete("syntax error: unexpected end of file")
        shown = self._peek(2) if self._peek(2) in {"&&", "||", ";;"} else self._peek()
        if shown not in BREAK and shown not in {"&&", "||", ";;"}:
            stop = self._at
            while stop < len(self._text) and self._text[stop] not in BREAK:
                stop += 1
            shown = self._text[self._at : stop]
        return SyntaxError_("syntax error: unexpected " + ("newline" if shown == "\n" else f'"{shown}"'))

    # --- words

    def _word(self) -> Word | None:
        parts: list[Part] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                parts.append(Literal("".join(plain), False))
                plain.clear()

        while self._at < len(self._text):
            char = self._text[self._at]
            if char in BREAK:
                break
            if char == "\\":
                flush()
                escaped = self._text[self._at + 1 : self._at + 2]
                if not escaped:
                    raise Incomplete("syntax error: unexpected end of file")
                self._at += 2
                if escaped != "\n":
                    parts.append(Literal(escaped, True))
            elif char == "'":
                flush()
                stop = self._text.find("'", self._at + 1)
                if stop < 0:
                    raise Incomplete("syntax error: unterminated quoted string")
                parts.append(Literal(self._text[self._at + 1 : stop], True))
                self._at = stop + 1
            elif char == '"':
                flush()
                self._at += 1
                parts.extend(self._quoted_parts('"'))
            elif char in "$`":
                flush()
                parts.append(self._expansion(quoted=False))
            else:
                plain.append(char)
                self._at += 1
        flush()
        return Word(tuple(parts)) if parts else None

    def _quoted_parts(self, end: str) -> tuple[Part, ...]:
        """Read what stands in double quotes (end `"`), or a here-document (end "": the end of the text)."""
        parts: list[Part] = []
        plain: list[str] = []
        while True:
            if self._at >= len(self._text):
                if end:
                    raise Incomplete("syntax error: unterminated quoted string")
                break
            char = self._text[self._at]
            if char == end:
                self._at += 1
                break
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in set('$`\\\n"'):
                following = self._text[self._at + 1]
                self._at += 2
                plain.append("" if following == "\n" else following if following != '"' or end else '\\"')
            elif char in "$`":
                parts.append(Literal("".join(plain), True))
                plain.clear()
                parts.append(self._expansion(quoted=True))
            else:
                plain.append(char)
                self._at += 1
        parts.append(Literal("".join(plain), True))
        return tuple(parts)

    def _expansion(self, *, quoted: bool) -> Part:
        if self._peek() == "`":
            stop = self._at + 1
            while self._text[stop : stop + 1] != "`":
                if stop >= len(self._text):
                    raise Incomplete("syntax error: unexpected end of file")
                stop += 2 if self._text[stop] == "\\" else 1
            inner = self._text[self._at + 1 : stop]
            self._at = stop + 1
            for char in "\\`$":
                inner = inner.replace(f"\\{char}", char)
            return Substitution(type(self)(inner).program(), quoted)
        if self._peek(3) == "$((":
            return self._arithmetic(quoted)
        if self._peek(2) == "$(":
            self._at += 2
            script = self._script(frozenset())
            self._close(")")
            return Substitution(script, quoted)
        if self._peek(2) == "${":
            return self._braced(quoted)
        if self._peek(2) == "$'" and not quoted:
            return self._escaped()
        stop = self._at + 1
        if self._text[stop : stop + 1] in _SPECIAL or self._text[stop : stop + 1].isdigit():
            stop += 1
        else:
            while stop < len(self._text) and is_name(self._text[self._at + 1 : stop + 1]):
                stop += 1
        name = self._text[self._at + 1 : stop]
        self._at = stop
        return Variable(name, "", None, quoted) if name else Literal("$", quoted)

    def _escaped(self) -> Part:
        stop = self._at + 2
        while self._text[stop : stop + 1] != "'":
            if stop >= len(self._text):
                raise Incomplete("syntax error: unterminated quoted string")
            stop += 2 if self._text[stop] == "\\" else 1
        text = self._text[self._at + 2 : stop]
        self._at = stop + 1
        return Escaped(text)

    def _arithmetic(self, quoted: bool) -> Part:
        start, depth = self._at + 3, 0
        stop = start
        while depth or self._text[stop : stop + 2] != "))":
            if stop >= len(self._text):
                raise Incomplete("syntax error: missing '))'")
            depth += {"(": 1, ")": -1}.get(self._text[stop], 0)
            stop = _further(stop, depth)
        inner = type(self)(self._text[start:stop])._quoted_parts("")
        self._at = stop + 2
        return Arithmetic(Word(inner), quoted)

    def _braced(self, quoted: bool) -> Part:
        self._at += 2
        if self._peek() == "#" and self._peek(2) != "#}":
            self._at += 1
            name = self._name()
            self._brace()
            return Variable(name, "len", None, quoted)
        name = self._name()
        operator = ""
        for candidate in (":-", ":=", ":+", ":?", "##", "%%", "-", "=", "+", "?", "#", "%", "//", "/", ":"):
            if self._text.startswith(candidate, self._at):
                operator = candidate
                break
        if not operator:
            self._brace()
            return Variable(name, "", None, quoted)
        self._at += len(operator)
        start, depth = self._at, 0
        stop = start
        while depth or self._text[stop : stop + 1] != "}":
            if stop >= len(self._text):
                raise Incomplete("syntax error: missing '}'")
            depth += {"{": 1, "}": -1}.get(self._text[stop], 0)
            stop = _further(stop, depth)
        inner = self._text[start:stop]
        self._at = stop + 1
        word = Word(type(self)(inner)._quoted_parts("")) if quoted else Word(type(self)(inner)._loose_parts())
        return Variable(name, operator, word, quoted)

    def _loose_parts(self) -> tuple[Part, ...]:
        parts: list[Part] = []
        while self._at < len(self._text):
            word = self._word()
            if word is not None:
                parts.extend(word.parts)
            if self._at < len(self._text):
                parts.append(Literal(self._text[self._at], False))
                self._at += 1
        return tuple(parts)

    def _name(self) -> str:
        stop = self._at
        if self._text[stop : stop + 1] in _SPECIAL:
            stop += 1
        else:
            while stop < len(self._text) and (self._text[stop].isalnum() or self._text[stop] == "_"):
                stop += 1
        name = self._text[self._at : stop]
        if not name:
            raise SyntaxError_("syntax error: bad substitution")
        self._at = stop
        return name

    def _brace(self) -> None:
        if self._at >= len(self._text):
            raise Incomplete("syntax error: missing '}'")
        if self._peek() != "}":
            raise SyntaxError_("syntax error: bad substitution")
        self._at += 1
