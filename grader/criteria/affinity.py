"""Criterion `affinity`: one client always reaches the same Pod, while a Service without affinity spreads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from grader.causes.answers import described
from grader.causes.ruling import Ruling, environment, fail, not_yet, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing
from grader.causes.traffic import explained, of_strangers, unexplained
from grader.causes.way import Way
from grader.causes.words import aspect_text, listed, port_number_text, vantage_text, word
from grader.criteria.asking import reach_questions
from grader.criteria.kind import Questions
from grader.criteria.policies import policy_starves
from grader.criteria.ways import way_missing
from grader.model.evidence import Outcome, ReachQuestion
from grader.model.kubernetes import hostname_of
from grader.model.report import Hop, Waits
from grader.model.vantage import At, Vantage

AFFINITY_TRIES = 15  # test/e2e/network/service.go, AffinityConfirmCount; 2 Pods at random agree once in 16,384 runs


@dataclass(frozen=True)
class Affinity:
    """One client always reaches the same Pod, while a Service without affinity spreads over the same Pods.

    Attributes:
        service: the Service's name.
        port: the Service port.
        at: `name` or `cluster-ip`.
        sources: the vantages (YAML `from`).
        answered_by: labels of the Pods that may answer.
        control: the given Service without affinity, with the same port number.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    control: str

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    hop: ClassVar[Hop] = Hop.RESPONSE
    resources: ClassVar[frozenset[str]] = frozenset()

    @property
    def subject(self) -> str:
        """The Service."""
        return self.service

    @property
    def aspect(self) -> str:
        """The port, and that it is about one client again and again."""
        return aspect_text(port_number_text(self.port), word("expected", "affinity"))

    @property
    def way(self) -> Way:
        """The way to its port."""
        return Way(self.service, self.port, self.at, self.sources, self.answered_by, all_of_them=False)

    @property
    def _spread(self) -> Way:
        """The way to the Service without affinity, which must reach all Pods."""
        return Way(self.control, self.port, self.at, self.sources, self.answered_by)

    @property
    def hops(self) -> frozenset[Hop]:
        """Those of its way."""
        return self.way.hops

    @property
    def outside(self) -> bool:
        """Whether the outside client asks."""
        return self.way.outside

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask the Service, and the one without affinity."""
        return Questions(reach=(*self._asked(sight), *self._controls(sight)))

    def _asked(self, sight: Sight) -> tuple[ReachQuestion, ...]:
        """Build one question a vantage: so many fresh connections, whoever answers."""
        return tuple(
            ReachQuestion(item.vantage, item.host, item.port, (), AFFINITY_TRIES)
            for item in reach_questions(self.way, sight)
        )

    def _controls(self, sight: Sight) -> tuple[ReachQuestion, ...]:
        """Build the same questions to the Service without affinity."""
        return reach_questions(self._spread, sight)

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge that a client stays with one Pod, while a Service without affinity spreads over the same Pods."""
        service = scene.service(self.service)
        if service is None:
            return missing(scene, self.service)
        way = self.way
        if objection := way_missing(way, scene, service) or policy_starves(way, scene, service):
            return objection
        facts = {"service": self.service, "control": self.control}
        pods = {hostname_of(pod) for pod in scene.backends(self.answered_by)}
        if len(pods) < 2:
            return fail("affinity-needs-pods", Hop.ENDPOINT_SLICE, **facts, count=len(pods))
        questions, controls = self._asked(scene.sight), self._controls(scene.sight)
        answers, control = scene.reach_answers(questions), scene.reach_answers(controls)
        plain = scene.service(self.control)
        if plain is None:
            return missing(scene, self.control)
        if not questions or not controls or len(answers) < len(questions) or len(control) < len(controls):
            return not_yet("not-asked-yet", self.hop, Waits.QUESTIONS, service=self.service)
        for answer in (*answers, *control):
            if answer.outcome is Outcome.UNASKED:
                return environment(scene.blind(answer.question.vantage))
        if service["spec"].get("sessionAffinity") != "ClientIP":
            seen = max((answer.responders for answer in answers), key=len)
            return fail("affinity-missing", self.hop, **facts, seen=listed(sorted(seen)), tries=answers[0].tries)
        for answer in answers:
            if answer.outcome is not Outcome.ANSWERED:
                return explained(way, scene, service, answer, pods)
        for answer in control:
            if set(answer.responders) != pods:  # the control shows that the same Pods can be told apart from here
                return explained(self._spread, scene, plain, answer, pods)
        for answer in answers:
            if strangers := set(answer.responders) - pods:
                return of_strangers(way, scene, service, answer, strangers)
            if len(answer.responders) > 1:
                return unexplained(way, scene, answer)
        vantages = listed(vantage_text(source.value) for source in self.sources)
        return passed("affinity-proved", **facts, vantages=vantages, tries=answers[0].tries, count=len(pods))

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show who answered."""
        return word("expected", "affinity"), described(scene, self._asked(scene.sight))
