"""Which part of what is large is asked of a real cluster: GRADER_E2E_PART=K/N, everything where it is not set.

Parts together are everything: whoever runs all N parts has left nothing out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
PART = "GRADER_E2E_PART"


def part() -> tuple[int, int]:
    """Read which of how many parts, counted from 0. Raises ValueError where it is no K/N with 1 <= K <= N."""
    text = os.environ.get(PART) or "1/1"
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError(f"{PART}={text}: K/N with 1 <= K <= N")
    return number - 1, count


def mine(items: Sequence[T], offset: int = 0) -> list[T]:
    """Choose every N-th item."""
    number, count = part()
    return [item for place, item in enumerate(items) if (place + offset) % count == number]
