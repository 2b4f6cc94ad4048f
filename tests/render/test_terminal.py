import io

import pytest
from rich.cells import cell_len

from grader.errors import ClusterMissing
from grader.model.report import Report
from grader.render.card import report_card
from grader.render.terminal import console, plain_text, print_error, print_report
from tests.render.samples import ALL, FAILED, PASSED

ESCAPE = "\x1b["


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(report: Report, file: io.StringIO, *, color: bool | None = None, width: int = 80) -> str:
    print_report(report, console(color=color, file=file, width=width))
    return file.getvalue()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_gets_colours() -> None:
    assert ESCAPE in shown(FAILED, Terminal())


def test_a_pipe_gets_none() -> None:
    assert ESCAPE not in shown(FAILED, io.StringIO())


def test_no_color_switches_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in shown(FAILED, Terminal())


def test_the_option_switches_them_off() -> None:
    assert ESCAPE not in shown(FAILED, Terminal(), color=False)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("report", ALL, ids=lambda report: report.verdict.value)
def test_no_line_is_wider_than_the_terminal(report: Report, width: int) -> None:
    assert all(cell_len(line) <= min(width, 100) for line in shown(report, io.StringIO(), width=width).splitlines())


def test_a_failed_card_reads_as_drawn() -> None:
    lines = plain_text(report_card(FAILED)).splitlines()
    assert lines[:4] == [
        "✗ 不合格  バックエンドに安定した宛先を与える — 0.5 / 6 点",
        "",
        "  マニフェスト ✓ → Service ✓ → EndpointSlice ✗ → DNS ・ → ClusterIP ・ → 応答 ・",
        "",
    ]
    labelled = [line.split()[0] for line in lines[4:] if line.startswith("  ") and not line.startswith("   ")]
    assert labelled[:3] == ["何が", "どこで", "次に"]


def test_only_what_differs_is_compared() -> None:
    text = plain_text(report_card(FAILED))
    assert text.count("期待") == text.count("実際") == 1
    assert "期待" not in plain_text(report_card(PASSED))


def test_square_brackets_are_words_and_not_markup() -> None:
    file = io.StringIO()
    print_error(ClusterMissing("cluster-missing", name="[red]x[/red]"), console(file=file, width=80))
    assert "[red]x[/red]" in file.getvalue()
