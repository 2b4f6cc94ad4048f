"""Where a learner is: which exercise passed when, which hints are open. One JSON file that survives a kill at any time.

Several kernels and terminals write it at the same time, so a change is read, made and written under a file lock.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.model.report import Report, Verdict
from grader.paths import state_root, write_atomically

SCHEMA = 1


@dataclass(frozen=True)
class ExerciseProgress:
    """What is known of one exercise.

    Attributes:
        passed_at: RFC 3339, when it passed first; "" where it has not.
        checks: how many verdicts were given (environment errors are not counted).
        hints: how many hints are open.
        last: the last verdict that was given, "" where none was.
        points: most points reached.

    """

    passed_at: str = ""
    checks: int = 0
    hints: int = 0
    last: str = ""
    points: float = 0.0


@dataclass(frozen=True)
class Progress:
    """What is known of all exercises.

    Attributes:
        exercises: exercise id → what is known of it.
        set_aside: where an unreadable progress file was moved by this reading, None where it was read.

    """

    exercises: Mapping[str, ExerciseProgress] = field(default_factory=dict)
    set_aside: Path | None = None

    def of(self, exercise: str) -> ExerciseProgress:
        """Tell what is known of an exercise; a new one is as it begins."""
        return self.exercises.get(exercise, ExerciseProgress())

    @property
    def passed(self) -> frozenset[str]:
        """The exercises that have passed once."""
        return frozenset(name for name, known in self.exercises.items() if known.passed_at)


def path() -> Path:
    """Find the progress file of this user."""
    return state_root() / "progress.json"


def load() -> Progress:
    """Read the progress; what is no progress file is moved aside, never deleted. Raises OSError."""
    place = path()
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Progress()
    except UnicodeDecodeError:
        return Progress(set_aside=_aside(place))
    try:
        data = json.loads(text)
        return Progress({name: ExerciseProgress(**known) for name, known in data["exercises"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return Progress(set_aside=_aside(place))


def _aside(place: Path) -> Path:
    kept = place.with_name(f"progress-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json")
    place.replace(kept)
    return kept


@contextmanager
def _locked() -> Iterator[None]:
    place = path()
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # given back when the file is closed, whatever ends the process
        yield


def _change(exercise: str, change: Callable[[ExerciseProgress], ExerciseProgress]) -> ExerciseProgress:
    with _locked():
        known = load()
        changed = change(known.of(exercise))
        exercises = {**known.exercises, exercise: changed}
        data = {"schema": SCHEMA, "exercises": {name: asdict(item) for name, item in sorted(exercises.items())}}
        write_atomically(path(), json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    return changed


def record(report: Report) -> ExerciseProgress:
    """Take a verdict into the progress; an environment error changes nothing. Raises OSError."""
    if report.verdict is Verdict.ENVIRONMENT:
        return load().of(report.exercise)

    def change(known: ExerciseProgress) -> ExerciseProgress:
        first = report.verdict is Verdict.PASS and not known.passed_at
        return replace(
            known,
            passed_at=report.taken_at if first else known.passed_at,
            checks=known.checks + 1,
            last=report.verdict.value,
            points=max(known.points, report.points),
        )

    return _change(report.exercise, change)


def open_hints(exercise: str, count: int) -> ExerciseProgress:
    """Remember that the first `count` hints are open; hints once open stay open."""
    return _change(exercise, lambda known: replace(known, hints=max(known.hints, count)))


def forget(exercise: str) -> ExerciseProgress:
    """Close the hints of an exercise again, as `reset` does; a pass is kept."""
    return _change(exercise, lambda known: replace(known, hints=0))
