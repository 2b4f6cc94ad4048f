"""Take results into nbgrader's gradebook: marks, feedback, and a CSV that a spreadsheet opens.

nbgrader sees only notebooks made here: the released notebook, with the students' answers as text in their cells. What
else a submission holds (outputs with scripts, other files, links) never reaches the teacher's browser.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from grader.classroom import ASSIGNMENT
from grader.classroom.assignment import answer_id
from grader.classroom.results import StudentResult, load_all
from grader.errors import EnvironmentError_, UsageError
from grader.paths import write_atomically

STAGING = "staging"
"""Folder, relative to the course, that nbgrader takes for `submitted`."""


@dataclass(frozen=True)
class Recorded:
    """What was taken into the gradebook.

    Attributes:
        students: ids with marks.
        unscored: ids left out because their environment failed; grade them again.
        csv: the table of marks.
        feedback: the folder of feedback pages.
    """

    students: tuple[str, ...]
    unscored: tuple[str, ...]
    csv: Path
    feedback: Path


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
            cell.source = f"%%apply {answer.exercise}\n{answer.text}"
    folder = course / STAGING / result.student / ASSIGNMENT
    path = folder / f"{ASSIGNMENT}.ipynb"
    write_atomically(path, nbformat.writes(notebook))
    if result.timestamp:
        write_atomically(folder / "timestamp.txt", result.timestamp)
    return path


def nbgrader(course: Path, *arguments: str) -> None:
    """Run one nbgrader command in the course folder. Raises EnvironmentError_ with its last lines where it fails."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
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


def table(results: Sequence[StudentResult]) -> str:
    """Marks as CSV text: one row a student, one column an exercise; an unscored exercise is empty, never 0.

    `learner` holds the learners' ids that the answers carry, `same_learner` the other students whose answers carry one
    of them: they worked on one computer, or one handed in what the other made.
    """
    exercises = sorted({answer.exercise for result in results for answer in result.answers})
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["student", "timestamp", *exercises, "points", "max_points", "scored", "learner", "same_learner"])
    for result in results:
        by_exercise = {answer.exercise: answer.report.points for answer in result.answers}
        marks = [by_exercise.get(exercise, "") if result.scored else "" for exercise in exercises]
        total = result.points if result.scored else ""
        others = (other for other in results if other is not result)
        same = sorted(other.student for other in others if set(other.learners) & set(result.learners))
        shared = [" ".join(result.learners), " ".join(same)]
        writer.writerow([result.student, result.timestamp, *marks, total, result.max_points, result.scored, *shared])
    return text.getvalue()


def record(course: Path, results: Path) -> Recorded:
    """Take a folder of results into the gradebook and make feedback.

    Raises UsageError where there is no result or no released assignment, EnvironmentError_ where nbgrader fails.
    """
    everyone = tuple(load_all(results))
    if not everyone:
        raise UsageError("results-missing", folder=results)
    scored = [result for result in everyone if result.scored]
    shutil.rmtree(course / STAGING, ignore_errors=True)
    for result in scored:
        stage(course, result)
    if scored:
        nbgrader(
            course,
            *("autograde", ASSIGNMENT, "--force", "--create"),
            f"--CourseDirectory.submitted_directory={STAGING}",
            f"--ExternalGrade.results={results.resolve()}",
        )
        nbgrader(course, "generate_feedback", ASSIGNMENT, "--force")
    sheet = course / "marks.csv"
    write_atomically(sheet, "\ufeff" + table(everyone))
    unscored = tuple(result.student for result in everyone if not result.scored)
    return Recorded(tuple(result.student for result in scored), unscored, sheet, course / "feedback")
