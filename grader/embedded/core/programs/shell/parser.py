"""The shell's recursive descent parser."""

from __future__ import annotations

from grader.embedded.core.programs.shell.syntax import (
    AndOr,
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
    SyntaxError_,
    Word,
)
from grader.embedded.core.programs.shell.words import BREAK, WordReader, is_name

RESERVED = frozenset("if then elif else fi while until for in do done case esac { } !".split())
_CLOSERS = frozenset("then elif else fi do done esac }".split())


def parse(text: str) -> Script:
    """Read a whole program. Raises SyntaxError_, or Incomplete where more text could make it whole."""
    return Parser(text).program()


class Parser(WordReader):
    """One reading of one text."""

    def program(self) -> Script:
        """Read to the end of the text."""
        script = self._script(frozenset())
        if self._at < len(self._text):
            raise self._unexpected()
        if self._heredocs:
            raise Incomplete("unterminated here-document")
        return script

    def _keyword(self) -> str:
        """Return the reserved word that comes next, "" where none does."""
        self._blanks()
        stop = self._at
        while stop < len(self._text) and self._text[stop] not in BREAK:
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
            doubled = self._peek(2) == "(("
            self._at += 1
            body = self._body()
            self._close(")")
            compound = Group(body, True, doubled)
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
        line = self._line()
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
        return Redirect(fd, ">" if operator == ">|" else operator, self._target(), operator == ">|")

    def _target(self) -> Word:
        self._blanks()
        word = self._word()
        if word is None:
            raise self._unexpected()
        return word


def _without_prefix(word: Word, count: int) -> Word:
    parts = list(word.parts)
    first = parts[0]
    if isinstance(first, Literal):
        parts[0] = Literal(first.text[count:], first.quoted)
    return Word(tuple(parts))
