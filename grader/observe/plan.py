"""Plan: criteria and observed objects in, questions out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.model.evidence import DnsQuestion, ReachQuestion
from grader.model.exercise import Criterion, Dns, Reach
from grader.model.questions import (
    Objects,
    control_questions,
    direct_questions,
    dns_question,
    find_service,
    reach_questions,
)


@dataclass(frozen=True)
class Plan:
    """What to ask.

    Attributes:
        dns: DNS questions.
        reach: who answers at the addresses of Services.
        direct: who answers at the endpoints themselves; asked where a reach question was not answered as wanted.
        missing: names of Services that criteria speak of and that do not exist.
    """

    dns: tuple[DnsQuestion, ...]
    reach: tuple[ReachQuestion, ...]
    direct: tuple[ReachQuestion, ...]
    missing: tuple[str, ...]


def plan(criteria: Sequence[Criterion], objects: Objects, namespace: str, host_ports: Mapping[int, str]) -> Plan:
    """Plan the questions of criteria. The same question of two criteria is asked once."""
    expectations = [criterion.expect for criterion in criteria]
    dns: dict[DnsQuestion, None] = {}
    reach: dict[ReachQuestion, None] = {}
    for criterion in criteria:
        expect = criterion.expect
        # A question asked before the Service is there may be remembered by the DNS server as having no answer.
        if isinstance(expect, Dns) and (expect.is_ != "cluster-ip" or find_service(objects, expect.service)):
            dns[dns_question(expect)] = None
        if isinstance(expect, Reach):
            reach.update(dict.fromkeys(reach_questions(expect, objects, namespace, host_ports)))
            if criterion.negated:
                control = expect.control
                more = (
                    reach_questions(control, objects, namespace, host_ports)
                    if control
                    else control_questions(expect, objects)
                )
                reach.update(dict.fromkeys(more))
    services = {expect.service for expect in expectations if expect.service}
    missing = tuple(sorted(name for name in services if find_service(objects, name) is None))
    return Plan(tuple(dns), tuple(reach), direct_questions(expectations, objects), missing)
