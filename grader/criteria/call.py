"""Criterion `call`: who answers at a name that is no Service's own, or at an address that the learner wrote down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from grader.causes.answers import described
from grader.causes.endpoints import pods_not_ready
from grader.causes.lasting import going, not_lasting
from grader.causes.names import disguised, literal, value_lost
from grader.causes.patience import DATA_PLANE_SECONDS, SILENCE_SECONDS, STALE_SECONDS
from grader.causes.resolving import aliases_of, lookup, published, service_behind
from grader.causes.ruling import Ruling, environment, fail, not_yet, passed
from grader.causes.scene import Scene, Sight
from grader.causes.service import missing, proxy_ignores
from grader.causes.silence import unanswered
from grader.causes.traffic import facts_of, policy_keeps_out, sent_to, served_locally
from grader.causes.way import Way
from grader.causes.words import aspect_text, label_text, listed, vantage_text, word
from grader.criteria.asking import NAME_TRIES, SOME_TRIES, tries_for
from grader.criteria.kind import Questions
from grader.model.choosing import backends, config_value, find_service
from grader.model.evidence import Outcome, ReachAnswer, ReachQuestion
from grader.model.ground import Given
from grader.model.kubernetes import has_cluster_ip, hostname_of, is_ready, name_of
from grader.model.objects import Objects
from grader.model.report import Hop, Waits
from grader.model.vantage import At, ConfigKey, Vantage, home_of

HTTP_PORT = 80


@dataclass(frozen=True)
class Destination:
    """Where a call goes.

    Attributes:
        text: as it was written.
        host: host name or address, "" where the text is none.
        port: port number.
    """

    text: str
    host: str = ""
    port: int = 0

    @property
    def is_address(self) -> bool:
        """Whether the host is an address, or a name made of one."""
        return disguised(self.host) is not None


def destination(to: str | ConfigKey, objects: Objects) -> Destination:
    """Read "http://host[:port]/..." or "host:port"; host "" where it is neither, text "" where nothing is written."""
    text = config_value(objects, to) if isinstance(to, ConfigKey) else to
    try:
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        host, port = parts.hostname or "", parts.port or (HTTP_PORT if parts.scheme == "http" else 0)
    except ValueError:
        return Destination(text)
    known = parts.scheme in ("http", "tcp") and not parts.username and " " not in text
    return Destination(text, host, port) if known and host and port else Destination(text)


@dataclass(frozen=True)
class Call:
    """Who answers at a name that is no Service's own, or at an address that the learner wrote down.

    Attributes:
        to: "host:port", or where the learner's value is: "http://host[:port]/..." or "host:port".
        sources: the vantages (YAML `from`).
        answered_by: labels of the Pods that may answer.
        pods_in: the Namespace where they live (YAML `in`), "" for the exercise's own.
        service: the Service that the call is about, "" where it is about none.
        all_of_them: each of these Pods must have answered.
        leads_to: the Service that must stand at the end of the name, where the Pods are; "": any that lasts.
    """

    to: str | ConfigKey
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    pods_in: str = ""
    service: str = ""
    all_of_them: bool = True
    leads_to: str = ""

    negatable: ClassVar[bool] = False
    forbids: ClassVar[bool] = False
    hop: ClassVar[Hop] = Hop.RESPONSE
    hops: ClassVar[frozenset[Hop]] = frozenset({Hop.DNS, Hop.CLUSTER_IP, Hop.RESPONSE})

    @property
    def subject(self) -> str:
        """The ConfigMap that the learner writes the name into, else the name."""
        return f"ConfigMap {self.to.config_map}" if isinstance(self.to, ConfigKey) else self.to

    @property
    def aspect(self) -> str:
        """The key that the learner writes the name into, and who calls."""
        return aspect_text(self.to.key if isinstance(self.to, ConfigKey) else "", *map(vantage_text, self.sources))

    @property
    def resources(self) -> frozenset[str]:
        """ConfigMaps, where the learner writes the name into one."""
        return frozenset({"configmaps"} if isinstance(self.to, ConfigKey) else ())

    @property
    def outside(self) -> bool:
        """Whether the outside client asks."""
        return Vantage.OUTSIDE_CLIENT in self.sources

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Call the name from each vantage, once the Service that it is about is there."""
        there = not self.service or find_service(sight.objects, self.service) is not None
        return Questions(reach=self._asked(sight.objects) if there else ())

    def _asked(self, objects: Objects) -> tuple[ReachQuestion, ...]:
        """Build one question a vantage; none where there is no name to call."""
        to = destination(self.to, objects)
        if not to.host or to.is_address:
            return ()
        pods = [pod for pod in backends(objects, self.answered_by, self.pods_in) if is_ready(pod)]
        want = tuple(map(hostname_of, pods)) if self.all_of_them else ()
        bound = tries_for(len(pods)) if self.all_of_them else SOME_TRIES
        return tuple(
            ReachQuestion(source.value, to.host, to.port, want, max(bound, NAME_TRIES), least=NAME_TRIES)
            for source in self.sources
        )

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge who answers at a name."""
        to = destination(self.to, scene.objects)
        if objection := self._unwritten(scene, to):
            return objection
        if self.service and scene.service(self.service) is None:
            return missing(scene, self.service)
        if objection := pods_not_ready(scene, self.answered_by, self.pods_in):
            return objection
        questions = self._asked(scene.objects)
        answers = scene.reach_answers(questions)
        if not questions or len(answers) < len(questions):
            return not_yet("call-not-asked-yet", Hop.RESPONSE, Waits.QUESTIONS, to=to.text)
        if unasked := [answer for answer in answers if answer.outcome is Outcome.UNASKED]:
            return environment(scene.blind(unasked[0].question.vantage))
        pods = [pod for pod in scene.backends(self.answered_by, self.pods_in) if is_ready(pod)]
        wanted = set(map(hostname_of, pods))
        if not wanted:
            return fail(
                "backend-pods-missing", Hop.ENDPOINT_SLICE,
                labels=label_text(self.answered_by), namespace=self.pods_in or scene.exercise.namespace,
            )  # fmt: skip
        if objection := self._policy_starves(scene, to):
            return objection
        for answer in answers:
            if ruling := self._rule_answer(scene, to, answer, wanted):
                return ruling
        if ruling := self._lost(scene, to):
            return ruling
        vantages = listed(vantage_text(source.value) for source in self.sources)
        return passed("call-answered", to=to.text, vantages=vantages, count=len(wanted))

    def _policy_starves(self, scene: Scene, to: Destination) -> Ruling | None:
        """Object to a policy of the Service behind the name that leaves clients of some node without an answer."""
        for source in self.sources:
            if found := service_behind(scene, to.host, home_of(source, scene.exercise.namespace)):
                return served_locally(scene, found[0], to.port, found[1])
        return None

    def _kept_out(self, scene: Scene, to: Destination, answer: ReachAnswer, wanted: set[str]) -> Ruling | None:
        """Find a policy of the Service behind the name that keeps some Pods from answering here."""
        found = service_behind(scene, to.host, home_of(answer.question.vantage, scene.exercise.namespace))
        if found is None or found[1] or not has_cluster_ip(found[0]):
            return None
        way = Way(name_of(found[0]), to.port, At.NAME, self.sources, self.answered_by, self.all_of_them)
        return policy_keeps_out(way, scene, found[0], answer, wanted)

    def _unwritten(self, scene: Scene, to: Destination) -> Ruling | None:
        """Object to a value that is not there, cannot be read, or is an address."""
        if not isinstance(self.to, ConfigKey):
            return None
        if ruling := value_lost(scene, self.to):
            return ruling
        facts = {"name": self.to.config_map, "key": self.to.key, "seen": to.text}
        if not to.text:
            return fail("call-value-missing", Hop.SERVICE, **facts)
        if not to.host:
            return fail("call-value-unreadable", Hop.SERVICE, **facts)
        return disguised(to.host, **facts)

    def _lost(self, scene: Scene, to: Destination) -> Ruling | None:
        """Say why the name will not lead to these Pods once they are made anew."""
        for source in self.sources:
            home = home_of(source.value, scene.exercise.namespace)
            for alias, target in aliases_of(scene, to.host, home):
                if disguised(target):
                    return fail("alias-of-address", Hop.SERVICE, service=name_of(alias), target=target)
            found = service_behind(scene, to.host, home)
            end = (name_of(found[0]), found[1]) if found else ("", "")
            if self.leads_to and end != (self.leads_to, self.pods_in):
                seen = f"{end[1] or scene.exercise.namespace}/{end[0]}" if found else to.host
                where = self.pods_in or scene.exercise.namespace
                facts = {"to": to.text, "namespace": where, "expected": self.leads_to, "seen": seen}
                return fail("call-leads-elsewhere", Hop.DNS, **facts)
            if found is None:
                continue
            service, namespace = found
            given = Given(namespace or scene.exercise.namespace, "Service", name_of(service))
            laid = {item.what for item in scene.evidence.ground.laid} if scene.evidence.ground else set()
            if given in laid and given not in scene.exercise.ground.may_differ:
                continue  # as it was laid: not the learner's doing
            if ruling := going(service) or not_lasting(scene, service, self.answered_by, namespace):
                return ruling
        return None

    def _rule_answer(self, scene: Scene, to: Destination, answer: ReachAnswer, wanted: set[str]) -> Ruling | None:
        """Say what is wrong with one answer, None where it is as wanted."""
        seen = set(answer.responders)
        facts = {"to": to.text, "host": to.host, "port": str(to.port), "vantage": vantage_text(answer.question.vantage)}
        facts["namespace"] = self.pods_in or scene.exercise.namespace
        stale = scene.paced(STALE_SECONDS)
        if not seen <= wanted:
            elsewhere = fail("call-unexpected-answer", Hop.RESPONSE, **facts, who=listed(sorted(seen - wanted)))
            found = service_behind(scene, to.host, home_of(answer.question.vantage, scene.exercise.namespace))
            late = found is not None and not sent_to(scene, found[0], seen - wanted, found[1])
            return elsewhere.once_quiet(scene.paced(DATA_PLANE_SECONDS) if late else stale, Waits.CALL)
        if answer.outcome is Outcome.ANSWERED and (seen == wanted or (seen and not self.all_of_them)):
            return None
        if answer.outcome is not Outcome.ANSWERED and (ruling := _port_unserved(scene, to, answer, facts)):
            return ruling
        if answer.outcome is not Outcome.NAME_ERROR and (ruling := self._kept_out(scene, to, answer, wanted)):
            return ruling
        if answer.outcome is Outcome.ANSWERED:
            left = listed(sorted(wanted - seen))
            ruling = fail("call-some-only", Hop.RESPONSE, **facts, seen=listed(sorted(seen)), missing=left)
            return ruling.once_quiet(stale, Waits.CALL)
        if answer.outcome is Outcome.NAME_ERROR:
            return self._unresolved(scene, to, answer, facts)
        return self._unanswered(scene, to, answer, facts)

    def _unresolved(self, scene: Scene, to: Destination, answer: ReachAnswer, facts: dict[str, str]) -> Ruling:
        """Say why a name has no address. By the clock: a busy machine lags."""
        if problem := scene.problem("dns-server-down", "node-not-ready"):
            return environment(problem, Hop.DNS)
        if not lookup(scene, answer.question.host, home_of(answer.question.vantage, scene.exercise.namespace)):
            home = home_of(answer.question.vantage, scene.exercise.namespace)
            if led := list(aliases_of(scene, to.host, home)):
                alias, target = led[-1]
                if ruling := literal(alias):
                    return ruling
                ruling = fail("alias-unresolved", Hop.DNS, service=name_of(alias), target=target)
                return ruling.once_quiet(STALE_SECONDS, Waits.CALL, facts)
            return fail("call-name-unresolved", Hop.DNS, **facts).once_quiet(STALE_SECONDS, Waits.CALL)
        # the objects promise the name: one of several DNS servers may not have seen them
        return unanswered(scene, answer, facts_of(self.service, answer), Hop.DNS)

    def _unanswered(self, scene: Scene, to: Destination, answer: ReachAnswer, facts: dict[str, str]) -> Ruling:
        """Say why nobody answers."""
        if problem := scene.problem("kube-proxy-down", "node-not-ready"):
            return environment(problem, Hop.CLUSTER_IP)
        timeout = answer.outcome is Outcome.TIMEOUT
        home = home_of(answer.question.vantage, scene.exercise.namespace)
        if (found := service_behind(scene, to.host, home)) and (ruling := proxy_ignores(found[0])):
            return ruling
        served = _ports_behind(scene, to, answer.question.vantage)
        there = to.port in served or published(scene, answer.question.host, home, to.port)
        if there and timeout:
            # a Service of that name and port, which kube-proxy serves or refuses at once, or Pods that listen there
            return unanswered(scene, answer, facts_of(self.service, answer), None)
        lasted = SILENCE_SECONDS if timeout else scene.paced(SILENCE_SECONDS)  # a busy machine is silent too
        codes = {Outcome.REFUSED: "call-refused", Outcome.TIMEOUT: "call-timeout"}
        code = codes.get(answer.outcome, "call-unexpected-answer")
        return fail(code, Hop.CLUSTER_IP, **facts, who=answer.error or "-").once_quiet(lasted, Waits.CALL)

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Show the Pods that must answer, what is written, and who answered."""
        to = destination(self.to, scene.objects).text or word("plain", "none")
        pods = scene.backends(self.answered_by, self.pods_in)
        return listed(map(hostname_of, pods)), described(scene, self._asked(scene.objects)) or to


def _port_unserved(scene: Scene, to: Destination, answer: ReachAnswer, facts: dict[str, str]) -> Ruling | None:
    """Object to a port that the Service has not: the objects explain any silence there, so nothing is waited for."""
    known = _ports_behind(scene, to, answer.question.vantage)
    if not known or to.port in known:
        return None
    return fail("call-port-unserved", Hop.CLUSTER_IP, **facts, ports=listed(sorted(known)))


def _ports_behind(scene: Scene, to: Destination, vantage: str) -> frozenset[int]:
    """List the ports of the Service with a ClusterIP that a name stands for in the end; none where it is none."""
    found = service_behind(scene, to.host, home_of(vantage, scene.exercise.namespace))
    if found is None or not has_cluster_ip(found[0]):
        return frozenset()
    return frozenset(int(port["port"]) for port in found[0]["spec"].get("ports") or ())
