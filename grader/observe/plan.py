"""Plan: criteria and observed objects in, questions out. Pure; what is asked, each kind of criterion says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.causes.scene import Sight
from grader.criteria.asking import direct_questions
from grader.criteria.registry import kind_of
from grader.model.choosing import find_service
from grader.model.evidence import DnsQuestion, ReachQuestion, ShellQuestion
from grader.model.exercise import Criterion, Exercise
from grader.model.kubernetes import name_of
from grader.model.objects import Objects

ALWAYS = ("services", "pods", "endpointslices", "deployments")


@dataclass(frozen=True)
class Plan:
    """What to ask.

    Attributes:
        dns: DNS questions.
        reach: who answers at the addresses of Services.
        direct: who answers at the endpoints themselves; asked where a reach question was not answered as wanted.
        shell: commands to run.
        missing: resource and name of Services and ConfigMaps that criteria speak of and that do not exist.
    """

    dns: tuple[DnsQuestion, ...]
    reach: tuple[ReachQuestion, ...]
    direct: tuple[ReachQuestion, ...]
    shell: tuple[ShellQuestion, ...]
    missing: tuple[tuple[str, str], ...]


def resources(exercise: Exercise) -> tuple[str, ...]:
    """List the resources of the exercise's namespace that its verdicts rest on."""
    asked: set[str] = set().union(*(kind_of(criterion).resources for criterion in exercise.criteria))
    if "StatefulSet" in exercise.may_change or "kind: StatefulSet" in exercise.given:
        asked.add("statefulsets")
    return (*ALWAYS, *sorted(asked.difference(ALWAYS)))


def needs_outside(exercise: Exercise) -> bool:
    """Tell whether a criterion asks from the outside client."""
    return any(kind_of(criterion).outside for criterion in exercise.criteria)


def plan(criteria: Sequence[Criterion], sight: Sight) -> Plan:
    """Plan the questions of criteria. The same question of two criteria is asked once."""
    asked = [kind_of(criterion).questions(sight, negated=criterion.negated) for criterion in criteria]
    services = dict.fromkeys(criterion.expect.service for criterion in criteria if criterion.expect.service)
    return Plan(
        dns=tuple(dict.fromkeys(question for item in asked for question in item.dns)),
        reach=tuple(dict.fromkeys(question for item in asked for question in item.reach)),
        direct=direct_questions(services, sight.objects),
        shell=tuple(dict.fromkeys(question for item in asked for question in item.shell)),
        missing=tuple(sorted(_missing(criteria, services, sight.objects))),
    )


def _missing(criteria: Sequence[Criterion], services: Iterable[str], objects: Objects) -> Iterator[tuple[str, str]]:
    yield from (("services", name) for name in services if find_service(objects, name) is None)
    there = set(map(name_of, objects.of("configmaps")))
    for kind, _, name in {kind_of(criterion).subject.partition(" ") for criterion in criteria}:
        if kind == "ConfigMap" and name not in there:
            yield "configmaps", name
