"""What grading leaves behind: one JSON file a student, written atomically, so that an interrupted evening can go on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.model.report import Report, Verdict
from grader.paths import write_atomically

LEARNER_UNKNOWN = "learner-unknown"
"""Diagnosis of an answer that might be right for a learner whom nothing names."""


@dataclass(frozen=True)
class GradedAnswer:
    """One exercise of one student.

    Attributes:
        exercise: exercise id.
        source: where the answer was found ("submit", "cell", "file", "none").
        text: the manifest that was graded.
        report: the verdict.
        learner: id of the learner whose values the exercise had, "" where nothing told.
    """

    exercise: str
    source: str
    text: str
    report: Report
    learner: str = ""


@dataclass(frozen=True)
class StudentResult:
    """All of one student.

    Attributes:
        student: the student's id.
        fingerprint: hash of the submission that was graded.
        timestamp: when it was handed in, as nbgrader wrote it; "" where unknown.
        problems: codes of what could not be read, each with its file.
        answers: one an exercise.
        seconds: how long grading took.
    """

    student: str
    fingerprint: str
    timestamp: str
    problems: tuple[tuple[str, str], ...]
    answers: tuple[GradedAnswer, ...]
    seconds: float

    @property
    def scored(self) -> bool:
        """Whether every verdict says something of the student: no environment error, nothing unsettled."""
        unscored = (Verdict.ENVIRONMENT, Verdict.NOT_YET)
        return all(answer.report.verdict not in unscored for answer in self.answers)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The exercises that cannot be graded because nothing tells whose values they had; grading again is no help."""
        return tuple(answer.exercise for answer in self.answers if answer.report.finding.diagnosis == LEARNER_UNKNOWN)

    @property
    def learners(self) -> tuple[str, ...]:
        """The learners' ids that the answers carry; one person has one, unless several computers were used."""
        return tuple(sorted({answer.learner for answer in self.answers if answer.learner}))

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(answer.report.points for answer in self.answers)

    @property
    def max_points(self) -> float:
        """Points possible."""
        return sum(answer.report.max_points for answer in self.answers)

    def save(self, folder: Path) -> None:
        """Write `STUDENT.json` into a folder of results."""
        data = {
            "student": self.student,
            "fingerprint": self.fingerprint,
            "timestamp": self.timestamp,
            "problems": self.problems,
            "seconds": self.seconds,
            "answers": [{**vars(item), "report": item.report.to_json()} for item in self.answers],
        }
        write_atomically(folder / f"{self.student}.json", json.dumps(data, ensure_ascii=False, indent=1), mode=0o600)


def load(folder: Path, student: str) -> StudentResult | None:
    """Read one student's result; None where there is none, or a file that is not one (it will be graded again)."""
    try:
        data: dict[str, Any] = json.loads((folder / f"{student}.json").read_text(encoding="utf-8"))
        items = ({**item, "report": Report.from_json(item["report"])} for item in data["answers"])
        answers = tuple(GradedAnswer(**item) for item in items)
        problems = tuple((code, file) for code, file in data["problems"])
        return StudentResult(**{**data, "answers": answers, "problems": problems})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def load_all(folder: Path) -> tuple[StudentResult, ...]:
    """Read every student's result in a folder, by id."""
    found = (load(folder, path.stem) for path in sorted(folder.glob("*.json")))
    return tuple(result for result in found if result is not None)
