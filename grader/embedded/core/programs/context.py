"""What a program sees: the machine, its own command line, environment, input and output."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader.embedded.core.programs.host import Host
from grader.embedded.core.programs.images.specs import ImageSpec
from grader.embedded.core.programs.images.users import ROOT, User
from grader.embedded.core.programs.process import Exit, Input, Process, Sink


@dataclass(frozen=True)
class ProgramContext:
    """What a program sees.

    Attributes:
        host: the machine.
        image: the image it runs in: which programs there are, and of which make.
        process: the process it belongs to (a shell runs its commands inside its own process).
        argv: command line, the program's name first.
        env: environment.
        stdin: standard input.
        out: standard output.
        err: standard error.
        tty: whether standard input and output are a terminal.
        cwd: working directory.
        user: who it runs as.
    """

    host: Host
    image: ImageSpec
    process: Process
    argv: list[str]
    env: Mapping[str, str]
    stdin: Input
    out: Sink
    err: Sink
    tty: bool = False
    cwd: str = "/"
    user: User = ROOT

    @property
    def name(self) -> str:
        """The program's own name, without folders."""
        return self.argv[0].rsplit("/", 1)[-1]

    @property
    def args(self) -> list[str]:
        """The arguments after the program's name."""
        return self.argv[1:]

    def print(self, *lines: str) -> None:
        """Write lines to standard output."""
        self.out("".join(f"{line}\n" for line in lines).encode())

    def error(self, *lines: str) -> None:
        """Write lines to standard error."""
        self.err("".join(f"{line}\n" for line in lines).encode())

    def fail(self, code: int, *lines: str) -> Exit:
        """Write lines to standard error and return the Exit to raise."""
        self.error(*lines)
        return Exit(code)

    def path(self, name: str) -> str:
        """An absolute, normal path."""
        parts: list[str] = []
        for part in (name if name.startswith("/") else f"{self.cwd}/{name}").split("/"):
            if part == "..":
                parts[-1:] = []
            elif part not in {"", "."}:
                parts.append(part)
        return "/" + "/".join(parts)

    def with_(self, **changes: Any) -> ProgramContext:
        """A copy with some attributes changed."""
        return replace(self, **changes)


Program = Callable[[ProgramContext], Coroutine[Any, Any, int]]
