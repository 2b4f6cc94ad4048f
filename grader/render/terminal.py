"""Cards as terminal text. Every colour has a word beside it, so that nothing is lost where colours are off."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from grader.errors import CourseError
from grader.model.report import Report
from grader.render.card import Card, Row, error_card, report_card
from grader.render.wrap import Line, wrap
from grader.text import labels
from grader.text.commands import GRADER, in_terminal

WIDEST = 100
"""Columns after which lines become hard to read, on a wide terminal too."""

STYLES = {
    "pass": "green",
    "fail": "red",
    "not-yet": "yellow",
    "environment-error": "magenta",
    "skipped": "dim",
    "holds": "green",
    "broken": "bold red",
    "moving": "yellow",
    "unknown": "dim",
}

_INDENT = "  "


class Terminal(Console):
    """A console on which a call of `grader` is printed as it is typed there.

    Attributes:
        program: what starts this program in the reader's shell.

    """

    program = GRADER

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, as a console does; strings with their commands as they are typed."""
        super().print(
            *(in_terminal(item, self.program) if isinstance(item, str) else item for item in objects), **options
        )


def console(
    *, color: bool | None = None, file: TextIO | None = None, width: int | None = None, program: str = GRADER
) -> Terminal:
    """Open a console; colours are off where `color` is False, NO_COLOR is set, or the file is not a terminal.

    Args:
        color: False for --no-color, True to force colours, None to find out.
        file: where to write, standard output where None.
        width: columns, found out where None.
        program: what starts this program in the reader's shell.

    """
    file = file or sys.stdout
    off = color is False or (color is None and bool(os.environ.get("NO_COLOR")))
    made = Terminal(
        file=file,
        color_system=None if off else "auto",
        force_terminal=True if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        width=width,
    )
    made.program = program
    return made


def _styled(line: Line, style: str = "") -> Text:
    text = Text(style=style)
    for run in line:
        text.append(run.text, style="bold cyan" if run.code and style != "dim" else "")
    return text


def paragraph(label: str, sentence: str, width: int, *, label_width: int, style: str = "") -> list[Text]:
    """Lay a sentence behind a label: the label on the first line, the lines after it indented to the same column."""
    lines = wrap(sentence, width - label_width - len(_INDENT) - 1)
    shown = []
    for index, line in enumerate(lines):
        head = label if index == 0 else ""
        text = Text(_INDENT)
        text.append(head + " " * (label_width - cell_len(head) + 1), style="dim" if style == "dim" else "bold")
        text.append_text(_styled(line, style))
        shown.append(text)
    return shown


def _headline(card: Card, width: int) -> list[Text]:
    style = STYLES[card.tone]
    text = Text()
    text.append(f"{card.symbol} {card.verdict}", style=f"bold {style}")
    one = text.copy()
    if card.title:
        one.append(f"  {card.title}", style="bold")
    if card.points:
        one.append(f" — {card.points}" if card.title else f"  {card.points}")
    if one.cell_len <= width:
        return [one]
    text.append(f" — {card.points}" if card.points else "")
    title = wrap(card.title, width - len(_INDENT))
    return [text, *(Text(_INDENT).append_text(_styled(line, "bold")) for line in title)]


def _chain(card: Card, width: int) -> list[Text]:
    lines: list[Text] = []
    line = Text(_INDENT)
    for index, hop in enumerate(card.chain):
        piece = Text()
        piece.append(f"{hop.name} {hop.symbol}", style=STYLES[hop.tone])
        arrow = " → " if index else ""
        if line.cell_len + cell_len(arrow) + piece.cell_len > width and line.cell_len > len(_INDENT):
            lines.append(line)
            line = Text(_INDENT + "→ ")
            arrow = ""
        line.append(arrow, style="dim")
        line.append_text(piece)
    lines.append(line)
    return lines


def _row(row: Row, width: int, label_width: int, pair: Row | None) -> Iterable[Text]:
    table = labels()
    style = STYLES[row.tone]
    head = Text(_INDENT)
    head.append(f"{row.symbol} ", style=style)
    head.append(row.hop, style="dim" if row.tone == "skipped" else "")
    head.append(f" {row.subject}" if row.subject else "", style="dim")
    head.append(f"  {row.points} {table['table.points']}", style="dim")
    head.append(f"  {row.verdict}", style=style)
    yield head
    for told in wrap(row.aspect, width - 2 * len(_INDENT)) if row.aspect else ():
        yield Text(_INDENT * 2).append_text(_styled(told, "dim"))
    if row.tone in ("pass", "skipped"):
        return  # nothing to compare: what was expected was seen, or was not reached
    if row == pair:
        return  # it stands above, side by side
    for key, sentence in (("table.expected", row.expected), ("table.seen", row.seen)):
        for line in paragraph(table[key], sentence, width - 2, label_width=label_width):
            yield Text(_INDENT).append_text(line)


def _pair(row: Row, width: int) -> Iterable[Text]:
    """Lay what was expected and seen side by side, in two columns of the same width."""
    table = labels()
    gap = " │ "
    column = (width - len(_INDENT) - cell_len(gap)) // 2
    for told in wrap(" ".join(filter(None, (row.hop, row.subject, row.aspect))), width - len(_INDENT)):
        yield Text(_INDENT).append_text(_styled(told, "dim"))
    heads = ([Text(table["table.expected"], style="bold")], [Text(table["table.seen"], style="bold")])
    bodies = tuple([_styled(line) for line in wrap(text, column)] for text in (row.expected, row.seen))
    for left, right in (*zip(*heads, strict=True), *zip_longest(*bodies, fillvalue=Text())):
        line = Text(_INDENT)
        line.append_text(left)
        line.append(" " * (column - left.cell_len) + gap, style="dim")
        line.append_text(right)
        yield line


def head_lines(card: Card, width: int) -> list[Text]:
    """Lay the verdict and the chain out: what is always to be seen of a card."""
    width = min(width, WIDEST)
    return [*_headline(card, width), *([Text(), *_chain(card, width)] if card.chain else ())]


def body_lines(card: Card, width: int, *, details: bool = True) -> list[Text]:
    """Lay out what a card says of its verdict."""
    width = min(width, WIDEST)
    table = labels()
    lines: list[Text] = []
    label_width = max((cell_len(label) for label, _ in card.parts), default=0)
    for label, sentence in card.parts:
        lines += paragraph(label, sentence, width, label_width=label_width)
    if card.pair:
        lines += [Text(), *_pair(card.pair, width)]
    if details and card.rows:
        caption = table["card.details"].format(passed=card.passed, total=len(card.rows))
        lines += [Text(), Text(_INDENT + caption, style="dim")]
        row_label = max(cell_len(table["table.expected"]), cell_len(table["table.seen"]))
        for row in card.rows:
            lines += _row(row, width, row_label, card.pair)
    if card.footer:
        small = wrap(" ・ ".join(card.footer), width - len(_INDENT))
        lines += [Text(), *(Text(_INDENT).append_text(_styled(line, "dim")) for line in small)]
    return lines


def card_lines(card: Card, width: int, *, details: bool = True) -> list[Text]:
    """Lay a card out in lines of at most `width` columns, and no more than are easy to read."""
    return [*head_lines(card, width), Text(), *body_lines(card, width, details=details)]


def typed(card: Card, program: str) -> Card:
    """Write the commands of a card as they are typed in this terminal."""
    return replace(card, parts=tuple((label, in_terminal(sentence, program)) for label, sentence in card.parts))


def print_card(card: Card, out: Console, *, details: bool = True) -> None:
    """Write a card to a console."""
    program = out.program if isinstance(out, Terminal) else GRADER
    for line in card_lines(typed(card, program), out.width, details=details):
        out.print(line)


def print_report(report: Report, out: Console, *, details: bool = True) -> None:
    """Write the card of a Report to a console. Raises KeyError where a catalogue lacks a code or a fact."""
    print_card(report_card(report), out, details=details)


def print_error(error: CourseError, out: Console) -> None:
    """Write the card of an error to a console. Raises KeyError for a code without words."""
    print_card(error_card(error), out)


def plain_text(card: Card, width: int = 80) -> str:
    """Give a card as text without any styling, such as a notebook's text/plain."""
    return "\n".join(line.plain.rstrip() for line in card_lines(card, width))
