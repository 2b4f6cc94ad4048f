"""The way through the course, as Markdown for notebooks: the start page, the map with marks, links onwards. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from grader.lessons.formats import nbformat
from grader.lessons.notebook import V4, notebook_of
from grader.lessons.outline import Outline
from grader.lessons.words import word

START = "00-start"
"""The name of the start page, without its ending; it stands before the lessons."""


def link(lesson: Outline) -> str:
    """Give the link to the notebook of a lesson, from another one beside it."""
    return f"[{lesson.number}. {lesson.title}]({lesson.notebook})"


def course_map(
    lessons: Sequence[Outline], passed: Collection[str], here: Outline | None, newer: Sequence[Outline] = ()
) -> str:
    """Give the table of the lessons: mark, title, minutes, exercises that passed; above it the link to where one was.

    Args:
        lessons: all of them, in order.
        passed: ids of the exercises that have passed.
        here: the lesson to go on with; None where all is done.
        newer: lessons of which an update of the course has a newer version than the learner's own.

    """
    heads = [word(f"way.head.{name}") for name in ("mark", "lesson", "minutes", "exercises")]
    rows = [f"| {' | '.join(heads)} |", "| :-: | :-- | --: | --: |"]
    for lesson in lessons:
        done = sum(name in passed for name in lesson.exercises)
        state = "passed" if done == len(lesson.exercises) else "here" if lesson == here else "open"
        minutes = word("way.minutes", minutes=lesson.whole)
        rows.append(f"| {word(f'way.mark.{state}')} | {link(lesson)} | {minutes} | {done} / {len(lesson.exercises)} |")
    first = here == lessons[0] and not passed
    lead = word("way.begin" if first else "way.continue", lesson=link(here)) if here else word("way.finished")
    offers = [word("way.newer", lesson=link(lesson), number=lesson.number) for lesson in newer]
    return "\n\n".join([lead, "\n".join(rows), *offers])


def start_page(shown_map: str) -> nbformat.NotebookNode:
    """Make the notebook that JupyterLab opens first: how a cell is run, and the map, which its cell draws anew."""
    shown = V4.new_output("display_data", data={"text/markdown": shown_map, "text/plain": shown_map})
    cells = [
        V4.new_markdown_cell(word("way.page"), id="way-text"),
        V4.new_code_cell("progress()", id="way-map", outputs=[shown]),
    ]
    return notebook_of(cells, word("way.title"))


def onwards(lesson: Outline, lessons: Sequence[Outline]) -> str:
    """Give the end of a lesson: the link to the next one, after the last one back to the start page."""
    after = next((other for other in lessons if other.number == lesson.number + 1), None)
    start = f"{START}.ipynb"
    return word("way.next", lesson=link(after), start=start) if after else word("way.end", start=start)
