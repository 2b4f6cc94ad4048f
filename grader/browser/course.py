"""What a page can ask for: `apply`, `check`, `hint`, `reset`, each answered with one JSON object.

The objects are those of the command line's `--json` (`grader.render.machine`), with the card as HTML under `html`.
Time in this cluster stands still while nothing is asked; what waits (a verdict, a Pod that starts) makes it jump.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.cluster.inprocess import Inside
from grader.errors import CourseError
from grader.kube.client import ApiRefused
from grader.model.exercise import Exercise
from grader.paths import write_atomically
from grader.render import html
from grader.render.apply import apply_card
from grader.render.machine import apply_object, error_object, hint_object, report_object, reset_object
from grader.workflow.check import check_with_evidence
from grader.workflow.ground.apply import apply_manifests
from grader.workflow.ground.laying import wait_ready
from grader.workflow.session import hints, progress
from grader.workflow.session.reset import reset
from grader.workflow.session.start import start, starter_path

Answer = dict[str, Any]
NAME = "page"  # the nodes are called after it


class Course:
    """One cluster and one learner's files.

    Args:
        find: reads an exercise by its id; raises UsageError for an unknown one.
        work: the folder of the learner's files.
        begun: seconds since the epoch that the cluster's clock shows at first; None: a moment that never changes.
    """

    def __init__(self, find: Callable[[str], Exercise], work: Path, *, begun: float | None = None) -> None:
        self._find = find
        self._work = work
        self._inside = Inside(NAME, begun=begun)
        self._cluster = self._inside.info
        self._api = self._inside.api()
        self._started: set[str] = set()

    def apply(self, exercise: str, text: str) -> Answer:
        """Keep a manifest as the learner's file, and apply it."""

        def run(chosen: Exercise) -> Answer:
            write_atomically(starter_path(chosen, self._work), text)
            results = apply_manifests(text, chosen.namespace, self._cluster, api=self._api)
            return {**apply_object(results), "html": html.layout(apply_card(results))}

        return self._answered(exercise, run)

    def check(self, exercise: str, text: str | None = None) -> Answer:
        """Give one verdict; where a manifest is given, apply it first, as `grader check --file` does."""

        def run(chosen: Exercise) -> Answer:
            report, _ = check_with_evidence(chosen, self._cluster, text=text, api=self._api)
            progress.record(report)
            return {**report_object(report), "html": html.card(report)}

        return self._answered(exercise, run)

    def hint(self, exercise: str) -> Answer:
        """Open the next hint; a page has its text already, and shows it by its number."""

        def run(chosen: Exercise) -> Answer:
            found = hints.next_hint(chosen)
            return hint_object(found.number, found.total, found.text, new=found.new)

        return self._answered(exercise, run, begin=False)

    def reset(self, exercise: str) -> Answer:
        """Make the exercise new; the learner's file too."""

        def run(chosen: Exercise) -> Answer:
            result = reset(chosen, self._cluster, self._work, api=self._api)
            self._up(chosen)
            progress.forget(chosen.id)
            text = result.starter.read_text(encoding="utf-8")
            return reset_object(result.namespace, text, result.removed, result.left)

        return self._answered(exercise, run, begin=False)

    def _answered(self, exercise: str, run: Callable[[Exercise], Answer], *, begin: bool = True) -> Answer:
        """Do what was asked for, on ground that was laid; an error is an answer too."""
        title = ""
        try:
            chosen = self._find(exercise)
            title = chosen.title
            if begin and exercise not in self._started:
                start(chosen, self._cluster, self._work, api=self._api)
                self._up(chosen)
            return run(chosen)
        except (ApiRefused, CourseError) as error:
            return {**error_object(error), "html": html.error(error, title=title)}

    def _up(self, chosen: Exercise) -> None:
        """Let what is given come up: elsewhere it does while its learner reads, here time would stand still."""
        wait_ready(self._api, chosen)
        self._started.add(chosen.id)
