"""Show what is being done while it is done, on standard error: a turning line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text

from grader.cluster.provider import Progress
from grader.render.wrap import plain
from grader.text import catalogue, labels


def sentence(code: str, facts: Mapping[str, str]) -> str:
    """Say a step in Japanese (`text/ja/progress.yaml`). Raises KeyError for a step without words."""
    return plain(catalogue("progress")[code]["doing"].format_map(facts))


class Steps:
    """Takes steps as they begin, and shows how long each took."""

    def __init__(self, out: Console, *, keep: bool) -> None:
        """Take a console, and whether finished steps stay on the screen."""
        self.out = out
        self.keep = keep
        self._status: Status | None = None
        self._current = ""
        self._began = 0.0

    def __call__(self, code: str, facts: Mapping[str, str]) -> None:
        """Begin a step."""
        text = sentence(code, facts)
        if text == self._current:
            return
        self._finish()
        self._current, self._began = text, time.monotonic()
        if self.out.is_terminal:
            self._status = self.out.status(Text(text), spinner="dots")
            self._status.start()
        elif self.keep:
            self.out.print(Text(f"  {text}"))

    def _finish(self, symbol: str = "pass", style: str = "green") -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
            if self.keep:
                line = Text("  ")
                line.append(labels()[f"symbol.{symbol}"], style=style)
                line.append(f" {self._current}")
                line.append(f" ({time.monotonic() - self._began:.1f}s)", style="dim")
                self.out.print(line)
        self._current = ""

    def close(self, *, broken: bool) -> None:
        """Finish the last step, which may have failed."""
        if broken:
            self._finish("fail", "red")
        else:
            self._finish()


@contextmanager
def steps(out: Console, *, keep: bool = True) -> Iterator[Progress]:
    """Give a Progress that shows steps until the block is left, however it is left."""
    shown = Steps(out, keep=keep)
    try:
        yield shown
    except BaseException:
        shown.close(broken=True)
        raise
    shown.close(broken=False)
