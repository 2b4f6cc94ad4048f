"""The screen of `grader watch` as lines: none too long, the verdict on all of them, no styles without colour."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from grader import exercises
from grader.cli.panes import Painter, Pane, View
from grader.workflow.session.progress import ExerciseProgress, Progress
from grader.workflow.session.watch import Doing, Seen
from tests.render.samples import FAILED, PASSED

ALL = exercises.all_exercises()
PLAIN = Painter(color=False, program=".venv/bin/grader")
VIEW = View(Seen(ALL[0], Doing.WATCHING, report=FAILED), ALL, Progress(), hints=ALL[0].hints)


@pytest.mark.parametrize("pane", Pane)
@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (12, 50), (60, 200)])
def test_every_pane_fits_and_shows_the_verdict(pane: Pane, rows: int, columns: int) -> None:
    lines = PLAIN.page(View(VIEW.seen, ALL, Progress(), pane=pane, hints=ALL[0].hints), rows, columns).lines
    assert len(lines) == rows
    assert all(cell_len(line) < columns for line in lines)
    assert any(line.startswith("✗ 不合格") for line in lines[:3])


def test_without_colour_nothing_is_styled() -> None:
    assert not any("\x1b" in line for line in PLAIN.page(VIEW, 24, 80).lines)


def test_the_bar_is_as_long_as_the_part_of_the_course_that_has_passed() -> None:
    half = {item.id: ExerciseProgress(passed_at="2026-01-01T00:00:00+00:00") for item in ALL[: len(ALL) // 2]}
    line = PLAIN.page(View(VIEW.seen, ALL, Progress(half)), 24, 80).lines[0]
    assert line.startswith("[############------------]")
    assert f"{len(half)} / {len(ALL)}" in line


@pytest.mark.parametrize("chosen", range(0, len(ALL), 5))
def test_the_chosen_exercise_of_the_list_is_in_sight(chosen: int) -> None:
    lines = PLAIN.page(View(VIEW.seen, ALL, Progress(), pane=Pane.LIST, chosen=chosen), 24, 80).lines
    assert [line for line in lines if line.startswith(">") and ALL[chosen].id in line]


def test_a_pane_is_scrolled_no_farther_than_its_end() -> None:
    view = View(VIEW.seen, ALL, Progress(), pane=Pane.TASK, top=10_000)
    page = PLAIN.page(view, 24, 80)
    assert 0 < page.top < 10_000
    assert not any("↓ あと" in line for line in page.lines)


def test_after_a_pass_the_key_that_goes_on_is_named() -> None:
    passed = Seen(ALL[0], Doing.WATCHING, report=PASSED)
    assert any(
        "n を押すと" in line for line in PLAIN.page(View(passed, ALL, Progress(), pane=Pane.VERDICT), 24, 80).lines
    )


def test_commands_are_written_as_they_are_typed_here() -> None:
    lines = PLAIN.page(View(VIEW.seen, ALL, Progress(), pane=Pane.VERDICT), 60, 90).lines
    assert any(".venv/bin/grader env" in line for line in lines)
