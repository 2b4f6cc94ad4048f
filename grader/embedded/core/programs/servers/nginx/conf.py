"""nginx' configuration files as a tree of directives, read and refused as nginx does.

Rules and texts: src/core/ngx_conf_file.c of nginx 1.26.3 (ngx_conf_parse, ngx_conf_handler, ngx_conf_read_token).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from grader.embedded.core.programs.servers.nginx.directives import RULES

MAIN = "/etc/nginx/nginx.conf"
INCLUDES = 50
"""Files that may be open inside of each other; a real nginx runs out of file descriptors much later."""
_SINGLE = frozenset(
    "alias client_max_body_size default_type proxy_connect_timeout proxy_http_version proxy_pass proxy_read_timeout"
    " proxy_send_timeout resolver_timeout root try_files daemon worker_processes".split()
)
_INSIDE = {
    "events": "e", "http": "h", "server": "s", "location": "l", "upstream": "u", "limit_except": "x",
    "map": "", "geo": "", "split_clients": "", "charset_map": "", "types": "", "mail": "", "stream": "",
}  # fmt: skip
"""The context inside of each block; "" where directives are words of its own."""


class Emerg(Exception):
    """The configuration cannot be used; `str()` is what nginx says after `[emerg]`."""


@dataclass(frozen=True)
class Directive:
    """One directive.

    Attributes:
        name: its name.
        args: its arguments, quotes and escapes taken off.
        file: the file's absolute path.
        line: the line that its `;` or `{` is on.
        block: what is inside of its braces, None without braces.
    """

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None

    def emerg(self, text: str) -> Emerg:
        """An error that names the place."""
        return Emerg(f"{text} in {self.file}:{self.line}")


@dataclass(frozen=True)
class Token:
    """Words up to what ends them.

    Attributes:
        words: the directive's name and arguments.
        end: `;`, `{`, `}`, "" at the end of the file, or an error's text.
        line: where that stands.
    """

    words: tuple[str, ...]
    end: str
    line: int


_WORD = re.compile(
    r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|((?!["\'])(?:\\.|\$\{|[^\s;{\\])(?:\\.|\$\{|[^\s;{\\])*)', re.S
)
_ESCAPE = re.compile(r"""\\(["'\\trn])""")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}


@lru_cache(256)
def tokens(text: str) -> tuple[Token, ...]:
    """Split a file into tokens; the last one is the end of the file or an error."""
    return tuple(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    at, words, counted, line = 0, list[str](), 0, 1

    def token(end: str) -> Token:
        nonlocal counted, line
        counted, line = at, line + text.count("\n", counted, at)
        return Token(tuple(words), end, line)

    while True:
        while at < len(text) and (text[at] in " \t\r\n" or text[at] == "#"):
            at = (text.find("\n", at) + 1 or len(text)) if text[at] == "#" else at + 1
        char = text[at : at + 1]
        if not char:
            yield token('unexpected end of file, expecting ";" or "}"' if words else "")
            return
        if char in ";{}":
            if (char == "}") == bool(words):
                yield token(f'unexpected "{char}"')
                return
            yield token(char)
            words, at = [], at + 1
            continue
        match = _WORD.match(text, at)
        if match is None:
            at = len(text)
            yield token('unexpected end of file, expecting ";" or "}"')
            return
        word = next(group for group in match.groups() if group is not None)
        words.append(_ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), word))
        at = match.end()
        if match[3] is None and text[at : at + 1] not in {"", " ", "\t", "\r", "\n", ";", "{"}:
            yield token(f'unexpected "{text[at]}"')
            return


@dataclass(frozen=True)
class Files:
    """Where configuration comes from.

    Attributes:
        read: an absolute path's content, None where there is no file.
        names: the names in a folder.
    """

    read: Callable[[str], bytes | None]
    names: Callable[[str], list[str]]


class Reader:
    """Reads a configuration.

    Attributes:
        seen: path → text of the files that were read, in order.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.seen: dict[str, str] = {}
        self._folder = MAIN.rpartition("/")[0]
        self._including = 0

    def main(self, path: str = MAIN) -> tuple[Directive, ...]:
        """The tree of a whole configuration. Raises Emerg."""
        if self.files.read(path) is None:
            raise Emerg(f'open() "{path}" failed (2: No such file or directory)')
        self._folder = path.rpartition("/")[0]
        return self.file(path, "m")

    def file(self, path: str, context: str) -> tuple[Directive, ...]:
        """The directives of one file. Raises Emerg."""
        if self._including >= INCLUDES:
            raise Emerg(f'open() "{path}" failed (24: Too many open files)')
        text = (self.files.read(path) or b"").decode(errors="replace")
        self.seen[path] = text
        self._including += 1
        try:
            return self.text(text, path, context)
        finally:
            self._including -= 1

    def text(self, text: str, path: str, context: str) -> tuple[Directive, ...]:
        """The directives of a text that stands for a file (that of `-g`, too)."""
        return self._block(iter(tokens(text)), path, context, inner=False)

    def _block(self, rest: Iterator[Token], path: str, context: str, *, inner: bool) -> tuple[Directive, ...]:
        found: list[Directive] = []
        for token in rest:
            at = Directive(token.words[0] if token.words else "", token.words[1:], path, token.line)
            if token.end == "}" and inner:
                return tuple(found)
            if token.end == "" and not inner:
                break
            if token.end not in {";", "{"}:
                raise at.emerg({"": 'unexpected end of file, expecting "}"', "}": 'unexpected "}"'}.get(
                    token.end, token.end))  # fmt: skip
            if context:
                check(at, context, opens=token.end == "{")
            if at.name == "include" and len(at.args) == 1:
                found += self._include(at, context)
                continue
            if context and at.name in _SINGLE and any(held.name == at.name for held in found):
                raise at.emerg(f'"{at.name}" directive is duplicate')
            block = None
            if token.end == "{":
                inside = ("S" if context == "s" else "i") if at.name == "if" else _INSIDE.get(at.name, "")
                block = self._block(rest, path, inside, inner=True)
            found.append(Directive(at.name, at.args, path, token.line, block))
        return tuple(found)

    def _include(self, at: Directive, context: str) -> list[Directive]:
        pattern = at.args[0] if at.args[0].startswith("/") else f"{self._folder}/{at.args[0]}"
        if not re.search(r"[*?[]", pattern):
            if self.files.read(pattern) is None:
                raise at.emerg(f'open() "{pattern}" failed (2: No such file or directory)')
            return list(self.file(pattern, context))
        folder, _, last = pattern.rpartition("/")
        names = [name for name in self.files.names(folder) if fnmatchcase(name, last) and name[0] != "."]
        paths = [f"{folder}/{name}" for name in sorted(names)]
        return [each for path in paths if self.files.read(path) is not None for each in self.file(path, context)]


def check(at: Directive, context: str, *, opens: bool) -> None:
    """Raise Emerg where a directive is unknown or is not written as it must be."""
    rules = RULES.get(at.name)
    if rules is None:
        raise at.emerg(f'unknown directive "{at.name}"')
    rule = next((rule for rule in rules if context in rule.contexts), None)
    if rule is None:
        raise at.emerg(f'"{at.name}" directive is not allowed here')
    if opens and not rule.block:
        raise at.emerg(f'directive "{at.name}" is not terminated by ";"')
    if rule.block and not opens:
        raise at.emerg(f'directive "{at.name}" has no opening "{{"')
    if not rule.takes(len(at.args)):
        raise at.emerg(f'invalid number of arguments in "{at.name}" directive')
    if rule.flag and at.args[0].lower() not in {"on", "off"}:
        raise at.emerg(f'invalid value "{at.args[0]}" in "{at.name}" directive, it must be "on" or "off"')
