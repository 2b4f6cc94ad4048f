"""An exercise, as read from its folder: data for observe and judge, prose for a learner.

A criterion holds one *expectation*, perhaps negated. What kinds of expectation there are, the model does not know: each
is one module of `grader.criteria`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from grader.model.ground import GroundRule
from grader.model.report import Hop


class Expectation(Protocol):
    """What a criterion expects; `grader.criteria.kind.Kind` says what else each kind knows of itself."""

    @property
    def service(self) -> str:
        """The Service that it is about, "" where it is about none."""


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold.

    Attributes:
        id: unique in its exercise.
        points: points earned when it holds.
        expect: what must hold.
        negated: it must not hold (with a positive control).
        hop: the station on the way that it is about.
        says: the sentences (or cells of a table) of task.md that it answers, quoted.
    """

    id: str
    points: float
    expect: Expectation
    negated: bool
    hop: Hop
    says: tuple[str, ...] = ()


class Form(StrEnum):
    """What an answer is written as."""

    MANIFEST = "manifest"  # YAML that is applied
    SCRIPT = "script"  # commands that bash runs, with kubectl set to the cluster and the exercise's Namespace


@dataclass(frozen=True)
class Answer:
    """A manifest or a script that must pass.

    Attributes:
        name: file name without its ending.
        text: what the file holds.
        form: which of the two it is.
    """

    name: str
    text: str
    form: Form = Form.MANIFEST


@dataclass(frozen=True)
class Broken:
    """What must be seen of a ground that nobody has repaired yet.

    Attributes:
        criterion: id of the criterion that must fail.
        diagnosis: the diagnosis that its learner must get.
    """

    criterion: str
    diagnosis: str


@dataclass(frozen=True)
class WrongAnswer:
    """A manifest or a script that must fail, in a way known beforehand.

    Attributes:
        name: file name without its ending.
        text: what the file holds.
        criterion: id of the criterion that must fail; "manifest" where the API server or the YAML reader refuses it;
            "ground" where it changes what was given.
        diagnosis: the diagnosis that its learner must get.
        form: which of the two it is.
    """

    name: str
    text: str
    criterion: str
    diagnosis: str
    form: Form = Form.MANIFEST


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
        namespaces: further Namespaces that belong to the exercise.
        may_change_there: further Namespace → kinds that the learner may create or change in it.
        ready: given Deployment or StatefulSet → how many of its Pods become ready, where it is not all of them.
        broken: what the ground shows before anybody repairs it; None where nothing in particular is promised.
        learner: whose values it holds, "" for the canonical ones.
        values: name of a value that varies from learner to learner → this learner's.
        solution: the answer explained, Japanese Markdown.
        ground: what a learner may do to the given workload.
        renewed_exempt: why an answer need not stand when every Pod is made anew, "" where it must.
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
    may_change_there: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ready: Mapping[str, int] = field(default_factory=dict)
    broken: Broken | None = None
    learner: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    solution: str = ""
    ground: GroundRule = field(default_factory=GroundRule)
    renewed_exempt: str = ""

    @property
    def all_namespaces(self) -> tuple[str, ...]:
        """Every Namespace that belongs to the exercise, its own first."""
        return (self.namespace, *self.namespaces)
