"""Write what is generated from the lessons and exercises: notebooks, and the Markdown that MkDocs reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from grader.exercises import all_exercises
from grader.lessons.limits import limits_page
from grader.lessons.meta import exercise_meta, front_matter, lesson_meta
from grader.lessons.notebook import learner_notebook, solution_notebook, written
from grader.lessons.outline import lessons_root, outlines
from grader.lessons.outputs import read_outputs
from grader.lessons.page import catalogue_page, exercise_page, lesson_page, soundness_page
from grader.lessons.source import Lesson, read_lessons
from grader.lessons.way import onwards
from grader.lessons.words import word
from grader.model.exercise import Exercise
from grader.paths import content_root, write_atomically


def build_notebooks(
    target: Path, *, solved: bool = False, learner: str = "", only: Collection[str] = ()
) -> tuple[Path, ...]:
    """Write one notebook a lesson into `target`, and return their paths, by lesson.

    Args:
        target: folder to write.
        solved: with the reference answers.
        learner: whose values exercises show that differ from learner to learner, "": the canonical ones.
        only: slugs of the lessons ("03-clusterip"); empty: all.

    Raises ContentError for a malformed lesson or exercise, OSError where the folder cannot be written.
    """
    exercises = {exercise.id: exercise for exercise in all_exercises(learner)}
    heads = {head.number: head for head in outlines()}
    paths: list[Path] = []
    for lesson in read_lessons(only=only):
        head = heads[lesson.number]
        end = "" if solved else onwards(head, tuple(heads.values()))
        made = solution_notebook(lesson, exercises) if solved else learner_notebook(lesson, exercises, end)
        path = target / head.notebook
        write_atomically(path, written(made))
        paths.append(path)
    return tuple(paths)


def build_site(target: Path, pages: Path) -> None:
    """Write the Markdown that MkDocs builds: what `pages` holds, the lessons, the exercises, the notebooks.

    Args:
        target: folder to write; what an earlier build left there is removed.
        pages: the site's own pages and assets.

    Raises ContentError for a malformed lesson or exercise, OSError where the folder cannot be written.

    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(pages, target)
    exercises = {exercise.id: exercise for exercise in all_exercises()}
    lessons = {lesson.number: lesson for lesson in read_lessons()}
    for path, text in _pages(lessons, exercises).items():
        write_atomically(target / path, text)
    build_notebooks(target / "notebooks")


def _pages(lessons: Mapping[int, Lesson], exercises: Mapping[str, Exercise]) -> dict[str, str]:
    record = json.loads((content_root() / "exercises" / "verified.json").read_text(encoding="utf-8"))
    pages = {
        "exercises/index.md": _described("catalogue") + catalogue_page(exercises.values(), lessons),
        "embedded-fields.md": _described("limits") + limits_page(),
        "exercises/soundness.md": _described("soundness") + soundness_page(exercises.values(), record),
    }
    for lesson in lessons.values():
        text = lesson_page(lesson, exercises, read_outputs(lessons_root(), lesson))
        pages[f"lessons/{lesson.slug}.md"] = lesson_meta(lesson.slug) + text
    for exercise in exercises.values():
        text = exercise_page(exercise, lessons.get(exercise.lesson))
        pages[f"exercises/{exercise.id}.md"] = exercise_meta(exercise) + text
    return pages


def _described(page: str) -> str:
    return front_matter(word(f"{page}.description"))
