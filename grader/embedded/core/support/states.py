"""What the embedded cluster makes of a field, a key or a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """It is emulated.

    Attributes:
        shown_by: the test that sets it and observes the difference.
    """

    shown_by: str


@dataclass(frozen=True)
class Inert:
    """It has no effect that anybody could observe in a cluster like this one, kind included.

    Attributes:
        why: the reason, a key of the site's page on limits (grader/text/ja/support.yaml).
    """

    why: str


@dataclass(frozen=True)
class Warned:
    """It would have an effect in a real cluster and has none here: whoever writes it is told.

    Attributes:
        unless: values that change nothing there either, beside the empty ones: what the API server fills in.
    """

    unless: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Look:
    """It has fields of its own, each of which has a state."""


State = Done | Inert | Warned | Look
