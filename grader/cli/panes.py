"""What the screen of `grader watch` shows, as lines of styled text that are never wider than the terminal. Pure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from rich.cells import cell_len
from rich.markdown import Markdown
from rich.text import Text

from grader.cli.overview import line_of
from grader.model.exercise import Exercise
from grader.render.card import error_card, report_card
from grader.render.terminal import Terminal, body_lines, console, head_lines, typed
from grader.text import labels
from grader.text.commands import in_terminal
from grader.workflow.session.progress import Progress
from grader.workflow.session.watch import Doing, Seen

MARGIN = 1
"""Columns that stay free: a terminal may show → and ✓ two columns wide, and a line that is too long wraps."""

BAR = 24
BESIDE_TITLE = 23
"""Columns of a line of the list beside id and title: mark, points, state."""

_DOING = {
    Doing.BEGINNING: "beginning",
    Doing.RESETTING: "resetting",
    Doing.JUDGING: "judging",
    Doing.WATCHING: "watching-now",
}


class Pane(Enum):
    """What is shown below the verdict."""

    TASK = auto()
    VERDICT = auto()
    HINTS = auto()
    SOLUTION = auto()
    LIST = auto()


@dataclass(frozen=True)
class View:
    """Everything that is on the screen.

    Attributes:
        seen: the exercise and its verdict.
        exercises: all of them, in order.
        progress: what is known of them.
        pane: what is shown below the verdict.
        top: how many lines of it are scrolled away.
        chosen: which exercise of the list is chosen, from 0.
        hints: Japanese Markdown, those that are open.
        lookback: Japanese Markdown, the learner's answer beside the right ones, "" without one.
        note: an answer to the last key, "" for none.
        file: where the learner edits, as it is typed.
    """

    seen: Seen
    exercises: Sequence[Exercise]
    progress: Progress
    pane: Pane = Pane.TASK
    top: int = 0
    chosen: int = 0
    hints: tuple[str, ...] = ()
    lookback: str = ""
    note: str = ""
    file: str = ""


@dataclass(frozen=True)
class Page:
    """A screen's lines.

    Attributes:
        lines: as many as the terminal has, with ANSI styles.
        top: how far the pane is scrolled: no farther than its end.
    """

    lines: tuple[str, ...]
    top: int


class Painter:
    """Lays out views."""

    def __init__(self, *, color: bool, program: str) -> None:
        self._color, self._program = color, program

    def page(self, view: View, rows: int, columns: int) -> Page:
        """Lay a view out on a terminal of this size."""
        width = max(columns - MARGIN, 20)
        head = self._lines(self._head(view, width), width)
        foot = self._lines(_foot(view), width)
        room = max(rows - len(head) - len(foot), 1)
        body = self._body(view, width)
        top = max(min(view.top, len(body) - room), 0)
        if view.pane is Pane.LIST:  # the chosen one is in sight
            top = max(min(top, _row_of(view)), _row_of(view) - room + 2)  # the last line may tell how many follow
        shown = body[top : top + room]
        if len(body) > top + room:
            below = labels()["watch.more"].format(lines=len(body) - top - room + 1)
            shown[-1:] = self._lines([Text(below, style="dim")], width)
        lines = [*head, *shown, *[""] * (room - len(shown)), *foot]
        return Page(tuple(lines[:rows]), top)

    def _head(self, view: View, width: int) -> Iterator[Text]:
        seen, table = view.seen, labels()
        done, total = len(view.progress.passed & {item.id for item in view.exercises}), len(view.exercises)
        filled = round(BAR * done / max(total, 1))
        line = Text(f"[{'#' * filled}{'-' * (BAR - filled)}] ", style="cyan")
        line.append(table["watch.progress"].format(done=done, total=total))
        line.append(f"  {table['watch.lesson'].format(number=seen.exercise.lesson)} {seen.exercise.id}", style="bold")
        yield line
        if seen.error:
            yield from head_lines(error_card(seen.error), width)
        elif seen.report:
            yield from (text for text in head_lines(report_card(seen.report), width) if text.plain)
        else:
            doing = table[f"watch.{_DOING[seen.doing]}"].format(file=view.file)
            yield Text(f"{table['symbol.not-yet']} {doing}  {seen.exercise.title}", style="yellow")
        yield Text("-" * width, style="dim")

    def _body(self, view: View, width: int) -> list[str]:
        seen = view.seen
        match view.pane:
            case Pane.TASK:
                return self._markdown(seen.exercise.task, width)
            case Pane.HINTS:
                return self._markdown(_hints(view), width)
            case Pane.SOLUTION:
                return self._markdown(f"{seen.exercise.solution}\n\n{view.lookback}", width)
            case Pane.LIST:
                return self._lines(_listed(view, width), width)
        return self._lines(self._verdict(seen, width), width)

    def _verdict(self, seen: Seen, width: int) -> Iterator[Text]:
        table = labels()
        if seen.error:
            yield from body_lines(typed(error_card(seen.error), self._program), width)
            return
        if seen.report is None:
            return
        card = typed(report_card(seen.report), self._program)
        if seen.passed:  # first: a long card may leave no room for it
            yield Text("  " + table["watch.passed"], style="bold green")
            yield Text()
        yield from body_lines(replace(card, footer=()), width)
        if not seen.passed and any("kubectl " in sentence for _, sentence in card.parts):
            yield Text()
            yield Text("  " + in_terminal(table["watch.elsewhere"], self._program), style="dim")

    def _markdown(self, text: str, width: int) -> list[str]:
        shown = Markdown(in_terminal(text, self._program))
        return self._written(width, lambda out: out.print(shown, soft_wrap=False))

    def _lines(self, lines: Iterator[Text] | Sequence[Text], width: int) -> list[str]:
        def write(out: Terminal) -> None:
            for line in lines:
                if line.cell_len > width:
                    line = line.copy()
                    line.truncate(width, overflow="ellipsis")
                out.print(line)

        return self._written(width, write)

    def _written(self, width: int, write: Callable[[Terminal], None]) -> list[str]:
        file = io.StringIO()
        write(console(color=self._color, file=file, width=width, program=self._program))
        return file.getvalue().splitlines()


def _hints(view: View) -> str:
    total, table = len(view.seen.exercise.hints), labels()
    shown = (
        f"**{table['hint.title'].format(number=number, total=total)}**\n\n{text}"
        for number, text in enumerate(view.hints, 1)
    )
    return "\n\n".join(shown)


def _listed(view: View, width: int) -> Iterator[Text]:
    names = max(len(item.id) for item in view.exercises)
    titles = max(cell_len(item.title) for item in view.exercises)
    widths = (names, max(min(titles, width - names - BESIDE_TITLE), 0))
    lesson = 0
    for index, item in enumerate(view.exercises):
        if item.lesson != lesson:
            lesson = item.lesson
            yield Text(labels()["watch.lesson"].format(number=lesson), style="bold")
        line = line_of(item, view.progress.of(item.id), widths)
        mark = Text(">" if index == view.chosen else " ", style="bold")
        line = mark + line[1:]
        if index == view.chosen:
            line.stylize("reverse")
        yield line


def _row_of(view: View) -> int:
    """Tell in which line of the list the chosen exercise is."""
    before = view.exercises[: view.chosen + 1]
    return view.chosen + len({item.lesson for item in before})


def _foot(view: View) -> Iterator[Text]:
    table, seen = labels(), view.seen
    yield Text()
    facts: Mapping[str, object] = {"file": view.file, "exercise": seen.exercise.id}
    if view.note:
        yield Text(view.note, style="bold yellow")
    else:
        key = "retrying" if seen.error else _DOING[seen.doing]
        yield Text(table[f"watch.{key}"].format(**facts), style="dim")
    yield Text(table["watch.keys-list" if view.pane is Pane.LIST else "watch.keys"])
