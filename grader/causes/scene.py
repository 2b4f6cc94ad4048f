"""The scene: Evidence with its objects at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import yaml

from grader.causes.owners import meant, owner_of
from grader.causes.words import vantage_text
from grader.model.choosing import backends, find_service, living
from grader.model.evidence import (
    DnsAnswer,
    DnsQuestion,
    Evidence,
    Problem,
    ReachAnswer,
    ReachQuestion,
    ShellAnswer,
    ShellQuestion,
)
from grader.model.exercise import Exercise
from grader.model.ground import Given
from grader.model.kubernetes import name_of
from grader.model.objects import Objects, RawObject
from grader.model.vantage import PROBE_POD


@dataclass(frozen=True)
class Sight:
    """What is known before anything is asked: all that a question is made of.

    Attributes:
        objects: the objects that were listed.
        namespace: the exercise's own Namespace.
        host_ports: node port → address on the learner's host.
    """

    objects: Objects
    namespace: str
    host_ports: Mapping[int, str]


@dataclass(frozen=True)
class Scene:
    """What a verdict is taken from.

    Attributes:
        exercise: the exercise.
        evidence: what was observed.
    """

    exercise: Exercise
    evidence: Evidence

    @property
    def objects(self) -> Objects:
        """The objects that were listed."""
        return self.evidence.objects

    @property
    def sight(self) -> Sight:
        """What its questions were made of."""
        return Sight(self.objects, self.exercise.namespace, self.evidence.host_ports)

    @cached_property
    def pods(self) -> tuple[RawObject, ...]:
        """The Pods of the namespace, without the grader's own probe."""
        return tuple(pod for pod in self.objects.of("pods") if name_of(pod) != PROBE_POD)

    @property
    def every_pod(self) -> tuple[RawObject, ...]:
        """The Pods of the namespace, with the grader's own probe: a selector may choose it too."""
        return self.objects.of("pods")

    @property
    def slices(self) -> tuple[RawObject, ...]:
        """The EndpointSlices of the namespace."""
        return self.objects.of("endpointslices")

    def paced(self, seconds: float) -> float:
        """Tell how many seconds of this cluster are worth so many of kind: fewer where a cluster is quicker."""
        return seconds * self.evidence.pace

    @cached_property
    def now(self) -> datetime:
        """When the evidence was complete."""
        return datetime.fromisoformat(self.evidence.taken_at)

    @cached_property
    def given_images(self) -> frozenset[str]:
        """Images of the given workload."""
        found: set[str] = set()
        for obj in yaml.load_all(self.exercise.given, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            spec = (obj or {}).get("spec") or {}
            template = (spec.get("template") or {}).get("spec") or spec
            for container in template.get("containers") or ():
                found.add(str(container.get("image", "")))
        return frozenset(found)

    def service(self, name: str, namespace: str = "") -> RawObject | None:
        """Find a Service of the namespace, or of a further one."""
        return find_service(self.objects, name, namespace)

    def home(self, namespace: str) -> str:
        """Say by what name objects of a Namespace of the exercise are found: "" for its own."""
        return "" if namespace == self.exercise.namespace else namespace

    @cached_property
    def _meant(self) -> frozenset[Given] | None:
        return meant(self.exercise, self.evidence.ground)

    def is_stranger(self, pod: RawObject, namespace: str = "") -> bool:
        """Tell whether a Pod belongs to no workload that the task speaks of."""
        home = namespace or self.exercise.namespace
        return self._meant is not None and owner_of(pod, home) not in self._meant

    @cached_property
    def _labelled(self) -> dict[tuple[frozenset[tuple[str, str]], str], tuple[RawObject, ...]]:
        return {}

    def labelled(self, labels: Mapping[str, str], namespace: str = "") -> tuple[RawObject, ...]:
        """Choose the living Pods with these labels, whoever made them, of the namespace or of a further one."""
        key = (frozenset(labels.items()), namespace)
        if key not in self._labelled:
            found = backends(self.objects, labels, namespace) if namespace else living(self.pods, labels)
            self._labelled[key] = tuple(found)
        return self._labelled[key]

    def backends(self, labels: Mapping[str, str], namespace: str = "") -> tuple[RawObject, ...]:
        """Choose the living Pods with these labels that belong to what the task speaks of."""
        return tuple(pod for pod in self.labelled(labels, namespace) if not self.is_stranger(pod, namespace))

    def dns_answer(self, question: DnsQuestion) -> DnsAnswer | None:
        """Find the answer to a DNS question."""
        return next((answer for answer in self.evidence.dns if answer.question == question), None)

    def reach_answers(self, questions: Iterable[ReachQuestion]) -> list[ReachAnswer]:
        """Find the answers to questions, without those that were not answered."""
        return [answer for question in questions if (answer := self.reach_answer(question))]

    def reach_answer(self, question: ReachQuestion) -> ReachAnswer | None:
        """Find the answer to a reach question: to the very same one, else to one of the same vantage and address."""
        key = (question.vantage, question.host, question.port, question.request)
        alike = [
            answer
            for answer in self.evidence.reach
            if (answer.question.vantage, answer.question.host, answer.question.port, answer.question.request) == key
        ]
        return next((answer for answer in alike if answer.question == question), alike[0] if alike else None)

    def shell_answer(self, question: ShellQuestion) -> ShellAnswer | None:
        """Find what a command printed."""
        return next((answer for answer in self.evidence.shell if answer.question == question), None)

    def problem(self, *codes: str) -> Problem | None:
        """Find the first problem of these kinds."""
        return next((problem for problem in self.evidence.problems if problem.code in codes), None)

    def blind(self, vantage: str) -> Problem:
        """Tell why a vantage could not ask."""
        found = next((problem for problem in self.evidence.problems if problem.vantage == vantage), None)
        facts = {**(found.facts if found else {}), "vantage": vantage_text(vantage)}
        return Problem(found.code if found else "vantage-unasked", facts, vantage)
