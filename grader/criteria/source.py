"""Criterion `source`: the client address that a backend sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grader.causes.answers import described
from grader.causes.patience import DATA_PLANE_SECONDS, STALE_SECONDS, SUSPECT_SECONDS
from grader.causes.ruling import Doubt, Ruling, believed, environment, fail, not_yet, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing
from grader.causes.traffic import facts_of, unexplained
from grader.causes.way import Way
from grader.causes.words import aspect_text, listed, port_number_text, vantage_text, word
from grader.criteria.asking import SOME_TRIES, addresses, local_endpoints
from grader.criteria.kind import Questions
from grader.criteria.ways import way_missing
from grader.model.choosing import find_service
from grader.model.evidence import Outcome, ReachQuestion, ShellQuestion
from grader.model.kubernetes import internal_ip, name_of, service_port
from grader.model.objects import RawObject
from grader.model.report import Hop, Waits
from grader.model.vantage import At, Vantage

OWN_ADDRESS = "hostname -i"


@dataclass(frozen=True)
class Source:
    """The client address that a backend sees.

    Attributes:
        service: the Service's name.
        port: the Service port.
        at: which address.
        sources: the vantages (YAML `from`).
        kept: the client's own address; False: another one.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    kept: bool

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    resources: ClassVar[frozenset[str]] = frozenset()

    @property
    def subject(self) -> str:
        """The Service."""
        return self.service

    @property
    def aspect(self) -> str:
        """The port, and that it is about the address of the client."""
        return aspect_text(port_number_text(self.port), word("aspect", "source"))

    @property
    def hop(self) -> Hop:
        """Where the client is."""
        return Hop.OUTSIDE_CLIENT if self.outside else Hop.RESPONSE

    @property
    def way(self) -> Way:
        """The way to its port, whoever answers there."""
        return Way(self.service, self.port, self.at, self.sources, {})

    @property
    def hops(self) -> frozenset[Hop]:
        """Those of its way."""
        return self.way.hops

    @property
    def outside(self) -> bool:
        """Whether the outside client asks."""
        return self.way.outside

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask whoever answers for the client's address, and the vantages for their own."""
        return Questions(reach=self._asked(sight), shell=self._own())

    def _asked(self, sight: Sight) -> tuple[ReachQuestion, ...]:
        """Build one question a vantage and address; of node ports only those of nodes that have endpoints."""
        service = find_service(sight.objects, self.service)
        port = service_port(service, self.port) if service else None
        if service is None or port is None:
            return ()
        own = local_endpoints(sight.objects, service, self.port)
        nodes = {internal_ip(node) for node in sight.objects.of("nodes") if own.get(name_of(node))}
        return tuple(
            ReachQuestion(vantage, host, number, (), SOME_TRIES, "clientip")
            for vantage, host, number in addresses(self.way, service, port, sight)
            if self.at is not At.NODE_PORT or host in nodes
        )

    def _own(self) -> tuple[ShellQuestion, ...]:
        """Build the questions after the vantages' own addresses."""
        return tuple(ShellQuestion(source.value, OWN_ADDRESS) for source in self.sources)

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge the client address that a backend sees."""
        hop = Hop.RESPONSE
        service = scene.service(self.service)
        if service is None:
            return missing(scene, self.service)
        if objection := way_missing(self.way, scene, service):
            return objection
        questions = self._asked(scene.sight)
        answers = scene.reach_answers(questions)
        own = {question.vantage: scene.shell_answer(question) for question in self._own()}
        if not questions or len(answers) < len(questions) or None in own.values():
            return not_yet("not-asked-yet", hop, Waits.QUESTIONS, service=self.service)
        doubts: list[Doubt] = []
        for answer in answers:
            mine = own[answer.question.vantage]
            if answer.outcome is Outcome.UNASKED or mine is None or mine.outcome is not Outcome.ANSWERED:
                return environment(scene.blind(answer.question.vantage))
            if answer.outcome is not Outcome.ANSWERED:
                return unexplained(self.way, scene, answer)
            known, seen = set(mine.output.split()), set(answer.responders)
            right = seen <= known if self.kept else not seen & known
            likely = self.at is At.CLUSTER_IP or _says_kept(service) is self.kept
            told = {**facts_of(self.service, answer), "own": listed(sorted(known)), "seen": _addresses(scene, seen)}
            if right:
                if not likely:  # the rules of before a change may still answer
                    doubts.append(Doubt(hop, scene.paced(SUSPECT_SECONDS), told))
                continue
            ruling = fail("source-replaced" if self.kept else "source-kept", hop, **told)
            return ruling.once_quiet(scene.paced(DATA_PLANE_SECONDS if likely else STALE_SECONDS))
        vantages = listed(vantage_text(source.value) for source in self.sources)
        code = "source-kept-proved" if self.kept else "source-replaced-proved"
        seen_text = _addresses(scene, {address for answer in answers for address in answer.responders})
        return believed(passed(code, service=self.service, vantages=vantages, seen=seen_text), doubts)

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show which addresses were seen."""
        expected = word("expected", "source-kept" if self.kept else "source-replaced")
        return expected, described(scene, self._asked(scene.sight))


def _says_kept(service: RawObject) -> bool:
    return str(service["spec"].get("externalTrafficPolicy")) == "Local"


def _addresses(scene: Scene, found: set[str]) -> str:
    """Write addresses, and say which are a node's."""
    nodes = {internal_ip(node): name_of(node) for node in scene.objects.of("nodes")}
    return listed(f"{item} ({nodes[item]})" if item in nodes else item for item in sorted(found))
