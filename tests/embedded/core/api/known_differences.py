"""Where the embedded API server judges otherwise than a real one, and why that is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Shows = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], bool]
KNOWN: dict[str, tuple[Shows, str]] = {
    "connection-dropped": (
        lambda manifest, real, ours: real["code"] == 0 and 200 <= ours["code"] < 500,
        "kube-apiserver 1.36.3 panics and drops the connection, for example where a ClusterIP Service with"
        " PreferDualStack becomes headless in one PUT; the embedded one answers.",
    ),
}
"""What tells each of them, and why it is left."""


def known(manifest: dict[str, Any], real: dict[str, Any], ours: dict[str, Any]) -> str:
    """Name the known difference that these two answers show, "" where they show none."""
    return next((name for name, (shows, _) in KNOWN.items() if shows(manifest, real, ours)), "")
