"""Which Pods must be the endpoints of a Service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.model.vantage import Readiness


@dataclass(frozen=True)
class Wanted:
    """Which Pods must be the endpoints of a Service.

    Attributes:
        labels: of those Pods.
        port: resolved port; None: any.
        number: the Service port it belongs to; None: any.
        readiness: which of them, by their readiness.
        among: labels of Pods that may be endpoints beside them, at whatever port; empty: none.
        pods_in: the Namespace where they live, "" for the exercise's own.
        lasting: whether the Service must still find them when they are made anew.
    """

    labels: Mapping[str, str]
    port: int | None = None
    number: int | None = None
    readiness: Readiness = Readiness.REQUIRED
    among: Mapping[str, str] = field(default_factory=dict)
    pods_in: str = ""
    lasting: bool = True
