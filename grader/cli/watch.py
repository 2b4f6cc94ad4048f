"""`grader watch`: a verdict at every save and every change of the cluster, on a screen of its own or in plain lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from grader.cli.session import EXERCISE, Session, exercise
from grader.cli.teach import Taught

if TYPE_CHECKING:
    from grader.cluster.info import ClusterInfo
    from grader.model.exercise import Exercise
    from grader.workflow.session.watch import Seen


@click.command(cls=Taught, name="watch")
@click.argument("exercise_id", type=EXERCISE, metavar="[EXERCISE]", required=False)
@click.option("--deadline", type=click.FloatRange(min=0), default=60.0, metavar="SECONDS")
@click.pass_obj
def watch(session: Session, exercise_id: str | None, deadline: float) -> None:
    """Apply the work file at every save, judge that and every change; go on when an exercise passes."""
    from grader.text import labels
    from grader.workflow.session.find import every, following

    cluster = session.cluster()
    exercises = tuple(every())
    first = exercise(exercise_id) if exercise_id else following(exercises, None)
    if first is None:
        session.out().print(labels()["watch.finished"])
    elif sys.stdin.isatty() and session.out().is_terminal and not session.out().is_dumb_terminal:
        from grader.cli.screen import Screen

        Screen(cluster, exercises, deadline=deadline, program=session.program, color=session.colored).run(first)
    else:
        _plainly(session, cluster, exercises, first, deadline)


def _plainly(
    session: Session, cluster: ClusterInfo, exercises: tuple[Exercise, ...], first: Exercise, deadline: float
) -> None:
    """Print each verdict below the last, and go on by itself. Raises CourseError where an exercise cannot be begun."""
    from grader.paths import near, work_root
    from grader.render.card import finding_message
    from grader.render.terminal import print_report
    from grader.text import labels
    from grader.workflow.session.find import following
    from grader.workflow.session.watch import Watching

    out, table = session.out(), labels()
    before: Seen | None = None

    def show(seen: Seen) -> None:
        nonlocal before
        last, before = before, seen
        if seen.error:
            raise seen.error
        if seen.begun and not (last and last.begun):
            facts = {"exercise": seen.exercise.id, "title": seen.exercise.title, "file": near(seen.begun.starter)}
            out.print(table["watch.watching"].format(**facts))
        if seen.report is None or (last and last.report is seen.report):
            return
        print_report(seen.report, out)
        session.prepare(finding_message(seen.report).next)
        if seen.passed:
            out.print(table["solution.next"].format(exercise=seen.exercise.id), style="dim")
            going = following(exercises, seen.exercise)
            if going:
                watching.go(going)
            else:
                out.print(table["watch.finished"])
                watching.stop()

    watching = Watching(cluster, work_root(), show, deadline=deadline)
    watching.run(first)
