"""A mistake in this program: its traceback goes into a file, and a person is told where, in Japanese."""

from __future__ import annotations

import errno
import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import CourseError, EnvironmentError_
from grader.paths import state_root, write_atomically


def unexpected(error: Exception) -> CourseError:
    """Save the traceback of a mistake in this program and say where it is."""
    if isinstance(error, CourseError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        home, file = state_root(), Path(str(error.filename))
        if file.is_relative_to(home) or home.is_relative_to(file):
            return EnvironmentError_("home-read-only", file=file, reason=error.strerror)
        return EnvironmentError_("permission-denied", file=error.filename, reason=error.strerror)
    place = state_root() / "crash" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    kind = type(error).__name__
    try:
        write_atomically(place, "".join(traceback.format_exception(error)), mode=0o600)
    except OSError:
        return EnvironmentError_("unexpected-unsaved", kind=kind, reason=error)
    return EnvironmentError_("unexpected", kind=kind, reason=error, file=place)
