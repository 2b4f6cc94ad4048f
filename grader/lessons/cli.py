"""The authors' and CI's commands about lessons; `grader lessons` holds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import nbformat

from grader.errors import ContentError
from grader.exercises import all_exercises
from grader.lessons.notebook import code_cell, learner_notebook, solution_notebook
from grader.lessons.outline import lessons_root
from grader.lessons.outputs import collect, read_outputs, write_outputs
from grader.lessons.run import CANONICAL, run_notebook
from grader.lessons.shapes import mismatches
from grader.lessons.source import Lesson, read_lessons
from grader.model.exercise import Exercise

PASS = 0
FAIL = 1


@click.command()
@click.argument("names", nargs=-1, metavar="[LESSON]...")
@click.option("--unsolved", is_flag=True, help="Run the learner's notebook; its exercises must then fail.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="How many to run side by side.")
def run(names: tuple[str, ...], unsolved: bool, jobs: int) -> None:
    """Execute lessons against the current cluster, then check that their exercises pass (or, unsolved, fail).

    The shape of what the commands print is compared with what is recorded in course/outputs/.
    The exercises are reset before: what an earlier run left there must not decide.
    """
    exercises = {exercise.id: exercise for exercise in all_exercises()}

    failed = threading.Event()

    def one(lesson: Lesson) -> None:
        if failed.is_set():
            return
        try:
            _run(lesson, exercises, unsolved)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(one, lesson) for lesson in _chosen(names)]:
            done.result()


def _run(lesson: Lesson, exercises: Mapping[str, Exercise], unsolved: bool) -> None:
    for exercise in lesson.exercises:
        _grader("reset", exercise, PASS)
    notebook = learner_notebook(lesson, exercises) if unsolved else solution_notebook(lesson, exercises)
    with tempfile.TemporaryDirectory() as folder:
        executed = run_notebook(notebook, Path(folder))
    click.echo(f"{lesson.slug}: {len(lesson.cells)} cells in {executed.seconds:.1f} s")
    if different := mismatches(lesson, executed.notebook, read_outputs(lessons_root(), lesson)):
        raise ContentError("lesson-output-changed", lesson=lesson.slug, reason="\n\n".join(different))
    for exercise in lesson.exercises:
        _grader("check", exercise, FAIL if unsolved else PASS, cards(executed.notebook))


@click.command()
@click.argument("names", nargs=-1, metavar="[LESSON]...")
@click.option("--cluster", default="kind", show_default=True, help="Name of the kind of cluster, shown to readers.")
def record(names: tuple[str, ...], cluster: str) -> None:
    """Execute lessons against the current cluster, and keep what their commands print in course/outputs/."""
    exercises = {exercise.id: exercise for exercise in all_exercises()}
    for lesson in _chosen(names):
        notebook = solution_notebook(lesson, exercises)
        notebook.cells.append(code_cell("!kubectl version --output=json"))
        with tempfile.TemporaryDirectory() as folder:
            executed = run_notebook(notebook, Path(folder))
        printed = "".join(output.text for output in executed.notebook.cells.pop().outputs)
        version = json.loads(printed)["serverVersion"]["gitVersion"]
        write_outputs(lessons_root(), lesson, collect(lesson, executed.notebook, cluster, version))
        click.echo(f"{lesson.slug}: recorded from {cluster} {version}")


def _chosen(names: tuple[str, ...]) -> tuple[Lesson, ...]:
    known = {lesson.slug: lesson for lesson in read_lessons()}
    if unknown := [name for name in names if name not in known]:
        raise click.UsageError(f"no lesson {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else tuple(known.values())


def cards(notebook: nbformat.NotebookNode) -> str:
    """Collect what the executed notebook's cells showed, as text; streams of commands are left out."""
    shown = (output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output)
    return "\n\n".join(str(output["data"].get("text/plain", "")) for output in shown)


def _grader(command: str, exercise: str, expected: int, before: str = "") -> None:
    """Run a command of the learner's, and insist on its exit status; `before` is told where it is another."""
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", command, exercise],
        env={**os.environ, **CANONICAL},
        check=False,
        capture_output=True,
    )
    if done.returncode != expected:
        shown = (done.stdout + done.stderr).decode(errors="replace")
        what = f"grader {command} {exercise}: status {done.returncode}, not {expected}"
        raise click.ClickException("\n".join((before, shown, what)))
    click.echo(f"grader {command} {exercise}: status {done.returncode}")
