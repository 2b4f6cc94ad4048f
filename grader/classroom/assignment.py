"""The nbgrader assignment: one notebook with a task, an answer cell and a locked grade cell for each exercise."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from grader.classroom import ASSIGNMENT, GRADE, answer_id, grade_id
from grader.errors import UsageError
from grader.lessons.formats import nbformat
from grader.lessons.notebook import varied_note
from grader.model.exercise import Exercise
from grader.paths import write_atomically
from grader.text import labels
from grader.text.commands import in_cell

SCHEMA_VERSION = 3
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def _nbgrader(identifier: str, *, solution: bool = False, points: float | None = None) -> dict[str, Any]:
    """Cell metadata of nbgrader's schema version 3."""
    graded = {} if points is None else {"points": points}
    return {
        "nbgrader": {
            "schema_version": SCHEMA_VERSION,
            "grade_id": identifier,
            "grade": points is not None,
            "solution": solution,
            "locked": not solution,
            "task": False,
            **graded,
        }
    }


def _task(exercise: Exercise) -> str:
    """An exercise's task, with a word below its title where a student's own values differ."""
    task = in_cell(exercise.task)
    title, _, rest = task.partition("\n")
    return f"{title}\n\n{varied_note(exercise).rstrip()}\n{rest}" if exercise.values else task


def _cells(exercise: Exercise) -> list[nbformat.NotebookNode]:
    new = nbformat.v4
    return [
        new.new_markdown_cell(_task(exercise), id=f"task-{exercise.id}", metadata=_nbgrader(f"task-{exercise.id}")),
        new.new_code_cell(f'start("{exercise.id}")', id=f"start-{exercise.id}"),
        new.new_code_cell(
            f"%%apply {exercise.id}\n{exercise.starter}",
            id=answer_id(exercise.id),
            metadata=_nbgrader(answer_id(exercise.id), solution=True),
        ),
        new.new_code_cell(f'check("{exercise.id}")', id=f"check-{exercise.id}"),
        new.new_code_cell(
            f'score("{exercise.id}")',
            id=grade_id(exercise.id),
            metadata=_nbgrader(grade_id(exercise.id), points=exercise.points),
        ),
    ]


def notebook(exercises: Sequence[Exercise]) -> nbformat.NotebookNode:
    """Build the assignment's notebook; the same exercises always give the same bytes."""
    new = nbformat.v4
    head = new.new_markdown_cell(labels()["assignment-introduction"], id="introduction")
    head.metadata = _nbgrader("introduction")
    setup = new.new_code_cell("%load_ext grader\nfrom grader.notebook.score import score", id="setup")
    setup.metadata = _nbgrader("setup")
    cells = [head, setup, *(cell for exercise in exercises for cell in _cells(exercise))]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    made: nbformat.NotebookNode = new.new_notebook(cells=cells, metadata=metadata)
    return made


def create(course: Path, exercises: Sequence[Exercise]) -> Path:
    """Lay out an nbgrader course folder: configuration and the assignment's source. Returns the source notebook.

    Raises UsageError where the folder holds an nbgrader configuration that is not ours, or an assignment of other
    exercises: what was released stays, for students have it.
    """
    config = course / "nbgrader_config.py"
    text = files(__package__).joinpath("nbgrader_config.py.txt").read_text(encoding="utf-8")
    if config.exists() and "grader.classroom" not in config.read_text(encoding="utf-8"):
        raise UsageError("course-folder-taken", file=config)
    source = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    made = notebook(exercises)
    if source.exists():
        before, now = _exercises_in(nbformat.read(source, as_version=4)), _exercises_in(made)
        if before != now:
            raise UsageError("course-other-exercises", file=source, before=", ".join(before), now=", ".join(now))
    if not config.exists():
        write_atomically(config, text)
    write_atomically(source, nbformat.writes(made))
    return source


def _exercises_in(notebook: nbformat.NotebookNode) -> tuple[str, ...]:
    """The exercises of an assignment's notebook, by its grade cells."""
    ids = (cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells)
    return tuple(sorted(identifier.removeprefix(GRADE) for identifier in ids if identifier.startswith(GRADE)))
