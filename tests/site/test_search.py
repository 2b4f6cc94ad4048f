"""The search box of the built site finds what learners type, in both browsers, from a plain static server."""

from __future__ import annotations

import pytest

from tests.site.browsers import Browser, Server
from tests.site.search import asked, queries

pytestmark = pytest.mark.browser


def test_the_right_page_comes_first(window: Browser, server: Server) -> None:
    cases = queries() if window.name == "chrome" else queries()[::6]
    answers = list(asked(window, server, cases))
    assert [answer.query for answer in answers if not answer.found] == []
    assert [(answer.query, answer.found[:2]) for answer in answers if not answer.first_is_right] == []


def test_what_was_found_is_shown_with_its_words_marked(window: Browser, server: Server) -> None:
    list(asked(window, server, [("エンドポイント", "")]))
    shown = window.evaluate("document.querySelector('.md-search-result__list li').innerHTML")
    assert "<mark" in shown
    assert window.complaints == []
