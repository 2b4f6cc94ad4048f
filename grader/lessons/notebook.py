"""Notebooks of a lesson: the learner's, with the starter in the exercise cell, and the solution, with the reference answer.

Cell ids are derived from the lesson and the cell's place, so that two builds are equal byte by byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.lessons.markdown import shift_headings, without_title
from grader.lessons.source import EXERCISE_TAG, Cell, CellKind, Lesson, replace_task_mark, task_marks
from grader.lessons.words import word
from grader.model.exercise import Exercise


def learner_notebook(lesson: Lesson, exercises: Mapping[str, Exercise]) -> nbformat.NotebookNode:
    """What a learner opens. Raises KeyError where an exercise of the lesson is not among `exercises`."""
    return _notebook(lesson, exercises, solved=False)


def solution_notebook(lesson: Lesson, exercises: Mapping[str, Exercise]) -> nbformat.NotebookNode:
    """The same with the reference answers, for CI and for teachers. Raises KeyError like `learner_notebook`."""
    return _notebook(lesson, exercises, solved=True)


def task_markdown(exercise: Exercise) -> str:
    """An exercise's task as part of a lesson: title one level below the lesson's sections."""
    return f"### {exercise.title}\n\n{shift_headings(without_title(exercise.task), 2)}".rstrip()


def _notebook(lesson: Lesson, exercises: Mapping[str, Exercise], *, solved: bool) -> nbformat.NotebookNode:
    notebook = new_notebook(
        cells=[_cell(lesson, index, cell, exercises, solved=solved) for index, cell in enumerate(lesson.cells)],
        metadata={
            "kernelspec": {"display_name": word("kernel"), "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": f"{lesson.number}. {lesson.title}",
        },
    )
    nbformat.validate(notebook)
    return notebook


def _cell(
    lesson: Lesson, index: int, cell: Cell, exercises: Mapping[str, Exercise], *, solved: bool
) -> nbformat.NotebookNode:
    identity: dict[str, Any] = {"id": hashlib.sha256(f"{lesson.slug}/{index}".encode()).hexdigest()[:12]}
    metadata = {"tags": sorted(cell.tags)} if cell.tags else {}
    if cell.kind is CellKind.TEXT:
        source = cell.source
        for id_ in task_marks(source):
            source = replace_task_mark(source, id_, task_markdown(exercises[id_]))
        return new_markdown_cell(source, metadata=metadata, **identity)
    source = f"%%bash\n{cell.source}" if cell.kind is CellKind.SHELL else cell.source
    if EXERCISE_TAG in cell.tags:
        exercise = exercises[exercise_of(cell)]
        source = f"{source}\n{(exercise.answers[0].text if solved else exercise.starter).rstrip()}"
    return new_code_cell(source, metadata=metadata, **identity)


def exercise_of(cell: Cell) -> str:
    """The exercise that a cell `%%apply EXERCISE` is about."""
    return cell.source.split()[1]
