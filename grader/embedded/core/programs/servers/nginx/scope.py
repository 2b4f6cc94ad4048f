"""The blocks of an nginx configuration while it is read, and what is remembered of the reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.embedded.core.programs.servers.nginx.conf import Directive
from grader.embedded.core.programs.servers.nginx.text import Text


class Scope:
    """The directives of a block, and of those around it.

    Attributes:
        own: the block's own.
        outer: the block around it.
    """

    def __init__(self, own: tuple[Directive, ...], outer: Scope | None = None) -> None:
        self.own: dict[str, list[Directive]] = {}
        self.outer = outer
        for each in own:
            self.own.setdefault(each.name, []).append(each)

    def all(self, name: str) -> list[Directive]:
        """The directives of a name, of the innermost block that has any: nginx inherits all or none."""
        return self.own.get(name) or (self.outer.all(name) if self.outer else [])

    def last(self, name: str) -> Directive | None:
        """The last of them."""
        found = self.all(name)
        return found[-1] if found else None

    def word(self, name: str, default: str) -> str:
        """Its first argument."""
        found = self.last(name)
        return found.args[0] if found else default

    def on(self, name: str, *, default: bool) -> bool:
        """Whether a flag is set."""
        return self.word(name, "on" if default else "off").lower() == "on"


@dataclass
class Reading:
    """What is remembered while a configuration is read.

    Attributes:
        notes: what is written to the error log about it: level and text.
        names: variables that are used.
        own: variables that it defines.
    """

    notes: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)

    def text(self, text: str) -> Text:
        """A text with variables, whose names are remembered."""
        made = Text.of(text)
        self.names.update(made.names)
        return made

    def ignored(self, at: Directive, what: str = "") -> None:
        """Take note of something that nginx would do and that is not done here."""
        what = what or f'"{at.name}" directive'
        self.notes.append(("warn", f"the embedded cluster ignores the {what} in {at.file}:{at.line}"))
