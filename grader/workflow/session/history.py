"""Every version of what a learner wrote: before a work file is overwritten, its content is kept beside it, numbered.

`work/clusterip.yaml` has its versions in `work/.history/clusterip/0001.yaml` and so on; none is ever removed or written
over.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from grader.errors import UsageError
from grader.paths import near, write_atomically

FOLDER = ".history"


@dataclass(frozen=True)
class Version:
    """One kept content of a work file.

    Attributes:
        number: its place, from 1.
        path: where it is.
        kept_at: when it was kept, local time.
        lines: how many lines it has.

    """

    number: int
    path: Path
    kept_at: datetime
    lines: int

    @property
    def text(self) -> str:
        """The content."""
        return _text(self.path)

    @property
    def facts(self) -> dict[str, object]:
        """What a line of a list tells of it."""
        time = f"{self.kept_at:%Y-%m-%d %H:%M:%S}"
        return {"number": self.number, "time": time, "lines": self.lines, "file": near(self.path)}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def folder(file: Path) -> Path:
    """Tell where versions of a work file are."""
    return file.parent / FOLDER / file.stem


def versions(file: Path) -> tuple[Version, ...]:
    """List the versions of a work file, oldest first. Raises OSError."""
    found = sorted((int(path.stem), path) for path in folder(file).glob(f"*{file.suffix}") if path.stem.isdecimal())
    return tuple(
        Version(number, path, datetime.fromtimestamp(path.stat().st_mtime), _text(path).count("\n"))
        for number, path in found
    )


def keep(file: Path, starter: str = "") -> Path | None:
    """Keep what a work file holds; return where, None where there was nothing of the learner's in it.

    What is kept already is not kept twice.

    Args:
        file: the work file.
        starter: what the course laid there: that is nobody's answer.

    Raises OSError.
    """
    if not file.is_file():
        return None
    content = file.read_bytes()
    return None if not content.strip() or content == starter.encode() else _kept(file, content)


def keep_text(file: Path, text: str) -> Path:
    """Keep a text as a version of a work file although it never stood there; return where. Raises OSError."""
    return _kept(file, text.encode())


def _kept(file: Path, content: bytes) -> Path:
    known = versions(file)
    for version in reversed(known):
        if version.path.read_bytes() == content:
            return version.path
    place = folder(file)
    place.mkdir(parents=True, exist_ok=True)
    draft = place / f".{secrets.token_hex(8)}"
    draft.write_bytes(content)
    try:
        for number in count(known[-1].number + 1 if known else 1):
            path = place / f"{number:04}{file.suffix}"
            try:
                _place(draft, path)
            except FileExistsError:
                continue
            return path
    finally:
        draft.unlink(missing_ok=True)
    raise AssertionError("unreachable")


def _place(draft: Path, path: Path) -> None:
    """Give a draft its name: whole at once, and never over another process's version. Raises FileExistsError."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # no hard links there: FAT on a USB stick, the memory of a page
        path.touch(exist_ok=False)  # a name taken, which a kill may leave empty; the work file is still there
        draft.replace(path)


def save(file: Path, text: str, starter: str = "") -> Path | None:
    """Write a work file; what it held before is kept. Returns where that is, None where nothing was lost.

    Raises OSError.
    """
    same = file.is_file() and _text(file) == text
    kept = None if same else keep(file, starter)
    write_atomically(file, text)
    return kept


def version(file: Path, number: int, exercise: str) -> Version:
    """Find a version. Raises UsageError ("version-unknown"), OSError."""
    known = versions(file)
    for item in known:
        if item.number == number:
            return item
    raise UsageError(
        "version-unknown", exercise=exercise, number=number, known=", ".join(str(item.number) for item in known) or "-"
    )
