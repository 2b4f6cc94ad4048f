"""`grader list`, `grader progress` and `grader certificate`: all exercises, where the learner is, what is proved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from grader.cli.session import Session
from grader.cli.teach import Taught, TaughtGroup

if TYPE_CHECKING:
    from rich.text import Text

    from grader.lessons.outline import Outline
    from grader.model.exercise import Exercise
    from grader.workflow.session.progress import ExerciseProgress, Progress


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


def _heading(lesson: Outline, names: list[str], known: Progress) -> Text:
    from rich.text import Text

    from grader.render.terminal import STYLES
    from grader.text import labels

    table = labels()
    passed = sum(name in known.passed for name in names)
    tone = "pass" if passed == len(names) else ""
    line = Text(table["list.lesson"].format(number=lesson.number, title=lesson.title), style="bold")
    facts = table["list.lesson-facts"].format(minutes=lesson.whole, passed=passed, total=len(names))
    return line.append(f"  {facts}", style=STYLES[tone] if tone else "dim")


def _table(session: Session) -> tuple[list[Exercise], dict[str, ExerciseProgress]]:
    from rich.cells import cell_len

    from grader.lessons.outline import outlines
    from grader.render.terminal import print_error
    from grader.text import labels
    from grader.workflow.session.find import readable
    from grader.workflow.session.progress import load

    exercises, malformed = readable()
    known = load()
    out = session.out()
    if known.set_aside:
        session.err().print(labels()["progress.set-aside"].format(file=known.set_aside))
    heads = {lesson.number: lesson for lesson in outlines()}
    widths = (
        max((len(item.id) for item in exercises), default=0),
        max((cell_len(item.title) for item in exercises), default=0),
    )
    lesson = 0
    for item in exercises:
        if item.lesson != lesson:
            lesson = item.lesson
            out.print(_heading(heads[lesson], [item.id for item in exercises if item.lesson == lesson], known))
        out.print(line_of(item, known.of(item.id), widths))
    for error in malformed:
        print_error(error, session.err())
    return list(exercises), {item.id: known.of(item.id) for item in exercises}


@click.command(cls=Taught, name="list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show all exercises."""
    _table(session)


@click.group(cls=TaughtGroup, name="progress", invoke_without_command=True)
@click.pass_context
def progress(context: click.Context) -> None:
    """Show the map of the course; commands below it carry it from one place to another."""
    if context.invoked_subcommand is None:
        _map(context.ensure_object(Session))


@progress.command(cls=Taught, name="export")
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_obj
def export(session: Session, file: Path | None) -> None:
    """Write the progress for another place."""
    from grader.paths import write_atomically
    from grader.text import labels
    from grader.workflow.session.progress import load, written

    text = written(load().exercises)
    if file is None:
        click.echo(text, nl=False)
        return
    write_atomically(file, text)
    session.out().print(labels()["progress.exported"].format(file=file))


@progress.command(cls=Taught, name="import")
@click.argument("file", metavar="FILE", type=click.File(encoding="utf-8", errors="replace"))
@click.pass_obj
def import_(session: Session, file: TextIO) -> None:
    """Merge the progress of another place into this one."""
    from grader.errors import UsageError
    from grader.text import labels
    from grader.workflow.session.progress import merge, read

    try:
        other = read(file.read())
    except ValueError as error:
        raise UsageError("progress-unreadable", file=file.name, reason=error) from error
    passed = merge(other)
    session.out().print(labels()["progress.imported"].format(file=file.name, count=len(passed)))


@click.command(cls=Taught, name="certificate")
@click.option("--name", metavar="NAME", default="")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.pass_obj
def certificate(session: Session, name: str, output: Path | None) -> None:
    """Write the certificate of what passed."""
    from grader.paths import near, work_root, write_atomically
    from grader.render.certificate import page
    from grader.text import labels
    from grader.workflow.session.certificate import certificate as made_of
    from grader.workflow.session.find import every
    from grader.workflow.session.progress import load

    made = made_of(every(), load(), name)
    file = output or work_root() / "certificate.html"
    write_atomically(file, page(made))
    table = labels()
    title = table["certificate.title.complete" if made.complete else "certificate.title.part"]
    session.out().print(table["certificate.written"].format(title=title, file=near(file)))


def _map(session: Session) -> None:
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
