"""Where things are: the course's content and this user's state. Environment variables override each."""

from __future__ import annotations

import os
from pathlib import Path

APP = "kubernetes-services-course"


def content_root() -> Path:
    """The folder of `course/` and `exercises/`: GRADER_CONTENT, else the checkout, else what the wheel carries."""
    if override := os.environ.get("GRADER_CONTENT"):
        return Path(override)
    package = Path(__file__).resolve().parent
    checkout = package.parent
    return checkout if (checkout / "exercises").is_dir() else package / "_content"


def state_root() -> Path:
    """Clusters, progress and kubeconfig files of this user: GRADER_HOME, else the platform's state folder."""
    if override := os.environ.get("GRADER_HOME"):
        return Path(override)
    from platformdirs import user_state_path  # imported late: most processes are told where

    return user_state_path(APP)


def work_root() -> Path:
    """Where the learner edits manifests: GRADER_WORK, else `work/` under the current folder."""
    return Path(os.environ.get("GRADER_WORK") or Path.cwd() / "work")


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a text file so that a reader or a kill at any moment sees the old or the new content, never a part.

    Raises OSError where the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
