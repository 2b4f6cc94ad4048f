"""The shell's recursive descent parser."""

from __future__ import annotations

from grader.embedded.core.programs.shell_syntax import (
    AndOr,
    Arithmetic,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Incomplete,
    Literal,
    Loop,
    Part,
    Pipeline,
    Redirect,
    Redirected,
    Script,
    Simple,
    Substitution,
    SyntaxError_,
    Variable,
    Word,
)

RESERVED = frozenset("if then elif else fi while until for in do done case esac { } !".split())
_CLOSERS = frozenset("then elif else fi do done esac }".split())
_BREAK = frozenset(" \t\n;&|<>()")
_SPECIAL = frozenset("@*#?$!-")


def parse(text: str) -> Script:
    """Read a whole program. Raises SyntaxError_, or Incomplete where more text could make it whole."""
    return Parser(text).program()


def is_name(text: str) -> bool:
    """Whether the text can name a variable."""
    return bool(text) and text.isascii() and text.replace("_", "a").isalnum() and not text[0].isdigit()


class Parser:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._heredocs: list[tuple[list[Part], str, bool, bool]] = []

    def program(self) -> Script:
        """Read to the end of the text."""
        script = self._script(frozenset())
        if self._at < len(self._text):
            raise self._unexpected()
        if self._heredocs:
            raise Incomplete("unterminated here-document")
        return script

    # --- characters and blanks

    def _peek(self, count: int = 1) -> str:
        return self._text[self._at : self._at + count]

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
        return (Literal(text, True),) if quoted else Parser(text)._quoted_parts("")

    def _unexpected(self) -> SyntaxError_:
        if self._at >= len(self._text):
            return Incomplete("syntax error: unexpected end of file")
        shown = self._peek(2) if self._peek(2) in {"&&", "||", ";;"} else self._peek()
        if shown not in _BREAK and shown not in {"&&", "||", ";;"}:
            stop = self._at
            while stop < len(self._text) and self._text[stop] not in _BREAK:
                stop += 1
            shown = self._text[self._at : stop]
        return SyntaxError_("syntax error: unexpected " + ("newline" if shown == "\n" else f'"{shown}"'))

    def _keyword(self) -> str:
        """Return the reserved word that comes next, "" where none does."""
        self._blanks()
        stop = self._at
        while stop < len(self._text) and self._text[stop] not in _BREAK:
            stop += 1
        word = self._text[self._at : stop]
        return word if word in RESERVED else ""

    def _take_keyword(self, word: str) -> bool:
        if self._keyword() == word:
            self._at += len(word)
            return True
        return False

    def _expect(self, word: str) -> None:
        self._newlines()
        if not self._take_keyword(word):
            raise self._unexpected()

    # --- commands

    def _script(self, closers: frozenset[str]) -> Script:
        items: list[AndOr] = []
        while True:
            self._newlines()
            if self._at >= len(self._text) or self._peek() == ")" or self._peek(2) == ";;":
                break
            if self._keyword() in (closers or _CLOSERS):
                break
            items.append(self._and_or())
            self._blanks()
            if self._peek(2) == ";;":
                break
            if self._peek() == "&":
                self._at += 1
                items[-1] = AndOr(items[-1].items, background=True)
            elif self._peek() in {";", "\n"}:
                if self._peek() == ";":
                    self._at += 1
            else:
                break
        return Script(tuple(items))

    def _body(self, *closers: str) -> Script:
        script = self._script(frozenset(closers))
        if not script.items:
            raise self._unexpected()
        return script

    def _and_or(self) -> AndOr:
        items = [("&&", self._pipeline())]
        while True:
            self._blanks()
            operator = self._peek(2)
            if operator not in {"&&", "||"}:
                return AndOr(tuple(items))
            self._at += 2
            self._newlines()
            items.append((operator, self._pipeline()))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._take_keyword("!"):
            negated = not negated
        commands = [self._command()]
        while True:
            self._blanks()
            if self._peek() != "|" or self._peek(2) == "||":
                return Pipeline(tuple(commands), negated)
            self._at += 1
            self._newlines()
            commands.append(self._command())

    def _command(self) -> Command:
        self._blanks()
        keyword = self._keyword()
        compound: Command | None = None
        if self._peek() == "(":
            self._at += 1
            body = self._body()
            self._close(")")
            compound = Group(body, True)
        elif keyword == "{":
            self._at += 1
            body = self._body("}")
            self._expect("}")
            compound = Group(body, False)
        elif keyword == "if":
            compound = self._if()
        elif keyword in {"while", "until"}:
            self._at += len(keyword)
            condition = self._body("do")
            compound = Loop(condition, self._do(), keyword == "until")
        elif keyword == "for":
            compound = self._for()
        elif keyword == "case":
            compound = self._case()
        elif keyword:
            raise self._unexpected()
        if compound is None:
            return self._simple()
        redirects: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            redirects.append(redirect)
        return Redirected(compound, tuple(redirects)) if redirects else compound

    def _close(self, char: str) -> None:
        self._newlines()
        if self._peek() != char:
            raise self._unexpected()
        self._at += 1

    def _do(self) -> Script:
        self._expect("do")
        body = self._body("done")
        self._expect("done")
        return body

    def _if(self) -> Command:
        self._at += 2
        branches: list[tuple[Script, Script]] = []
        otherwise: Script | None = None
        while True:
            condition = self._body("then")
            self._expect("then")
            branches.append((condition, self._body("elif", "else", "fi")))
            self._newlines()
            if self._take_keyword("elif"):
                continue
            if self._take_keyword("else"):
                otherwise = self._body("fi")
            self._expect("fi")
            return If(tuple(branches), otherwise)

    def _for(self) -> Command:
        self._at += 3
        self._blanks()
        name = (self._word() or Word(())).literal or ""
        if not is_name(name):
            raise SyntaxError_("syntax error: bad for loop variable")
        self._newlines()
        words: list[Word] | None = None
        if self._take_keyword("in"):
            words = []
            self._blanks()
            while (word := self._word()) is not None:
                words.append(word)
                self._blanks()
        self._blanks()
        if self._peek() == ";":
            self._at += 1
        return For(name, tuple(words) if words is not None else None, self._do())

    def _case(self) -> Command:
        self._at += 4
        self._blanks()
        subject = self._word()
        if subject is None:
            raise self._unexpected()
        self._expect("in")
        branches: list[tuple[tuple[Word, ...], Script]] = []
        while True:
            self._newlines()
            if self._take_keyword("esac"):
                return Case(subject, tuple(branches))
            if self._peek() == "(":
                self._at += 1
            patterns: list[Word] = []
            while True:
                self._blanks()
                pattern = self._word()
                if pattern is None:
                    raise self._unexpected()
                patterns.append(pattern)
                self._blanks()
                if self._peek() != "|":
                    break
                self._at += 1
            self._close(")")
            body = self._script(frozenset({"esac"}))
            branches.append((tuple(patterns), body))
            self._newlines()
            if self._peek(2) == ";;":
                self._at += 2

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        line = self._text.count("\n", 0, self._at) + 1
        while True:
            self._blanks()
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            start = self._at
            word = self._word()
            if word is None:
                break
            name, equals, _ = self._text[start : self._at].partition("=")
            if equals and not words and is_name(name):
                assignments.append((name, _without_prefix(word, len(name) + 1)))
                continue
            words.append(word)
            if len(words) == 1 and self._peek(2) == "()" and is_name(word.literal or ""):
                self._at += 2
                self._newlines()
                return Function(word.literal or "", self._command())
        if not (assignments or words or redirects):
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)

    def _redirect(self) -> Redirect | None:
        self._blanks()
        at, digits = self._at, ""
        while at < len(self._text) and self._text[at].isdigit():
            digits, at = digits + self._text[at], at + 1
        if self._text[at : at + 2] == "&>" and not digits:
            self._at = at + 2
            return Redirect(1, "&>", self._target())
        if self._text[at : at + 1] not in {"<", ">"}:
            return None
        operator = next(
            op for op in ("<<-", "<<<", "<<", ">>", ">&", "<&", ">|", "<", ">") if self._text.startswith(op, at)
        )
        self._at = at + len(operator)
        fd = int(digits) if digits else (0 if operator[0] == "<" else 1)
        if operator in {"<<", "<<-"}:
            word = self._target()
            end = "".join(part.text for part in word.parts if isinstance(part, Literal))
            quoted = any(isinstance(part, Literal) and part.quoted for part in word.parts)
            parts: list[Part] = []
            self._heredocs.append((parts, end, operator == "<<-", quoted))
            return Redirect(fd, "<<", Word(parts))
        if operator == "<<<":
            return Redirect(fd, "<<", Word((*self._target().parts, Literal("\n", True))))
        return Redirect(fd, ">" if operator == ">|" else operator, self._target())

    def _target(self) -> Word:
        self._blanks()
        word = self._word()
        if word is None:
            raise self._unexpected()
        return word

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
            if char in _BREAK:
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
            return Substitution(parse(inner), quoted)
        if self._peek(3) == "$((":
            return self._arithmetic(quoted)
        if self._peek(2) == "$(":
            self._at += 2
            script = self._script(frozenset())
            self._close(")")
            return Substitution(script, quoted)
        if self._peek(2) == "${":
            return self._braced(quoted)
        stop = self._at + 1
        if self._text[stop : stop + 1] in _SPECIAL or self._text[stop : stop + 1].isdigit():
            stop += 1
        else:
            while stop < len(self._text) and is_name(self._text[self._at + 1 : stop + 1]):
                stop += 1
        name = self._text[self._at + 1 : stop]
        self._at = stop
        return Variable(name, "", None, quoted) if name else Literal("$", quoted)

    def _arithmetic(self, quoted: bool) -> Part:
        start, depth = self._at + 3, 0
        stop = start
        while depth or self._text[stop : stop + 2] != "))":
            if stop >= len(self._text):
                raise Incomplete("syntax error: missing '))'")
            depth += {"(": 1, ")": -1}.get(self._text[stop], 0)
            stop += 1
        inner = Parser(self._text[start:stop])._quoted_parts("")
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
        for candidate in (":-", ":=", ":+", ":?", "##", "%%", "-", "=", "+", "?", "#", "%"):
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
            stop += 1
        inner = self._text[start:stop]
        self._at = stop + 1
        word = Word(Parser(inner)._quoted_parts("")) if quoted else Word(Parser(inner)._loose_parts())
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


def _without_prefix(word: Word, count: int) -> Word:
    parts = list(word.parts)
    first = parts[0]
    if isinstance(first, Literal):
        parts[0] = Literal(first.text[count:], first.quoted)
    return Word(tuple(parts))
