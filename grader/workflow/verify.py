"""Prove exercises sound on a cluster: unsolved fails, answers pass, wrong answers fail with their own diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress
from grader.model.exercise import Exercise
from grader.model.report import Report


@dataclass(frozen=True)
class Attempt:
    """One attempt at an exercise.

    Attributes:
        exercise: exercise id.
        kind: "unsolved", "answer" or "wrong".
        name: file name without its ending; "unsolved" for the unsolved one.
        expected: "pass", "fail", or "fail CRITERION DIAGNOSIS".
        got: the same, as it came out.
        sound: whether they agree.
        seconds: from apply to verdict.
        report: the Report of this attempt.
    """

    exercise: str
    kind: str
    name: str
    expected: str
    got: str
    sound: bool
    seconds: float
    report: Report


@dataclass(frozen=True)
class VerifyResult:
    """All attempts.

    Attributes:
        cluster: provider and Kubernetes version.
        attempts: in the order exercise, unsolved, answers, wrong answers.
        seconds: for everything.
    """

    cluster: str
    attempts: tuple[Attempt, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether every attempt came out as expected, and there was one."""
        return bool(self.attempts) and all(attempt.sound for attempt in self.attempts)


def verify(
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    progress: Progress | None = None,
    *,
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int = 3,
) -> VerifyResult:
    """Try every answer and wrong answer of these exercises, each in a namespace as new.

    Args:
        exercises: which.
        cluster: where; its namespaces of these exercises are reset.
        progress: told about each attempt.
        only: names of attempts ("unsolved", "reference", a wrong answer's name); empty: all.
        deadline: seconds for each verdict.
        parallel: how many exercises at a time.

    Raises ClusterUnreachable where the API server does not answer.
    """
    raise NotImplementedError
