"""Every page of the built site can be read by everybody, as far as axe can tell, small and light, large and dark."""

from __future__ import annotations

import pytest

from tests.site.axe import ROOT_OF_HOST, pages, violations
from tests.site.browsers import SITE, browser, serving

pytestmark = pytest.mark.browser


LOOKS = (("light", 360), ("dark", 1440))  # `python -m tests.site.axe` looks at all four


def test_axe_finds_nothing_on_any_page() -> None:
    assert len(pages()) > 60
    with serving(SITE, ROOT_OF_HOST) as server, browser("chrome") as window:
        assert list(violations(window, server, LOOKS, pages())) == []
