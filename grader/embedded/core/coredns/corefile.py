"""Reads a Corefile into server blocks and directives.

Source: github.com/coredns/caddy v1.1.4 caddyfile/lexer.go, parse.go, dispenser.go (the texts of errors); the names of
directives are those of github.com/coredns/coredns v1.14.2 plugin.cfg. Snippets and `import` are not emulated, and
refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DIRECTIVES = frozenset(
    (
        "root metadata geoip cancel tls quic grpc_server https https3 timeouts multisocket reload nsid bufsize bind "
        "debug trace ready health pprof prometheus errors log dnstap local dns64 any chaos loadbalance tsig cache "
        "rewrite acl header dnssec autopath minimal template transfer hosts route53 azure clouddns k8s_external "
        "kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad"
    ).split()
)


class CorefileError(Exception):
    """CoreDNS does not take the Corefile; `str()` is what it says."""


@dataclass(frozen=True)
class Token:
    """One word.

    Attributes:
        text: the word, without quotes.
        line: its line, from 1.

    """

    text: str
    line: int


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


def tokens(text: str) -> list[Token]:
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
                found.append(Token(line[position + 1 : end], number))
                position = end + 1
            else:
                end = position
                while end < len(line) and not line[end].isspace():
                    end += 1
                found.append(Token(line[position:end], number))
                position = end
    return found


class _Parser:
    def __init__(self, text: str, path: str) -> None:
        self.tokens = tokens(text)
        self.path = path
        self.at = 0

    def error(self, text: str) -> CorefileError:
        line = self.tokens[min(self.at, len(self.tokens) - 1)].line if self.tokens else 0
        return CorefileError(f"{self.path}:{line} - Error during parsing: {text}")

    def unexpected(self, expected: str) -> CorefileError:
        last = self.tokens[min(self.at, len(self.tokens) - 1)]
        what = f"Unexpected token '{last.text}', expecting '{expected}'"
        return CorefileError(f"{self.path}:{last.line} - Syntax error: {what}")

    @property
    def ended(self) -> bool:
        return self.at >= len(self.tokens)

    def new_line(self) -> bool:
        return self.at == 0 or self.tokens[self.at - 1].line < self.tokens[self.at].line

    def block(self) -> Block:
        block = Block()
        another = False
        while not self.ended:
            text = self.tokens[self.at].text
            if text == "import" or text.startswith("("):
                raise self.error(f"'{text}' (snippets and imports) is not emulated here")
            if text == "{":
                break
            another = text.endswith(",")
            block.keys.append(text.removesuffix(","))
            self.at += 1
            if not self.ended and not another and self.new_line():
                break
        if self.ended:
            return block
        braces = self.tokens[self.at].text == "{"
        if braces:
            self.at += 1
        while not self.ended and self.tokens[self.at].text != "}":
            block.directives.append(self.directive())
        if braces and self.ended:
            raise self.unexpected("}")
        self.at += 1
        return block

    def directive(self) -> Directive:
        first = self.tokens[self.at]
        if first.text == "import":
            raise self.error("'import' is not emulated here")
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


def parse(text: str, path: str) -> list[Block]:
    """The server blocks of a Corefile.

    Args:
        text: its content.
        path: its path, for messages.

    Raises CorefileError.

    """
    parser = _Parser(text, path)
    blocks = []
    while not parser.ended:
        blocks.append(parser.block())
    return [block for block in blocks if block.keys]
