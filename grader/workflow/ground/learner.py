"""Who is learning: the id that chooses the values of exercises that vary, the same for as long as GRADER_HOME stays.

GRADER_LEARNER overrides it; an empty GRADER_LEARNER stands for the canonical values. Otherwise a random id is made
once and kept. It tells nothing about the person.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from pathlib import Path

from grader.errors import UsageError
from grader.paths import state_root, write_atomically

CANONICAL = ""
FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""What an id may be: it stands in a comment of a manifest, and in a table that a spreadsheet opens."""


def current() -> str:
    """Tell this learner's id. Raises UsageError for a malformed GRADER_LEARNER, OSError where none can be kept."""
    given = os.environ.get("GRADER_LEARNER")
    if given is None:
        return _kept(state_root() / "learner")
    if given and not FORM.fullmatch(given):
        raise UsageError("learner-malformed", learner=given)
    return given


def _kept(path: Path) -> str:
    """Read the id, or make and keep one; several processes that start at once get the same."""
    if known := _read(path):
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # given back when the file is closed, whatever ends the process
        if known := _read(path):
            return known
        made = secrets.token_hex(8)
        write_atomically(path, f"{made}\n")
        return made


def _read(path: Path) -> str:
    """Read the id, "" where there is none or it is none."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    return text if FORM.fullmatch(text) else ""
