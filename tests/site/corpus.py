"""Judge every manifest of the answers and wrong answers in one page, and compare with `verify --in-process`.

    python -m tests.site.corpus [--browser firefox] [EXERCISE…]

Exit status 1 where one differs. The site must have been built (`make site`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from grader import exercises
from grader.model.exercise import Exercise
from grader.model.report import Report
from grader.workflow.proof.inprocess import verify_in_process
from grader.workflow.proof.verify import Task, tasks, told
from tests.site.browsers import SITE, Browser, browser, serving

JUDGE = """(async () => {
  const found = [];
  for (const text of %s) {
    const { left } = await window.course.reset(%s);
    if (left.length) return found; // it stands elsewhere, and would be in the way: go on in a new cluster
    const begun = performance.now();
    const answer = await window.course.check(%s, text ?? undefined);
    found.push([performance.now() - begun, answer]);
  }
  await window.course.reset(%s); // what stands there would be in the way of the next: a node port, say
  return found;
})()"""


def manifests(exercise: Exercise) -> list[Task]:
    """The attempts at an exercise that need no kubectl."""
    return [task for task in tasks(exercise) if not task.needs_kubectl]


def in_page(window: Browser, exercise: Exercise, chosen: Sequence[Task]) -> Iterator[tuple[str, float]]:
    """What comes out of each attempt in a page, as `verify` says it, and seconds from apply to card."""
    name = json.dumps(exercise.id)
    answers: list[tuple[float, dict[str, Any]]] = []
    while len(answers) < len(chosen):
        rest = [task.text for task in chosen[len(answers) :]]
        answers += window.evaluate(JUDGE % (json.dumps(rest), name, name, name))
        if len(answers) < len(chosen):
            window.reload()
    for task, (milliseconds, answer) in zip(chosen, answers, strict=True):
        yield told(Report.from_json(answer["report"]), task.expected), milliseconds / 1000


def main() -> int:
    """Compare; print what differs, and how long verdicts took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default="chrome", choices=["chrome", "firefox"])
    parser.add_argument("exercises", nargs="*", default=exercises.ids())
    options = parser.parse_args()
    chosen = [exercises.load(name) for name in options.exercises]
    result, _ = verify_in_process(chosen, make=manifests)
    wanted = {(attempt.exercise, attempt.kind, attempt.name): attempt.got for attempt in result.attempts}
    took: list[float] = []
    passed = failed = 0
    with serving(SITE) as server, browser(options.browser) as window:
        window.open(f"{server.address}exercises/clusterip/")
        for exercise in chosen:
            begun = time.monotonic()
            here = manifests(exercise)
            for task, (got, seconds) in zip(here, in_page(window, exercise, here), strict=True):
                took.append(seconds)
                same = got == wanted[exercise.id, task.kind, task.name]
                passed, failed = passed + same, failed + (not same)
                if not same:
                    print(f"  {exercise.id}/{task.name}: {got}, not {wanted[exercise.id, task.kind, task.name]}")
            print(f"{exercise.id}: {len(here)} in {time.monotonic() - begun:.1f} s", flush=True)
    took.sort()
    print(f"apply to card: median {took[len(took) // 2]:.2f} s, 95 % {took[len(took) * 95 // 100]:.2f} s")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
