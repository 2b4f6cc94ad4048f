"""Notebooks of a lesson: the learner's has the starter in the exercise cell, the solution has the reference answer.

Cell ids are derived from the lesson and the cell's place, so that two builds are equal byte by byte.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.lessons.formats import nbformat
from grader.lessons.markdown import joined, shift_headings, without_title
from grader.lessons.source import EXERCISE_TAG, SETUP_TAG, Cell, CellKind, Lesson, replace_task_mark, task_marks
from grader.lessons.words import word
from grader.model.exercise import Exercise, Form
from grader.text.commands import in_cell

V4: Any = nbformat.v4  # its functions carry no types
MERMAID = "```mermaid\n"
MERMAID_THEME = '%%{init: {"theme": "default"}}%%\n'
"""One theme for every diagram, which the style sheet of `grader lab` turns round where JupyterLab is dark."""
_IN_NAMESPACE = """\
exercise_kubeconfig=$(mktemp)
trap 'rm -f "$exercise_kubeconfig"' EXIT
kubectl config view --raw --flatten >"$exercise_kubeconfig"
export KUBECONFIG=$exercise_kubeconfig
kubectl config set-context --current --namespace={namespace} >/dev/null
"""


def learner_notebook(lesson: Lesson, exercises: Mapping[str, Exercise], end: str = "") -> nbformat.NotebookNode:
    """Make what a learner opens, ending in `end` (Markdown).

    Raises KeyError where an exercise of the lesson is not among `exercises`.
    """
    return _notebook(lesson, exercises, solved=False, end=end)


def solution_notebook(lesson: Lesson, exercises: Mapping[str, Exercise]) -> nbformat.NotebookNode:
    """Make the same with the reference answers, for CI and for teachers. Raises KeyError like `learner_notebook`."""
    return _notebook(lesson, exercises, solved=True)


def written(notebook: nbformat.NotebookNode) -> str:
    """Serialize a notebook as the text of an .ipynb file."""
    return f"{V4.writes(notebook)}\n"


def code_cell(source: str) -> nbformat.NotebookNode:
    """Make a code cell that belongs to no lesson."""
    cell: nbformat.NotebookNode = V4.new_code_cell(source)
    return cell


def task_markdown(exercise: Exercise) -> str:
    """Give an exercise's task as part of a lesson: title one level below the lesson's sections."""
    return f"### {exercise.title}\n\n{varied_note(exercise)}{shift_headings(without_title(exercise.task), 2)}".rstrip()


def varied_note(exercise: Exercise) -> str:
    """Tell whose values are shown, "" where they are the same for everybody."""
    if not exercise.values:
        return ""
    return word("varied.own" if exercise.learner else "varied", exercise=exercise.id) + "\n\n"


def starter(exercise: Exercise) -> str:
    """Give what the exercise's cell begins with; where values vary, it tells whose they are."""
    head = f"# learner: {exercise.learner}\n" if exercise.learner else ""
    return f"{head}{exercise.starter.rstrip()}"


_LESSON = re.compile(r"\]\((\d\d-[a-z-]+)\.md\)")
_PAGE = re.compile(r"\[([^]]+)\]\(\.\./[^)]+\.md\)")


def linked(text: str) -> str:
    """Let links to lessons lead to their notebooks, and keep of links to pages of the site what they say."""
    return _PAGE.sub(r"\1", _LESSON.sub(r"](\1.ipynb)", text))


_ANSWER = re.compile(r"(?![#>|<`-])\S")
"""A paragraph; not a heading, a quotation, a table, a list, code or HTML."""


def _in_cells(exercise: Exercise) -> Exercise:
    return replace(exercise, task=in_cell(exercise.task))


def _notebook(
    lesson: Lesson, exercises: Mapping[str, Exercise], *, solved: bool, end: str = ""
) -> nbformat.NotebookNode:
    texts = folded([cell.source if cell.kind is CellKind.TEXT else None for cell in lesson.cells])
    cells = [
        _cell(lesson, index, replace(cell, source=cell.source if text is None else text), exercises, solved=solved)
        for index, (cell, text) in enumerate(zip(lesson.cells, texts, strict=True))
    ]
    if end:
        cells[-1].source += f"\n\n---\n\n{end}"
    return notebook_of(cells, f"{lesson.number}. {lesson.title}")


def notebook_of(cells: Sequence[nbformat.NotebookNode], title: str) -> nbformat.NotebookNode:
    """Make a notebook of the course from its cells."""
    notebook: nbformat.NotebookNode = V4.new_notebook(
        cells=list(cells),
        metadata={
            "kernelspec": {"display_name": word("kernel"), "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": title,
        },
    )
    nbformat.validate(notebook)
    return notebook


def folded(texts: Sequence[str | None]) -> list[str | None]:
    """Close what answers a prediction until its reader opens it: the first paragraph after what was run.

    Args:
        texts: the Markdown of a lesson's cells, in order; None for code.

    """
    title = f"> **{word('admonition.question')}**"
    result: list[str | None] = []
    asked = ran = False
    for text in texts:
        if text is None:
            result.append(None)
            ran = True
            continue
        blocks: list[str] = []
        for block in text.split("\n\n"):
            if asked and ran and _ANSWER.match(block):
                block = f"<details><summary>{word('answer')}</summary>\n\n{block}\n\n</details>"
            asked = block.startswith(title) or (asked and not ran and bool(_ANSWER.match(block)))
            ran = False
            blocks.append(block)
        result.append("\n\n".join(blocks))
    return result


def _cell(
    lesson: Lesson, index: int, cell: Cell, exercises: Mapping[str, Exercise], *, solved: bool
) -> nbformat.NotebookNode:
    identity: dict[str, Any] = {"id": hashlib.sha256(f"{lesson.slug}/{index}".encode()).hexdigest()[:12]}
    metadata = {"tags": sorted(cell.tags)} if cell.tags else {}
    if cell.kind is CellKind.TEXT:
        source = joined(linked(cell.source))
        for id_ in task_marks(source):
            source = replace_task_mark(source, id_, joined(task_markdown(_in_cells(exercises[id_]))))
        source = source.replace(MERMAID, f"{MERMAID}{MERMAID_THEME}")
        text: nbformat.NotebookNode = V4.new_markdown_cell(source, metadata=metadata, **identity)
        return text
    source = f"%%bash\n{cell.source}" if cell.kind is CellKind.SHELL else cell.source
    if SETUP_TAG in cell.tags:
        source = f"!grader lessons start {lesson.number}"
    if EXERCISE_TAG in cell.tags:
        exercise = exercises[exercise_of(cell)]
        source = _solved(source, exercise) if solved else f"{source}\n{starter(exercise)}"
    code: nbformat.NotebookNode = V4.new_code_cell(source, metadata=metadata, **identity)
    return code


def _solved(magic: str, exercise: Exercise) -> str:
    """Write the cell that solves an exercise: its reference, applied, or run in the exercise's Namespace."""
    reference = exercise.answers[0]
    if reference.form is Form.MANIFEST:
        return f"{magic}\n{reference.text.rstrip()}"
    return f"%%bash\n{_IN_NAMESPACE.format(namespace=exercise.namespace)}\n{reference.text.rstrip()}"


def exercise_of(cell: Cell) -> str:
    """Find the exercise that a cell `%%apply EXERCISE` is about."""
    return cell.source.split()[1]
