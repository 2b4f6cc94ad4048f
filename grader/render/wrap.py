"""Break mixed Japanese and Latin text into lines by display width, as Japanese typesetting does (JIS X 4051, kinsoku).

A line may break between Japanese characters and at spaces; never inside a Latin word (a flag, a name, an address) or a
katakana word, never before closing punctuation, never after an opening bracket. `code` in backquotes is marked, loses
the backquotes, and is broken only where it is wider than a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

NOT_FIRST = frozenset(
    "、。，・：？！ー〜…）」』】〉》\uff0e\uff1b\uff3d\uff5dっゃゅょぁぃぅぇぉッャュョァィゥェォ々%,.;:!?)]}"
)
NOT_LAST = frozenset("（「『【〈《\uff3b\uff5b([{")

_CODE = re.compile(r"`([^`\n]+)`")
_TOKEN = re.compile(r"\s+|[!-~]+|[ァ-ヴー]+|.")


@dataclass(frozen=True)
class Run:
    """A stretch of characters in one style.

    Attributes:
        text: the characters.
        code: whether it is something to type, or a name from a manifest.

    """

    text: str
    code: bool = False


Line = tuple[Run, ...]


def runs(text: str) -> Iterator[Run]:
    """Split a text at its backquotes into plain runs and code runs; an unpaired backquote stays as it is."""
    end = 0
    for match in _CODE.finditer(text):
        if match.start() > end:
            yield Run(text[end : match.start()])
        yield Run(match[1], code=True)
        end = match.end()
    if end < len(text):
        yield Run(text[end:])


def plain(text: str) -> str:
    """Give the text without its backquotes."""
    return "".join(run.text for run in runs(text))


def _width(units: Iterable[Run]) -> int:
    return sum(cell_len(run.text) for run in units)


def _units(text: str, width: int) -> Iterator[list[Run]]:
    """Give what may not be broken, one list a unit; white space is a unit, and a place to break.

    A command that fits into a line is one: it is to be copied from there.
    """
    unit: list[Run] = []
    for run in runs(text):
        whole = run.code and cell_len(run.text) <= width
        for token in [run.text] if whole else _TOKEN.findall(run.text):
            glued = unit and not token.isspace() and (token[0] in NOT_FIRST or unit[-1].text[-1] in NOT_LAST)
            if unit and (not glued or unit[-1].text.isspace()):
                yield unit
                unit = []
            unit.append(Run(token, run.code))
    if unit:
        yield unit


def _hard(unit: list[Run], width: int) -> Iterator[list[Run]]:
    """Cut a unit that is wider than a line."""
    for run in unit:
        for piece in chop_cells(run.text, width):
            yield [Run(piece, run.code)]


def _trimmed(line: list[Run]) -> Line:
    while line and line[-1].text.isspace():
        line.pop()
    joined: list[Run] = []
    for run in line:
        if joined and joined[-1].code == run.code:
            joined[-1] = Run(joined[-1].text + run.text, run.code)
        else:
            joined.append(run)
    return tuple(joined)


def wrap(text: str, width: int) -> list[Line]:
    """Break a text into lines no wider than `width` cells (at least 2); line breaks in the text are kept."""
    width = max(width, 2)
    lines: list[Line] = []
    for paragraph in text.splitlines() or [""]:
        line: list[Run] = []
        used = 0
        for whole in _units(paragraph, width):
            for unit in [whole] if _width(whole) <= width else _hard(whole, width):
                wide = _width(unit)
                if used + wide > width and line:
                    lines.append(_trimmed(line))
                    line, used = [], 0
                if not line and unit[0].text.isspace():
                    continue
                line.extend(unit)
                used += wide
        lines.append(_trimmed(line))
    return lines
