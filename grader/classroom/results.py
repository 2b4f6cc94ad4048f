"""What grading leaves behind: one JSON file a student, written atomically, so that an interrupted evening can go on."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.model.report import Finding, Report, Verdict
from grader.paths import write_atomically

LEARNER_UNKNOWN = "learner-unknown"
"""Diagnosis of an answer that might be right for a learner whom nothing names."""

EVIDENCE = "evidence"
LOCK = ".lock"
LONGEST_TEXT = 2_000
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LEFT_OVER = re.compile(r"\..+\.json\.\d+")
"""What a write that was killed leaves behind (`grader.paths.write_atomically`)."""


@dataclass(frozen=True)
class GradedAnswer:
    """One exercise of one student.

    Attributes:
        exercise: exercise id.
        source: where the answer was found ("submit", "cell", "file", "none").
        text: the manifest that was graded.
        report: the verdict.
        learner: id of the learner whose values the exercise had, "" where nothing told.
        key: hash of all that the verdict depends on; "" where grading again may come out otherwise.
    """

    exercise: str
    source: str
    text: str
    report: Report
    learner: str = ""
    key: str = ""

    @property
    def scored(self) -> bool:
        """Whether the verdict says something of the student; else somebody must look."""
        return self.report.verdict not in (Verdict.ENVIRONMENT, Verdict.NOT_YET)


@dataclass(frozen=True)
class StudentResult:
    """All of one student.

    Attributes:
        student: the student's id.
        timestamp: when it was handed in, as nbgrader wrote it; "" where unknown.
        problems: codes of what could not be read, each with its file.
        answers: one an exercise.
        seconds: how long grading took.
    """

    student: str
    timestamp: str
    problems: tuple[tuple[str, str], ...]
    answers: tuple[GradedAnswer, ...]
    seconds: float

    @property
    def scored(self) -> bool:
        """Whether every exercise has a mark."""
        return not self.open

    @property
    def open(self) -> tuple[GradedAnswer, ...]:
        """The answers that somebody must look at."""
        return tuple(answer for answer in self.answers if not answer.scored)

    @property
    def noted(self) -> tuple[tuple[str, str], ...]:
        """The problems that kept no exercise from being graded."""
        told = {(item.report.finding.diagnosis, item.report.finding.facts.get("file")) for item in self.open}
        return tuple(problem for problem in self.problems if problem not in told)

    @property
    def learners(self) -> tuple[str, ...]:
        """The learners' ids that the answers carry; one person has one, unless several computers were used."""
        return tuple(sorted({answer.learner for answer in self.answers if answer.learner}))

    @property
    def points(self) -> float:
        """Points earned so far: what is open counts nothing yet."""
        return sum(answer.report.points for answer in self.answers if answer.scored)

    @property
    def max_points(self) -> float:
        """Points possible."""
        return sum(answer.report.max_points for answer in self.answers)

    def save(self, folder: Path) -> None:
        """Write `STUDENT.json` into a folder of results."""
        data = {
            "student": self.student,
            "timestamp": self.timestamp,
            "problems": self.problems,
            "seconds": self.seconds,
            "answers": [{**vars(item), "report": item.report.to_json()} for item in self.answers],
        }
        write_atomically(folder / f"{self.student}.json", json.dumps(data, ensure_ascii=False, indent=1), mode=0o600)


def unless_unknown(report: Report) -> Report:
    """Leave open what may be right for a learner whom nothing names."""
    if report.verdict is not Verdict.FAIL:
        return report
    finding = Finding(LEARNER_UNKNOWN, {"exercise": report.exercise})
    return replace(report, verdict=Verdict.ENVIRONMENT, points=0.0, broken=None, finding=finding)


def visible(text: str) -> str:
    """Leave out of a text what moves a terminal's cursor."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def presentable(data: Any) -> Any:
    """Cut every text of a JSON value to what a person reads, and leave out what moves a terminal's cursor."""
    if isinstance(data, str):
        shown = visible(data)
        return shown if len(shown) <= LONGEST_TEXT else f"{shown[: LONGEST_TEXT - 1]}…"
    if isinstance(data, dict):
        return {key: presentable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [presentable(value) for value in data]
    return data


def evidence_path(folder: Path, student: str, exercise: str) -> Path:
    """Tell where the Evidence of an answer is kept."""
    return folder / EVIDENCE / student / f"{exercise}.json"


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


def load_all(folder: Path) -> Iterator[StudentResult]:
    """Read every student's result in a folder, by id, one after the other."""
    for path in sorted(folder.glob("*.json")):
        if (result := load(folder, path.stem)) is not None:
            yield result


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Have a folder of results for oneself, without what a killed run left half written.

    Raises UsageError ("results-busy") where another process grades into it, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back when the file is closed, whatever ends us
        except BlockingIOError as error:
            raise UsageError("results-busy", folder=folder) from error
        for path in (*folder.glob(".*.json.*"), *folder.glob(f"{EVIDENCE}/*/.*.json.*")):
            if _LEFT_OVER.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    path.unlink()
        yield
