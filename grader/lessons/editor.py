"""The editor of an exercise on its page: a block of HTML that `site/browser/page.ts` brings to life."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from grader.model.exercise import Exercise
from grader.text import catalogue

VERBS = ("apply", "check", "hint", "reset")
MOST_ROWS = 30


@cache
def _template() -> Template:
    loader = PackageLoader("grader.lessons", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("editor.html.j2")


def editor(exercise: Exercise) -> str:
    """Give the editor as HTML: the starter, a button a verb of `window.course`, the words that the script says."""
    rows = min(exercise.starter.count("\n") + 2, MOST_ROWS)
    return _template().render(exercise=exercise, rows=rows, verbs=VERBS, words=catalogue("browser"))
