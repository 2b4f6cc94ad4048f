"""`grader autograde` and `grader classroom`: a teacher's commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.session import EXERCISE, Session, exercise
from grader.cli.teach import Taught, TaughtGroup

if TYPE_CHECKING:
    from grader.classroom.grading import Graded
    from grader.model.exercise import Exercise

FOLDER = click.Path(path_type=Path, file_okay=False)


def _chosen(names: tuple[str, ...]) -> tuple[Exercise, ...]:
    from grader.exercises import all_exercises

    return tuple(exercise(name, "") for name in names) or all_exercises()


@click.command(cls=Taught, name="autograde")
@click.argument("submissions", metavar="SUBMISSIONS", type=FOLDER)
@click.option("--output", "-o", "results", metavar="RESULTS", type=FOLDER, required=True)
@click.option("--exercise", "names", type=EXERCISE, multiple=True, metavar="EXERCISE")
@click.option("--student", "students", multiple=True, metavar="STUDENT")
@click.option("--force", is_flag=True)
@click.option("--parallel", type=click.IntRange(min=0), default=0, metavar="COUNT")
@click.pass_obj
def autograde(
    session: Session,
    submissions: Path,
    results: Path,
    names: tuple[str, ...],
    students: tuple[str, ...],
    force: bool,
    parallel: int,
) -> int:
    """Grade many submissions, each answer on a cluster of its own; exit status 4 where somebody must look at one."""
    from grader.classroom.grading import Step
    from grader.classroom.grading import autograde as run
    from grader.render.card import number
    from grader.text import labels

    err, table = session.err(), labels()

    def told(step: Step) -> None:
        result = step.result
        facts = {"done": step.done, "total": step.total, "student": result.student, "count": len(result.open)}
        facts |= {"points": number(result.points), "max": number(result.max_points)}
        line = table["autograde.step-open" if result.open else "autograde.step"].format(**facts)
        err.print(f"  {line}", markup=False)

    graded = run(submissions, results, _chosen(names), students=students, force=force, parallel=parallel, progress=told)
    session.out().print(table["autograde.sum"].format(count=graded.students, folder=results), markup=False)
    _tell(session, graded)
    return 4 if graded.count_open else 0


def _tell(session: Session, graded: Graded) -> None:
    """List what has no mark, and why; then what was odd and has one."""
    from grader.render.card import finding_message
    from grader.text import labels, message

    out, table = session.out(), labels()
    if graded.count_open:
        out.print("\n" + table["autograde.open"].format(count=graded.count_open), markup=False)
    for name in graded.refused:
        words = message("classroom", "student-name", {"file": name})
        line = table["autograde.open-item"].format(student=name, exercise="", what=words.what, where=words.where)
        out.print(f"  {line}", markup=False)
    for result in graded.told:
        for answer in result.open:
            words = finding_message(answer.report)
            facts = {"student": result.student, "exercise": answer.exercise, "what": words.what, "where": words.where}
            out.print("  " + table["autograde.open-item"].format(**facts), markup=False)
    if noted := [(result.student, *problem) for result in graded.told for problem in result.noted]:
        out.print("\n" + table["autograde.noted"].format(count=len(noted)), markup=False)
    for student, code, file in noted:
        words = message("classroom", code, {"file": file, "exercise": "-"})
        line = table["autograde.noted-item"].format(student=student, what=words.what, where=words.where)
        out.print(f"  {line}", markup=False)


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
    out, table = session.out(), labels()
    facts = {"count": len(recorded.students), "sheet": recorded.csv, "feedback": recorded.feedback}
    out.print(table["classroom.recorded"].format(**facts), markup=False)
    if recorded.kept:
        out.print(table["classroom.kept"].format(folder=recorded.kept), markup=False)
    if recorded.changes:
        out.print("\n" + table["classroom.changes"].format(count=len(recorded.changes)), markup=False)
    for item in recorded.changes:
        facts = {**vars(item), "before": item.before or "–", "after": item.after or "–"}
        out.print("  " + table["classroom.change"].format(**facts), markup=False)
    if recorded.failed:
        out.print("\n" + table["classroom.failed"].format(students=", ".join(recorded.failed)), markup=False)
    for student, exercises in recorded.open.items():
        out.print("  " + table["classroom.open"].format(student=student, exercises=", ".join(exercises)), markup=False)
    if recorded.open:
        out.print(table["classroom.open-next"])
    return 4 if recorded.failed or recorded.open else 0


@classroom.command(cls=Taught, name="import")
@click.argument("download", metavar="DOWNLOAD", type=click.Path(path_type=Path))
@click.argument("submissions", metavar="SUBMISSIONS", type=FOLDER)
@click.pass_obj
def take(session: Session, download: Path, submissions: Path) -> int:
    """Lay out what an LMS let a teacher download."""
    from grader.classroom.lms import take as run
    from grader.text import labels

    found = run(download, submissions)
    out, table = session.out(), labels()
    out.print(table["classroom.imported"].format(count=len(found.students), folder=submissions), markup=False)
    if found.skipped:
        out.print(table["classroom.skipped"])
    for path in found.skipped:
        out.print(f"  {path}", markup=False)
    return 4 if found.skipped else 0


@classroom.command(cls=Taught, name="fill")
@click.argument("course", metavar="COURSE", type=FOLDER)
@click.argument("sheet", metavar="SHEET", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--column", required=True, metavar="NAME")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE")
@click.pass_obj
def fill(session: Session, course: Path, sheet: Path, column: str, output: Path) -> int:
    """Write points into a sheet that an LMS exported."""
    from grader.classroom.lms import fill as run
    from grader.classroom.marks import read_gradebook
    from grader.classroom.record import GRADEBOOK
    from grader.paths import write_atomically
    from grader.text import labels

    everyone = {marks.student: marks for marks in read_gradebook((course / GRADEBOOK).resolve(), {})}
    text, missing = run(sheet.read_text(encoding="utf-8-sig"), column, everyone)
    write_atomically(output, text)
    out, table = session.out(), labels()
    out.print(table["classroom.filled"].format(file=output), markup=False)
    if missing:
        out.print(table["classroom.not-in-sheet"].format(students=", ".join(missing)), markup=False)
    return 4 if missing else 0


@classroom.command(cls=Taught, name="report")
@click.argument("results", metavar="RESULTS", type=FOLDER)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE")
@click.pass_obj
def report(session: Session, results: Path, output: Path) -> None:
    """Write the class on one page."""
    from grader.classroom.overview import overview, page
    from grader.classroom.results import load_all
    from grader.errors import UsageError
    from grader.paths import write_atomically
    from grader.text import labels

    found = overview(load_all(results))
    if not found.students:
        raise UsageError("results-missing", folder=results)
    write_atomically(output, page(found))
    session.out().print(labels()["overview.saved"].format(file=output), markup=False)


@click.command(cls=Taught, name="regrade")
@click.argument("results", metavar="RESULTS", type=FOLDER)
@click.option("--exercise", "names", type=EXERCISE, multiple=True, metavar="EXERCISE")
@click.option("--student", "students", multiple=True, metavar="STUDENT")
@click.option("--dry-run", is_flag=True)
@click.pass_obj
def regrade(session: Session, results: Path, names: tuple[str, ...], students: tuple[str, ...], dry_run: bool) -> None:
    """Judge kept Evidence again, and show which marks changed."""
    from grader.classroom.regrade import marks
    from grader.classroom.regrade import regrade as run
    from grader.render.card import number
    from grader.text import labels

    changed = list(marks(run(results, _chosen(names), students=students, keep=not dry_run)))
    out, table = session.out(), labels()
    out.print(table["regrade.sum"].format(count=len(changed)))
    for item in changed:
        before, after = (
            f"{number(answer.report.points)}/{number(answer.report.max_points)}" if answer.scored else "–"
            for answer in (item.before, item.after)
        )
        facts = {"student": item.student, "column": item.after.exercise, "before": before, "after": after}
        out.print("  " + table["classroom.change"].format(**facts), markup=False)
