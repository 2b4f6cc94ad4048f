"""nbgrader preprocessors that take the place of Execute: marks and cards come from results, and nothing is run."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_grade
from traitlets import Unicode

from grader.classroom import grade_id
from grader.classroom.results import load
from grader.model.report import Report
from grader.render import html
from grader.text import labels

OPEN, ABSENT = "grader_open", "grader_absent"
"""Keys of nbgrader's resources: grade cells that somebody must look at, and those of which there is no result."""


class ExternalGrade(NbGraderPreprocessor):  # type: ignore[misc]
    """Writes each exercise's points and card into its grade cell, from `results/STUDENT.json`.

    nbgrader reads a grade from a cell's `execute_result` as a float in text/plain (nbgrader.utils.determine_grade); a
    cell without output would count as full marks, so each gets one.
    """

    results = Unicode("results", help="folder that `grader autograde -o` wrote").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Fill the grade cells. Raises ValueError where there is no result, or one that is not within its points."""
        student = resources["nbgrader"]["student"]
        result = load(Path(self.results), student)
        if result is None:
            raise ValueError(f"no result for {student} in {self.results}")
        by_cell = {grade_id(answer.exercise): answer for answer in result.answers}
        resources[OPEN] = {cell for cell, answer in by_cell.items() if not answer.scored}
        resources[ABSENT] = set()
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs = []
            cell.execution_count = None
            if is_grade(cell):
                identifier = cell.metadata["nbgrader"]["grade_id"]
                if answer := by_cell.get(identifier):
                    cell.outputs = [_output(answer.report, float(cell.metadata["nbgrader"]["points"]))]
                else:
                    resources[ABSENT].add(identifier)
                    cell.outputs = [_result(0.0, labels()["feedback.absent"])]
        return nb, resources


class SaveExternalGrades(SaveAutoGrades):  # type: ignore[misc]
    """Saves marks; what has none waits for a person, in formgrader's list of what is to be graded by hand."""

    def _add_score(self, cell: Any, resources: Any) -> None:
        identifier = cell.metadata["nbgrader"]["grade_id"]
        if identifier not in resources[OPEN] | resources[ABSENT]:
            super()._add_score(cell, resources)
            return
        grade = self.gradebook.find_grade(identifier, self.notebook_id, self.assignment_id, self.student_id)
        if identifier in resources[OPEN]:
            grade.auto_score = None
        grade.needs_manual_grade = grade.auto_score is None and grade.manual_score is None
        self.gradebook.db.commit()


def _output(report: Report, maximum: float) -> nbformat.NotebookNode:
    """One execute_result that nbgrader reads as a grade and a person reads as a card."""
    points = float(report.points)
    if not (math.isfinite(points) and 0 <= points <= maximum):
        raise ValueError(f"{report.exercise}: {points} is not within 0 and {maximum}")
    return _result(points, html.card(replace(report, taken_at="")))  # the clock was the cluster's own


def _result(points: float, card: str) -> nbformat.NotebookNode:
    data = {"text/plain": repr(points), "text/html": card}
    output: nbformat.NotebookNode = nbformat.v4.new_output("execute_result", data)
    return output
