"""The built site behind a plain static server, and both browsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.site.browsers import SITE, Browser, Server, browser, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    assert (SITE / "assets" / "browser" / "manifest.json").is_file(), "make site builds it"
    with serving(SITE) as running:
        yield running


@pytest.fixture(scope="module", params=["chrome", "firefox"])
def window(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with browser(request.param) as started:
        yield started
