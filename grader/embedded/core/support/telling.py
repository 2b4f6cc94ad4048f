"""Tell whoever writes an object which of its fields have no effect here: a warning with the answer, and an Event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.embedded.core.events import Recorder
from grader.embedded.core.store import Obj
from grader.embedded.core.support.unemulated import unemulated

PREFIX = "embedded cluster: "
"""Begins every warning that a real cluster would not give; comparisons with recordings leave such warnings out."""
REASON, COMPONENT = "NotEmulated", "embedded-cluster"


def warnings(found: Iterable[str]) -> list[str]:
    """Warn of each field that has no effect here (`unemulated`)."""
    return [_text(path) for path in found]


def record(recorder: Recorder, obj: Obj, found: Sequence[str], old: Obj | None) -> None:
    """Record an Event for each field of a written object that has no effect here, and was not there before.

    Args:
        recorder: writes Events.
        obj: the object as it is stored.
        found: its fields that have no effect.
        old: what it was before, None where it is new.
    """
    if found:
        known = unemulated(old) if old else ()
        for path in found:
            if path not in known:
                recorder.event(obj, "Warning", REASON, _text(path), COMPONENT)


def _text(path: str) -> str:
    return f"{PREFIX}{path} is stored, but has no effect here"
