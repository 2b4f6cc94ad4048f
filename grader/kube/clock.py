"""The clock that a client of a cluster goes by: the machine's, or that of a cluster in this process."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""

    def today(self) -> datetime:
        """Date and time of day, UTC."""


class WallClock:
    """The machine's."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)

    def today(self) -> datetime:
        """Date and time of day, UTC."""
        return datetime.now(UTC)


WALL = WallClock()
