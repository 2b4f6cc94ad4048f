"""What the heads of the lessons say: titles, minutes, exercises; read in milliseconds, without their cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ContentError
from grader.paths import content_root

TITLE = re.compile(r"^# (?P<number>\d+)\. (?P<title>.+)$", re.MULTILINE)
TASK_MARK = re.compile(r"^<!-- exercise: (?P<id>[a-z0-9-]+) -->$", re.MULTILINE)
_MINUTES = re.compile(r"^ +minutes: (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Outline:
    """The head of one lesson.

    Attributes:
        slug: file name without its ending, "03-clusterip".
        number: its place, from 1.
        title: Japanese title, without the number.
        minutes: how long a learner needs, about.
        exercises: ids of the exercises it sets, in order.

    """

    slug: str
    number: int
    title: str
    minutes: int
    exercises: tuple[str, ...]

    @property
    def notebook(self) -> str:
        """The file name of its notebook."""
        return f"{self.slug}.ipynb"


def lessons_root() -> Path:
    """Find the folder of the lessons' sources."""
    return content_root() / "course"


def outlines(folder: Path | None = None) -> tuple[Outline, ...]:
    """Read the heads of all lessons, by number. Raises ContentError for a malformed one."""
    return tuple(sorted(map(_outline, (folder or lessons_root()).glob("[0-9]*.md")), key=lambda item: item.number))


def _outline(path: Path) -> Outline:
    text = path.read_text(encoding="utf-8")
    title, minutes = TITLE.search(text), _MINUTES.search(text)
    if not title or not minutes:
        raise ContentError("lesson-malformed", file=f"course/{path.name}", line=1, field="title", reason="no head")
    marks = tuple(match["id"] for match in TASK_MARK.finditer(text))
    return Outline(path.stem, int(title["number"]), title["title"].strip(), int(minutes[1]), marks)
