"""`grader exercise`: what whoever writes exercises needs beside `grader verify`."""

from __future__ import annotations

import click

from grader.cli.session import Session
from grader.cli.teach import Taught, TaughtGroup


@click.group(cls=TaughtGroup, name="exercise")
def exercise() -> None:
    """Hold the commands about exercises as folders."""


@exercise.command(cls=Taught, name="new")
@click.argument("exercise_id", metavar="EXERCISE")
@click.option("--lesson", type=click.IntRange(1, 18), required=True, metavar="NUMBER")
@click.option("--title", default="", metavar="TITLE")
@click.pass_obj
def new(session: Session, exercise_id: str, lesson: int, title: str) -> None:
    """Lay out the folder of a new exercise."""
    from grader.exercises.new import LEAST, lay
    from grader.paths import content_root, near
    from grader.text import labels

    folder = lay(content_root() / "exercises", exercise_id, lesson=lesson, title=title or exercise_id)
    facts = {"folder": near(folder), "exercise": exercise_id, **LEAST}
    session.out().print(labels()["exercise.laid"].format(**facts))


@exercise.command(cls=Taught, name="schema")
@click.pass_obj
def schema(session: Session) -> None:
    """Write the JSON Schema of exercise.yaml anew."""
    from grader.exercises.new import write_schema
    from grader.paths import content_root, near
    from grader.text import labels

    written = near(write_schema(content_root() / "exercises"))
    session.out().print(labels()["exercise.schema"].format(file=written))
