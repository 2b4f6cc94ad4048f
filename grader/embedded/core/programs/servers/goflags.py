"""Command lines of Go programs, in pflag's syntax."""

from __future__ import annotations

from grader.embedded.core.programs.servers.golang import GoError, duration


class Flags:
    """Flags in pflag's syntax, as cobra commands take them.

    Args:
        defaults: name → default; the type of the default is the type of the flag.

    Attributes:
        values: name → value.
        args: what is no flag.
    """

    def __init__(self, defaults: dict[str, object]) -> None:
        self.values: dict[str, object] = dict(defaults)
        self.args: list[str] = []

    def parse(self, words: list[str]) -> Flags:
        """Read a command line. Raises GoError with pflag's text."""
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                self.args += rest
                break
            if not word.startswith("--"):
                if word.startswith("-") and len(word) > 1:
                    raise GoError(f"unknown shorthand flag: '{word[1]}' in {word}")
                self.args.append(word)
                continue
            name, equals, value = word[2:].partition("=")
            if name not in self.values:
                raise GoError(f"unknown flag: --{name}")
            default = self.values[name]
            if not equals and not isinstance(default, bool):
                if not rest:
                    raise GoError(f"flag needs an argument: --{name}")
                value = rest.pop(0)
            self.values[name] = _convert(name, value if equals or not isinstance(default, bool) else "true", default)
        return self

    def number(self, name: str) -> int:
        """Return an integer flag."""
        return int(str(self.values[name]))

    def seconds(self, name: str) -> float:
        """Return a duration flag."""
        return float(str(self.values[name]))

    def text(self, name: str) -> str:
        """Return a string flag."""
        return str(self.values[name])

    def on(self, name: str) -> bool:
        """Return a boolean flag."""
        return bool(self.values[name])


def _convert(name: str, value: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False, "1": True, "0": False}[value]
        if isinstance(default, int):
            return int(value)
        if isinstance(default, float):
            return duration(value)
    except (ValueError, KeyError):
        kind = "ParseBool" if isinstance(default, bool) else "ParseInt"
        problem = f'strconv.{kind}: parsing "{value}": invalid syntax'
        raise GoError(f'invalid argument "{value}" for "--{name}" flag: {problem}') from None
    return value
