"""Criterion `dns`: a DNS question has exactly this RRset and response code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grader.causes.lasting import not_lasting, strangers_chosen
from grader.causes.names import exists, literal, named_service, unfit, value_lost
from grader.causes.patience import STALE_SECONDS
from grader.causes.resolving import lookup
from grader.causes.ruling import Ruling, environment, fail, not_yet, passed, turned_round
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing
from grader.causes.silence import unresolved
from grader.causes.words import aspect_text, listed, vantage_text, word
from grader.criteria.endpoints import lasting_of
from grader.criteria.kind import Questions
from grader.criteria.records import ClusterIp, Nothing, PodNamed, PodsOf, Wanted, comparable, shown
from grader.model.choosing import config_value
from grader.model.dnsnames import leaves_cluster
from grader.model.evidence import DnsAnswer, DnsQuestion, Outcome
from grader.model.objects import Objects, RawObject
from grader.model.report import Hop, Verdict, Waits
from grader.model.vantage import ConfigKey, Vantage, home_of


@dataclass(frozen=True)
class Dns:
    """A DNS question has exactly this RRset and response code.

    Attributes:
        name: a name with a trailing dot is asked as it is; any other goes through the Pod's search list.
        source: the vantage (YAML `from`).
        type: record type, "A".
        is_: which records it must have.
        service: the Service the name belongs to: the first label of the name unless given.
        rcode: expected response code.
        absolute: the name is asked as it is, without the search list, even without a trailing dot.
    """

    name: str | ConfigKey
    source: Vantage
    type: str
    is_: Wanted
    service: str
    rcode: str = "NOERROR"
    absolute: bool = False

    negatable: ClassVar[bool] = True
    forbids: ClassVar[bool] = False
    outside: ClassVar[bool] = False
    hop: ClassVar[Hop] = Hop.DNS
    hops: ClassVar[frozenset[Hop]] = frozenset({Hop.DNS})

    @property
    def subject(self) -> str:
        """The ConfigMap that the learner writes the name into, else the Service."""
        return f"ConfigMap {self.name.config_map}" if isinstance(self.name, ConfigKey) else self.service

    @property
    def aspect(self) -> str:
        """The name, the type of its records, and who asks."""
        asked = self.name.key if isinstance(self.name, ConfigKey) else f"{self.type} {self.name}"
        return aspect_text(asked, vantage_text(self.source))

    @property
    def resources(self) -> frozenset[str]:
        """ConfigMaps, where the learner writes the name into one."""
        return frozenset({"configmaps"} if isinstance(self.name, ConfigKey) else ())

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Ask for the records of the name."""
        question = self._question(sight.objects)
        # A question asked before the Service is there may be remembered by the DNS server as having no answer.
        early = isinstance(self.is_, ClusterIp) and not exists(sight.objects, self.service)
        # A learner's name outside of the cluster is nobody's here: whether the world answers must not decide.
        strange = isinstance(self.name, ConfigKey) and leaves_cluster(question.name)
        return Questions(dns=() if early or strange or not question.name else (question,))

    def _question(self, objects: Objects) -> DnsQuestion:
        """Build its question; the name is "" where the learner has not written it yet."""
        name = config_value(objects, self.name) if isinstance(self.name, ConfigKey) else self.name
        if self.absolute and name and not name.endswith("."):
            name += "."
        return DnsQuestion(self.source.value, name, self.type)

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge the exact RRset and response code of a name."""
        ruling = self._rule(scene)
        if not negated:
            return ruling
        answer = scene.dns_answer(self._question(scene.objects))
        answered = answer is not None and answer.outcome is Outcome.ANSWERED
        if ruling.verdict is not Verdict.PASS and answered:  # the control: the server did answer
            turned = passed("not-dns", Hop.DNS, name=answer.question.name if answer else "", type=self.type)
            return turned.once_quiet(scene.paced(STALE_SECONDS), Waits.SILENCE, {"service": self.service})
        return turned_round(self.service, ruling)

    def _rule(self, scene: Scene) -> Ruling:
        question = self._question(scene.objects)
        if isinstance(self.name, ConfigKey) and (ruling := value_lost(scene, self.name)):
            return ruling
        if isinstance(self.name, ConfigKey) and not question.name:
            return fail("call-value-missing", Hop.SERVICE, name=self.name.config_map, key=self.name.key)
        service = self._named(scene, question.name)
        if objection := self._impossible(question.name, service):
            return objection
        promised = self.rcode == "NOERROR" and not isinstance(self.is_, Nothing)
        if service is None and (promised or isinstance(self.is_, ClusterIp)):
            return missing(scene, self.service)
        wanted = self.is_.of(scene, service, self.service)
        answer = scene.dns_answer(question)
        if answer is None:
            return not_yet("not-asked-yet", Hop.DNS, Waits.QUESTIONS, service=self.service)
        if answer.outcome is Outcome.UNASKED:
            return environment(scene.blind(self.source.value), Hop.DNS)
        facts = {"name": question.name, "type": self.type, "vantage": vantage_text(self.source.value)}
        right = comparable(self.type, answer.records) == comparable(self.type, wanted)
        if answer.outcome is Outcome.ANSWERED and answer.rcode == self.rcode and right:
            if service is not None and (ruling := self._lost(scene, service)):
                return ruling
            return passed("dns-exact", **facts, records=listed(wanted) if wanted else answer.rcode)
        facts |= {"rcode": answer.rcode or word("outcome", answer.outcome), "seen": listed(answer.records)}
        if problem := scene.problem("dns-server-down", "node-not-ready"):
            return environment(problem, Hop.DNS)
        certain = self._certain(scene, question.name, service, wanted, answer)
        stale = scene.paced(STALE_SECONDS)
        if certain or answer.outcome is not Outcome.ANSWERED:
            return unresolved(scene, answer, facts)
        if service is not None and service["spec"].get("type") == "ExternalName" and (ruling := literal(service)):
            return ruling
        if service is not None and answer.rcode == self.rcode and (ruling := self._lost(scene, service)):
            return ruling  # what is answered beyond the Pods has its cause
        if answer.rcode == "NXDOMAIN" and self.rcode == "NOERROR":
            return fail("dns-name-unknown", Hop.DNS, **facts).once_quiet(stale, Waits.NAMES)
        expected = listed(wanted) if wanted else self.rcode
        return fail("dns-differs", Hop.DNS, **facts, expected=expected).once_quiet(stale, Waits.NAMES)

    def _lost(self, scene: Scene, service: RawObject) -> Ruling | None:
        """Say why a name that stands for Pods will not do so for long: others come, or they are made anew."""
        if isinstance(self.is_, PodsOf) and (ruling := strangers_chosen(scene, service, self.is_.labels)):
            return ruling
        if not isinstance(self.is_, PodsOf | PodNamed) or not lasting_of(scene.exercise, self.service):
            return None
        return not_lasting(scene, service, self.is_.labels if isinstance(self.is_, PodsOf) else {})

    def _named(self, scene: Scene, name: str) -> RawObject | None:
        """Find the Service that the name belongs to."""
        return named_service(scene, self.service, name, anywhere=isinstance(self.name, ConfigKey))

    def _impossible(self, name: str, service: RawObject | None) -> Ruling | None:
        """Object to a name that cannot have such records, whatever the DNS server says."""
        if isinstance(self.name, ConfigKey) and (ruling := unfit(self.name, name)):
            return ruling
        return self.is_.impossible(service, self.type, name) if service is not None else None

    def _certain(
        self, scene: Scene, name: str, service: RawObject | None, wanted: tuple[str, ...], answer: DnsAnswer
    ) -> bool:
        """Tell whether the objects promise these records: a server that says otherwise has not seen them yet."""
        certain = isinstance(self.is_, ClusterIp) and not isinstance(self.name, ConfigKey)
        if self.type == "A" and wanted and not certain:
            home = home_of(self.source, scene.exercise.namespace)
            certain = lookup(scene, name, home) == frozenset(wanted)
        if self.type == "SRV" and service is not None and service["spec"].get("clusterIP") not in (None, "", "None"):
            certain = certain or answer.rcode == "NXDOMAIN"  # its port has the name: `impossible` looked
        return certain

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show response code and records."""
        question = self._question(scene.objects)
        told = scene.dns_answer(question)
        wanted = self.is_.of(scene, self._named(scene, question.name), self.service)
        seen = f"{told.rcode or word('outcome', told.outcome)} {listed(told.records)}" if told else ""
        return f"{self.rcode} {shown(self.is_, wanted)}", seen
