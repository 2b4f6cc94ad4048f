"""The line discipline of a pseudo terminal: echo, line editing, Ctrl-C and Ctrl-D.

What a person types reaches the program line by line, as the kernel's canonical mode does it.
"""

from __future__ import annotations

from typing import Protocol

from grader.embedded.core.kernel import Queue
from grader.embedded.core.programs.signals import SIGINT, SIGQUIT, STDOUT

CTRL_C, CTRL_D, CTRL_U, CTRL_W, CTRL_BACKSLASH = "\x03", "\x04", "\x15", "\x17", "\x1c"
ERASE = {"\x7f", "\x08"}


class Foreground(Protocol):
    """The program that a terminal belongs to.

    Attributes:
        stdin: where complete lines go.
    """

    stdin: Queue[bytes]

    def kill(self, signal: int) -> None:
        """Take a signal."""

    def emit(self, fd: int, data: bytes) -> None:
        """Show bytes as they are."""


class Terminal:
    """A terminal in canonical mode.

    Attributes:
        size: columns and rows.
        history: lines typed at a shell's prompt, for the arrow keys; the shell appends to it.
    """

    def __init__(self, process: Foreground) -> None:
        self.size = (80, 24)
        self.history: list[str] = []
        self._process = process
        self._line: list[str] = []
        self._pending = b""
        self._escape = ""
        self._place = 0

    def shown(self, data: bytes) -> bytes:
        """Output as the terminal gets it: a newline also returns the carriage (ONLCR)."""
        return data.replace(b"\n", b"\r\n")

    def typed(self, data: bytes) -> None:
        """Take what was typed: echo it, edit the line, deliver complete lines, turn Ctrl-C into a signal."""
        text, self._pending = _decode(self._pending + data)
        for char in text:
            self._key(char)

    def _key(self, char: str) -> None:
        if self._escape or char == "\x1b":
            self._escape += char
            if char.isalpha() or char == "~":
                sequence, self._escape = self._escape, ""
                self._arrow(sequence)
        elif char in "\r\n":
            self._echo("\r\n")
            self._deliver("\n")
        elif char in ERASE:
            self._erase(1)
        elif char == CTRL_U:
            self._erase(len(self._line))
        elif char == CTRL_W:
            text = "".join(self._line).rstrip()
            self._erase(len(self._line) - (text.rfind(" ") + 1))
        elif char == CTRL_C:
            self._signal("^C", SIGINT)
        elif char == CTRL_BACKSLASH:
            self._signal("^\\", SIGQUIT)
        elif char == CTRL_D:
            if self._line:
                self._deliver("")
            else:
                self._process.stdin.put(b"")
        elif char >= " " or char == "\t":
            self._line.append(char)
            self._echo(char)

    def _arrow(self, sequence: str) -> None:
        step = {"\x1b[A": -1, "\x1bOA": -1, "\x1b[B": 1, "\x1bOB": 1}.get(sequence)
        if step is None:
            return
        place = min(max(self._place + step, -len(self.history)), 0)
        if place != self._place:
            self._place = place
            self._erase(len(self._line))
            self._line = list(self.history[place]) if place else []
            self._echo("".join(self._line))

    def _erase(self, count: int) -> None:
        for _ in range(min(count, len(self._line))):
            width = 2 if ord(self._line.pop()) > 0x2E80 else 1
            self._echo("\b \b" * width)

    def _signal(self, shown: str, number: int) -> None:
        self._line.clear()
        self._place = 0
        self._echo(shown)
        self._process.kill(number)

    def _deliver(self, end: str) -> None:
        line = "".join(self._line) + end
        self._line.clear()
        self._place = 0
        self._process.stdin.put(line.encode())

    def _echo(self, text: str) -> None:
        if text:
            self._process.emit(STDOUT, text.encode())


def _decode(data: bytes) -> tuple[str, bytes]:
    """Text, and the bytes of a character that is not complete yet."""
    for kept in range(min(3, len(data)) + 1):
        try:
            return data[: len(data) - kept].decode(), data[len(data) - kept :]
        except UnicodeDecodeError:
            continue
    return data.decode(errors="replace"), b""
