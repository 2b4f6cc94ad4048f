"""What the cells of several kinds share (printers.go 1.36)."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.read.durations import age
from grader.embedded.core.store import Obj

Cells = list[Any]
"""Cells of a row, in the order of the columns."""
NONE = "<none>"


def name_of(obj: Obj) -> str:
    """The object's name."""
    name: str = obj["metadata"]["name"]
    return name


def age_of(obj: Obj, now: float) -> str:
    """How old it is; `now` is in seconds since the epoch."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def labels_text(labels: dict[str, str] | None) -> str:
    """Labels in a line (k8s.io/apimachinery labels.FormatLabels)."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE
