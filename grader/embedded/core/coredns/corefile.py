"""Reads a Corefile into server blocks and directives.

Source: github.com/coredns/caddy v1.1.4 caddyfile/lexer.go, parse.go, dispenser.go (the texts of errors); the names of
directives are those of github.com/coredns/coredns v1.14.2 plugin.cfg.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

DIRECTIVES = frozenset(
    (
        "root metadata geoip cancel tls quic grpc_server https https3 timeouts multisocket reload nsid bufsize bind "
        "debug trace ready health pprof prometheus errors log dnstap local dns64 any chaos loadbalance tsig cache "
        "rewrite acl header dnssec autopath minimal template transfer hosts route53 azure clouddns k8s_external "
        "kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad"
    ).split()
)
MOST_IMPORTS = 10_000
"""Imports of snippets, and of files, that are followed (parse.go maxSnippetExpansions, maxFileExpansions)."""


class CorefileError(Exception):
    """CoreDNS does not take the Corefile; `str()` is what it says."""


@dataclass(frozen=True)
class Token:
    """One word.

    Attributes:
        text: the word, without quotes.
        line: its line, from 1.
        file: the file that it stands in.

    """

    text: str
    line: int
    file: str


@dataclass(frozen=True)
class Directive:
    """One directive of a server block.

    Attributes:
        name: the plugin's name.
        args: the rest of its line.
        block: the lines between its braces, each in words with the line's number.
        line: its own line's number.

    """

    name: str
    args: tuple[str, ...]
    block: tuple[tuple[int, tuple[str, ...]], ...]
    line: int


@dataclass
class Block:
    """A server block.

    Attributes:
        keys: its zones with ports, such as ".:53".
        directives: in the order of the file.

    """

    keys: list[str] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)


def tokens(text: str, path: str) -> list[Token]:
    """The words of a Corefile; `#` at the beginning of a word makes a comment of the rest of its line."""
    found: list[Token] = []
    for number, line in enumerate(text.split("\n"), 1):
        position = 0
        while position < len(line):
            if line[position].isspace():
                position += 1
            elif line[position] == "#":
                break
            elif line[position] == '"':
                end = line.find('"', position + 1)
                end = len(line) if end < 0 else end
                found.append(Token(line[position + 1 : end], number, path))
                position = end + 1
            else:
                end = position
                while end < len(line) and not line[end].isspace():
                    end += 1
                found.append(Token(line[position:end], number, path))
                position = end
    return found


class _Parser:
    def __init__(self, text: str, path: str, files: Mapping[str, bytes]) -> None:
        self.tokens = tokens(text, path)
        self.path = path
        self.files = files
        self.at = 0
        self.snippets: dict[str, list[Token]] = {}
        self.imports = {"snippet": 0, "file": 0}

    def error(self, text: str) -> CorefileError:
        last = self.tokens[min(self.at, len(self.tokens) - 1)] if self.tokens else Token("", 0, self.path)
        return CorefileError(f"{last.file}:{last.line} - Error during parsing: {text}")

    def unexpected(self, expected: str) -> CorefileError:
        last = self.tokens[min(self.at, len(self.tokens) - 1)]
        what = f"Unexpected token '{last.text}', expecting '{expected}'"
        return CorefileError(f"{last.file}:{last.line} - Syntax error: {what}")

    @property
    def ended(self) -> bool:
        return self.at >= len(self.tokens)

    def new_line(self) -> bool:
        if self.at == 0:
            return True
        before, here = self.tokens[self.at - 1 : self.at + 1]
        return before.file != here.file or before.line < here.line

    def follow_import(self) -> None:
        """Put the words of a snippet, or of files, in the place of an `import` (parse.go doImport)."""
        words = self.tokens[self.at : self.at + 3]
        line = [word for word in words if (word.file, word.line) == (words[0].file, words[0].line)]
        if len(line) == 1:
            raise self.error("Wrong argument count or unexpected line ending after 'import'")
        pattern = line[1].text
        if len(line) > 2:
            raise self.error("Import takes only one argument (glob pattern or file)")
        if not pattern:
            raise self.error("Import requires a non-empty filepath")
        kind = "snippet" if pattern in self.snippets else "file"
        if self.imports[kind] >= MOST_IMPORTS:
            raise self.error(f"maximum {kind} import depth ({MOST_IMPORTS}) exceeded")
        self.imports[kind] += 1
        self.tokens[self.at : self.at + 2] = self.snippets.get(pattern) or self._imported(pattern)

    def _imported(self, pattern: str) -> list[Token]:
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(self.tokens[self.at].file), pattern))
        if wanted.count("*") > 1 or wanted.count("?") > 1 or ("[" in wanted and "]" in wanted):
            why = f"Glob pattern may only contain one wildcard (*), but has others: {wanted}"
            raise self.error(why)
        deep = wanted.count("/")
        found = sorted(path for path in self.files if path.count("/") == deep and fnmatchcase(path, wanted))
        if not found and not set(wanted) & set("*?[]"):
            raise self.error(f"File to import not found: {pattern}")
        return [token for path in found for token in tokens(self.files[path].decode(errors="replace"), path)]

    def snippet(self, name: str) -> None:
        """Remember the words between the braces that come next (parse.go snippetTokens)."""
        if name in self.snippets:
            raise self.error(f"redeclaration of previously declared snippet {name}")
        if self.tokens[self.at].text != "{":
            raise self.unexpected("{")
        depth, held = 1, list[Token]()
        while depth:
            self.at += 1
            if self.ended:
                raise self.unexpected("}")
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at].text, 0)
            if depth:
                held.append(self.tokens[self.at])
        self.at += 1
        for before, word, after in zip([None, *held], held, held[1:], strict=False):
            begins = before is None or (before.file, before.line) != (word.file, word.line)
            if word.text == "import" and begins and after.text == name:
                raise self.error(f"maximum snippet import depth ({MOST_IMPORTS}) exceeded")
        self.snippets[name] = held

    def block(self) -> Block:
        block = Block()
        another = False
        while not self.ended:
            text = self.tokens[self.at].text
            if text == "import" and self.new_line():
                self.follow_import()
                continue
            if text == "{":
                break
            another = text.endswith(",")
            block.keys.append(text.removesuffix(","))
            self.at += 1
            if not self.ended and not another and self.new_line():
                break
        if self.ended:
            return block
        if len(block.keys) == 1 and block.keys[0].startswith("(") and block.keys[0].endswith(")"):
            self.snippet(block.keys.pop()[1:-1])
            return block
        braces = self.tokens[self.at].text == "{"
        if braces:
            self.at += 1
        while not self.ended and self.tokens[self.at].text != "}":
            if self.tokens[self.at].text == "import":
                self.follow_import()
            else:
                block.directives.append(self.directive())
        if braces and self.ended:
            raise self.unexpected("}")
        self.at += 1
        return block

    def directive(self) -> Directive:
        first = self.tokens[self.at]
        if first.text not in DIRECTIVES:
            raise self.error(f"Unknown directive '{first.text}'")
        self.at += 1
        args: list[str] = []
        lines: list[tuple[int, list[str]]] = []
        nesting = 0
        while not self.ended:
            token = self.tokens[self.at]
            if token.text == "{":
                nesting += 1
            elif self.new_line() and not nesting:
                break
            elif token.text == "}" and nesting:
                nesting -= 1
            elif token.text == "}":
                raise self.error("Unexpected '}' because no matching opening brace")
            elif not nesting:
                args.append(token.text)
            elif lines and lines[-1][0] == token.line:
                lines[-1][1].append(token.text)
            else:
                lines.append((token.line, [token.text]))
            self.at += 1
        if nesting:
            raise self.error("Unexpected EOF")
        return Directive(first.text, tuple(args), tuple((line, tuple(words)) for line, words in lines), first.line)


def parse(text: str, path: str, files: Mapping[str, bytes]) -> list[Block]:
    """The server blocks of a Corefile.

    Args:
        text: its content.
        path: its path, for messages.
        files: what it may import: absolute path → content.

    Raises CorefileError.

    """
    parser = _Parser(text, path, files)
    blocks = []
    while not parser.ended:
        blocks.append(parser.block())
    return [block for block in blocks if block.keys]
