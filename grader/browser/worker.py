"""What the page's worker calls: a text of JSON in, a text of JSON out. See `site/browser/worker.ts`."""

from __future__ import annotations

import json
import os
import time
from functools import cache, partial
from pathlib import Path

from grader.browser import stored
from grader.browser.course import Course

HOME = Path("/home/learner")
EXERCISES = Path(__file__).with_name(stored.FOLDER)


@cache
def course() -> Course:
    """Make the course, once: it takes the first tenths of a second."""
    os.environ["GRADER_HOME"] = str(HOME / "state")
    os.environ["GRADER_WORK"] = str(HOME / "work")
    os.environ["GRADER_LEARNER"] = ""  # the pages show the canonical values
    return Course(partial(stored.read, folder=EXERCISES), HOME / "work", begun=time.time())


def answer(asked: str) -> str:
    """Answer one question: `{"do": "check", "exercise": "clusterip"}`, with `text` a manifest.

    Raises ValueError for a verb that is none of the interface's.
    """
    question = json.loads(asked)
    exercise = str(question["exercise"])
    match question["do"]:
        case "apply":
            found = course().apply(exercise, str(question["text"]))
        case "check":
            found = course().check(exercise, question.get("text"))
        case "hint":
            found = course().hint(exercise)
        case "reset":
            found = course().reset(exercise)
        case other:
            raise ValueError(f"{other} is none of apply, check, hint, reset")
    return json.dumps(found, ensure_ascii=False)
