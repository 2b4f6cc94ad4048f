"""What nothing explains: blamed on the environment only where a Service of our own is not answered either.

That Service is younger than what the learner made, and is asked before the learner's: where it is answered, the proxy
of that node and the DNS server have seen everything that is older (both follow the API server in order), so that time
excuses nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.causes.answers import address_of
from grader.causes.comparing import compared, compared_name, own_vantage, shape_of
from grader.causes.patience import (
    BALANCER_SECONDS,
    CONTROL_SECONDS,
    DATA_PLANE_SECONDS,
    DNS_SECONDS,
    HOST_SECONDS,
    SILENCE_SECONDS,
    STEADY_SECONDS,
)
from grader.causes.ruling import Ruling, environment, fail, not_yet
from grader.causes.scene import Scene
from grader.causes.words import listed, vantage_text, word
from grader.model.evidence import (
    Compared,
    Controls,
    DnsAnswer,
    DnsQuestion,
    Outcome,
    Problem,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.kubernetes import name_of
from grader.model.report import Hop, Waits
from grader.model.vantage import At, Vantage


def unanswered(
    scene: Scene, answer: ReachAnswer, facts: Mapping[str, str], hop: Hop | None, named: Ruling | None = None
) -> Ruling:
    """Say who is to blame for an answer that is not as the objects promise.

    Args:
        scene: what was observed.
        answer: how the question ended.
        facts: values for the message: vantage, address, outcome.
        hop: where the answer is missing.
        named: what is suspected; None: nothing in particular.
    """
    controls = scene.evidence.controls
    if controls is None:
        return not_yet("control-moving", hop, Waits.CONTROL, **facts)
    service = controls.service
    if service is None:
        told = {**facts, "control": word("control", "impossible").format(reason=controls.reason)}
        return environment(Problem("data-plane-silent", told), hop).once_quiet(DATA_PLANE_SECONDS, Waits.CONTROL, facts)
    question, own = answer.question, own_vantage(answer.question.vantage, scene.objects)
    if question.vantage == Vantage.LEARNER_HOST and (there := _answered_inside(scene, question)):
        told = {**facts, "control": _reach_text(there, facts["service"])}
        return environment(Problem("data-plane-silent", told), hop).once_quiet(HOST_SECONDS, Waits.CONTROL, facts)
    beside = _reached(controls, compared(question, own, service, scene.objects))
    told = {**facts, "control": _reach_text(beside.answer if beside else None, name_of(service))}
    if objection := _unsound(scene, controls, beside, own, Problem("data-plane-silent", told), hop, facts):
        return objection
    here = _reached(controls, compared(question, question.vantage, service, scene.objects))
    if question.vantage == Vantage.SAME_NAMESPACE and here is not None and not here.right:
        text = _reach_text(here.answer, name_of(service))
        return _cut_off(scene, here, {**facts, "control": text}, hop, _due(scene, controls))
    due = _due(scene, controls)
    if shape_of(question, scene.objects) is At.LOAD_BALANCER:
        due = max(due, scene.paced(BALANCER_SECONDS))
    if answer.outcome is Outcome.TIMEOUT and named is None:  # an overloaded machine is silent too, now here, now there
        due = max(due, DATA_PLANE_SECONDS)
    if answer.outcome is Outcome.NAME_ERROR:  # a server that caches denials may have been asked too early
        due = max(due, scene.paced(DNS_SECONDS))
    ruling = named or fail("no-answer-though-sound", hop, **told)
    return ruling.once_quiet(due, Waits.CONTROL, facts)


def unresolved(scene: Scene, answer: DnsAnswer, facts: Mapping[str, str]) -> Ruling:
    """Say who is to blame for a name that has not the records that the objects promise, or for a silent DNS server.

    Args:
        scene: what was observed.
        answer: what was answered.
        facts: values for the message: name, type, vantage, rcode, seen.
    """
    controls, hop, question = scene.evidence.controls, Hop.DNS, answer.question
    meanwhile = {**facts, "address": f"{facts['name']} {facts['type']}", "outcome": f"{facts['rcode']} {facts['seen']}"}
    if controls is None:
        return not_yet("control-moving", hop, Waits.CONTROL, **meanwhile)
    if controls.service is None:
        told = {**facts, "control": word("control", "impossible").format(reason=controls.reason)}
        return environment(Problem("dns-silent", told), hop).once_quiet(DNS_SECONDS, Waits.CONTROL, meanwhile)
    own = own_vantage(question.vantage, scene.objects)
    beside = _named(controls, compared_name(question, own, controls.service))
    told = {**facts, "control": _name_text(beside.answer if beside else None, name_of(controls.service))}
    if objection := _unsound(scene, controls, beside, own, Problem("dns-silent", told), hop, meanwhile):
        return objection
    here = _named(controls, compared_name(question, question.vantage, controls.service))
    if here is not None and not here.right:
        text = _name_text(here.answer, name_of(controls.service))
        return _cut_off(scene, here, {**meanwhile, "control": text}, hop, _due(scene, controls))
    if answer.outcome is not Outcome.ANSWERED:  # no object of a learner's silences a server for one name
        return environment(Problem("dns-silent", told), hop).once_quiet(DNS_SECONDS, Waits.CONTROL, meanwhile)
    # a server that caches denials may have been asked too early
    due = max(_due(scene, controls), scene.paced(DNS_SECONDS))
    return fail("dns-differs-though-sound", hop, **told).once_quiet(due, Waits.CONTROL, meanwhile)


def _unsound(
    scene: Scene,
    controls: Controls,
    beside: Compared[ReachAnswer] | Compared[DnsAnswer] | None,
    own: str,
    problem: Problem,
    hop: Hop | None,
    facts: Mapping[str, str],
) -> Ruling | None:
    """Rule while it is not certain that our own Service is served, None once it is."""
    if beside is not None and beside.answer.outcome is Outcome.UNASKED:
        return environment(scene.blind(own), hop)
    if beside is not None and beside.steady >= STEADY_SECONDS:
        return None
    never = beside is None or beside.steady <= -STEADY_SECONDS
    if controls.age >= (CONTROL_SECONDS if never else DATA_PLANE_SECONDS):
        return environment(problem, hop)  # it is not answered, or only now and then
    return not_yet("control-moving", hop, Waits.CONTROL, **facts)


def _cut_off(
    scene: Scene,
    here: Compared[ReachAnswer] | Compared[DnsAnswer],
    facts: Mapping[str, str],
    hop: Hop | None,
    due: float,
) -> Ruling:
    """Blame what the learner made for a vantage that reaches nothing any more, not even what is ours."""
    if here.answer.outcome is Outcome.UNASKED:
        return environment(scene.blind(here.answer.question.vantage), hop)
    if here.steady > -STEADY_SECONDS:
        return not_yet("control-moving", hop, Waits.CONTROL, **facts)
    return fail("vantage-cut-off", hop, **facts).once_quiet(due, Waits.CONTROL, facts)


def _due(scene: Scene, controls: Controls) -> float:
    """Tell from when on time excuses nothing: our own Service proves it where it is younger than the last change."""
    return SILENCE_SECONDS if controls.age <= scene.evidence.quiet_for else DATA_PLANE_SECONDS


def _reached(controls: Controls, question: ReachQuestion | None) -> Compared[ReachAnswer] | None:
    """Find who answered for our own Service, by vantage and address."""
    if question is None:
        return None
    return next(
        (
            item
            for item in controls.reach
            if (item.answer.question.vantage, item.answer.question.host) == (question.vantage, question.host)
            and item.answer.question.port == question.port
        ),
        None,
    )


def _named(controls: Controls, question: DnsQuestion) -> Compared[DnsAnswer] | None:
    """Find what our own Service's name stands for at a vantage."""
    return next((item for item in controls.dns if item.answer.question == question), None)


def _answered_inside(scene: Scene, question: ReachQuestion) -> ReachAnswer | None:
    """Find an answer at the same node port from the cluster's own network: only the way from here is broken then."""
    mapped = scene.evidence.host_ports.items()
    ports = {number for number, address in mapped if address == f"{question.host}:{question.port}"}
    return next(
        (
            answer
            for answer in scene.evidence.reach
            if answer.question.vantage != Vantage.LEARNER_HOST
            and answer.outcome is Outcome.ANSWERED
            and answer.question.port in ports
        ),
        None,
    )


def _reach_text(answer: ReachAnswer | None, service: str) -> str:
    """Write how our own Service was answered."""
    if answer is None:
        return word("control", "no-address").format(service=service)
    question = answer.question
    facts = {"service": service, "vantage": vantage_text(question.vantage), "address": address_of(question)}
    return word("control", "asked").format(**facts, outcome=word("outcome", answer.outcome))


def _name_text(answer: DnsAnswer | None, service: str) -> str:
    """Write what our own Service's name stands for."""
    if answer is None:
        return word("control", "no-address").format(service=service)
    question = answer.question
    facts = {"service": service, "vantage": vantage_text(question.vantage), "address": f"{question.name} A"}
    seen = f"{answer.rcode or word('outcome', answer.outcome)} {listed(answer.records)}"
    return word("control", "asked").format(**facts, outcome=seen)
