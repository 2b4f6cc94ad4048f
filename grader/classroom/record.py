"""Take results into nbgrader's gradebook: marks, feedback, and a CSV that a spreadsheet opens.

nbgrader sees only notebooks made here: the released notebook, with the students' answers as text in their cells. What
else a submission holds (outputs with scripts, other files, links) never reaches the teacher's browser.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from grader.classroom import ASSIGNMENT, answer_id
from grader.classroom.marks import Change, Table, read_gradebook
from grader.classroom.results import StudentResult, load_all, visible
from grader.errors import EnvironmentError_, UsageError
from grader.lessons.formats import nbformat
from grader.paths import write_atomically
from grader.text import labels

GRADEBOOK, SHEET = "gradebook.db", "marks.csv"

STAGING = "staging"
"""Folder, relative to the course, that nbgrader takes for `submitted`."""


KEPT = "history"
"""Folder, relative to the course, of dated copies of gradebook and marks."""

LONGEST_SHOWN = 20_000
"""Characters of an answer that a feedback page shows: highlighting makes a hundred times as much of it."""


@dataclass(frozen=True)
class Recorded:
    """What was taken into the gradebook.

    Attributes:
        students: ids of those whose results were taken.
        failed: ids of those of whom nbgrader took none.
        open: student → exercises without a mark, of everybody in the gradebook.
        changes: marks that are others than in the table of before.
        csv: the table of marks.
        feedback: the folder of feedback pages.
        kept: the folder of the copies of before, None where there was nothing to copy.
    """

    students: tuple[str, ...]
    failed: tuple[str, ...]
    open: Mapping[str, tuple[str, ...]]
    changes: tuple[Change, ...]
    csv: Path
    feedback: Path
    kept: Path | None = None


def stage(course: Path, result: StudentResult) -> Path:
    """Write one student's notebook for nbgrader: the released one with the answers put in. Returns its path.

    Raises UsageError where the assignment was not released yet.
    """
    released = course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    if not released.is_file():
        raise UsageError("assignment-not-released", file=released)
    notebook = nbformat.read(released, as_version=4)
    texts = {answer_id(answer.exercise): answer for answer in result.answers if answer.text}
    for cell in notebook.cells:
        answer = texts.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if answer:
            cell.source = f"%%apply {answer.exercise}\n{_shown(answer.text)}"
    folder = course / STAGING / result.student / ASSIGNMENT
    path = folder / f"{ASSIGNMENT}.ipynb"
    write_atomically(path, nbformat.writes(notebook))
    if result.timestamp:
        write_atomically(folder / "timestamp.txt", result.timestamp)
    return path


def nbgrader(course: Path, *arguments: str) -> None:
    """Run one nbgrader command in the course folder. Raises EnvironmentError_ with its last lines where it fails."""
    command = [sys.executable, "-m", "grader.classroom.nbgrader_app", *arguments]
    # nbgrader starts `alembic`, which is installed beside it and need not be on the teacher's PATH.
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    done = subprocess.run(
        command,
        cwd=course,
        env={**os.environ, "PATH": search},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise EnvironmentError_("nbgrader-failed", command=" ".join(("nbgrader", *arguments)), output=tail)


def release(course: Path) -> Path:
    """Generate the students' version of the assignment. Returns its folder. Raises EnvironmentError_."""
    nbgrader(course, "generate_assignment", ASSIGNMENT, "--create", "--force")
    return course / "release" / ASSIGNMENT


def _shown(text: str) -> str:
    """Cut an answer to what a page can show, without what moves a terminal's cursor."""
    text = visible(text)
    if len(text) <= LONGEST_SHOWN:
        return text
    return text[:LONGEST_SHOWN] + "\n" + labels()["feedback.cut"].format(count=len(text))


def keep(course: Path) -> Path | None:
    """Copy gradebook and marks as they are into a dated folder; None where there is nothing. Raises OSError."""
    database, sheet = course / GRADEBOOK, course / SHEET
    if not database.exists() and not sheet.exists():
        return None
    name = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    folder = next(path for path in _names(course / KEPT / name) if not path.exists())
    folder.mkdir(parents=True)
    if database.exists():
        with closing(sqlite3.connect(database)) as live, closing(sqlite3.connect(folder / GRADEBOOK)) as copy:
            live.backup(copy)  # whole, even where another process writes
    if sheet.exists():
        shutil.copyfile(sheet, folder / SHEET)
    return folder


def _names(path: Path) -> Iterator[Path]:
    """Give a name, and further ones where it is taken."""
    yield path
    yield from (path.with_name(f"{path.name}-{number}") for number in count(2))


def record(course: Path, results: Path) -> Recorded:
    """Take a folder of results into the gradebook and make feedback. Who is not among them keeps what is there.

    Raises UsageError where there is no result or no released assignment, EnvironmentError_ where nbgrader fails.
    """
    learners = {result.student: result.learners for result in load_all(results)}
    students = tuple(learners)
    if not students:
        raise UsageError("results-missing", folder=results)
    kept = keep(course)
    shutil.rmtree(course / STAGING, ignore_errors=True)
    for result in load_all(results):
        stage(course, result)
    failed = _into_gradebook(course, results, students)
    nbgrader(course, "generate_feedback", ASSIGNMENT, "--force")
    before = Table.read(course / SHEET)
    everyone = read_gradebook((course / GRADEBOOK).resolve(), learners)
    now = Table.of(everyone)
    write_atomically(course / SHEET, str(now))
    return Recorded(
        students=students,
        failed=failed,
        open={marks.student: marks.open for marks in everyone if marks.open},
        changes=now.changes(before),
        csv=course / SHEET,
        feedback=course / "feedback",
        kept=kept,
    )


def _into_gradebook(course: Path, results: Path, students: Sequence[str]) -> tuple[str, ...]:
    """Have nbgrader take marks; returns of whom it took none. Raises EnvironmentError_ where it took nobody's."""
    shutil.rmtree(course / "autograded", ignore_errors=True)
    failure = None
    try:
        nbgrader(
            course,
            *("autograde", ASSIGNMENT, "--force", "--create"),
            f"--CourseDirectory.submitted_directory={STAGING}",
            f"--ExternalGrade.results={results.resolve()}",
        )
    except EnvironmentError_ as error:
        failure = error
    made = {path.parts[-3] for path in (course / "autograded").glob(f"*/{ASSIGNMENT}/*.ipynb")}
    failed = tuple(student for student in students if student not in made)
    if failure and len(failed) == len(students):
        raise failure
    return failed
