"""The scene: Evidence with its objects at hand, and the ruling that judges hand back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import yaml

from grader.model.evidence import (
    DnsAnswer,
    DnsQuestion,
    Evidence,
    Problem,
    RawObject,
    ReachAnswer,
    ReachQuestion,
    ShellAnswer,
    ShellQuestion,
)
from grader.model.exercise import Endpoints, Exercise, Object, Reach
from grader.model.kubernetes import name_of
from grader.model.questions import PROBE_POD, backends, find_service, living
from grader.model.report import Finding, Hop, Verdict
from grader.text import catalogue


@dataclass(frozen=True)
class Ruling:
    """What a judge says of one expectation.

    Attributes:
        verdict: its verdict.
        finding: the cause, or what was proved.
        hop: where on the way the cause lies; None: where the criterion itself lies.
        expected: what should be seen, for a person.
        seen: what was seen, for a person.
    """

    verdict: Verdict
    finding: Finding
    hop: Hop | None = None
    expected: str = ""
    seen: str = ""


def fail(code: str, hop: Hop | None = None, /, **facts: object) -> Ruling:
    """Rule that it does not hold, and will not."""
    return Ruling(Verdict.FAIL, finding(code, **facts), hop)


def not_yet(code: str, hop: Hop | None = None, /, **facts: object) -> Ruling:
    """Rule that it is still moving."""
    return Ruling(Verdict.NOT_YET, finding(code, **facts), hop)


def passed(code: str, /, **facts: object) -> Ruling:
    """Rule that it holds."""
    return Ruling(Verdict.PASS, finding(code, **facts))


def environment(problem: Problem, hop: Hop | None = None) -> Ruling:
    """Rule that the environment stands in the way."""
    return Ruling(Verdict.ENVIRONMENT, Finding(problem.code, dict(problem.facts)), hop)


def finding(code: str, /, **facts: object) -> Finding:
    """Build a finding; facts become text."""
    return Finding(code, {key: str(value) for key, value in facts.items()})


def word(group: str, code: str) -> str:
    """Look up a word for a person in the catalogue `words`."""
    return catalogue("words")[group].get(code, code)


def vantage_text(vantage: str) -> str:
    """Name a vantage for a person; "node/NAME" is the probe on that node."""
    kind, _, node = vantage.partition("/")
    return word("vantage", kind).format(node=node)


def listed(items: Iterable[object]) -> str:
    """Join things for a person; a word for none where there are none."""
    return ", ".join(str(item) for item in items) or word("plain", "none")


def label_text(labels: Mapping[str, str]) -> str:
    """Write labels or a selector as `kubectl` does."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or word("plain", "none")


def port_text(port: Mapping[str, Any]) -> str:
    """Write a Service port as `kubectl get svc` does: "80/TCP"."""
    return f"{port.get('port')}/{port.get('protocol', 'TCP')}"


@dataclass(frozen=True)
class Scene:
    """What a verdict is taken from.

    Attributes:
        exercise: the exercise.
        evidence: what was observed.
    """

    exercise: Exercise
    evidence: Evidence

    @cached_property
    def pods(self) -> tuple[RawObject, ...]:
        """The Pods of the namespace, without the grader's own probe."""
        return tuple(pod for pod in self.evidence.objects.get("pods", ()) if name_of(pod) != PROBE_POD)

    @property
    def every_pod(self) -> tuple[RawObject, ...]:
        """The Pods of the namespace, with the grader's own probe: a selector may choose it too."""
        return tuple(self.evidence.objects.get("pods", ()))

    @property
    def slices(self) -> tuple[RawObject, ...]:
        """The EndpointSlices of the namespace."""
        return tuple(self.evidence.objects.get("endpointslices", ()))

    @property
    def quiet(self) -> float:
        """Seconds for which the objects had not changed, as they count on kind: longer where a cluster is quicker."""
        return self.evidence.quiet_for / self.evidence.pace

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
        return find_service(self.evidence.objects, name, namespace)

    def backends(self, labels: Mapping[str, str], namespace: str = "") -> tuple[RawObject, ...]:
        """Choose the living Pods with these labels, of the namespace or of a further one."""
        return backends(self.evidence.objects, labels, namespace) if namespace else living(self.pods, labels)

    def wanted_port(self, expect: Reach) -> int | None:
        """Tell which resolved port an endpoints criterion of the same Service port asks for, None where none does."""
        for criterion in self.exercise.criteria:
            other = criterion.expect
            if (
                isinstance(other, Endpoints)
                and not criterion.negated
                and not other.among
                and other.service == expect.service
                and other.service_port in (None, expect.port)
            ):
                return other.port
        return None

    def wanted_node_port(self, expect: Reach) -> int | None:
        """Tell which nodePort an object criterion asks of the same Service port, None where none does."""
        for criterion in self.exercise.criteria:
            other = criterion.expect
            if isinstance(other, Object) and not other.absent and other.service == expect.service:
                for port in other.matches.get("spec", {}).get("ports") or ():
                    if port.get("port") == expect.port and port.get("nodePort"):
                        return int(port["nodePort"])
        return None

    def dns_answer(self, question: DnsQuestion) -> DnsAnswer | None:
        """Find the answer to a DNS question."""
        return next((answer for answer in self.evidence.dns if answer.question == question), None)

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
