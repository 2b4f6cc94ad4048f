"""`grader check`: one verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.session import EXERCISE, Session, named
from grader.cli.teach import Taught
from grader.errors import CourseError, UsageError

if TYPE_CHECKING:
    from grader.model.report import Report


def _manifest(file: Path | None, apply: bool, exercise_id: str) -> Path | None:
    """Find the file to apply first. Raises UsageError where it is missing."""
    from grader.paths import work_root

    if file is None and not apply:
        return None
    path = file or work_root() / f"{exercise_id}.yaml"
    if not path.is_file():
        code = "manifest-missing" if file else "work-missing"
        raise UsageError(code, file=path, exercise=exercise_id)
    return path


def _save_junit(path: Path | None, reports: list[Report], errors: list[tuple[str, CourseError]]) -> None:
    from grader.paths import write_atomically
    from grader.render.machine import junit

    if path:
        write_atomically(path, junit(reports, errors))


@click.command(cls=Taught, name="check")
@click.argument("exercise_id", type=EXERCISE, metavar="[EXERCISE]", required=False)
@click.option("--file", "-f", "file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--apply", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--junit", "junit_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--deadline", type=click.FloatRange(min=0), default=60.0, metavar="SECONDS")
@click.option("--brief", is_flag=True)
@click.pass_obj
def check(
    session: Session,
    exercise_id: str | None,
    file: Path | None,
    apply: bool,
    as_json: bool,
    junit_file: Path | None,
    deadline: float,
    brief: bool,
) -> int:
    """Give one verdict; its exit status says it too."""
    from grader.cli.steps import steps
    from grader.render.card import finding_message
    from grader.render.machine import report_object, to_json
    from grader.render.terminal import print_report
    from grader.text import labels
    from grader.workflow.check import check as run
    from grader.workflow.session import find, progress
    from grader.workflow.session.history import keep
    from grader.workflow.session.start import starter_text

    session.json = as_json
    try:
        chosen = named(session, exercise_id)
        manifest = _manifest(file, apply, chosen.id)
        cluster = session.cluster()
        if manifest and file is None:
            keep(manifest, starter_text(chosen))
        with steps(session.err(), keep=False) as shown:
            report = run(chosen, cluster, manifest=manifest, deadline=deadline, progress=shown)
    except CourseError as error:
        _save_junit(junit_file, [], [(exercise_id or "-", error)])
        raise
    progress.record(report)
    _save_junit(junit_file, [report], [])
    if as_json:
        click.echo(to_json(report_object(report)), nl=False)
    else:
        print_report(report, session.out(), details=not brief)
        session.prepare(finding_message(report).next)
        if report.verdict.exit_status == 0:
            session.out().print(labels()["solution.next"].format(exercise=chosen.id), style="dim")
            if going := find.following(find.every(), chosen):
                session.out().print(labels()["next.exercise"].format(exercise=going.id), style="dim")
    return report.verdict.exit_status
