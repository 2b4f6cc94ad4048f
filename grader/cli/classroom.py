"""`grader autograde` and `grader classroom`: a teacher's commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.session import EXERCISE, Session, exercise
from grader.cli.teach import Taught, TaughtGroup

if TYPE_CHECKING:
    from grader.model.exercise import Exercise

FOLDER = click.Path(path_type=Path, file_okay=False)


def _chosen(names: tuple[str, ...]) -> tuple[Exercise, ...]:
    from grader.exercises import all_exercises

    return tuple(exercise(name, "") for name in names) or all_exercises()


@click.command(cls=Taught, name="autograde")
@click.argument("submissions", metavar="SUBMISSIONS", type=FOLDER)
@click.option("--output", "-o", "results", metavar="RESULTS", type=FOLDER, required=True)
@click.option("--exercise", "names", type=EXERCISE, multiple=True, metavar="EXERCISE")
@click.option("--parallel", type=click.IntRange(min=0), default=0, metavar="COUNT")
@click.pass_obj
def autograde(session: Session, submissions: Path, results: Path, names: tuple[str, ...], parallel: int) -> int:
    """Grade many submissions, each on an embedded cluster of its own; exit status 4 where one could not be scored."""
    from grader.classroom.grading import Step
    from grader.classroom.grading import autograde as run
    from grader.render.card import number
    from grader.text import labels

    out, err = session.out(), session.err()
    table = labels()

    def told(step: Step) -> None:
        result = step.result
        facts = {
            "done": step.done,
            "total": step.total,
            "student": result.student,
            "points": number(result.points) if result.scored else "–",
            "max": number(result.max_points),
        }
        err.print(
            "  " + table["autograde.step" if result.scored else "autograde.unscored"].format(**facts), markup=False
        )

    everyone = run(submissions, results, _chosen(names), parallel=parallel, progress=told)
    unknown = [f"{result.student}({', '.join(result.unknown)})" for result in everyone if result.unknown]
    unscored = [result.student for result in everyone if not result.scored and not result.unknown]
    out.print(table["autograde.sum"].format(count=len(everyone), folder=results))
    if unscored:
        out.print(table["autograde.again"].format(students=", ".join(unscored)))
    if unknown:
        out.print(table["autograde.unknown"].format(students=", ".join(unknown)))
    return 4 if unscored or unknown else 0


@click.group(cls=TaughtGroup, name="classroom")
def classroom() -> None:
    """Hold a teacher's other commands."""


@classroom.command(cls=Taught, name="new")
@click.argument("course", metavar="COURSE", type=FOLDER)
@click.option("--exercise", "names", type=EXERCISE, multiple=True, metavar="EXERCISE")
@click.pass_obj
def new(session: Session, course: Path, names: tuple[str, ...]) -> None:
    """Lay out an nbgrader course and release its assignment."""
    from grader.classroom.assignment import create
    from grader.classroom.record import release
    from grader.text import labels

    create(course, _chosen(names))
    session.out().print(labels()["classroom.released"].format(folder=release(course)))


@classroom.command(cls=Taught, name="record")
@click.argument("course", metavar="COURSE", type=FOLDER)
@click.argument("results", metavar="RESULTS", type=FOLDER)
@click.pass_obj
def record(session: Session, course: Path, results: Path) -> int:
    """Take results into the gradebook and make feedback."""
    from grader.classroom.record import record as run
    from grader.text import labels

    recorded = run(course, results)
    facts = {"count": len(recorded.students), "sheet": recorded.csv, "feedback": recorded.feedback}
    session.out().print(labels()["classroom.recorded"].format(**facts))
    if recorded.unscored:
        session.out().print(labels()["autograde.again"].format(students=", ".join(recorded.unscored)))
    return 4 if recorded.unscored else 0
