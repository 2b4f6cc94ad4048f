from dataclasses import replace
from html.parser import HTMLParser

import pytest

from grader.errors import UsageError
from grader.model.report import Report
from grader.render import html
from tests.render.samples import ALL, FAILED, PASSED

VOID = {"br", "meta", "img", "input", "hr", "link"}


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Balanced:
    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("report", ALL, ids=lambda report: report.verdict.value)
def test_a_card_is_well_formed(report: Report) -> None:
    parsed(html.card(report))


def test_what_a_learner_wrote_cannot_become_markup() -> None:
    hostile = '<script>alert(1)</script><img src=x onerror="y">'
    facts = {**FAILED.finding.facts, "selector": hostile}
    row = replace(FAILED.criteria[1], seen=hostile, expected="`" + hostile + "`")
    report = replace(FAILED, title=hostile, finding=replace(FAILED.finding, facts=facts), criteria=(row,))
    tags = {tag for tag, _ in parsed(html.card(report)).seen}
    assert not tags & {"script", "img"}


@pytest.mark.parametrize("report", ALL, ids=lambda report: report.verdict.value)
def test_colour_is_never_the_only_sign(report: Report) -> None:
    text = html.card(report, style=False)
    for _, state in report.chain:
        assert {"holds": "通りました", "broken": "ここで止まっています", "moving": "変化の途中です",
                "unknown": "まだ確かめていません"}[state.value] in text  # fmt: skip


def test_symbols_are_hidden_from_a_screen_reader_that_hears_the_words() -> None:
    marks = [attrs for _, attrs in parsed(html.card(FAILED)).seen if attrs.get("class") == "gsc-mark"]
    assert marks and all(attrs["aria-hidden"] == "true" for attrs in marks)


def test_a_card_asks_no_other_host_for_anything() -> None:
    text = html.card(PASSED)
    assert "http://" not in text and "https://" not in text and "url(" not in text


def test_a_page_that_has_the_style_sheet_gets_cards_without_it() -> None:
    assert "<style>" not in html.card(PASSED, style=False)
    assert ".gsc-card" in html.stylesheet()


def test_light_and_dark_follow_jupyterlab_the_site_and_the_system() -> None:
    sheet = html.stylesheet()
    for selector in ('[data-jp-theme-light="false"]', '[data-md-color-scheme="slate"]', "color-scheme: light dark"):
        assert selector in sheet


def test_code_is_marked_as_code() -> None:
    assert "<code>kubectl get pods -n clusterip --show-labels</code>" in html.card(FAILED)


def test_an_error_is_a_card_too() -> None:
    text = html.error(UsageError("exercise-unknown", exercise="<b>", known="clusterip"))
    parsed(text)
    assert "&lt;b&gt;" in text and "gsc-fail" in text
