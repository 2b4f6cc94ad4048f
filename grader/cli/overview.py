"""`grader list` and `grader progress`: all exercises, and where the learner is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grader.cli.session import Session
from grader.cli.teach import Taught

if TYPE_CHECKING:
    from rich.text import Text

    from grader.model.exercise import Exercise
    from grader.workflow.progress import ExerciseProgress


def line_of(exercise: Exercise, known: ExerciseProgress, widths: tuple[int, int]) -> Text:
    """Say one exercise and how far it is, in columns of these widths: id, title."""
    from rich.cells import set_cell_size
    from rich.text import Text

    from grader.render.card import number
    from grader.render.terminal import STYLES
    from grader.text import labels

    table = labels()
    tone = "pass" if known.passed_at else "skipped"
    state = table["list.passed"] if known.passed_at else table["list.tried" if known.checks else "list.open"]
    line = Text("  ")
    line.append(table[f"symbol.{tone}"] + (" " if tone == "pass" else ""), style=STYLES[tone])
    line.append(f" {exercise.id}" + " " * (widths[0] - len(exercise.id)), style="bold")
    line.append(f"  {set_cell_size(exercise.title, widths[1])}")
    line.append(f"  {number(exercise.points):>3} {table['table.points']}", style="dim")
    line.append(f"  {state}", style=STYLES[tone])
    return line


def _table(session: Session) -> tuple[list[Exercise], dict[str, ExerciseProgress]]:
    from rich.cells import cell_len

    from grader.text import labels
    from grader.workflow.find import every
    from grader.workflow.progress import load

    exercises = list(every())
    known = load()
    out = session.out()
    if known.set_aside:
        session.err().print(labels()["progress.set-aside"].format(file=known.set_aside))
    widths = (max(len(item.id) for item in exercises), max(cell_len(item.title) for item in exercises))
    lesson = 0
    for item in exercises:
        if item.lesson != lesson:
            lesson = item.lesson
            out.print(labels()["list.lesson"].format(number=lesson), style="bold")
        out.print(line_of(item, known.of(item.id), widths))
    return exercises, {item.id: known.of(item.id) for item in exercises}


@click.command(cls=Taught, name="list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show all exercises."""
    _table(session)


@click.command(cls=Taught, name="progress")
@click.pass_obj
def progress(session: Session) -> None:
    """Show where the learner is and what comes next."""
    from grader.render.card import number
    from grader.text import labels

    exercises, known = _table(session)
    table = labels()
    out = session.out()
    left = [item for item in exercises if not known[item.id].passed_at]
    facts = {
        "passed": len(exercises) - len(left),
        "total": len(exercises),
        "points": number(sum(known[item.id].points for item in exercises)),
        "max": number(sum(item.points for item in exercises)),
    }
    out.print()
    out.print(table["progress.sum"].format(**facts))
    if left:
        out.print(table["progress.next"].format(exercise=left[0].id, title=left[0].title))
    else:
        out.print(table["progress.finished"])
