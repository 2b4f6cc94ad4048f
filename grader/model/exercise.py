"""An exercise, as read from its folder: data for observe and judge, prose for a learner.

A criterion holds one *expectation*, perhaps negated. Each kind of expectation is one small class in
`grader.model.expectations`, one schema class in `grader.exercises.kinds`, one planner in `grader.model.questions` or
`grader.model.traffic`, and one judge in `grader.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.model.expectations import (
    Affinity,
    At,
    Call,
    ConfigKey,
    Dns,
    Endpoints,
    Env,
    Expectation,
    Local,
    Object,
    Reach,
    Readiness,
    Source,
    Vantage,
)
from grader.model.report import Hop

__all__ = [
    "Affinity",
    "Answer",
    "At",
    "Call",
    "ConfigKey",
    "Criterion",
    "Dns",
    "Endpoints",
    "Env",
    "Exercise",
    "Expectation",
    "Local",
    "Object",
    "Reach",
    "Readiness",
    "Source",
    "Vantage",
    "WrongAnswer",
]


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold.

    Attributes:
        id: unique in its exercise.
        points: points earned when it holds.
        expect: what must hold.
        negated: it must not hold (with a positive control).
        hop: the station on the way that it is about.
    """

    id: str
    points: float
    expect: Expectation
    negated: bool
    hop: Hop


@dataclass(frozen=True)
class Answer:
    """A manifest that must pass.

    Attributes:
        name: file name without its ending.
        text: the manifest.
    """

    name: str
    text: str


@dataclass(frozen=True)
class WrongAnswer:
    """A manifest that must fail, in a way known beforehand.

    Attributes:
        name: file name without its ending.
        text: the manifest.
        criterion: id of the criterion that must fail; "manifest" where the API server or the YAML reader refuses it.
        diagnosis: the diagnosis that its learner must get.
    """

    name: str
    text: str
    criterion: str
    diagnosis: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        id: its id and the folder's name.
        lesson: number of the lesson it belongs to.
        title: Japanese title.
        points: sum of the criteria's points.
        namespace: where it takes place.
        folder: the folder it was read from.
        task: the task, Japanese Markdown.
        hints: Japanese Markdown, each opens a little more.
        starter: the manifest the learner edits.
        given: YAML of what the cluster already has.
        criteria: in the order of exercise.yaml.
        answers: the reference first.
        wrong: wrong answers by name.
        may_change: kinds that the learner may create or change.
        namespaces: further Namespaces that the exercise owns.
    """

    id: str
    lesson: int
    title: str
    points: float
    namespace: str
    folder: Path
    task: str
    hints: tuple[str, ...]
    starter: str
    given: str
    criteria: tuple[Criterion, ...]
    answers: tuple[Answer, ...]
    wrong: tuple[WrongAnswer, ...]
    may_change: tuple[str, ...] = ("Service",)
    namespaces: tuple[str, ...] = ()
