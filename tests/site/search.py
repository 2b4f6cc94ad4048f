"""Ask the search box of the built site what learners type, and print which page comes first.

    python -m tests.site.search [--browser firefox] [--site FOLDER] [FILE]

FILE has a query and a pattern of right pages a line, with a tab between; without it, `search.tsv` beside this file.
Exit status 1 where a first page is wrong. The site must have been built (`make site`).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.site.browsers import SITE, Browser, Server, browser, serving

QUERIES = Path(__file__).with_name("search.tsv")
ASK = """new Promise((resolve) => {
  const input = document.querySelector("[data-md-component=search-query]");
  const [meta, list] = document.querySelector("[data-md-component=search-result]").children;
  input.focus();
  const deadline = Date.now() + 20000;
  const type = (text, then) => {
    meta.textContent = "";
    input.value = text;
    input.dispatchEvent(new Event("keyup", { bubbles: true }));
    const wait = () => meta.textContent || Date.now() > deadline ? then() : setTimeout(wait, 5);
    wait();
  };
  type("", () => type(%s, () => resolve(
    [...list.querySelectorAll(":scope > li")].map((item) => item.querySelector("a").href))));
})"""


@dataclass(frozen=True)
class Asked:
    """One query and what was found.

    Attributes:
        query: what was typed.
        right: pattern of the paths of right pages.
        found: paths below the site's root, best first.
    """

    query: str
    right: str
    found: tuple[str, ...]

    @property
    def first_is_right(self) -> bool:
        return bool(self.found) and re.search(self.right, self.found[0]) is not None


def queries(path: Path = QUERIES) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(query, right) for line in lines if line and line[0] != "#" for query, right in [line.split("\t")]]


def asked(window: Browser, server: Server, cases: list[tuple[str, str]]) -> Iterator[Asked]:
    window.open(server.address)
    for query, right in cases:
        links = window.evaluate(ASK % json.dumps(query))
        paths = (link.removeprefix(server.address).split("?")[0].split("#")[0] for link in links)
        yield Asked(query, right, tuple(paths))


def main() -> int:
    """Ask, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default="chrome", choices=["chrome", "firefox"])
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("file", nargs="?", type=Path, default=QUERIES)
    options = parser.parse_args()
    with serving(options.site) as server, browser(options.browser) as window:
        answers = list(asked(window, server, queries(options.file)))
    for answer in answers:
        print("✓" if answer.first_is_right else "✗", answer.query, *(answer.found[:3] or ["—"]), sep="\t")
    right = sum(answer.first_is_right for answer in answers)
    print(f"{right}/{len(answers)} right first, {sum(not answer.found for answer in answers)} without a result")
    return 0 if right == len(answers) else 1


if __name__ == "__main__":
    raise SystemExit(main())
