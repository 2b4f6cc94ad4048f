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
from grader.render.card import finding_message
from grader.render.wrap import plain

SCHEMA = 1
MOST_POINTS = 1000.0
"""No exercise gives so many."""


@dataclass(frozen=True)
class ExerciseProgress:
    """What is known of one exercise.

    Attributes:
        passed_at: RFC 3339, when it passed first; "" where it has not.
        checks: how many verdicts were given (environment errors are not counted).
        hints: how many hints are open.
        last: the last verdict that was given, "" where none was.
        points: most points reached.
        proof: what the first pass proved, a Japanese sentence; "" where it has not passed.

    """

    passed_at: str = ""
    checks: int = 0
    hints: int = 0
    last: str = ""
    points: float = 0.0
    proof: str = ""


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
        return Progress(read(text))
    except ValueError:
        return Progress(set_aside=_aside(place))


def read(text: str) -> dict[str, ExerciseProgress]:
    """Read what `written` wrote. Raises ValueError where it is something else."""
    try:
        data = json.loads(text)
        if data.get("schema", SCHEMA) > SCHEMA:
            raise ValueError(f"schema {data['schema']}")
        found = {str(name): ExerciseProgress(**known) for name, known in data["exercises"].items()}
        for item in found.values():
            if item.passed_at:
                instant(item.passed_at)
            if not (item.checks >= 0 and item.hints >= 0 and 0 <= item.points < MOST_POINTS):
                raise ValueError("a number out of range")
            if not all(isinstance(word, str) for word in (item.passed_at, item.last, item.proof)):
                raise ValueError("a word that is none")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return found


def instant(time: str) -> datetime:
    """Read an RFC 3339 instant; without an offset it is taken as UTC. Raises ValueError, TypeError."""
    known = datetime.fromisoformat(time)
    return known if known.tzinfo else known.replace(tzinfo=UTC)


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


def written(exercises: Mapping[str, ExerciseProgress]) -> str:
    """Write progress as the JSON of its file, which `grader progress import` and the page read, too."""
    data = {"schema": SCHEMA, "exercises": {name: asdict(item) for name, item in sorted(exercises.items())}}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _change(exercise: str, change: Callable[[ExerciseProgress], ExerciseProgress]) -> ExerciseProgress:
    with _locked():
        known = load()
        changed = change(known.of(exercise))
        write_atomically(path(), written({**known.exercises, exercise: changed}))
    return changed


def merge(other: Mapping[str, ExerciseProgress]) -> tuple[str, ...]:
    """Take what is known elsewhere into the progress here; nothing becomes less. Raises OSError.

    Returns the exercises that count as passed since then.
    """
    with _locked():
        known = load()
        merged = {name: _merged(known.of(name), other.get(name)) for name in sorted({*known.exercises, *other})}
        write_atomically(path(), written(merged))
    return tuple(name for name, item in merged.items() if item.passed_at and not known.of(name).passed_at)


def _merged(here: ExerciseProgress, there: ExerciseProgress | None) -> ExerciseProgress:
    if there is None:
        return here
    first = min(
        (item for item in (here, there) if item.passed_at), key=lambda item: instant(item.passed_at), default=here
    )
    return ExerciseProgress(
        passed_at=first.passed_at,
        checks=max(here.checks, there.checks),
        hints=max(here.hints, there.hints),
        last=here.last or there.last,
        points=max(here.points, there.points),
        proof=first.proof or here.proof or there.proof,
    )


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
            proof=known.proof or (plain(finding_message(report).what) if report.verdict is Verdict.PASS else ""),
        )

    return _change(report.exercise, change)


def open_hints(exercise: str, count: int) -> ExerciseProgress:
    """Remember that the first `count` hints are open; hints once open stay open."""
    return _change(exercise, lambda known: replace(known, hints=max(known.hints, count)))


def forget(exercise: str) -> ExerciseProgress:
    """Close the hints of an exercise again, as `reset` does; a pass is kept."""
    return _change(exercise, lambda known: replace(known, hints=0))
