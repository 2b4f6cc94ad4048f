"""Criterion `reach`: who answers at an address of a Service, seen from vantage points; negated: that nobody does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grader.causes.answers import address_of, described
from grader.causes.patience import SUSPECT_SECONDS, WATCH_SECONDS
from grader.causes.ruling import Doubt, Ruling, believed, environment, fail, not_yet, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing, port_missing
from grader.causes.traffic import HOPS, explained, facts_of, hop_of, of_strangers, suspect, unexplained
from grader.causes.way import Way
from grader.causes.words import aspect_text, listed, port_number_text, vantage_text, word
from grader.criteria.asking import control_questions, reach_questions
from grader.criteria.kind import Questions
from grader.criteria.policies import policy_starves
from grader.criteria.ways import way_missing
from grader.model.choosing import serving
from grader.model.evidence import Outcome, ReachAnswer, ReachQuestion
from grader.model.kubernetes import hostname_of
from grader.model.objects import RawObject
from grader.model.report import Hop, Waits
from grader.model.vantage import At, Vantage


@dataclass(frozen=True)
class Reach(Way):
    """Who answers at an address of a Service, seen from vantage points.

    Attributes:
        control: for a negated reach from outside the cluster: what the same vantage must reach meanwhile.
    """

    control: Way | None = None

    negatable: ClassVar[bool] = True
    forbids: ClassVar[bool] = False
    resources: ClassVar[frozenset[str]] = frozenset()

    @property
    def subject(self) -> str:
        """The Service."""
        return self.service

    @property
    def aspect(self) -> str:
        """The port, how it is reached where that is not the Service's own address, and who calls."""
        way = word("aspect", "node-port") if self.at is At.NODE_PORT else ""
        return aspect_text(port_number_text(self.port), way, *map(vantage_text, self.sources))

    @property
    def hop(self) -> Hop:
        """Where the farthest vantage asks."""
        if Vantage.LEARNER_HOST in self.sources:
            return Hop.LEARNER_HOST
        if self.outside:
            return Hop.OUTSIDE_CLIENT
        return Hop.NODE if self.at is At.NODE_PORT else Hop.RESPONSE

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask each vantage; where nobody may answer, also what it must reach meanwhile."""
        return Questions(reach=(*reach_questions(self, sight), *(self._controls(sight) if negated else ())))

    def _controls(self, sight: Sight) -> tuple[ReachQuestion, ...]:
        return reach_questions(self.control, sight) if self.control else control_questions(self, sight.objects)

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge who answered."""
        service = scene.service(self.service)
        if service is None:
            return missing(scene, self.service)
        return self._rule_negated(scene, service) if negated else self._rule(scene, service)

    def _rule(self, scene: Scene, service: RawObject) -> Ruling:
        """Judge a reach that must hold."""
        if objection := way_missing(self, scene, service) or policy_starves(self, scene, service):
            return objection
        questions = reach_questions(self, scene.sight)
        answers = scene.reach_answers(questions)
        if not questions or len(answers) < len(questions):
            return not_yet("not-asked-yet", HOPS[self.sources[0]], Waits.QUESTIONS, service=self.service)
        if unasked := [answer for answer in answers if answer.outcome is Outcome.UNASKED]:
            return environment(scene.blind(unasked[0].question.vantage))
        wanted = {hostname_of(pod) for pod in self._pods(scene)}
        doubts: list[Doubt] = []
        for answer in answers:
            match self._rule_answer(scene, service, answer, wanted):
                case Ruling() as ruling:
                    return ruling
                case Doubt() as doubt:
                    doubts.append(doubt)
        facts = {"service": self.service, "vantages": self._vantages(), "count": len(wanted), "port": self.port}
        if not self.all_of_them:
            return believed(passed(f"reach-{self.at.value}-some", **facts), doubts)
        asked = len({answer.question.host for answer in answers})
        return believed(passed(f"reach-{self.at.value}", **facts, addresses=asked), doubts)

    def _rule_answer(
        self, scene: Scene, service: RawObject, answer: ReachAnswer, wanted: set[str]
    ) -> Ruling | Doubt | None:
        """Say what is wrong with one answer, None where it is as wanted."""
        seen, told = set(answer.responders), facts_of(self.service, answer)
        if strangers := seen - wanted:
            return of_strangers(self, scene, service, answer, strangers)
        if answer.outcome is Outcome.ANSWERED and (seen == wanted if self.all_of_them else seen):
            if suspect(self, scene, service, answer, wanted):
                return Doubt(hop_of(self, answer), scene.paced(SUSPECT_SECONDS), told)
            return None
        return explained(self, scene, service, answer, wanted)

    def _rule_negated(self, scene: Scene, service: RawObject) -> Ruling:
        """Judge a reach that must not hold: nobody answers, while the same vantage reaches something else."""
        if ruling := port_missing(service, self.port):
            return ruling
        questions, controls = reach_questions(self, scene.sight), self._controls(scene.sight)
        answers, control = scene.reach_answers(questions), scene.reach_answers(controls)
        hop = HOPS[self.sources[0]]
        for answer in (*answers, *control):
            if answer.outcome is Outcome.UNASKED:
                return environment(scene.blind(answer.question.vantage))
        if len(answers) < len(questions) or not control or len(control) < len(controls):
            return not_yet("not-asked-yet", hop, Waits.QUESTIONS, service=self.service)
        if silent := [answer for answer in control if answer.outcome is not Outcome.ANSWERED]:
            return unexplained(self, scene, silent[0])
        if reached := [answer for answer in answers if answer.responders]:
            question = reached[0].question
            ruling = fail(
                "reached-though", hop,
                service=self.service, vantage=vantage_text(question.vantage),
                address=address_of(question), who=listed(reached[0].responders),
            )  # fmt: skip
        else:
            ruling = passed("not-reached", hop, service=self.service, vantages=self._vantages())
        return ruling.once_quiet(scene.paced(WATCH_SECONDS), Waits.SILENCE)

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show the Pods that must answer, and who did."""
        return listed(map(hostname_of, self._pods(scene))), described(scene, reach_questions(self, scene.sight))

    def _pods(self, scene: Scene) -> tuple[RawObject, ...]:
        """Choose the Pods that must answer."""
        return serving(scene.backends(self.answered_by, self.pods_in), self.readiness)

    def _vantages(self) -> str:
        return listed(vantage_text(source.value) for source in self.sources)
