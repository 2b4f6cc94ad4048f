"""`score("ID")`: what a locked grade cell of the classroom notebook ends in, in the learner's own kernel."""

from __future__ import annotations

import math

from grader.model.report import Report
from grader.notebook.show import Shown
from grader.render.card import report_card


class Score(float):
    """Points as a float, which nbgrader reads as a grade, with the card for a person to see."""

    report: Report

    def _repr_html_(self) -> str:
        return Shown(report_card(self.report))._repr_html_()


def of(report: Report) -> Score:
    """Points clamped to what the exercise gives; anything that is not a finite number is 0."""
    points = float(report.points)
    clamped = Score(min(max(points, 0.0), report.max_points) if math.isfinite(points) else 0.0)
    clamped.report = report
    return clamped


def score(exercise: str) -> Score:
    """Check an exercise on the current cluster and give its points. Raises as `check`."""
    from grader.cluster import info
    from grader.workflow import check
    from grader.workflow.session.find import exercise as find

    return of(check.check(find(exercise), info.load()))
