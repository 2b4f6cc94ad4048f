"""Cards as notebook output: HTML, with plain text for whatever cannot show HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from IPython.display import display

from grader.errors import CourseError
from grader.paths import program
from grader.render import html
from grader.render.card import Card, error_card
from grader.render.terminal import plain_text
from grader.text.commands import in_cell
from grader.workflow.session.crash import unexpected


class Output(Protocol):
    """An output that can be shown again in the same place."""

    def update(self, shown: object) -> None:
        """Show something else in place of it."""


class Shown:
    """A card as an output; its commands are written as cells."""

    def __init__(self, card: Card, *, open_details: bool = False) -> None:
        parts = tuple((label, in_cell(sentence, program())) for label, sentence in card.parts)
        self.card = replace(card, parts=parts)
        self.open_details = open_details

    def __repr__(self) -> str:
        return plain_text(self.card)

    def _repr_html_(self) -> str:
        return html.layout(self.card, open_details=self.open_details)


class Prose:
    """Markdown as an output; its commands are written as cells."""

    def __init__(self, text: str) -> None:
        self.text = in_cell(text, program())

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


class Note:
    """A line that says what is being done, until a card takes its place."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def put(shown: object) -> Output:
    """Show something, and return its place."""
    place: Output = display(shown, display_id=True)  # type: ignore[no-untyped-call]
    return place


@contextmanager
def told(place: Output | None = None) -> Iterator[None]:
    """Turn every error of the block into a card; a notebook shows no traceback of this program.

    Ctrl-C (the kernel's interrupt) goes through.
    """
    show: Callable[[object], object] = place.update if place else put
    try:
        yield
    except CourseError as error:
        show(Shown(error_card(error)))
    except Exception as error:  # the boundary to a learner: the traceback goes into a file, and the card says where
        show(Shown(error_card(unexpected(error))))
