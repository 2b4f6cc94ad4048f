"""Grade many submissions: each is read, and each answer graded, by a limited process of its own.

Resumable: what was graded and did not change, nor its exercise, is not graded again. Where grading says nothing of the
student (the process died, a file could not be read, the cluster failed) the exercise has no mark but a sentence, and
somebody must look; the student's other exercises have their marks.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader import exercises as exercises_of
from grader.classroom import submission
from grader.classroom.fingerprint import fingerprint
from grader.classroom.forking import Cause, Ended, ForkServer
from grader.classroom.jobs import Grading, Reading, prepare, work
from grader.classroom.limits import Limits
from grader.classroom.results import GradedAnswer, StudentResult, evidence_path, load, owned, presentable
from grader.errors import EnvironmentError_, UsageError
from grader.model.exercise import Exercise
from grader.model.report import Finding, Report, Verdict
from grader.paths import write_atomically

AHEAD = 3
"""Students at work for each processor: enough to keep it busy, few enough to keep."""


@dataclass(frozen=True)
class Step:
    """Told as grading goes on.

    Attributes:
        done: students finished, this one included.
        total: students in all.
        result: this student's result.
        reused: whether all of it was taken from an earlier run.
    """

    done: int
    total: int
    result: StudentResult
    reused: bool


@dataclass(frozen=True)
class Graded:
    """What came of a run.

    Attributes:
        students: how many were graded.
        refused: names under the folder of submissions that cannot be a student's.
        told: the results of those of whom there is something to tell, with the answers alone that are open.
    """

    students: int
    refused: tuple[str, ...]
    told: tuple[StudentResult, ...]

    @property
    def count_open(self) -> int:
        """How many things somebody must look at."""
        return len(self.refused) + sum(len(result.open) for result in self.told)


def needs_look(exercise: Exercise, code: str, **facts: str) -> Report:
    """Say that an exercise has no mark, and why: a code of the catalogue `classroom`."""
    finding = Finding(code, {"exercise": exercise.id, **facts})
    nothing: tuple[()] = ()
    return Report(
        exercise.id, exercise.title, Verdict.ENVIRONMENT, 0.0, exercise.points, nothing, None, finding, nothing, "", ""
    )


@dataclass
class _Student:
    """A student whose submission is at work."""

    name: str
    begun: float
    known: StudentResult | None
    read: submission.Submission | None = None
    done: dict[str, GradedAnswer] = field(default_factory=dict)
    missing: int = 0
    reused: bool = True

    def result(self, order: Sequence[str]) -> StudentResult:
        """The result as it is to be saved: exercises of an earlier run that are not graded now stay."""
        every = {answer.exercise: answer for answer in (self.known.answers if self.known else ())} | self.done
        places = {name: place for place, name in enumerate(order)}
        return StudentResult(
            student=self.name,
            timestamp=self.read.timestamp if self.read else "",
            problems=self.read.problems if self.read else (),
            answers=tuple(sorted(every.values(), key=lambda answer: places.get(answer.exercise, len(places)))),
            seconds=round(time.monotonic() - self.begun, 3),
        )


class _Run:
    """One run over many submissions."""

    def __init__(
        self, server: ForkServer[Reading | Grading], submissions: Path, results: Path, exercises: Sequence[Exercise],
        *, force: bool,
    ) -> None:  # fmt: skip
        self._server, self._submissions, self._results, self._force = server, submissions, results, force
        self._exercises = {exercise.id: exercise for exercise in exercises}
        self._order = exercises_of.ids()
        self._jobs: dict[int, tuple[_Student, str, submission.StudentAnswer | None, str]] = {}
        self._count = 0
        self._blank: dict[str, bytes] = {}

    def grade(self, students: Sequence[str], ahead: int) -> Iterator[tuple[StudentResult, bool]]:
        """Grade students, some at a time; each is saved when it is done. Raises EnvironmentError_."""
        waiting = list(reversed(students))
        working = 0
        while waiting or working:
            while waiting and working < ahead:
                self._read(waiting.pop())
                working += 1
            try:
                ended = self._server.ended()
            except (EOFError, OSError) as error:
                raise EnvironmentError_("grading-server-gone") from error
            student = self._took(ended)
            if not student.missing:
                working -= 1
                result = student.result(self._order)
                if result.answers != (student.known.answers if student.known else ()) or not student.reused:
                    result.save(self._results)
                yield result, student.reused

    def _submit(
        self, student: _Student, exercise: str = "", answer: submission.StudentAnswer | None = None, key: str = ""
    ) -> None:
        self._count += 1
        student.missing += 1
        self._jobs[self._count] = (student, exercise, answer, key)
        job = Grading(exercise, answer) if answer else Reading(self._submissions, student.name, tuple(self._exercises))
        self._server.submit(self._count, job)

    def _read(self, name: str) -> None:
        self._submit(_Student(name, time.monotonic(), load(self._results, name)))

    def _took(self, ended: Ended) -> _Student:
        """Take what a child handed back."""
        student, exercise, answer, key = self._jobs.pop(ended.number)
        student.missing -= 1
        if answer is not None:
            self._judged(student, exercise, answer, key, ended)
        elif ended.cause is Cause.DONE:
            student.read = submission.Submission.from_json(json.loads(ended.data))
            for name, given in student.read.answers.items():
                self._begin(student, name, given)
        else:
            for item in self._exercises.values():
                report = needs_look(item, f"reading-{ended.cause}", reason=_reason(ended))
                student.done[item.id] = GradedAnswer(item.id, "none", "", report)
            student.reused = False
        return student

    def _begin(self, student: _Student, exercise: str, answer: submission.StudentAnswer) -> None:
        """Grade an answer where nothing is known of it."""
        key = fingerprint(self._exercises[exercise], answer)
        known = next((item for item in student.known.answers if item.key == key), None) if student.known else None
        if known and not self._force:
            student.done[exercise] = known
            return
        student.reused = False
        if answer.problem:
            code, file = answer.problem
            report = needs_look(self._exercises[exercise], code, file=file)
            evidence_path(self._results, student.name, exercise).unlink(missing_ok=True)
            student.done[exercise] = GradedAnswer(exercise, answer.source, answer.text, report, answer.learner, key)
        elif not answer.text and exercise in self._blank:
            self._judged(student, exercise, answer, key, Ended(0, Cause.DONE, self._blank[exercise]))
        else:
            self._submit(student, exercise, answer, key)

    def _judged(
        self, student: _Student, exercise: str, answer: submission.StudentAnswer, key: str, ended: Ended
    ) -> None:
        if ended.cause is Cause.DONE:
            found = json.loads(ended.data)
            report = Report.from_json(presentable(found["report"]))
            kept = evidence_path(self._results, student.name, exercise)
            write_atomically(kept, json.dumps(found["evidence"], ensure_ascii=False), mode=0o600)
            if not answer.text:
                self._blank[exercise] = ended.data
        else:
            report = needs_look(self._exercises[exercise], f"grading-{ended.cause}", reason=_reason(ended))
            key = key if ended.cause.repeats else ""
            evidence_path(self._results, student.name, exercise).unlink(missing_ok=True)
        student.done[exercise] = GradedAnswer(exercise, answer.source, answer.text, report, answer.learner, key)


def autograde(
    submissions: Path,
    results: Path,
    exercises: Sequence[Exercise],
    *,
    students: Sequence[str] = (),
    force: bool = False,
    parallel: int = 0,
    limits: Limits | None = None,
    progress: Callable[[Step], None] = lambda step: None,
) -> Graded:
    """Grade every submission under a folder; results are saved one by one as they are done.

    Args:
        submissions: nbgrader's `submitted` folder, or any folder of one folder or zip a student.
        results: where `STUDENT.json` files go; those already there are used again where nothing changed.
        exercises: what is graded; results of other exercises stay.
        students: who is graded; empty: everybody.
        force: grade again what did not change, too.
        parallel: how many processes at a time; 0: one a processor.
        limits: of each process; None: those of a class.
        progress: told about each student.

    Raises UsageError where the folder holds no submission, or not that of a student who is named, or another run
    grades into the results; EnvironmentError_ where the processes cannot be had.
    """
    if not submissions.is_dir():
        raise UsageError("submissions-missing", folder=submissions)
    everybody, refused = submission.students(submissions)
    if unknown := [name for name in students if name not in everybody]:
        raise UsageError("submissions-unknown", folder=submissions, names=", ".join(unknown))
    if not everybody and not refused:
        raise UsageError("submissions-none", folder=submissions)
    chosen = [name for name in everybody if not students or name in students]
    count = parallel or os.cpu_count() or 1
    kept = []
    with (
        owned(results),
        ForkServer(work, prepare, parallel=count, limits=limits or Limits()) as server,
    ):
        run = _Run(server, submissions.resolve(), results, exercises, force=force)
        for done, (result, reused) in enumerate(run.grade(chosen, count * AHEAD), 1):
            progress(Step(done, len(chosen), result, reused))
            if result.open or result.problems:
                kept.append(_brief(result))
    return Graded(len(chosen), refused, tuple(sorted(kept, key=lambda result: result.student)))


def _reason(ended: Ended) -> str:
    """The last line of what a child that failed has said."""
    lines = ended.data.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "-"


def _brief(result: StudentResult) -> StudentResult:
    """A result without what is large, and with the answers alone that somebody must look at."""
    answers = tuple(GradedAnswer(item.exercise, item.source, "", item.report, item.learner) for item in result.open)
    return StudentResult(result.student, result.timestamp, result.problems, answers, result.seconds)
