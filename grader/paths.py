"""Where things are: the course's content and this user's state. Environment variables override each."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
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


def near(path: Path) -> Path:
    """Write a path as one would type it here: relative to the current folder where it is below it."""
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):  # elsewhere; or the current folder was removed
        return path


def program() -> str:
    """Tell what starts this program in a shell like the one that it was started from: "grader" where that is on PATH.

    Else the script as it was typed, or that beside this Python, ".venv/bin/grader", quoted where a shell needs that.
    """
    typed = Path(sys.argv[0])
    script = typed if typed.name == "grader" and typed.is_file() else Path(sys.executable).with_name("grader")
    found = shutil.which("grader")
    if found and (not script.is_file() or Path(found).samefile(script)):
        return "grader"
    if script.is_file():
        return shlex.quote(str(near(script)))
    return f"{shlex.quote(sys.executable)} -m grader.cli"


def write_atomically(path: Path, content: str | bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
    """Write a file so that a reader or a kill at any moment sees the old or the new content, never a part.

    Text is written as UTF-8; pieces are asked for one after the other.

    Raises OSError where the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as handle:
        if isinstance(content, str):
            content = content.encode()
        handle.writelines((content,) if isinstance(content, bytes) else content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
