"""The built site needs no other host: every script, style sheet, image and font comes from the site itself."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from grader.lessons.build import build_site

ROOT = Path(__file__).resolve().parents[2]
FETCHED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
}
LINKED = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest", "modulepreload"}
ELSEWHERE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
CSS_REFERENCE = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)


class References(HTMLParser):
    """Collects what a browser fetches from other hosts to show a page; links that a reader may follow are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        names = FETCHED.get(tag, ())
        if tag == "link" and LINKED & set(values.get("rel", "").split()):
            names = ("href",)
        self.found += [values[name] for name in names if ELSEWHERE.match(values.get(name, ""))]
        self.found += CSS_REFERENCE.findall(values.get("style", ""))


def fetched_from_elsewhere(html: str) -> list[str]:
    parser = References()
    parser.feed(html)
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    return parser.found + [found for style in styles for found in CSS_REFERENCE.findall(style)]


def files(site: Path, ending: str) -> Iterator[Path]:
    found = sorted(site.rglob(f"*.{ending}"))
    assert found
    yield from found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config_module = pytest.importorskip("mkdocs.config")
    build_module = pytest.importorskip("mkdocs.commands.build")
    folder = tmp_path_factory.mktemp("site")
    build_site(folder / "docs", ROOT / "site" / "pages")
    shutil.copy(ROOT / "site" / "mkdocs.yml", folder / "mkdocs.yml")
    shutil.copytree(ROOT / "site" / "theme", folder / "theme")
    config = config_module.load_config(
        str(folder / "mkdocs.yml"), docs_dir=str(folder / "docs"), site_dir=str(folder / "out"), strict=True
    )
    build_module.build(config)
    return folder / "out"


def test_the_scan_sees_what_comes_from_elsewhere() -> None:
    html = """<script src="https://cdn.example.com/x.js"></script><link rel="stylesheet" href="//fonts.example.com/css">
    <img src="http://img.example.com/a.png"><style>@import "https://css.example.com/a.css";</style>
    <p style="background: url(https://bg.example.com/b.png)"></p><a href="https://kubernetes.io/">may be followed</a>"""
    hosts = {re.sub(r"^(https?:)?//", "", found).split("/")[0] for found in fetched_from_elsewhere(html)}
    assert hosts == {
        "cdn.example.com",
        "fonts.example.com",
        "img.example.com",
        "css.example.com",
        "bg.example.com",
    }


def test_no_page_fetches_from_another_host(site: Path) -> None:
    for page in files(site, "html"):
        assert fetched_from_elsewhere(page.read_text(encoding="utf-8")) == [], page


def test_no_style_sheet_fetches_from_another_host(site: Path) -> None:
    for sheet in files(site, "css"):
        assert CSS_REFERENCE.findall(sheet.read_text(encoding="utf-8")) == [], sheet


def test_the_stand_in_for_mermaid_is_on_every_page_with_a_diagram(site: Path) -> None:
    pages = [page for page in files(site, "html") if 'class="mermaid"' in page.read_text(encoding="utf-8")]
    assert len(pages) >= 3
    for page in pages:
        assert "assets/mermaid-stub.js" in page.read_text(encoding="utf-8")


def test_our_search_stands_behind_the_box(site: Path) -> None:
    for page in files(site, "html"):
        assert "assets/browser/search-worker.js" in page.read_text(encoding="utf-8"), page
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "スティッキーセッション" in json.dumps(json.loads(index), ensure_ascii=False)


def test_every_page_is_described_in_words_of_its_own(site: Path) -> None:
    described = {}
    for page in files(site, "html"):
        found = re.search(r'<meta name="description" content="([^"]+)"', page.read_text(encoding="utf-8"))
        assert found, page
        if page.name != "404.html":
            described[page] = found[1]
    assert len(set(described.values())) == len(described)


def test_every_lesson_offers_its_notebook(site: Path) -> None:
    for page in sorted((site / "lessons").glob("*/index.html")):
        notebook = site / "notebooks" / f"{page.parent.name}.ipynb"
        assert notebook.is_file()
        assert f"notebooks/{page.parent.name}.ipynb" in page.read_text(encoding="utf-8")
