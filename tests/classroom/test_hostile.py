"""A class in which four are honest and everybody else is not: each has a mark or a sentence, and nobody else's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.classroom.grading import Graded, Step, autograde
from grader.classroom.limits import Limits
from grader.classroom.results import StudentResult, load_all
from grader.render.card import finding_message
from grader.text import message
from tests.classroom import hostile

LIMITS = Limits(cpu=3)  # an honest answer takes a tenth of a second of it
EXERCISES = (hostile.SERVICE, hostile.WORKLOAD)
HONEST = tuple(f"honest{number}" for number in range(4))
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class Evening:
    root: Path
    results: Path
    graded: Graded
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def everyone(self) -> dict[str, StudentResult]:
        return {result.student: result for result in load_all(self.results)}


def run(root: Path, results: Path, **options: object) -> Evening:
    steps: dict[str, Step] = {}
    graded = autograde(
        root, results, EXERCISES, limits=LIMITS, progress=lambda step: steps.update({step.result.student: step})
    )
    return Evening(root, results, graded, steps)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    root = tmp_path_factory.mktemp("submitted")
    for place, student in enumerate(HONEST):
        files = {f"{exercise.id}__yaml": exercise.answers[0].text for exercise in EXERCISES}
        hostile.lay(root, student, hostile.written(**files, notes__txt=str(place)))
    for name, make in hostile.ALL.items():
        hostile.lay(root, name, make)
    (root / "=cmd|'calc'!A0").mkdir()
    (root / "\x1b[2Jbell\x07").mkdir()
    (root / "linked").symlink_to("/")
    return run(root, tmp_path_factory.mktemp("results"))


def test_there_are_more_than_a_hundred() -> None:
    assert len(hostile.ALL) >= 100


def test_everybody_has_a_verdict_on_every_exercise(evening: Evening) -> None:
    everyone = evening.everyone
    assert set(everyone) == {*hostile.ALL, *HONEST}
    for result in everyone.values():
        assert [answer.exercise for answer in result.answers] == sorted(exercise.id for exercise in EXERCISES)
    assert len(evening.graded.refused) == 3


def test_the_honest_have_all_their_points(evening: Evening) -> None:
    assert {evening.everyone[name].points for name in HONEST} == {sum(exercise.points for exercise in EXERCISES)}
    assert not any(evening.everyone[name].problems for name in HONEST if name != "honest0")


def test_each_has_clear_lines_that_move_no_cursor(evening: Evening) -> None:
    for result in evening.everyone.values():
        for answer in result.answers:
            words = finding_message(answer.report)
            assert words.what
            assert not CONTROL.search(f"{words.what}{words.where}{words.next}{answer.report}"), result.student
            assert len(f"{words.what}{words.where}{words.next}") < 8_000
        for code, file in result.problems:
            assert message("classroom", code, {"file": file, "exercise": "-"}).what


def test_what_could_not_be_read_or_never_ends_is_looked_at(evening: Evening) -> None:
    told = {
        name: {answer.report.finding.diagnosis for answer in result.open} for name, result in evening.everyone.items()
    }
    assert told["link-to-secret"] == {"submission-link"}
    assert told["pipe"] == {"submission-unreadable"}
    assert told["hundred-megabytes"] == {"submission-too-large"}
    assert told["notebook-truncated"] == {"submission-notebook-broken"}
    assert told["two-answers"] == {"submission-ambiguous"}
    assert told["zip-bomb"] == {"submission-too-large"}
    assert told["deep-folders"] == {"submission-too-deep"}
    assert told["folder-as-manifest"] == {"submission-unreadable"}
    for name in ("loop", "loop-words", "background", "regular-expression"):
        assert told[name] == {"grading-cpu"}, name
    assert told["doubling"] == {"grading-memory"}
    for name in ("fork", "recursion"):  # their programs end in the cluster, and the hand-in is judged
        assert told[name] == set(), name
    for name in ("shift-jis", "utf-16", "renamed-yml", "renamed-txt", "timestamp-none"):
        result = evening.everyone[name]
        assert result.points == hostile.SERVICE.points
        assert result.problems, name


def test_nobody_wrong_is_let_pass(evening: Evening) -> None:
    right = {"timestamp-none", "timestamp-code", "timestamp-huge", "shift-jis", "utf-16", "renamed-yml", "renamed-txt"}
    full = {
        name
        for name, result in evening.everyone.items()
        if any(answer.report.verdict == "pass" for answer in result.answers)
    }
    harmless = {*hostile.RUNNING, "head-long", "head-forged", "head-deep", "pipe-timestamp", "annotations-huge"}
    assert full - harmless - {*HONEST} <= right | {"finalizers", "owner"}


def test_a_second_run_grades_nothing_again(evening: Evening) -> None:
    again = run(evening.root, evening.results)
    killed = {name for name, result in evening.everyone.items() if any(not answer.key for answer in result.answers)}
    assert {name for name, step in again.steps.items() if not step.reused} == killed
