"""Ask axe whether the built site's pages can be read by everybody.

    python -m tests.site.axe [--schemes light dark] [--widths 360 1440] [PAGE…]

PAGE is a path below the site's root, "lessons/03-clusterip/"; without one, every page. Exit status 1 where something is
violated. The site must have been built (`make site`); axe-core comes with `npm ci`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.site.browsers import SITE, Browser, Server, browser, serving

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = {"light": "default", "dark": "slate"}
WIDTHS = (360, 1440)
ROOT_OF_HOST = "/"  # the page for what is not found knows no other
RUN = """(async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => [id, target.join(" "), html]));
})()"""
SETTLED = """new Promise((resolve) => {
  document.body.setAttribute("data-md-color-scheme", %s);
  const still = document.createElement("style");
  still.textContent = "*, *::before, *::after { transition: none !important; animation: none !important; }";
  document.head.append(still);
  for (const closed of document.querySelectorAll("details")) closed.open = true;
  const until = Date.now() + 15000;
  const drawn = () => !document.querySelector("pre.mermaid") || Date.now() > until;
  const wait = () => drawn() ? requestAnimationFrame(() => resolve()) : setTimeout(wait, 20);
  wait();
})"""


@dataclass(frozen=True)
class Violation:
    """One element that breaks one of axe's rules.

    Attributes:
        page: path below the site's root, scheme and width.
        rule: axe's name of the rule.
        target: a CSS selector of the element.
        html: how the element begins.
    """

    page: str
    rule: str
    target: str
    html: str


def pages(site: Path = SITE) -> list[str]:
    """Paths of all pages; the one for what is not found is its file."""
    found = [path.parent.relative_to(site).as_posix() for path in sorted(site.rglob("index.html"))]
    return ["" if path == "." else f"{path}/" for path in found] + ["404.html"]


def violations(
    window: Browser, server: Server, looks: Sequence[tuple[str, int]], chosen: Sequence[str]
) -> Iterator[Violation]:
    """Look at pages with everything on them opened, in each scheme and width."""
    source = AXE.read_text(encoding="utf-8")
    for page in chosen:
        window.open(server.address + page)
        window.evaluate(f"void eval({json.dumps(source)})")
        for scheme, width in looks:
            window.resize(width)
            window.evaluate(SETTLED % json.dumps(SCHEMES[scheme]))
            for rule, target, html in window.evaluate(RUN):
                yield Violation(f"{page} {scheme} {width}", rule, target, html[:160])


def main() -> int:
    """Look at the pages; print each violation, and how many there are of each rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemes", nargs="+", default=list(SCHEMES), choices=list(SCHEMES))
    parser.add_argument("--widths", nargs="+", type=int, default=list(WIDTHS))
    parser.add_argument("pages", nargs="*")
    options = parser.parse_args()
    looks = list(product(options.schemes, options.widths))
    with serving(SITE, ROOT_OF_HOST) as server, browser("chrome") as window:
        found = list(violations(window, server, looks, options.pages or pages()))
    for item in found:
        print(item.page, item.rule, item.target, item.html.replace("\n", " "), sep="\t")
    print(f"{len(found)} violations", dict(Counter(item.rule for item in found)))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
