"""Home shows a verdict as the grader gives it, and names the repository only where there is one."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from grader.paths import content_root


@pytest.fixture(scope="module")
def home() -> ModuleType:
    spec = importlib.util.spec_from_file_location("home", content_root() / "site" / "home.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (content_root() / "site" / "pages" / "index.md").read_text(encoding="utf-8")


def test_the_repository_is_named_where_it_is_known(home: ModuleType, page: str) -> None:
    shown = home.filled(page, "", "https://git.example.org/a/b/")
    assert "git clone https://git.example.org/a/b services-course" in shown
    assert "url=https://git.example.org/a/b)" in shown


def test_nothing_is_said_of_a_repository_that_is_not_known(home: ModuleType, page: str) -> None:
    shown = home.filled(page, "", "")
    assert "git clone" not in shown
    assert "REPO_URL" not in shown
    assert "make start" in shown


def test_the_verdict_is_one_that_the_grader_gives(
    home: ModuleType, page: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path_factory.mktemp("home")))
    card = home.verdict()
    assert "gsc-fail" in card and "backend-service" in card
    assert "\n\n" not in home.filled(page, card, "").split('class="home-verdict"')[1].split("</div>\n\n")[0]
