"""`grader start`, `hint`, `reset`, `submit`: the way through one exercise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.session import EXERCISE, Session, exercise, named
from grader.cli.teach import Taught

if TYPE_CHECKING:
    from grader.model.exercise import Exercise
    from grader.render.terminal import Terminal
    from grader.workflow.session.start import StartResult


def _markdown(text: str, out: Terminal) -> None:
    """Show Markdown: laid out on a terminal, as it is elsewhere."""
    from grader.text.commands import in_terminal

    text = in_terminal(text, out.program)
    if out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown(text), soft_wrap=False)
    else:
        click.echo(text)


def _begun(result: StartResult, chosen: Exercise, session: Session) -> None:
    import shlex

    from grader.paths import near
    from grader.render.terminal import WIDEST, paragraph
    from grader.text import labels
    from grader.workflow.ground.hostports import conflict_words, conflicts

    out, table = session.out(), labels()
    file = near(result.starter)
    facts = {"exercise": chosen.id, "title": chosen.title, "namespace": result.namespace, "file": str(file)}
    out.print(table["start.begun"].format(**facts), style="bold")
    if result.removed:
        out.print("  " + table["reset.removed"].format(objects=", ".join(result.removed)))
    if result.kept:
        out.print("  " + table["reset.kept"].format(file=near(result.kept), exercise=chosen.id))
    if result.left:
        out.print("  " + table["reset.left"].format(objects=", ".join(result.left)))
    laid = "start.laid" if result.laid else "reset.same" if result.reset else "start.kept"
    out.print("  " + table[laid].format(**facts))
    out.print()
    _markdown(chosen.task, out)
    out.print()
    session.prepare("kubectl apply")
    for step in ("start.next-apply", "start.next-check", "start.next-hint"):
        out.print("  " + table[step].format(**{**facts, "file": shlex.quote(str(file))}))
    for conflict in conflicts(chosen, session.cluster()):
        for line in paragraph(table["part.inert"], conflict_words(conflict), min(out.width, WIDEST), label_width=4):
            out.print(line)


@click.command(cls=Taught, name="start")
@click.argument("exercise_id", type=EXERCISE, metavar="[EXERCISE]", required=False)
@click.pass_obj
def start(session: Session, exercise_id: str | None) -> None:
    """Lay the given workload and the starter file."""
    begin(session, named(session, exercise_id))


def begin(session: Session, chosen: Exercise) -> None:
    """Start an exercise, and say what it asks for and what to type next. Raises as `session.start`."""
    from grader.cli.steps import steps
    from grader.paths import work_root
    from grader.workflow.session import current
    from grader.workflow.session.start import start as run

    cluster = session.cluster()
    with steps(session.err(), keep=False) as shown:
        result = run(chosen, cluster, work_root(), shown)
    current.enter(chosen, cluster)
    _begun(result, chosen, session)


@click.command(cls=Taught, name="reset")
@click.argument("exercise_id", type=EXERCISE, metavar="EXERCISE")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def reset(session: Session, exercise_id: str, as_json: bool) -> None:
    """Make the namespace and the starter file new."""
    from grader.cli.steps import steps
    from grader.paths import work_root
    from grader.render.machine import reset_object, to_json
    from grader.workflow.session import current, progress
    from grader.workflow.session.reset import reset as run

    session.json = as_json
    chosen = exercise(exercise_id)
    cluster = session.cluster()
    with steps(session.err(), keep=False) as shown:
        result = run(chosen, cluster, work_root(), shown)
    progress.forget(chosen.id)
    current.enter(chosen, cluster)
    if as_json:
        starter = result.starter.read_text(encoding="utf-8")
        click.echo(to_json(reset_object(result.namespace, starter, result.removed, result.left)), nl=False)
    else:
        _begun(result, chosen, session)


@click.command(cls=Taught, name="history")
@click.argument("exercise_id", type=EXERCISE, metavar="EXERCISE")
@click.argument("number", metavar="[NUMBER]", type=click.IntRange(min=1), required=False)
@click.option("--restore", is_flag=True)
@click.pass_obj
def history(session: Session, exercise_id: str, number: int | None, restore: bool) -> None:
    """Show the versions of the work file, or one of them, or put one back."""
    from grader.errors import UsageError
    from grader.paths import near, work_root
    from grader.text import labels
    from grader.workflow.session import history as versions
    from grader.workflow.session.start import starter_path, starter_text

    chosen = exercise(exercise_id)
    file = starter_path(chosen, work_root())
    out, table = session.out(), labels()
    if number is None:
        if restore:
            raise UsageError("version-unnamed", exercise=chosen.id)
        known = versions.versions(file)
        for item in known:
            out.print(table["history.line"].format(**item.facts))
        for told in ("history.show", "history.restore") if known else ("history.none",):
            out.print("  " + table[told].format(exercise=chosen.id), style="dim")
        return
    version = versions.version(file, number, chosen.id)
    if not restore:
        click.echo(version.text, nl=False)
        return
    kept = versions.save(file, version.text, starter_text(chosen))
    out.print(table["history.restored"].format(number=number, file=near(file)))
    if kept:
        out.print("  " + table["history.kept"].format(file=near(kept)))


@click.command(cls=Taught, name="hint")
@click.argument("exercise_id", type=EXERCISE, metavar="[EXERCISE]", required=False)
@click.option("--all", "again", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def hint(session: Session, exercise_id: str | None, again: bool, as_json: bool) -> None:
    """Open the next hint, or show again those that are open."""
    from grader.render.machine import hint_object, to_json
    from grader.text import labels
    from grader.workflow.session import hints

    session.json = as_json
    chosen = named(session, exercise_id)
    out = session.out()
    table = labels()
    shown = hints.opened(chosen) if again else (hints.next_hint(chosen),)
    if as_json:
        last = shown[-1] if shown else hints.Hint(0, len(chosen.hints), "", new=False)
        click.echo(to_json(hint_object(last.number, last.total, last.text, new=last.new)), nl=False)
        return
    if not shown:
        out.print(table["hint.none-open"].format(exercise=chosen.id))
    for item in shown:
        out.print(table["hint.title"].format(number=item.number, total=item.total), style="bold")
        _markdown(item.text, out)
        session.prepare(item.text)
    if shown and shown[-1].number == shown[-1].total:
        out.print(table["hint.last"].format(exercise=chosen.id), style="dim")


@click.command(cls=Taught, name="solution")
@click.argument("exercise_id", type=EXERCISE, metavar="[EXERCISE]", required=False)
@click.option("--yes", is_flag=True)
@click.pass_obj
def solution(session: Session, exercise_id: str | None, yes: bool) -> None:
    """Show the answer, explained: at once after a pass, else after a question."""
    import sys

    from grader.errors import UsageError
    from grader.paths import work_root
    from grader.text import labels
    from grader.workflow.session import progress
    from grader.workflow.session.lookback import look_back

    chosen = named(session, exercise_id)
    if not yes and not progress.load().of(chosen.id).passed_at:
        if not sys.stdin.isatty():
            raise UsageError("solution-closed", exercise=chosen.id)
        if not click.confirm(labels()["solution.sure"].format(exercise=chosen.id)):
            session.out().print(labels()["solution.kept"].format(exercise=chosen.id))
            return
    _markdown(chosen.solution, session.out())
    if looked := look_back(chosen, work_root()):
        _markdown(looked, session.out())
    session.prepare(chosen.solution)


@click.command(cls=Taught, name="submit")
@click.argument("exercise_id", type=EXERCISE, metavar="EXERCISE")
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER")
@click.pass_obj
def submit(session: Session, exercise_id: str, output: Path | None) -> None:
    """Export the learner's live objects as clean manifests."""
    from grader.paths import work_root
    from grader.text import labels
    from grader.workflow.handin.submit import submit as run

    chosen = exercise(exercise_id)
    result = run(chosen, session.cluster(), output or work_root() / "submit")
    out, table = session.out(), labels()
    facts = {"file": result.path, "objects": ", ".join(result.objects), "deleted": ", ".join(result.deleted)}
    if result.objects:
        out.print(table["submit.written"].format(**facts))
    if result.deleted:
        out.print(table["submit.deleted"].format(**facts))
