"""Read a submission as data. It is hostile until proven otherwise: nothing of it is imported, run, followed or trusted.

For each exercise the answer is, in this order: what `grader submit` exported (`submit/ID.yaml`, an explicit act), the
answer cell of the notebook where it was changed, the manifest file (`ID.yaml`, `work/ID.yaml`) where it was changed, a
file or cell of that kind under another name (`ID.yml`, `services (1).ipynb`, in a zip), else nothing. Where two at the
same place differ nobody but the student knows which is meant; and what cannot be read may be right: a person looks.

Whose values an exercise that varies has, the answer's own head says (`# learner: ID`), else what `start("ID")` showed
in the notebook, else the one id that stands anywhere in the submission.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import dropwhile
from pathlib import Path, PurePosixPath
from typing import Any

from grader import exercises as exercises_of
from grader.classroom import ASSIGNMENT, answer_id
from grader.classroom.files import Files, Refused, entries
from grader.model.exercise import Exercise
from grader.workflow.handin.handed import read as read_head

MAX_BYTES = 1_000_000
"""The largest manifest that is read, in bytes."""

MAX_NOTEBOOK_BYTES = 30_000_000
"""The largest notebook that is read, in bytes; one that was run and saved has some two million."""

STUDENT_ID = re.compile(r"\w[\w .,()（）'・･@+-]{0,99}")
"""Names taken as student ids, in any script; anything else could be a path, a query or a spreadsheet formula."""

LONGEST_NAME = 200  # bytes: a file system gives 255 to a name with its ending

TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?) ?(\S*)")
ZONES = {"": 0, "Z": 0, "UTC": 0, "GMT": 0, "JST": 540}  # minutes east of Greenwich
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")

_ENDING = r"\.(?:ya?ml|json|txt)(?:\.txt)?"
_COPY = r"(?:[ _-]*(?:\(\d+\)|copy\d*|コピー|のコピー)|-\d+)?"
_HOMES = tuple(map(PurePosixPath, ("", "work", ASSIGNMENT, f"{ASSIGNMENT}/work")))
_EXPORTED = tuple(home / "submit" for home in _HOMES)
SUBMIT, CELL, FILE, RENAMED = range(4)
"""Where an answer was found, the most telling first."""
SOURCES = {SUBMIT: "submit", CELL: "cell", FILE: "file"}


@dataclass(frozen=True)
class StudentAnswer:
    """What one student handed in for one exercise.

    Attributes:
        text: the manifest, "" where there is none.
        source: where it was found: "submit", "cell", "file", "none".
        learner: id of the learner whose values the exercise had, "" where nothing tells.
        sure: whether the answer itself tells that id, and not another answer.
        problem: why a person must look: a code of the catalogue `classroom`, and the files that it is about.
    """

    text: str
    source: str
    learner: str = ""
    sure: bool = True
    problem: tuple[str, str] | None = None


@dataclass(frozen=True)
class Submission:
    """One student's submission, read.

    Attributes:
        student: the student's id, the folder's name.
        answers: exercise id → answer.
        problems: codes of what could not be read, in the catalogue `classroom`, with the file they are about.
        timestamp: when it was handed in, in the form of nbgrader's timestamp.txt, in UTC; "" where unknown.
    """

    student: str
    answers: Mapping[str, StudentAnswer]
    problems: tuple[tuple[str, str], ...] = ()
    timestamp: str = ""

    def to_json(self) -> dict[str, Any]:
        """Turn it into a JSON object; `from_json` reads it back equal."""
        return {**vars(self), "answers": {key: vars(item) for key, item in self.answers.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Submission:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it is not such an object."""
        answers = {
            key: StudentAnswer(**{**item, "problem": tuple(item["problem"]) if item["problem"] else None})
            for key, item in data["answers"].items()
        }
        return cls(data["student"], answers, tuple((code, file) for code, file in data["problems"]), data["timestamp"])


@dataclass(frozen=True)
class _Candidate:
    """Something that may be the answer to an exercise."""

    rank: int
    source: str
    text: str
    learner: str
    file: str


@dataclass
class _Reader:
    """Reads files of one submission and remembers what it refused, and what that may have answered."""

    files: Files
    exercises: Sequence[Exercise]
    problems: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    candidates: dict[str, list[_Candidate]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def text(self, path: PurePosixPath, most: int = MAX_BYTES) -> str:
        """The text of a file; one of another encoding than UTF-8 is read, and told of. Raises Refused."""
        data = self.files.read(path, most)
        encoding = "utf-8-sig"
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            encoding = "utf-16"
        for name in (encoding, "cp932"):
            try:
                text = data.decode(name)
            except UnicodeDecodeError:
                if encoding == "utf-16":
                    break
                continue
            if name != "utf-8-sig":
                self.problems.append(("submission-encoding", str(path)))
            return text
        raise Refused("submission-not-text")

    def read(self) -> None:
        """Go through everything."""
        for problem in self.files.problems:
            self._refuse(*problem, [exercise.id for exercise in self.exercises])
        patterns = {
            exercise.id: re.compile(re.escape(exercise.id) + _COPY + _ENDING, re.IGNORECASE)
            for exercise in self.exercises
        }
        for path in self.files.paths:
            if path.suffix.lower() == ".ipynb":
                self._notebook(path)
            elif named := [key for key, pattern in patterns.items() if pattern.fullmatch(path.name)]:
                self._manifest(path, named[0])
            elif path.name != "timestamp.txt":
                self.unknown.append(str(path))
        for path in self.files.folders:  # one in the place of a file
            named = [key for key, pattern in patterns.items() if pattern.fullmatch(path.name)]
            if path.suffix.lower() == ".ipynb":
                named = list(patterns)
            if named:
                self._refuse("submission-unreadable", str(path), named)

    def _refuse(self, code: str, file: str, concerned: Sequence[str]) -> None:
        self.problems.append((code, file))
        for exercise in concerned:
            self.refused.setdefault(exercise, []).append((code, file))

    def _manifest(self, path: PurePosixPath, exercise: str) -> None:
        try:
            text = self.text(path)
        except Refused as refused:
            self._refuse(refused.code, str(path), [exercise])
            return
        exact = path.name == f"{exercise}.yaml"
        exported = path.parent.name == "submit"
        rank = SUBMIT if exact and path.parent in _EXPORTED else FILE if exact and path.parent in _HOMES else RENAMED
        found = _Candidate(rank, SOURCES[SUBMIT if exported else FILE], text, read_head(text).learner, str(path))
        self.candidates.setdefault(exercise, []).append(found)

    def _notebook(self, path: PurePosixPath) -> None:
        """Take the manifests in a notebook's answer cells, and the one learner's id that its outputs tell."""
        ids = {answer_id(exercise.id): exercise.id for exercise in self.exercises}
        rank = CELL if path.name == f"{ASSIGNMENT}.ipynb" and path.parent in _HOMES else RENAMED
        found: list[tuple[str, str]] = []
        learners: set[str] = set()
        try:
            for cell in json.loads(self.text(path, MAX_NOTEBOOK_BYTES))["cells"]:
                learners |= set(_learners(cell))
                identifier = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
                if isinstance(identifier, str) and identifier in ids:
                    found.append((ids[identifier], _manifest(_source(cell))))
        except Refused as refused:
            self._refuse(refused.code, str(path), list(ids.values()))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._refuse("submission-notebook-broken", str(path), list(ids.values()))
        shown = learners.pop() if len(learners) == 1 else ""
        for exercise, text in found:
            candidate = _Candidate(rank, SOURCES[CELL], text, read_head(text).learner or shown, str(path))
            self.candidates.setdefault(exercise, []).append(candidate)

    def timestamp(self) -> str:
        """When it was handed in."""
        path = PurePosixPath("timestamp.txt")
        if path not in self.files.paths:
            return ""
        try:
            if made := timestamp(self.text(path, 1000)):
                return made
        except Refused:
            pass
        self.problems.append(("submission-timestamp", str(path)))
        return ""

    def answers(self) -> dict[str, StudentAnswer]:
        """Choose an answer for each exercise."""
        known = {item.learner for found in self.candidates.values() for item in found if item.learner}
        somebody = known.pop() if len(known) == 1 else ""
        answers = {exercise.id: self._answer(exercise, somebody) for exercise in self.exercises}
        if self.unknown and all(answer == NOTHING for answer in answers.values()):
            files = ", ".join(self.unknown[:5])
            answers = {key: StudentAnswer("", "none", problem=("submission-unknown", files)) for key in answers}
        return answers

    def _answer(self, exercise: Exercise, somebody: str) -> StudentAnswer:
        changed = [item for item in self.candidates.get(exercise.id, ()) if _changed(item, exercise, somebody)]
        if not changed:
            refused = self.refused.get(exercise.id)
            return StudentAnswer("", "none", problem=refused[0]) if refused else NOTHING
        best = min(item.rank for item in changed)
        first, *others = (item for item in changed if item.rank == best)
        if differing := [item.file for item in others if _bare(item.text) != _bare(first.text)]:
            files = ", ".join(dict.fromkeys([first.file, *differing]))
            self.problems.append(("submission-ambiguous", files))
            return StudentAnswer("", "none", problem=("submission-ambiguous", files))
        if best == RENAMED:
            self.problems.append(("submission-renamed", first.file))
        learner = first.learner or (somebody if exercise.values else "")
        return StudentAnswer(first.text, first.source, learner, sure=bool(first.learner) or not learner)


NOTHING = StudentAnswer("", "none")


def _learners(cell: Mapping[str, Any]) -> Iterator[str]:
    """The learners' ids that a cell's outputs tell, as `start` shows them at the head of a starter."""
    for output in cell.get("outputs") or ():
        texts = [output.get("text"), *(output.get("data") or {}).values()]
        for text in texts:
            whole = "".join(text) if isinstance(text, list) else text
            if isinstance(whole, str) and "# learner:" in whole:
                yield from filter(None, (read_head(line).learner for line in whole.splitlines()))


def _source(cell: Mapping[str, Any]) -> str:
    """A cell's source: nbformat keeps a string or a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _manifest(source: str) -> str:
    """The manifest in an answer cell: everything but the line of the cell magic."""
    return "\n".join(line for line in source.splitlines() if not line.startswith("%%apply")).strip()


def _changed(answer: _Candidate, exercise: Exercise, somebody: str) -> bool:
    """Whether it is more than what the student was given. What was exported may be a head alone: a deletion."""
    if answer.source == SOURCES[SUBMIT]:
        return bool(answer.text.strip())
    learners = dict.fromkeys(("", answer.learner, somebody))
    return _bare(answer.text) not in ("", *(_bare(variant(exercise, learner).starter) for learner in learners))


def _bare(text: str) -> str:
    """A text without the comment lines before anything else."""
    lines = dropwhile(lambda line: not line.strip() or line.startswith("#"), text.splitlines())
    return "\n".join(lines).strip()


def variant(exercise: Exercise, learner: str) -> Exercise:
    """An exercise with the values of a learner."""
    return exercises_of.load(exercise.id, learner) if exercise.values and learner else exercise


def timestamp(text: str) -> str:
    """Read an instant as nbgrader and people write it, and write it as nbgrader reads it; "" where it is none."""
    match = TIMESTAMP.fullmatch(text.strip())
    if not match:
        return ""
    day, time, zone = match.groups()
    offset = _OFFSET.fullmatch(zone)
    if not offset and zone not in ZONES:
        return ""
    minutes = (int(offset[2]) * 60 + int(offset[3])) * (-1 if offset[1] == "-" else 1) if offset else ZONES[zone]
    try:
        moment = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=timezone(timedelta(minutes=minutes)))
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    except (ValueError, OverflowError):
        return ""


def root_of(submissions: Path, student: str) -> Path:
    """The folder or the zip that holds a student's files: nbgrader's STUDENT/services, STUDENT, or STUDENT.zip."""
    nested = submissions / student / ASSIGNMENT
    if nested.is_dir() and not nested.is_symlink():
        return nested
    folder = submissions / student
    return folder if folder.is_dir() else submissions / f"{student}.zip"


def read(submissions: Path, student: str, exercises: Sequence[Exercise]) -> Submission:
    """Read one student's submission; never raises for what is in it."""
    reader = _Reader(Files.under(root_of(submissions, student)), exercises)
    reader.read()
    answers, timestamp = reader.answers(), reader.timestamp()
    return Submission(student, answers, tuple(dict.fromkeys(reader.problems)), timestamp)


def is_student(name: str) -> bool:
    """Whether a name can be an id; macOS keeps 「が」 as two characters."""
    fits = STUDENT_ID.fullmatch(unicodedata.normalize("NFC", name))
    return bool(fits) and not name.endswith((" ", ".")) and len(name.encode(errors="replace")) <= LONGEST_NAME


def students(root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The student ids under a folder of submissions, and the names that cannot be one: their work is not read."""
    good: dict[str, None] = {}
    refused = []
    for path in entries(root):
        name = path.stem if path.suffix.lower() == ".zip" and not path.is_dir() else path.name
        if path.is_symlink() or not is_student(name):
            refused.append(path.name)
        else:
            good[name] = None
    return tuple(good), tuple(refused)
