"""`grader lessons run` and `grader lessons record`: the notebooks against a cluster, for authors and CI."""

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

from grader.cli.session import Session
from grader.cli.teach import Taught
from grader.errors import ContentError, UsageError
from grader.exercises import all_exercises
from grader.lessons.formats import nbformat
from grader.lessons.notebook import code_cell, learner_notebook, solution_notebook
from grader.lessons.outline import lessons_root
from grader.lessons.outputs import collect, read_outputs, write_outputs
from grader.lessons.run import CANONICAL, run_notebook
from grader.lessons.shapes import mismatches
from grader.lessons.source import Lesson, read_lessons
from grader.model.exercise import Exercise
from grader.text import labels

PASS = 0
FAIL = 1


@click.command(cls=Taught, name="run")
@click.argument("names", nargs=-1, metavar="[LESSON]...")
@click.option("--unsolved", is_flag=True)
@click.option("--jobs", type=click.IntRange(1), default=1, metavar="COUNT")
@click.pass_obj
def run(session: Session, names: tuple[str, ...], unsolved: bool, jobs: int) -> None:
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
            _run(session, lesson, exercises, unsolved)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(one, lesson) for lesson in _chosen(names)]:
            done.result()


def _run(session: Session, lesson: Lesson, exercises: Mapping[str, Exercise], unsolved: bool) -> None:
    for exercise in lesson.exercises:
        _grader(session, "reset", exercise, PASS)
    notebook = learner_notebook(lesson, exercises) if unsolved else solution_notebook(lesson, exercises)
    with tempfile.TemporaryDirectory() as folder:
        executed = run_notebook(notebook, Path(folder), session.inherited)
    facts = {"lesson": lesson.slug, "cells": len(lesson.cells), "seconds": f"{executed.seconds:.1f}"}
    session.out().print(labels()["lessons.ran"].format(**facts))
    if different := mismatches(lesson, executed.notebook, read_outputs(lessons_root(), lesson)):
        raise ContentError("lesson-output-changed", lesson=lesson.slug, reason="\n\n".join(different))
    for exercise in lesson.exercises:
        _grader(session, "check", exercise, FAIL if unsolved else PASS, cards(executed.notebook))


@click.command(cls=Taught, name="record")
@click.argument("names", nargs=-1, metavar="[LESSON]...")
@click.option("--cluster", default="kind", metavar="NAME")
@click.pass_obj
def record(session: Session, names: tuple[str, ...], cluster: str) -> None:
    """Execute lessons against the current cluster, and keep what their commands print in course/outputs/."""
    exercises = {exercise.id: exercise for exercise in all_exercises()}
    for lesson in _chosen(names):
        notebook = solution_notebook(lesson, exercises)
        notebook.cells.append(code_cell("!kubectl version --output=json"))
        with tempfile.TemporaryDirectory() as folder:
            executed = run_notebook(notebook, Path(folder), session.inherited)
        printed = "".join(output.text for output in executed.notebook.cells.pop().outputs)
        version = json.loads(printed)["serverVersion"]["gitVersion"]
        write_outputs(lessons_root(), lesson, collect(lesson, executed.notebook, cluster, version))
        facts = {"lesson": lesson.slug, "cluster": cluster, "version": version}
        session.out().print(labels()["lessons.recorded"].format(**facts))


def _chosen(names: tuple[str, ...]) -> tuple[Lesson, ...]:
    known = {lesson.slug: lesson for lesson in read_lessons()}
    if unknown := [name for name in names if name not in known]:
        raise UsageError("lesson-name-unknown", lesson=unknown[0], known=", ".join(known))
    return tuple(known[name] for name in names) if names else tuple(known.values())


def cards(notebook: nbformat.NotebookNode) -> str:
    """Collect what the executed notebook's cells showed, as text; streams of commands are left out."""
    shown = (output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output)
    return "\n\n".join(str(output["data"].get("text/plain", "")) for output in shown)


def _grader(session: Session, command: str, exercise: str, expected: int, before: str = "") -> None:
    """Run a command of the learner's, and insist on its exit status; `before` is told where it is another."""
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", command, exercise],
        env={**os.environ, **session.inherited, **CANONICAL},
        check=False,
        capture_output=True,
    )
    if done.returncode != expected:
        shown = (done.stdout + done.stderr).decode(errors="replace")
        facts = {"command": command, "exercise": exercise, "status": done.returncode, "expected": expected}
        raise ContentError("lesson-exercise-otherwise", **facts, output="\n".join((before, shown)))
    facts = {"command": command, "exercise": exercise, "status": done.returncode}
    session.out().print(labels()["lessons.asked"].format(**facts))
