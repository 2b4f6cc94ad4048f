"""Cards as HTML for notebooks, feedback pages and the site: jinja2 with autoescape, no script, no request to any host.

Colours follow JupyterLab's theme, the site's palette, or the system, whichever is there; words and symbols carry the
meaning, so that colour is never the only sign.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from grader.errors import CourseError
from grader.model.report import Report
from grader.render.card import Card, error_card, report_card
from grader.render.wrap import Run, runs
from grader.text import labels


def _runs(text: str) -> list[list[Run]]:
    """Lines of runs, for the template to mark code without building HTML from strings."""
    return [list(runs(line)) for line in text.splitlines()]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.render", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["runs"] = _runs
    return environment


@cache
def template(name: str) -> Template:
    """Load a template of `templates/`."""
    return _environment().get_template(name)


def stylesheet() -> str:
    """Give the style sheet that every card carries."""
    return template("card.css").render()


def layout(card: Card, *, style: bool = True, open_details: bool = False) -> str:
    """Lay a card out as an HTML fragment.

    Args:
        card: the words.
        style: whether the fragment carries its style sheet; False where the page has it already.
        open_details: whether the table of criteria is unfolded from the start.

    """
    return template("card.html.j2").render(card=card, words=labels(), style=style, open_details=open_details)


def card(report: Report, *, style: bool = True, open_details: bool = False) -> str:
    """Give the card of a Report as an HTML fragment. Raises KeyError where a catalogue lacks a code or a fact."""
    return layout(report_card(report), style=style, open_details=open_details)


def error(error: CourseError, *, title: str = "") -> str:
    """Give the card of an error as an HTML fragment. Raises KeyError for a code without words."""
    return layout(error_card(error, title))
