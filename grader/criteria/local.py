"""Criterion `local`: a node that has endpoints is served by its own Pods only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from grader.causes.answers import described
from grader.causes.patience import SUSPECT_SECONDS, WATCH_SECONDS
from grader.causes.ruling import Doubt, Ruling, believed, environment, fail, not_yet, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing
from grader.causes.traffic import facts_of, mode_by_annotation, near, unexplained
from grader.causes.way import Way
from grader.causes.words import aspect_text, listed, port_number_text, word
from grader.criteria.asking import local_endpoints, tries_for
from grader.criteria.kind import Questions
from grader.criteria.ways import way_missing
from grader.model.choosing import find_service, living
from grader.model.evidence import Outcome, Problem, ReachAnswer, ReachQuestion
from grader.model.kubernetes import actual_slices, hostname_of, internal_ip, is_ready, labels_of, name_of, service_port
from grader.model.objects import Objects, RawObject
from grader.model.report import Hop, Waits
from grader.model.vantage import CONTROL_PLANE_LABEL, At, Vantage

NODE_TRIES = 12  # a node that hands on to 2 Pods at random looks local once in 4,096 runs


@dataclass(frozen=True)
class Local:
    """A node that has endpoints is served by its own Pods only; what another gets is `otherwise`.

    Attributes:
        service: the Service's name.
        port: the Service port.
        at: `cluster-ip` (asked from a probe on each node) or `node-port` (asked from the outside client of each node).
        answered_by: labels of the Pods that may answer.
        otherwise: "nobody" (a policy Local) or "anybody" (a trafficDistribution).
    """

    service: str
    port: int
    at: At
    answered_by: Mapping[str, str]
    otherwise: str

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    resources: ClassVar[frozenset[str]] = frozenset()

    @property
    def subject(self) -> str:
        """The Service."""
        return self.service

    @property
    def aspect(self) -> str:
        """The port, and that it is about single nodes."""
        return aspect_text(port_number_text(self.port), word("aspect", "local"))

    @property
    def hop(self) -> Hop:
        """Where the address is served."""
        return Hop.CLUSTER_IP if self.at is At.CLUSTER_IP else Hop.NODE

    @property
    def way(self) -> Way:
        """The way to its port."""
        source = Vantage.OUTSIDE_CLIENT if self.at is At.NODE_PORT else Vantage.SAME_NAMESPACE
        return Way(self.service, self.port, self.at, (source,), self.answered_by)

    @property
    def hops(self) -> frozenset[Hop]:
        """Those of its way."""
        return self.way.hops

    @property
    def outside(self) -> bool:
        """Whether the outside client asks: at node ports."""
        return self.way.outside

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask every node."""
        return Questions(reach=(*self._asked(sight.objects).values(), *self._controls(sight.objects)))

    def _asked(self, objects: Objects) -> Mapping[str, ReachQuestion]:
        """Build one question a node; none where the objects give no address yet."""
        service = find_service(objects, self.service)
        port = service_port(service, self.port) if service else None
        if service is None or port is None:
            return {}
        own = local_endpoints(objects, service, self.port)
        ready = [pod for pod in living(objects.of("pods"), self.answered_by) if is_ready(pod)]
        everybody = tuple(map(hostname_of, ready))
        found = {}
        for node in sorted(objects.of("nodes"), key=name_of):
            name = name_of(node)
            if self.at is At.CLUSTER_IP:
                vantage, host, number = f"node/{name}", str(service["spec"].get("clusterIP", "")), self.port
            else:
                vantage, host, number = Vantage.OUTSIDE_CLIENT.value, internal_ip(node), int(port.get("nodePort") or 0)
            if host in ("", "None") or not number:
                return {}
            want = own.get(name, ()) or (everybody if self.otherwise == "anybody" else ())
            bound = max(NODE_TRIES, tries_for(len(want)) if want else 0)
            found[name] = ReachQuestion(vantage, host, number, want, bound)
        return found

    def _controls(self, objects: Objects) -> tuple[ReachQuestion, ...]:
        """Build the positive control of a node that nobody may serve: a ready Pod, directly, from each probe."""
        if self.at is not At.CLUSTER_IP or self.otherwise != "nobody":
            return ()
        service = find_service(objects, self.service)
        endpoints = sorted(actual_slices(service, objects.of("endpointslices"))) if service else []
        ready = [item for item in endpoints if item.ready and item.port]
        if not ready:
            return ()
        nodes = sorted(map(name_of, objects.of("nodes")))
        return tuple(ReachQuestion(f"node/{node}", ready[0].address, ready[0].port or 0) for node in nodes)

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge, node by node, that only the node's own Pods serve it."""
        service = scene.service(self.service)
        if service is None:
            return missing(scene, self.service)
        if objection := way_missing(self.way, scene, service):
            return objection
        questions, controls = self._asked(scene.objects), self._controls(scene.objects)
        asked = [*questions.values(), *controls]
        answers = {question: answer for question in asked if (answer := scene.reach_answer(question))}
        if not questions or len(answers) < len(set(asked)):
            return not_yet("not-asked-yet", self.hop, Waits.QUESTIONS, service=self.service)
        if unasked := [answer for answer in answers.values() if answer.outcome is Outcome.UNASKED]:
            return environment(scene.blind(unasked[0].question.vantage))
        own = local_endpoints(scene.objects, service, self.port)
        facts = {"service": self.service}
        if not any(own.values()) or all(own.values()):
            return self._not_provable(scene, own)
        for question in controls:
            if answers[question].outcome is not Outcome.ANSWERED:
                return unexplained(self.way, scene, answers[question])
        everybody = {hostname_of(pod) for pod in scene.backends(self.answered_by)}
        doubts: list[Doubt] = []
        for node, question in questions.items():
            match self._rule_node(scene, service, node, answers[question], set(own[node]), everybody):
                case Ruling() as ruling:
                    return ruling
                case Doubt() as doubt:
                    doubts.append(doubt)
        served = listed(node for node, pods in own.items() if pods)
        empty = listed(node for node, pods in own.items() if not pods)
        watched = scene.paced(WATCH_SECONDS) if self.otherwise == "nobody" else 0.0
        proved = passed(f"local-{self.otherwise}", self.hop, **facts, nodes=served, others=empty)
        return believed(proved.once_quiet(watched, Waits.SILENCE), doubts)

    def _not_provable(self, scene: Scene, own: Mapping[str, tuple[str, ...]]) -> Ruling:
        """Object to Pods on every node, or on none: the ground puts them on some where there are several workers."""
        workers = [node for node in scene.objects.of("nodes") if CONTROL_PLANE_LABEL not in labels_of(node)]
        facts = {"service": self.service, "nodes": listed(own)}
        if len(workers) < 2:
            return environment(Problem("policy-not-provable", facts), self.hop)
        pods = scene.backends(self.answered_by)
        homes = listed(f"{name_of(pod)} ({pod['spec'].get('nodeName') or word('plain', 'none')})" for pod in pods)
        return fail("pods-placed-otherwise", Hop.ENDPOINT_SLICE, **facts, pods=homes, exercise=scene.exercise.id)

    def _rule_node(
        self, scene: Scene, service: RawObject, node: str, answer: ReachAnswer, own: set[str], everybody: set[str]
    ) -> Ruling | Doubt | None:
        """Say what is wrong with who serves one node, None where it is as wanted."""
        may = own or (everybody if self.otherwise == "anybody" else set())
        seen, told = set(answer.responders), facts_of(self.service, answer)
        local = self._policy(service) == "Local"
        promised = own if local else near(self.way, scene, service, node) or everybody
        if local and not own and self.otherwise == "anybody":  # whoever answers yet: the rules of before do
            policy = f"{self._policy_field}: Local"
            return fail("policy-starves-node", self.hop, **told, node=node, policy=policy)
        if seen - may:
            if promised <= may:  # the rules of before a change may still answer
                return unexplained(self.way, scene, answer)
            who, expected = listed(sorted(seen - may)), listed(sorted(may))
            fields = (self._policy_field, "trafficDistribution")
            told_by = [f"{field}: {service['spec'][field]}" for field in fields if service["spec"].get(field)]
            settings = listed(filter(None, (*told_by, mode_by_annotation(service))))
            facts = {**told, "node": node, "who": who, "expected": expected, "settings": settings}
            return fail("policy-not-local", self.hop, **facts)
        if answer.outcome is Outcome.ANSWERED:
            if own and seen != own:
                return not_yet("data-plane-moving", self.hop, Waits.TRAFFIC, **told)
            if own and not promised <= own:
                return Doubt(self.hop, scene.paced(SUSPECT_SECONDS), told)
            return None
        if not own and self.otherwise == "nobody":
            return None if local else Doubt(self.hop, scene.paced(SUSPECT_SECONDS), told)
        return unexplained(self.way, scene, answer)

    def _policy(self, service: RawObject) -> str:
        """Read the traffic policy that rules over this address."""
        return str(service["spec"].get(self._policy_field) or "")

    @property
    def _policy_field(self) -> str:
        return "internalTrafficPolicy" if self.at is At.CLUSTER_IP else "externalTrafficPolicy"

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show who serves each node."""
        expected = word("expected", f"local-{self.otherwise}")
        return expected, described(scene, self._asked(scene.objects).values())
