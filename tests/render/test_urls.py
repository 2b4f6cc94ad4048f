"""A pass names the URL by which this machine reaches a node port, and tells where it is another port."""

from __future__ import annotations

from dataclasses import replace

from grader.model.report import HostUrl, Report
from grader.render.card import report_card
from tests.render.samples import PASSED


def card_text(url: str) -> str:
    report = replace(PASSED, urls=(HostUrl("web", 30080, url),))
    assert Report.from_json(report.to_json()) == report
    return "\n".join(sentence for _, sentence in report_card(report).parts)


def test_the_url_that_works_is_named() -> None:
    text = card_text("http://127.0.0.1:30080")
    assert "`curl http://127.0.0.1:30080`" in text
    assert "grader doctor" not in text


def test_a_port_that_somebody_else_holds_is_told_beside_it() -> None:
    text = card_text("http://127.0.0.1:40001")
    assert "`curl http://127.0.0.1:40001`" in text
    assert "手元のポート30080" in text
    assert "grader doctor" in text
