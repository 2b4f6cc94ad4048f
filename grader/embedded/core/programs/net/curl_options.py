"""The command line of `curl`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from grader.embedded.core.programs.resolver import is_ipv4

FLAGS = {
    "-s": "silent", "--silent": "silent", "-S": "show_error", "--show-error": "show_error", "-v": "verbose",
    "--verbose": "verbose", "-i": "include", "--include": "include", "--show-headers": "include", "-I": "head",
    "--head": "head", "-L": "location", "--location": "location", "-f": "fail", "--fail": "fail",
    "--fail-with-body": "fail_body", "-k": "insecure", "--insecure": "insecure", "-G": "get", "--get": "get",
    "-O": "remote_name", "--remote-name": "remote_name", "-N": "ignored", "--no-buffer": "ignored",
    "-4": "ignored", "--ipv4": "ignored", "-#": "silent", "--no-progress-meter": "silent", "-g": "ignored",
    "--globoff": "ignored", "--http1.1": "ignored", "-0": "ignored", "--http1.0": "ignored", "--compressed": "ignored",
    "--no-keepalive": "ignored", "--retry-connrefused": "ignored", "--retry-all-errors": "ignored", "-q": "ignored",
    "--disable": "ignored", "--raw": "ignored", "--path-as-is": "ignored", "-Z": "ignored", "--http2": "ignored",
}  # fmt: skip
VALUES = {
    "-o": "output", "--output": "output", "-w": "write_out", "--write-out": "write_out", "-X": "method",
    "--request": "method", "-H": "headers", "--header": "headers", "-d": "data", "--data": "data",
    "--data-raw": "data", "--data-binary": "data", "--data-ascii": "data", "-m": "max_time", "--max-time": "max_time",
    "--connect-timeout": "connect_timeout", "-A": "agent", "--user-agent": "agent", "--resolve": "resolve",
    "-u": "user", "--user": "user", "--retry": "retry", "--retry-delay": "ignored", "--url": "urls",
    "-e": "referer", "--referer": "referer", "-b": "cookie", "--cookie": "cookie", "-c": "none",
    "--cookie-jar": "none", "--max-redirs": "none", "--interface": "interface", "--local-port": "none",
    "--retry-max-time": "ignored", "--json": "json", "--connect-to": "none", "-D": "dump", "--dump-header": "dump",
    "--cacert": "cacert", "-x": "none", "--proxy": "none", "--noproxy": "ignored", "--data-urlencode": "encoded",
}  # fmt: skip
LISTS = {"headers", "data", "urls", "resolve"}


class Failed(Exception):
    """A transfer failed.

    Attributes:
        code: curl's exit code.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class Options:
    """The command line.

    Attributes:
        on: switches that are on.
        values: options with a value.
        lists: options that can be given several times.
    """

    on: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in LISTS})

    @property
    def bound(self) -> str:
        """The address to connect from, "" for any (lib/cf-socket.c bindlocal). Raises Failed (2, 45).

        Names of interfaces are not emulated.
        """
        given = self.values.get("interface", "")
        kind, mark, name = given.rpartition("!")
        address = name if kind in {"host", ""} else given
        if not given or is_ipv4(address):
            return address
        if mark and kind == "host":
            raise Failed(45, f"Couldn't bind to '{address}'")
        raise Failed(2, "option --interface: the embedded cluster's curl takes an address, no interface's name")

    def seconds(self, name: str) -> float | None:
        """Return a time option, None where it is not given or 0."""
        return float(self.values[name]) or None if name in self.values else None


def parse(args: list[str]) -> Options:
    """Read a command line. Raises Failed (2)."""
    options, rest = Options(), list(args)
    while rest:
        word = rest.pop(0)
        if word in {"-V", "--version"}:
            options.on.add("version")
        elif word == "--" or not word.startswith("-") or word == "-":
            options.lists["urls"].append(rest.pop(0) if word == "--" and rest else word)
        elif word.startswith("--"):
            _long(options, word, rest)
        else:
            _short(options, word, rest)
    for name in ("max_time", "connect_timeout"):
        value = options.values.get(name, "0")
        if not value.replace(".", "", 1).isdigit():
            option = "-m" if name == "max_time" else "--connect-timeout"
            raise Failed(2, f"option {option}: expected a proper numerical parameter")
    return options


def _long(options: Options, word: str, rest: list[str]) -> None:
    if word in FLAGS:
        options.on.add(FLAGS[word])
    elif word in VALUES:
        if not rest:
            raise Failed(2, f"option {word}: requires parameter")
        _refuse(VALUES[word], word)
        _give(options, VALUES[word], rest.pop(0))
    elif word.startswith("--no-") and f"--{word[5:]}" in FLAGS:
        options.on.discard(FLAGS[f"--{word[5:]}"])
    else:
        raise Failed(2, f"option {word}: is unknown")


def _short(options: Options, word: str, rest: list[str]) -> None:
    for index, letter in enumerate(word[1:], 1):
        option = f"-{letter}"
        if option in FLAGS:
            options.on.add(FLAGS[option])
        elif option in VALUES:
            value = word[index + 1 :]
            if not value and not rest:
                raise Failed(2, f"option {word}: requires parameter")
            _refuse(VALUES[option], option)
            _give(options, VALUES[option], value or rest.pop(0))
            return
        else:
            raise Failed(2, f"option {word}: is unknown")


def _refuse(name: str, option: str) -> None:
    """Raise Failed (2) for what curl has and the embedded cluster does not do."""
    if name == "none":
        raise Failed(2, f"option {option}: the embedded cluster's curl does not have it")


def _encoded(value: str) -> str:
    """What --data-urlencode makes of `content`, `=content` or `name=content`."""
    name, equals, content = value.partition("=")
    if not equals:
        return quote(value, safe="-._~")
    return (f"{name}=" if name else "") + quote(content, safe="-._~")


def _give(options: Options, name: str, value: str) -> None:
    if name in LISTS:
        options.lists[name].append(value)
    elif name == "encoded":
        options.lists["data"].append(_encoded(value))
    elif name == "referer":
        options.lists["headers"].append(f"Referer: {value}")
    elif name == "json":
        options.lists["data"].append(value)
        options.lists["headers"] += ["Content-Type: application/json", "Accept: application/json"]
    else:
        options.values[name] = value
