"""The log of one container: its output in lines, with the time of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.embedded.core.kernel import Kernel
from grader.embedded.core.store import timestamp

LIMIT = 20_000
"""Lines kept."""


@dataclass(frozen=True)
class LogLine:
    """One line.

    Attributes:
        time: seconds since the epoch when it was written.
        text: the line's bytes, with its newline where it had one.

    """

    time: float
    text: bytes

    def stamped(self) -> bytes:
        """The line as `kubectl logs --timestamps` shows it."""
        nanoseconds = f"{int(self.time % 1 * 1e9):09d}"
        return f"{timestamp(self.time)[:-1]}.{nanoseconds}Z ".encode() + self.text


class LogView:
    """What a container has written so far, and what it will write.

    Attributes:
        lines: the lines so far, oldest first.
        ended: whether nothing more will come.

    """

    def __init__(self, kernel: Kernel) -> None:
        self.lines: list[LogLine] = []
        self.ended = False
        self._kernel = kernel
        self._partial = {1: b"", 2: b""}
        self._listeners: list[Callable[[LogLine | None], None]] = []

    @property
    def unfinished(self) -> bytes:
        """What was written after the last newline: a prompt, mostly. It is no line of the log yet."""
        return self._partial[1] + self._partial[2]

    def write(self, fd: int, data: bytes) -> None:
        """Take output of the container."""
        *whole, rest = (self._partial[fd] + data).split(b"\n")
        self._partial[fd] = rest
        for text in whole:
            self._append(text + b"\n")

    def end(self) -> None:
        """The container has ended."""
        if self.ended:
            return
        for fd, rest in self._partial.items():
            if rest:
                self._partial[fd] = b""
                self._append(rest)
        self.ended = True
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener(None)

    def subscribe(self, listener: Callable[[LogLine | None], None]) -> Callable[[], None]:
        """Call a function with each new line, and with None at the end (at once if it has ended)."""
        if self.ended:
            listener(None)
            return lambda: None
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _append(self, text: bytes) -> None:
        line = LogLine(self._kernel.now(), text)
        self.lines.append(line)
        if len(self.lines) > LIMIT:
            del self.lines[: LIMIT // 10]
        for listener in tuple(self._listeners):
            listener(line)
