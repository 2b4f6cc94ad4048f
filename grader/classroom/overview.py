"""The class on one page, for the teacher: how exercises went, what went wrong most often, who is stuck, who is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from grader.classroom.results import GradedAnswer, StudentResult
from grader.model.report import Verdict
from grader.render.card import finding_message, number
from grader.render.html import template
from grader.text import labels

MOST_CAUSES = 3
STUCK_SHARE = 0.5


@dataclass(frozen=True)
class Cause:
    """Why answers fail.

    Attributes:
        what: the sentence that most of them were told.
        count: how many.
    """

    what: str
    count: int


@dataclass
class ExerciseRow:
    """One exercise.

    Attributes:
        id: its id.
        title: its title.
        passed: answers that pass.
        partial: answers that fail with points.
        failed: answers that fail without.
        absent: of the failed ones, those of whom nothing was handed in.
        open: answers without a mark.
        points: points of each answer with a mark.
        max_points: points possible.
        told: diagnosis → what was told, as often as it was.
    """

    id: str
    title: str
    passed: int = 0
    partial: int = 0
    failed: int = 0
    absent: int = 0
    open: int = 0
    points: float = 0.0
    max_points: float = 0.0
    told: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def marked(self) -> int:
        """How many have a mark."""
        return self.passed + self.partial + self.failed

    @property
    def mean(self) -> str:
        """Mean points, of those with a mark."""
        return f"{number(self.points / self.marked) if self.marked else '–'} / {number(self.max_points)}"

    @property
    def shares(self) -> tuple[tuple[str, int, float], ...]:
        """The parts of a bar: what, how many, and percent."""
        total = (self.marked + self.open) or 1
        parts = (("pass", self.passed), ("partial", self.partial), ("fail", self.failed), ("open", self.open))
        return tuple((name, count, round(100 * count / total, 2)) for name, count in parts if count)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The most frequent causes."""
        found = [Cause(words.most_common(1)[0][0], words.total()) for words in self.told.values()]
        return tuple(sorted(found, key=lambda cause: (-cause.count, cause.what))[:MOST_CAUSES])

    def add(self, answer: GradedAnswer) -> None:
        """Count one answer."""
        report = answer.report
        self.max_points = max(self.max_points, report.max_points)
        if not answer.scored:
            self.open += 1
            return
        self.points += report.points
        if report.verdict is Verdict.PASS:
            self.passed += 1
            return
        self.partial += report.points > 0
        self.failed += report.points <= 0
        if answer.source == "none":
            self.absent += 1
            return
        words = finding_message(report).what
        self.told.setdefault(report.finding.diagnosis, Counter())[words] += 1


@dataclass(frozen=True)
class StudentRow:
    """One student of whom something is to be told.

    Attributes:
        student: the student's id.
        exercises: ids, and why.
    """

    student: str
    exercises: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Overview:
    """The page's content.

    Attributes:
        students: how many.
        exercises: the exercises, in the order of the results.
        stuck: students of whom at least half of what they handed in does not pass, those with most first.
        open: students with exercises without a mark.
    """

    students: int
    exercises: tuple[ExerciseRow, ...]
    stuck: tuple[StudentRow, ...]
    open: tuple[StudentRow, ...]


def overview(results: Iterable[StudentResult]) -> Overview:
    """Count everybody's results, one after the other."""
    rows: dict[str, ExerciseRow] = {}
    stuck: list[StudentRow] = []
    open_: list[StudentRow] = []
    count = 0
    for result in results:
        count += 1
        for answer in result.answers:
            rows.setdefault(answer.exercise, ExerciseRow(answer.exercise, answer.report.title)).add(answer)
        if result.open:
            open_.append(StudentRow(result.student, _told(result.open)))
        tried = [answer for answer in result.answers if answer.scored and answer.source != "none"]
        failing = [answer for answer in tried if answer.report.verdict is Verdict.FAIL]
        if failing and len(failing) >= STUCK_SHARE * len(tried):
            stuck.append(StudentRow(result.student, _told(failing)))
    stuck.sort(key=lambda row: (-len(row.exercises), row.student))
    return Overview(count, tuple(rows.values()), tuple(stuck), tuple(open_))


def _told(answers: Iterable[GradedAnswer]) -> tuple[tuple[str, str], ...]:
    return tuple((answer.exercise, finding_message(answer.report).what) for answer in answers)


def page(found: Overview) -> str:
    """Give the page as HTML that needs no other file and asks no host."""
    return template("overview.html.j2").render(overview=found, words=labels())
