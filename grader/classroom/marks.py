"""The table of marks, from the gradebook: with what was graded by hand, late penalties and extra credit."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader.classroom import ASSIGNMENT, GRADE

HEAD = ("student", "timestamp")
TAIL = ("late_penalty", "points", "max_points", "scored", "open", "learner", "same_learner")


@dataclass(frozen=True)
class Marks:
    """One student's row.

    Attributes:
        student: the student's id.
        timestamp: when it was handed in, "" where unknown.
        points: exercise → points with extra credit, None where somebody must look.
        late_penalty: points that are taken off.
        max_points: points possible.
        learners: the learners' ids that the answers carry.
    """

    student: str
    timestamp: str
    points: Mapping[str, float | None]
    late_penalty: float
    max_points: float
    learners: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[str, ...]:
        """The exercises that somebody must look at."""
        return tuple(name for name, points in self.points.items() if points is None)

    @property
    def total(self) -> float:
        """Points earned so far, the penalty taken off."""
        return max(sum(points or 0.0 for points in self.points.values()) - self.late_penalty, 0.0)


@dataclass(frozen=True)
class Change:
    """A mark that is another than before.

    Attributes:
        student: the student's id.
        column: exercise id, or "points", "late_penalty".
        before: as it stood in the table, "" where it had none.
        after: as it stands now.
    """

    student: str
    column: str
    before: str
    after: str


@dataclass
class Table:
    """Rows of marks, as text.

    Attributes:
        columns: their names.
        rows: student → column → text.
    """

    columns: tuple[str, ...] = ()
    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read a table; an empty one where there is none. Raises OSError."""
        try:
            reader = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
        except FileNotFoundError:
            return cls()
        return cls(tuple(reader.fieldnames or ()), {str(row.get("student")): row for row in reader})

    @classmethod
    def of(cls, everyone: Sequence[Marks]) -> Table:
        """Lay out marks; one without a mark is empty, never 0.

        `same_learner` holds the other students whose answers carry the same learner's id: they worked on one computer,
        or one handed in what the other made.
        """
        exercises = sorted({name for marks in everyone for name in marks.points})
        users: dict[str, set[str]] = {}
        for marks in everyone:
            for learner in marks.learners:
                users.setdefault(learner, set()).add(marks.student)
        rows = {}
        for marks in everyone:
            same = {other for learner in marks.learners for other in users[learner]} - {marks.student}
            rows[marks.student] = {
                "student": marks.student,
                "timestamp": marks.timestamp,
                **{name: _number(marks.points.get(name)) for name in exercises},
                "late_penalty": _number(marks.late_penalty),
                "points": _number(marks.total),
                "max_points": _number(marks.max_points),
                "scored": str(not marks.open),
                "open": " ".join(marks.open),
                "learner": " ".join(marks.learners),
                "same_learner": " ".join(sorted(same)),
            }
        return cls((*HEAD, *exercises, *TAIL), rows)

    def __str__(self) -> str:
        """CSV text that a spreadsheet opens: with a byte order mark, and no cell that it takes for a formula."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, extrasaction="ignore")
        writer.writeheader()
        for row in self.rows.values():
            writer.writerow({name: harmless(value or "") for name, value in row.items() if name})
        return "\ufeff" + text.getvalue()

    def changes(self, before: Table) -> tuple[Change, ...]:
        """The marks that are others than before."""
        left_out = {*HEAD, "learner", "same_learner", "scored", "open", "max_points"}
        found = []
        for student in sorted({*self.rows, *before.rows}):
            then, now = before.rows.get(student, {}), self.rows.get(student, {})
            for column in dict.fromkeys((*self.columns, *before.columns)):
                was, is_ = then.get(column) or "", now.get(column) or ""
                if column not in left_out and was != is_:
                    found.append(Change(student, column, was, is_))
        return tuple(found)


def _number(points: float | None) -> str:
    return "" if points is None else f"{points:g}"


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_gradebook(database: Path, learners: Mapping[str, tuple[str, ...]]) -> tuple[Marks, ...]:
    """Read everybody's marks, by student; `learners`: student → learners' ids. Raises sqlalchemy's errors."""
    from nbgrader.api import Gradebook, MissingEntry  # a third of a second

    with Gradebook(f"sqlite:///{database}") as book:
        try:
            submissions = book.assignment_submissions(ASSIGNMENT)
        except MissingEntry:
            return ()
        found = [
            Marks(
                student=item.student_id,
                timestamp=_moment(item.timestamp),
                points={
                    grade.name.removeprefix(GRADE): None if _is_open(grade) else grade.score
                    for notebook in item.notebooks
                    for grade in notebook.grades
                },
                late_penalty=sum(notebook.late_submission_penalty or 0.0 for notebook in item.notebooks),
                max_points=item.max_score,
                learners=learners.get(item.student_id, ()),
            )
            for item in submissions
        ]
    return tuple(sorted(found, key=lambda marks: marks.student))


def _is_open(grade: object) -> bool:
    return getattr(grade, "auto_score", None) is None and getattr(grade, "manual_score", None) is None


def _moment(timestamp: datetime | None) -> str:
    return f"{timestamp:%Y-%m-%d %H:%M:%S} UTC" if timestamp else ""
