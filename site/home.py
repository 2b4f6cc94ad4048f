"""Fill in what the home page shows: a verdict as the grader gives it, and where the source is.

Usage: python site/home.py FOLDER (what `grader lessons build` wrote)
REPO_URL is the address of the repository; where it is not set, the page says nothing of one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from grader import exercises
from grader.browser.course import Course
from grader.model.report import Verdict
from grader.paths import write_atomically

EXERCISE, WRONG = "clusterip", "selector-typo"
VERDICT = "<!-- verdict -->"
SOURCE = ("<!-- source -->", "<!-- /source -->")
REPOSITORY = "REPO_URL"


def filled(page: str, verdict: str, repository: str) -> str:
    """Put a card and the repository's address into the page; without one, take out what is about it."""
    before, _, rest = page.partition(SOURCE[0])
    about, _, after = rest.partition(SOURCE[1])
    about = about.strip().replace(REPOSITORY, repository.rstrip("/")) if repository else ""
    return f"{before}{about}{after}".replace(VERDICT, f'<div class="home-verdict">{verdict}</div>')


def verdict() -> str:
    """Judge a wrong answer on a cluster inside of this process; return the card as HTML without empty lines."""
    wrong = next(answer for answer in exercises.load(EXERCISE).wrong if answer.name == WRONG)
    with tempfile.TemporaryDirectory() as folder:
        answer = Course(exercises.load, Path(folder)).check(EXERCISE, wrong.text)
    if answer["exit_status"] != Verdict.FAIL.exit_status:
        raise SystemExit(f"{EXERCISE}/{WRONG} is judged {answer}")
    return "\n".join(line.strip() for line in str(answer["html"]).splitlines() if line.strip())


def main(folder: Path) -> None:
    """Fill in the home page of a folder. Raises SystemExit where the verdict is not the one that is to be shown."""
    path = folder / "index.md"
    page = path.read_text(encoding="utf-8")
    write_atomically(path, filled(page, verdict(), os.environ.get(REPOSITORY, "")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
