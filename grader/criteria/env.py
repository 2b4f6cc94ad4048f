"""Criterion `env`: Pods have the environment variables of a Service, or none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from grader.causes.endpoints import pods_not_ready
from grader.causes.rollouts import rollout
from grader.causes.ruling import Ruling, environment, fail, not_yet, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing
from grader.causes.words import label_text, listed, word
from grader.criteria.asking import tcp_ports
from grader.criteria.kind import Questions
from grader.model.choosing import living
from grader.model.evidence import Outcome, ShellQuestion
from grader.model.kubernetes import addresses_of, is_ready, name_of
from grader.model.objects import Objects, RawObject
from grader.model.report import Hop, Waits

ENVIRONMENT = "env"


class Known(StrEnum):
    """What a Pod knows of a Service by its variables."""

    NOT = "not"
    BEFORE = "before"  # the Service was made again since
    NOW = "now"


@dataclass(frozen=True)
class Env:
    """Pods have the environment variables of a Service, or none of them.

    Attributes:
        pods: labels of the Pods.
        service: the Service's name.
        holds: whether they have them.
    """

    pods: Mapping[str, str]
    service: str
    holds: bool

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    outside: ClassVar[bool] = False
    hop: ClassVar[Hop] = Hop.VARIABLES
    hops: ClassVar[frozenset[Hop]] = frozenset()
    resources: ClassVar[frozenset[str]] = frozenset()

    @property
    def subject(self) -> str:
        """The Service."""
        return self.service

    @property
    def aspect(self) -> str:
        """The Pods."""
        return label_text(self.pods)

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask each running Pod for its environment."""
        return Questions(shell=tuple(self._asked(sight.objects).values()))

    def _asked(self, objects: Objects) -> Mapping[str, ShellQuestion]:
        """Build one question a running Pod, by its name, to the first TCP port that it declares."""
        found = {}
        for pod in living(objects.of("pods"), self.pods):
            ports = tcp_ports(pod)
            if ports and addresses_of(pod) and is_ready(pod):
                found[name_of(pod)] = ShellQuestion(f"pod/{name_of(pod)}:{ports[0]}", ENVIRONMENT)
        return found

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge the environment variables of a Service in Pods."""
        service = scene.service(self.service)
        if service is None:
            return missing(scene, self.service)
        if objection := pods_not_ready(scene, self.pods) or rollout(scene, self.pods):
            return objection
        pods = scene.backends(self.pods)
        if not pods:
            return fail(
                "backend-pods-missing", Hop.VARIABLES,
                labels=label_text(self.pods), namespace=scene.exercise.namespace,
            )  # fmt: skip
        wanted = variables(service)
        if self.holds and not wanted:
            return fail("env-service-has-none", Hop.VARIABLES, service=self.service, seen=_kind(service))
        questions = self._asked(scene.objects)
        for pod in pods:
            question = questions.get(name_of(pod))
            answer = scene.shell_answer(question) if question else None
            if question and answer and answer.outcome is Outcome.UNASKED:
                return environment(scene.blind(question.vantage))
            if answer is None or answer.outcome is not Outcome.ANSWERED:
                return not_yet("env-not-asked-yet", Hop.VARIABLES, Waits.QUESTIONS, pod=name_of(pod))
            if ruling := self._rule_pod(service, pod, wanted, _parse(answer.output)):
                return ruling
        facts = {"service": self.service, "count": len(pods), "labels": label_text(self.pods)}
        return passed("env-holds" if self.holds else "env-absent", **facts, variables=listed(sorted(wanted)))

    def _rule_pod(
        self, service: RawObject, pod: RawObject, wanted: Mapping[str, str], has: Mapping[str, str]
    ) -> Ruling | None:
        present = set(wanted) & set(has)
        facts = {"service": self.service, "pod": name_of(pod), "variable": next(iter(wanted), "-")}
        if not self.holds:
            if not present:
                return None
            return fail("env-present-though", Hop.VARIABLES, **{**facts, "variable": min(present)})
        containers = pod["spec"].get("containers") or ()
        written = {str(item.get("name")) for box in containers for item in box.get("env") or ()}
        imported = [_source(item) for box in containers for item in box.get("envFrom") or ()]
        right = all(has.get(name) == value for name, value in wanted.items())
        if written & set(wanted):
            return fail("env-hard-coded", Hop.VARIABLES, **facts)
        if imported and present:
            return fail("env-imported", Hop.VARIABLES, **facts, source=listed(imported))
        if right:
            return None
        if pod["spec"].get("enableServiceLinks") is False:
            return fail("env-links-off", Hop.VARIABLES, **facts)
        differing = [name for name in wanted if name in present and has[name] != wanted[name]]
        if differing:
            name = differing[0]
            return fail(
                "env-stale", Hop.VARIABLES, **{**facts, "variable": name}, seen=has[name], expected=wanted[name]
            )
        return fail("env-missing", Hop.VARIABLES, **facts)

    def known(self, scene: Scene) -> Mapping[str, Known]:
        """Tell what each Pod that answered knows of the Service, by its name."""
        service = scene.service(self.service)
        wanted = variables(service) if service else {}
        found = {}
        for pod, question in self._asked(scene.objects).items():
            answer = scene.shell_answer(question)
            has = _parse(answer.output) if answer and answer.outcome is Outcome.ANSWERED else {}
            present = {name: has[name] for name in wanted if name in has}
            found[pod] = Known.NOT if not present else Known.NOW if present == wanted else Known.BEFORE
        return found

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show the variables of the Service, Pod by Pod."""
        prefix = self.service.upper().replace("-", "_")
        expected = f"{prefix}_SERVICE_HOST" if self.holds else word("plain", "absent")
        lines = []
        for pod, question in sorted(self._asked(scene.objects).items()):
            told = scene.shell_answer(question)
            output = told.output.splitlines() if told else ()
            found = [line for line in output if line.startswith(f"{prefix}_SERVICE_")]
            lines.append(f"{pod}: {listed(sorted(found))}")
        return expected, "\n".join(lines)


def variables(service: RawObject) -> dict[str, str]:
    """Compute the variables that the kubelet makes of a Service (pkg/kubelet/envvars/envvars.go, FromServices)."""
    spec = service["spec"]
    address = str(spec.get("clusterIP") or "")
    if address in ("", "None") or spec.get("type") == "ExternalName":
        return {}
    prefix = name_of(service).upper().replace("-", "_")
    ports = list(spec.get("ports") or ())
    found = {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for index, port in enumerate(ports):
        number, protocol = str(port["port"]), str(port.get("protocol", "TCP"))
        url = f"{protocol.lower()}://{address}:{number}"
        if port.get("name"):
            found[f"{prefix}_SERVICE_PORT_{str(port['name']).upper().replace('-', '_')}"] = number
        if index == 0:
            found[f"{prefix}_PORT"] = url
        one = f"{prefix}_PORT_{number}_{protocol}"
        found |= {one: url, f"{one}_PROTO": protocol.lower(), f"{one}_PORT": number, f"{one}_ADDR": address}
    return found


def _source(item: Mapping[str, Any]) -> str:
    """Name where a container takes its variables from (EnvFromSource)."""
    kinds = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
    return ", ".join(f"{kinds[key]} {value.get('name')}" for key, value in item.items() if key in kinds)


def _parse(output: str) -> dict[str, str]:
    return {name: value for name, found, value in (line.partition("=") for line in output.splitlines()) if found}


def _kind(service: RawObject) -> str:
    return "ExternalName" if service["spec"].get("type") == "ExternalName" else "Headless Service"
