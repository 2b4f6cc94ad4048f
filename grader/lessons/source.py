"""Read a lesson: jupytext Markdown with a `course:` block in its front matter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import jupytext

from grader.errors import ContentError
from grader.lessons.outline import TASK_MARK, TITLE, lessons_root

EXERCISE_TAG = "exercise"
SETUP_TAG = "setup"
"""The cell of commands that `grader lessons start` runs."""
_BASH = "%%bash\n"


class CellKind(StrEnum):
    """What a cell of a lesson is."""

    TEXT = "text"
    SHELL = "shell"
    PYTHON = "python"


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson.

    Attributes:
        kind: text, shell commands, or Python.
        source: Markdown, the commands without the `%%bash` line, or Python.
        tags: jupytext cell tags.

    """

    kind: CellKind
    source: str
    tags: frozenset[str] = frozenset()

    @property
    def prints(self) -> bool:
        """Tell whether its output is recorded: it is executed, and no card comes of it."""
        return self.is_code and self.tags <= {SETUP_TAG}

    @property
    def is_code(self) -> bool:
        """Tell whether it is executed."""
        return self.kind is not CellKind.TEXT


@dataclass(frozen=True)
class Lesson:
    """One lesson, as read from its source.

    Attributes:
        slug: file name without its ending, "03-clusterip".
        number: the section of the article that it mirrors.
        title: Japanese title, without the number.
        exercises: ids of the exercises it sets, in order.
        namespace: the Namespace that its commands use.
        minutes: how long a learner reads and runs its cells, about, without the exercises.
        cells: its cells, in order.

    """

    slug: str
    number: int
    title: str
    exercises: tuple[str, ...]
    namespace: str
    minutes: int
    cells: tuple[Cell, ...]

    @property
    def setup(self) -> str:
        """The commands that make what the lesson begins with."""
        return "\n".join(cell.source.rstrip() for cell in self.cells if SETUP_TAG in cell.tags) + "\n"


def read_lessons(folder: Path | None = None, only: Collection[str] = ()) -> tuple[Lesson, ...]:
    """Read every lesson of the course, or those of these slugs, by number. Raises ContentError for a malformed one."""
    paths = (path for path in (folder or lessons_root()).glob("[0-9]*.md") if not only or path.stem in only)
    return tuple(sorted(map(read_lesson, paths), key=lambda lesson: lesson.number))


def read_lesson(path: Path) -> Lesson:
    """Read one lesson. Raises ContentError with facts file, line, field, reason where it is malformed."""
    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="md")
    heading = TITLE.search(text)
    if not heading:
        raise _malformed(path, 1, "title", "the first heading must be `# NUMBER. TITLE`")
    course = notebook.metadata.get("course", {})
    for field, kind in (("lesson", int), ("minutes", int), ("namespace", str), ("exercise", str)):
        if not isinstance(course.get(field), kind):
            raise _malformed(path, 2, f"course.{field}", f"must be given, as {kind.__name__}")
    if int(heading["number"]) != course["lesson"]:
        line = text[: heading.start()].count("\n") + 1
        raise _malformed(
            path, line, "title", f"the heading says {heading['number']}, the front matter {course['lesson']}"
        )
    marks = tuple(match["id"] for match in TASK_MARK.finditer(text))
    if course["exercise"] not in marks:
        raise _malformed(path, 1, "course.exercise", f"no line `<!-- exercise: {course['exercise']} -->` in the text")
    return Lesson(
        slug=path.stem,
        number=course["lesson"],
        title=heading["title"].strip(),
        exercises=marks,
        namespace=course["namespace"],
        minutes=course["minutes"],
        cells=tuple(_cell(raw) for raw in notebook.cells),
    )


def task_marks(text: str) -> tuple[str, ...]:
    """Find the exercises whose task a Markdown cell asks for."""
    return tuple(match["id"] for match in TASK_MARK.finditer(text))


def replace_task_mark(text: str, exercise: str, task: str) -> str:
    """Put the task's Markdown where the cell asks for it."""
    return text.replace(f"<!-- exercise: {exercise} -->", task)


def _cell(raw: jupytext.cell_to_text.NotebookNode) -> Cell:
    tags = frozenset(raw.metadata.get("tags", ()))
    if raw.cell_type != "code":
        return Cell(CellKind.TEXT, raw.source, tags)
    if raw.source.startswith(_BASH):
        return Cell(CellKind.SHELL, raw.source.removeprefix(_BASH), tags)
    return Cell(CellKind.PYTHON, raw.source, tags)


def _malformed(path: Path, line: int, field: str, reason: str) -> ContentError:
    return ContentError("lesson-malformed", file=f"course/{path.name}", line=line, field=field, reason=reason)
