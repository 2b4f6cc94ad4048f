"""An nbgrader preprocessor that takes the place of Execute: marks and cards come from results, and nothing is run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Unicode

from grader.classroom.assignment import grade_id
from grader.model.report import Report
from grader.render import html


class ExternalGrade(NbGraderPreprocessor):  # type: ignore[misc]
    """Writes each exercise's points and card into its grade cell, from `results/STUDENT.json`.

    nbgrader reads a grade from a cell's `execute_result` as a float in text/plain (nbgrader.utils.determine_grade); a
    cell without output would count as full marks, so a missing result is an error, which fails the submission loudly.
    """

    results = Unicode("results", help="folder that `grader autograde -o` wrote").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Fill the grade cells. Raises ValueError where a cell has no finite result within its points."""
        about = resources["nbgrader"]
        path = Path(self.results) / f"{about['student']}.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        reports = {item["exercise"]: Report.from_json(item["report"]) for item in data["answers"]}
        by_cell = {grade_id(exercise): report for exercise, report in reports.items()}
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs = []
            cell.execution_count = None
            if is_grade(cell):
                identifier = cell.metadata["nbgrader"]["grade_id"]
                if identifier not in by_cell:
                    raise ValueError(f"no result for {identifier} in {path}")
                cell.outputs = [_output(by_cell[identifier], float(cell.metadata["nbgrader"]["points"]))]
        return nb, resources


def _output(report: Report, maximum: float) -> nbformat.NotebookNode:
    """One execute_result that nbgrader reads as a grade and a person reads as a card."""
    points = float(report.points)
    if not (math.isfinite(points) and 0 <= points <= maximum):
        raise ValueError(f"{report.exercise}: {points} is not within 0 and {maximum}")
    data = {"text/plain": repr(points), "text/html": html.card(report)}
    output: nbformat.NotebookNode = nbformat.v4.new_output("execute_result", data)
    return output
