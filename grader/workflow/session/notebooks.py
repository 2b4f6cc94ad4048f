"""Lay the lessons' notebooks into the learner's folder without ever losing what the learner wrote in them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.lessons.build import build_notebooks
from grader.lessons.notebook import written
from grader.lessons.outline import Outline, outlines
from grader.lessons.way import START, course_map, start_page
from grader.paths import write_atomically
from grader.workflow.session import history
from grader.workflow.session.place import left_off

LAID = ".laid.json"
"""Beside the notebooks: file name → hash of what was laid, so that an edited notebook is recognised."""
NEWEST = ".newest.json"
"""Beside it: file name → hash of what the course has for it now."""


@dataclass(frozen=True)
class Laid:
    """What `lay` laid.

    Attributes:
        start: the page that leads through the course.
        lessons: the lessons' notebooks, in order.

    """

    start: Path
    lessons: tuple[Path, ...]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _known(folder: Path, name: str) -> dict[str, str]:
    try:
        return dict(json.loads((folder / name).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _keep_known(folder: Path, name: str, known: Mapping[str, str]) -> None:
    write_atomically(folder / name, json.dumps(known, indent=1))


def lay(folder: Path, learner: str = "", passed: Collection[str] = ()) -> Laid:
    """Write the start page and each lesson's notebook; a lesson that the learner changed or ran is kept as it is.

    Args:
        folder: where.
        learner: whose values exercises show that differ from learner to learner.
        passed: ids of the exercises that have passed.

    Raises ContentError for a malformed lesson, OSError where the folder cannot be written.
    """
    known, newest = _known(folder, LAID), {}
    paths = []
    with tempfile.TemporaryDirectory() as scratch:
        for built in build_notebooks(Path(scratch), learner=learner):
            path, text = folder / built.name, built.read_text(encoding="utf-8")
            newest[path.name] = _hash(text)
            if not _touched(path, known):
                write_atomically(path, text)
                known[path.name] = newest[path.name]
            paths.append(path)
    _keep_known(folder, LAID, known)
    _keep_known(folder, NEWEST, newest)
    start = folder / f"{START}.ipynb"
    page = written(start_page(shown_map(folder, passed)))
    if start.is_file() and list(_sources(start.read_text(encoding="utf-8"))) != list(_sources(page)):
        history.keep(start)
    write_atomically(start, page)
    return Laid(start, tuple(paths))


def shown_map(folder: Path, passed: Collection[str]) -> str:
    """Draw the map of the course, as Markdown, for a notebook in this folder. Raises ContentError, OSError."""
    lessons = outlines()
    known, newest = _known(folder, LAID), _known(folder, NEWEST)
    worked = [path for lesson in lessons if _touched(path := folder / lesson.notebook, known)]
    newer = [item for item in lessons if folder / item.notebook in worked and _is_old(item, known, newest)]
    return course_map(lessons, passed, left_off(lessons, passed, worked), newer)


def renew(folder: Path, number: int, learner: str = "") -> tuple[Path, Path | None]:
    """Write the notebook of a lesson as it is in the course now; what the learner had is kept.

    Args:
        folder: where the notebooks are.
        number: the lesson's number.
        learner: whose values exercises show that differ from learner to learner.

    Returns the notebook, and where the former one is kept (None where it was as it had been laid).

    Raises UsageError ("lesson-unknown"), ContentError, OSError.
    """
    chosen = lesson(number)
    path, known = folder / chosen.notebook, _known(folder, LAID)
    with tempfile.TemporaryDirectory() as scratch:
        (built,) = build_notebooks(Path(scratch), learner=learner, only=(chosen.slug,))
        text = built.read_text(encoding="utf-8")
    kept = history.save(path, text) if _touched(path, known) else None
    write_atomically(path, text)
    _keep_known(folder, LAID, {**known, path.name: _hash(text)})
    return path, kept


def lesson(number: int) -> Outline:
    """Find a lesson by its number. Raises UsageError ("lesson-unknown"), ContentError."""
    known = outlines()
    for item in known:
        if item.number == number:
            return item
    raise UsageError("lesson-unknown", number=number, last=known[-1].number)


def _touched(path: Path, known: Mapping[str, str]) -> bool:
    return path.exists() and _hash(path.read_text(encoding="utf-8")) != known.get(path.name)


def _is_old(item: Outline, known: Mapping[str, str], newest: Mapping[str, str]) -> bool:
    return newest.get(item.notebook, "") not in ("", known.get(item.notebook))


def _sources(text: str) -> Iterator[str]:
    """Give what the cells of a notebook say; nothing where it is none."""
    try:
        cells = json.loads(text)["cells"]
        yield from ("".join(cell["source"]) for cell in cells)
    except (ValueError, KeyError, TypeError):
        return
