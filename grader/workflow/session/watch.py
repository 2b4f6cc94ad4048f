"""Work on exercises with the verdict always in sight: a save is applied and judged, a change in the cluster is judged.

One thread runs `Watching.run`; whoever shows it to a person calls the other methods from another one.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum, auto
from math import inf
from pathlib import Path
from typing import Protocol

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress as Told
from grader.cluster.provider import silent
from grader.errors import CourseError
from grader.kube.watching import Watch
from grader.model.evidence import Action, Evidence
from grader.model.exercise import Exercise
from grader.model.kubernetes import name_of
from grader.model.report import Report, Verdict
from grader.model.vantage import PROBE_POD
from grader.observe.observer import collections
from grader.workflow.check import Superseded, check_with_evidence
from grader.workflow.session import current, history, progress
from grader.workflow.session.reset import reset
from grader.workflow.session.start import StartResult, start, starter_text

LOOK_EVERY = 0.25
"""Seconds between two looks at the file: `stat` costs microseconds, and no notification works on every platform."""

RETRY_AFTER = 3.0
"""Seconds after which what may have become well by itself (a cluster that is down) is tried again."""

Stamp = tuple[int, int] | None


class Cause(Enum):
    """Why a verdict was asked for."""

    BEGUN = auto()
    SAVED = auto()
    CHANGED = auto()  # something in the exercise's Namespaces


class Doing(Enum):
    """What is being done now."""

    BEGINNING = auto()
    RESETTING = auto()
    JUDGING = auto()
    WATCHING = auto()


@dataclass(frozen=True)
class Seen:
    """What there is to show.

    Attributes:
        exercise: what is worked on.
        doing: what is being done now.
        begun: what beginning it did, None before that is done.
        report: the last verdict, None before the first.
        cause: why that verdict was asked for, or the one that is being made.
        error: why it could not be begun or reset, None where it could.
    """

    exercise: Exercise
    doing: Doing
    begun: StartResult | None = None
    report: Report | None = None
    cause: Cause = Cause.BEGUN
    error: CourseError | None = None

    @property
    def passed(self) -> bool:
        """Whether the last verdict is a pass."""
        return self.report is not None and self.report.verdict is Verdict.PASS


class Changes(Protocol):
    """What of an exercise's Namespaces changed and was not looked at since (`grader.kube.watching.Watch`)."""

    def changed(self) -> dict[str, str]:
        """Give what changed: uid → resourceVersion."""

    def seen(self, before: dict[str, str], versions: Sequence[tuple[str, str]], /) -> None:
        """Forget what was looked at."""


def changes_in(exercise: Exercise, cluster: ClusterInfo) -> AbstractContextManager[Changes]:
    """Watch what an exercise's verdicts rest on, but for our own probe. Raises ClusterUnreachable."""
    return Watch(cluster.kubeconfig, collections(exercise), leaving_out=lambda item: name_of(item) == PROBE_POD)


def stamp(path: Path) -> Stamp:
    """Tell states of a file apart: its time of change (nanoseconds) and its size; None where it is missing."""
    try:
        known = path.stat()
    except FileNotFoundError:
        return None
    return known.st_mtime_ns, known.st_size


@dataclass(frozen=True)
class _Go:
    """Leave this exercise, for that one; None: for good."""

    to: Exercise | None


class _Reset:
    """Make this exercise new."""


@dataclass(frozen=True)
class _Judged:
    """What a verdict was on.

    Attributes:
        file: the file, as it was.
        refused: the manifest was not accepted: nothing but another one changes the verdict.
        again_at: when (seconds of the monotonic clock) it is made again although nothing changed.
    """

    file: Stamp
    refused: bool = False
    again_at: float = inf


class Watching:
    """Works on one exercise after the other, as it is told."""

    def __init__(
        self,
        cluster: ClusterInfo,
        work: Path,
        show: Callable[[Seen], None],
        *,
        deadline: float = 60.0,
        told: Told = silent,
        changes: Callable[[Exercise, ClusterInfo], AbstractContextManager[Changes]] = changes_in,
    ) -> None:
        """Prepare; nothing is done yet.

        Args:
            cluster: where.
            work: the learner's folder.
            show: given what there is to show whenever that changes, in the thread of `run`.
            deadline: as `grader.workflow.check.check`.
            told: told what is being waited for.
            changes: watches the cluster.

        """
        self.cluster, self.work, self.deadline = cluster, work, deadline
        self._show_it, self._told, self._changes = show, told, changes
        self._asked: queue.SimpleQueue[_Go | _Reset] = queue.SimpleQueue()
        self._seen: Seen | None = None

    def go(self, exercise: Exercise) -> None:
        """Leave the exercise, whatever is being done, and work on another one."""
        self._asked.put(_Go(exercise))

    def stop(self) -> None:
        """Leave for good."""
        self._asked.put(_Go(None))

    def reset(self) -> None:
        """Make the exercise new."""
        self._asked.put(_Reset())

    def run(self, exercise: Exercise) -> None:
        """Work on an exercise, and on those that `go` names, until `stop`. Raises OSError."""
        going: Exercise | None = exercise
        while going is not None:
            going = self._work_on(going)

    def _work_on(self, exercise: Exercise) -> Exercise | None:
        """Work on one exercise until another one is to come, which is returned."""
        self._show(Seen(exercise, Doing.BEGINNING))
        while True:
            asked: _Go | _Reset | None
            try:
                resetting = self._now.doing is Doing.RESETTING
                begun = (reset if resetting else start)(exercise, self.cluster, self.work, self._told)
                if resetting:
                    progress.forget(exercise.id)
                current.enter(exercise, self.cluster)
                self._show(Seen(exercise, Doing.JUDGING, begun))
                with self._changes(exercise, self.cluster) as changes:
                    asked = self._judge_on(exercise, begun.starter, changes)
            except CourseError as error:
                self._show(Seen(exercise, self._now.doing, error=error))
                asked = self._next(RETRY_AFTER)
            if isinstance(asked, _Go):
                return asked.to
            if asked is not None:
                self._show(replace(self._now, doing=Doing.RESETTING, error=None))

    def _judge_on(self, exercise: Exercise, file: Path, changes: Changes) -> _Go | _Reset:
        """Judge at the beginning, and then whenever there is a reason to, until something else is asked for."""
        judged = self._judge(exercise, file, Cause.BEGUN, changes)
        while not (asked := self._next(LOOK_EVERY)):
            if stamp(file) not in (None, judged.file):  # missing while an editor writes it anew
                judged = self._judge(exercise, file, Cause.SAVED, changes)
            elif (changes.changed() and not judged.refused) or time.monotonic() > judged.again_at:
                judged = replace(self._judge(exercise, file, Cause.CHANGED, changes), file=judged.file)
        return asked

    def _judge(self, exercise: Exercise, file: Path, cause: Cause, changes: Changes) -> _Judged:
        self._show(replace(self._now, doing=Doing.JUDGING, cause=cause))
        looked = stamp(file)
        text = _text(file) if cause is not Cause.CHANGED else None
        if cause is Cause.BEGUN and text == starter_text(exercise):
            text = None  # it would undo what commands have made
        if text is not None:
            history.keep(file, starter_text(exercise))
        before = changes.changed()
        try:
            report, evidence = check_with_evidence(
                exercise,
                self.cluster,
                text=text,
                deadline=self.deadline,
                progress=self._told,
                superseded=lambda: not self._asked.empty() or stamp(file) not in (None, looked),
            )
        except Superseded:
            return _Judged(looked)
        changes.seen(before, evidence.objects.versions)
        progress.record(report)
        self._show(replace(self._now, doing=Doing.WATCHING, report=report))
        passing = report.verdict in (Verdict.NOT_YET, Verdict.ENVIRONMENT)
        return _Judged(looked, _refused(evidence), time.monotonic() + RETRY_AFTER if passing else inf)

    def _next(self, seconds: float) -> _Go | _Reset | None:
        """Wait for what is asked for, None where that is nothing."""
        try:
            return self._asked.get(timeout=seconds)
        except queue.Empty:
            return None

    @property
    def _now(self) -> Seen:
        assert self._seen is not None
        return self._seen

    def _show(self, seen: Seen) -> None:
        self._seen = seen
        self._show_it(seen)


def _refused(evidence: Evidence) -> bool:
    refused = any(item.action is Action.REFUSED for item in evidence.manifests)
    return refused or evidence.unreadable is not None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:  # an editor writes it anew
        return None
