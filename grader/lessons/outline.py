"""What the heads of the lessons say: titles, minutes, exercises; read in milliseconds, without their cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ContentError
from grader.paths import content_root

TITLE = re.compile(r"^# (?P<number>\d+)\. (?P<title>.+)$", re.MULTILINE)
TASK_MARK = re.compile(r"^<!-- exercise: (?P<id>[a-z0-9-]+) -->$", re.MULTILINE)
_MINUTES = re.compile(r"^ +minutes: (\d+)$", re.MULTILINE)
_LESSON = re.compile(r"^lesson: (\d+)$", re.MULTILINE)
_POINTS = re.compile(r"^points: (\d+(?:\.\d+)?)$", re.MULTILINE)
MINUTES_A_POINT = 0.9
"""An exercise takes about a minute a point: the more it asks for, the more points it gives."""


@dataclass(frozen=True)
class Outline:
    """The head of one lesson.

    Attributes:
        slug: file name without its ending, "03-clusterip".
        number: its place, from 1.
        title: Japanese title, without the number.
        minutes: how long a learner reads and runs its cells, about, without the exercises.
        exercises: ids of the exercises it sets, in order.
        points: of all the exercises that belong to it, also of those that it only names.

    """

    slug: str
    number: int
    title: str
    minutes: int
    exercises: tuple[str, ...]
    points: float = 0.0

    @property
    def whole(self) -> int:
        """How many minutes the lesson takes with all its exercises."""
        return whole_minutes(self.minutes, self.points)

    @property
    def notebook(self) -> str:
        """The file name of its notebook."""
        return f"{self.slug}.ipynb"


def whole_minutes(reading: int, points: float) -> int:
    """Estimate how many minutes a lesson takes with its exercises, to five minutes.

    Args:
        reading: minutes without the exercises.
        points: of its exercises, together.

    """
    return 5 * round((reading + MINUTES_A_POINT * points) / 5)


def lessons_root() -> Path:
    """Find the folder of the lessons' sources."""
    return content_root() / "course"


def outlines(folder: Path | None = None) -> tuple[Outline, ...]:
    """Read the heads of all lessons, by number. Raises ContentError for a malformed one."""
    root = folder or lessons_root()
    points = _points(root.parent / "exercises")
    heads = (_outline(path, points) for path in root.glob("[0-9]*.md"))
    return tuple(sorted(heads, key=lambda item: item.number))


def _points(exercises: Path) -> dict[int, float]:
    """Add up the points of each lesson's exercises."""
    points: dict[int, float] = {}
    for path in exercises.glob("*/exercise.yaml"):
        text = path.read_text(encoding="utf-8")
        lesson, worth = _LESSON.search(text), _POINTS.search(text)
        if lesson and worth:
            points[int(lesson[1])] = points.get(int(lesson[1]), 0) + float(worth[1])
    return points


def _outline(path: Path, points: Mapping[int, float]) -> Outline:
    text = path.read_text(encoding="utf-8")
    title, minutes = TITLE.search(text), _MINUTES.search(text)
    if not title or not minutes:
        raise ContentError("lesson-malformed", file=f"course/{path.name}", line=1, field="title", reason="no head")
    marks = tuple(match["id"] for match in TASK_MARK.finditer(text))
    number = int(title["number"])
    return Outline(path.stem, number, title["title"].strip(), int(minutes[1]), marks, points.get(number, 0))
