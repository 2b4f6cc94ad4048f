"""Read a submission as data. It is hostile until proven otherwise: nothing of it is imported, run, followed or trusted.

For each exercise the answer is, in this order: what `grader submit` exported (`submit/ID.yaml`, an explicit act), the
answer cell of the notebook where it was changed, the manifest file (`ID.yaml`, `work/ID.yaml`) where it was changed,
else nothing.

Whose values an exercise that varies has, the answer's own head says (`# learner: ID`), else what `start("ID")` showed
in the notebook.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path
from typing import Any

from grader import exercises as exercises_of
from grader.classroom import ASSIGNMENT
from grader.classroom.assignment import answer_id
from grader.model.exercise import Exercise
from grader.workflow.handed import read as read_head

MAX_BYTES = 1_000_000
"""The largest manifest or notebook that is read, in bytes; the released notebook has some ten thousand."""

STUDENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
"""Folder names taken as student ids; anything else could escape into a path, a query or a spreadsheet formula."""

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [A-Za-z0-9:+-]{1,32})?")
"""What nbgrader writes into timestamp.txt; anything else is dropped."""


@dataclass(frozen=True)
class StudentAnswer:
    """What one student handed in for one exercise.

    Attributes:
        text: the manifest, "" where there is none.
        source: where it was found: "submit", "cell", "file", "none".
        learner: id of the learner whose values the exercise had, "" where nothing tells.
    """

    text: str
    source: str
    learner: str = ""


@dataclass(frozen=True)
class Submission:
    """One student's submission, read.

    Attributes:
        student: the student's id, the folder's name.
        answers: exercise id → answer.
        problems: codes of what could not be read, in the catalogue `classroom`, with the file they are about.
        timestamp: text of nbgrader's timestamp.txt, "" where there is none.
    """

    student: str
    answers: Mapping[str, StudentAnswer]
    problems: tuple[tuple[str, str], ...] = ()
    timestamp: str = ""

    @property
    def fingerprint(self) -> str:
        """A hash of all that is graded: equal submissions need not be graded twice."""
        graded = {
            exercise: [answer.source, answer.text, answer.learner] for exercise, answer in sorted(self.answers.items())
        }
        return hashlib.sha256(json.dumps(graded).encode()).hexdigest()


@dataclass
class _Reader:
    """Reads files of one submission and remembers what it refused."""

    root: Path
    problems: list[tuple[str, str]] = field(default_factory=list)

    def text(self, relative: str) -> str | None:
        """The text of a regular file inside the submission; None where there is none or it is refused.

        No component of the path may be a symbolic link, and a file is checked after it was opened, not before.
        """
        path = self.root
        for part in Path(relative).parts:
            path = path / part
            if path.is_symlink():
                return self._refuse("submission-link", relative)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError:
            return self._refuse("submission-unreadable", relative)
        with os.fdopen(descriptor, "rb") as handle:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return self._refuse("submission-unreadable", relative)
            data = handle.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return self._refuse("submission-too-large", relative)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self._refuse("submission-not-text", relative)

    def _refuse(self, code: str, relative: str) -> str | None:
        self.problems.append((code, relative))
        return None

    def answer_cells(self, exercises: Sequence[Exercise]) -> tuple[dict[str, str], str]:
        """The manifests in the notebook's answer cells: exercise id → text without its %%apply line.

        And the one learner's id that the notebook's outputs tell, "" where they tell none, or several.
        """
        relative = f"{ASSIGNMENT}.ipynb"
        text = self.text(relative)
        if text is None:
            return {}, ""
        wanted = {answer_id(exercise.id): exercise.id for exercise in exercises}
        found: dict[str, str] = {}
        learners: set[str] = set()
        try:
            for cell in json.loads(text)["cells"]:
                learners |= set(_learners(cell))
                identifier = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
                if isinstance(identifier, str) and identifier in wanted:
                    found[wanted[identifier]] = _manifest(_source(cell))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._refuse("submission-notebook-broken", relative)
        return found, learners.pop() if len(learners) == 1 else ""


def _learners(cell: Mapping[str, Any]) -> Iterator[str]:
    """The learners' ids that a cell's outputs tell, as `start` shows them at the head of a starter."""
    for output in cell.get("outputs") or ():
        texts = [output.get("text"), *(output.get("data") or {}).values()]
        for text in texts:
            whole = "".join(text) if isinstance(text, list) else text
            if isinstance(whole, str):
                yield from (read_head(line).learner for line in whole.splitlines() if read_head(line).learner)


def _source(cell: Mapping[str, Any]) -> str:
    """A cell's source: nbformat keeps a string or a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _manifest(source: str) -> str:
    """The manifest in an answer cell: everything but the line of the cell magic."""
    return "\n".join(line for line in source.splitlines() if not line.startswith("%%apply")).strip()


def _changed(answer: StudentAnswer, exercise: Exercise) -> bool:
    """Whether it is more than what the student was given. What was exported may be a head alone: a deletion."""
    if answer.source == "submit":
        return bool(answer.text.strip())
    untouched = ("", _bare(exercise.starter), _bare(variant(exercise, answer.learner).starter))
    return _bare(answer.text) not in untouched


def _bare(text: str) -> str:
    """A text without the comment lines before anything else."""
    lines = dropwhile(lambda line: not line.strip() or line.startswith("#"), text.splitlines())
    return "\n".join(lines).strip()


def variant(exercise: Exercise, learner: str) -> Exercise:
    """An exercise with the values of a learner."""
    return exercises_of.load(exercise.id, learner) if exercise.values and learner else exercise


def folder_of(root: Path, student: str) -> Path:
    """The folder that holds a student's files: nbgrader's STUDENT/services, or STUDENT itself."""
    nested = root / student / ASSIGNMENT
    return nested if nested.is_dir() and not nested.is_symlink() else root / student


def read(root: Path, student: str, exercises: Sequence[Exercise]) -> Submission:
    """Read one student's submission; never raises for what is in it."""
    reader = _Reader(folder_of(root, student))
    cells, shown_to = reader.answer_cells(exercises)
    answers: dict[str, StudentAnswer] = {}
    for exercise in exercises:
        candidates = [("submit", reader.text(f"submit/{exercise.id}.yaml")), ("cell", cells.get(exercise.id))]
        candidates += [("file", reader.text(f"{prefix}{exercise.id}.yaml")) for prefix in ("", "work/")]
        found = [
            StudentAnswer(text, source, read_head(text).learner or shown_to) for source, text in candidates if text
        ]
        changed = (answer for answer in found if _changed(answer, exercise))
        answers[exercise.id] = next(changed, StudentAnswer("", "none"))
    timestamp = (reader.text("timestamp.txt") or "").strip()
    kept = timestamp if TIMESTAMP.fullmatch(timestamp) else ""
    return Submission(student, answers, tuple(reader.problems), kept)


def students(root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The student ids under a folder of submissions, and the names of folders that cannot be one."""
    names = sorted(entry.name for entry in root.iterdir() if not entry.name.startswith(".") and entry.is_dir())
    good = tuple(name for name in names if STUDENT_ID.fullmatch(name) and not (root / name).is_symlink())
    return good, tuple(name for name in names if name not in good)
