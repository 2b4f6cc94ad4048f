"""Plan: criteria and observed objects in, questions out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.model.evidence import DnsQuestion, ReachQuestion, ShellQuestion
from grader.model.exercise import Affinity, Call, ConfigKey, Criterion, Dns, Env, Exercise, Local, Object, Reach, Source
from grader.model.questions import (
    Objects,
    control_questions,
    direct_questions,
    dns_question,
    find_service,
    leaves_cluster,
    reach_questions,
)
from grader.model.traffic import (
    affinity_controls,
    affinity_questions,
    call_questions,
    env_questions,
    local_controls,
    local_questions,
    own_address_questions,
    source_questions,
)


@dataclass(frozen=True)
class Plan:
    """What to ask.

    Attributes:
        dns: DNS questions.
        reach: who answers at the addresses of Services.
        direct: who answers at the endpoints themselves; asked where a reach question was not answered as wanted.
        shell: commands to run.
        missing: names of Services that criteria speak of and that do not exist.
    """

    dns: tuple[DnsQuestion, ...]
    reach: tuple[ReachQuestion, ...]
    direct: tuple[ReachQuestion, ...]
    shell: tuple[ShellQuestion, ...]
    missing: tuple[str, ...]


def resources(exercise: Exercise) -> tuple[str, ...]:
    """List the resources of the exercise's namespace that its verdicts rest on."""
    found = ["services", "pods", "endpointslices", "deployments"]
    kinds = {item.expect.kind for item in exercise.criteria if isinstance(item.expect, Object)}
    written = (getattr(item.expect, name, None) for item in exercise.criteria for name in ("to", "name"))
    if "ConfigMap" in kinds or any(isinstance(item, ConfigKey) for item in written):
        found.append("configmaps")
    if "StatefulSet" in {*kinds, *exercise.may_change} or "kind: StatefulSet" in exercise.given:
        found.append("statefulsets")
    return tuple(found)


def plan(criteria: Sequence[Criterion], objects: Objects, namespace: str, host_ports: Mapping[int, str]) -> Plan:
    """Plan the questions of criteria. The same question of two criteria is asked once."""
    expectations = [criterion.expect for criterion in criteria]
    dns = dict.fromkeys(
        question
        for expect in expectations
        # A question asked before the Service is there may be remembered by the DNS server as having no answer.
        if isinstance(expect, Dns) and (expect.is_ != "cluster-ip" or _exists(expect.service, objects))
        for question in (dns_question(expect, objects),)
        # A learner's name outside of the cluster is nobody's here: whether the world answers must not decide.
        if question.name and not (isinstance(expect.name, ConfigKey) and leaves_cluster(question.name))
    )
    reach = dict.fromkeys(
        question for criterion in criteria for question in _reach(criterion, objects, namespace, host_ports)
    )
    shell: dict[ShellQuestion, None] = {}
    for expect in expectations:
        if isinstance(expect, Source):
            shell.update(dict.fromkeys(own_address_questions(expect)))
        if isinstance(expect, Env):
            shell.update(dict.fromkeys(env_questions(expect, objects).values()))
    services = {expect.service for expect in expectations if expect.service}
    missing = tuple(sorted(name for name in services if find_service(objects, name) is None))
    return Plan(tuple(dns), tuple(reach), direct_questions(expectations, objects), tuple(shell), missing)


def _exists(service: str, objects: Objects) -> bool:
    further = (key.partition("@")[2] for key in objects if key.startswith("services@"))
    return any(find_service(objects, service, namespace) for namespace in ("", *further))


def _reach(
    criterion: Criterion, objects: Objects, namespace: str, host_ports: Mapping[int, str]
) -> Iterator[ReachQuestion]:
    """Give the questions of a criterion about who answers, and its controls."""
    match criterion.expect:
        case Reach() as expect:
            yield from reach_questions(expect, objects, namespace, host_ports)
            if criterion.negated and expect.control:
                yield from reach_questions(expect.control, objects, namespace, host_ports)
            elif criterion.negated:
                yield from control_questions(expect, objects)
        case Call() as expect:
            if not expect.service or find_service(objects, expect.service):
                yield from call_questions(expect, objects)
        case Local() as expect:
            yield from local_questions(expect, objects).values()
            yield from local_controls(expect, objects)
        case Source() as expect:
            yield from source_questions(expect, objects, namespace, host_ports)
        case Affinity() as expect:
            yield from affinity_questions(expect, objects, namespace)
            yield from affinity_controls(expect, objects, namespace)
