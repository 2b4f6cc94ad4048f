"""On a phone no lesson is wider than the screen, and its diagrams are drawn."""

from __future__ import annotations

import pytest

from tests.site.axe import SETTLED, pages
from tests.site.browsers import SITE, browser, serving

pytestmark = pytest.mark.browser


def test_no_lesson_is_wider_than_a_phone() -> None:
    wide = []
    with serving(SITE) as server, browser("chrome") as window:
        window.resize(360)
        for page in (page for page in pages() if page.startswith("lessons/")):
            window.open(server.address + page)
            window.evaluate(SETTLED % '"default"')
            drawn = window.evaluate("[...document.querySelectorAll('.mermaid')].map((drawn) => drawn.localName)")
            if window.evaluate("document.documentElement.scrollWidth") > 360 or "pre" in drawn:
                wide.append(page)
    assert wide == []
