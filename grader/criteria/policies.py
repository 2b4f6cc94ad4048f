"""Judge traffic policies node by node, the client address that a backend sees, and session affinity."""

from __future__ import annotations

from grader.causes.endpoints import endpoints_wrong, missing, port_missing, wrong_type
from grader.causes.patience import DATA_PLANE_SECONDS, STALE_SECONDS, SUSPECT_SECONDS, WATCH_SECONDS
from grader.causes.scene import Ruling, Scene, environment, fail, listed, not_yet, passed, vantage_text, word
from grader.criteria.reach import address_missing, proxy_ignores, types_with, unexplained, wanted_of
from grader.model.evidence import Outcome, Problem, RawObject, ReachAnswer
from grader.model.exercise import Affinity, At, Local, Source
from grader.model.kubernetes import hostname_of, internal_ip, name_of
from grader.model.report import Hop
from grader.model.traffic import (
    affinity_controls,
    affinity_questions,
    as_reach,
    local_controls,
    local_endpoints,
    local_questions,
    own_address_questions,
    source_questions,
)


def judge_local(expect: Local, scene: Scene) -> Ruling:
    """Judge, node by node, that only the node's own Pods serve it."""
    hop = Hop.CLUSTER_IP if expect.at is At.CLUSTER_IP else Hop.NODE
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    if objection := _way_missing(expect, scene, service):
        return objection
    objects = scene.evidence.objects
    questions = local_questions(expect, objects)
    controls = local_controls(expect, objects)
    asked = [*questions.values(), *controls]
    answers = {question: answer for question in asked if (answer := scene.reach_answer(question))}
    if not questions or len(answers) < len(set(asked)):
        return not_yet("not-asked-yet", hop, service=expect.service)
    if unasked := [answer for answer in answers.values() if answer.outcome is Outcome.UNASKED]:
        return environment(scene.blind(unasked[0].question.vantage))
    own = local_endpoints(objects, service, expect.port)
    facts = {"service": expect.service}
    if not any(own.values()) or all(own.values()):
        return environment(Problem("policy-not-provable", {**facts, "nodes": listed(own)}), hop)
    for question in controls:
        if answers[question].outcome is not Outcome.ANSWERED:
            return unexplained(as_reach(expect), scene, answers[question])
    everybody = {hostname_of(pod) for pod in scene.backends(expect.answered_by)}
    for node, question in questions.items():
        if ruling := _judge_node(expect, scene, service, node, answers[question], set(own[node]), everybody):
            return ruling
    if expect.otherwise == "nobody" and scene.quiet < WATCH_SECONDS:
        return not_yet("watching-silence", hop, service=expect.service)
    served = listed(node for node, pods in own.items() if pods)
    empty = listed(node for node, pods in own.items() if not pods)
    return passed(f"local-{expect.otherwise}", **facts, nodes=served, others=empty)


def _judge_node(
    expect: Local,
    scene: Scene,
    service: RawObject,
    node: str,
    answer: ReachAnswer,
    own: set[str],
    everybody: set[str],
) -> Ruling | None:
    """Say what is wrong with who serves one node, None where it is as wanted."""
    hop = Hop.CLUSTER_IP if expect.at is At.CLUSTER_IP else Hop.NODE
    may = own or (everybody if expect.otherwise == "anybody" else set())
    seen = set(answer.responders)
    facts = {
        "service": expect.service,
        "node": node,
        "vantage": vantage_text(answer.question.vantage),
        "address": f"{answer.question.host}:{answer.question.port}",
    }
    if seen - may:
        # until kube-proxy has programmed, the rules of before a change answer
        if scene.quiet < (DATA_PLANE_SECONDS if _says_local(service, expect.at) else STALE_SECONDS):
            return not_yet("data-plane-moving", hop, **facts, outcome=word("outcome", answer.outcome))
        who = listed(sorted(seen - may))
        return fail("policy-not-local", hop, **facts, who=who, expected=listed(sorted(may)))
    if answer.outcome is Outcome.ANSWERED:
        if not own and _policy(service, expect.at) == "Local" and scene.quiet < DATA_PLANE_SECONDS:
            # nobody may answer here: these are the rules of before a change
            return not_yet("data-plane-moving", hop, **facts, outcome=word("outcome", answer.outcome))
        suspect = own and own < everybody and not _says_local(service, expect.at) and scene.quiet < SUSPECT_SECONDS
        if (own and seen != own) or suspect:
            return not_yet("data-plane-moving", hop, **facts, outcome=word("outcome", answer.outcome))
        return None
    if not own and expect.otherwise == "nobody":
        return None
    if not own and scene.quiet >= STALE_SECONDS:
        if _policy(service, expect.at) == "Local":
            return fail("policy-starves-node", hop, **facts, policy=f"{_policy_field(expect.at)}: Local")
    return unexplained(as_reach(expect), scene, answer)


def judge_source(expect: Source, scene: Scene) -> Ruling:
    """Judge the client address that a backend sees."""
    hop = Hop.RESPONSE
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    if objection := _way_missing(expect, scene, service):
        return objection
    evidence = scene.evidence
    questions = source_questions(expect, evidence.objects, scene.exercise.namespace, evidence.host_ports)
    answers = [answer for question in questions if (answer := scene.reach_answer(question))]
    own = {question.vantage: scene.shell_answer(question) for question in own_address_questions(expect)}
    if not questions or len(answers) < len(questions) or None in own.values():
        return not_yet("not-asked-yet", hop, service=expect.service)
    for answer in answers:
        mine = own[answer.question.vantage]
        if answer.outcome is Outcome.UNASKED or mine is None or mine.outcome is not Outcome.ANSWERED:
            return environment(scene.blind(answer.question.vantage))
        if answer.outcome is not Outcome.ANSWERED:
            return unexplained(as_reach(expect), scene, answer)
        addresses, seen = set(mine.output.split()), set(answer.responders)
        right = seen <= addresses if expect.kept else not seen & addresses
        likely = expect.at is At.CLUSTER_IP or _says_kept(service) is expect.kept
        if right and (likely or scene.quiet >= SUSPECT_SECONDS):
            continue
        facts = {
            "service": expect.service,
            "vantage": vantage_text(answer.question.vantage),
            "own": listed(sorted(addresses)),
            "seen": _addresses(scene, seen),
        }
        patience = DATA_PLANE_SECONDS if likely else STALE_SECONDS
        if right or scene.quiet < patience:  # the rules of before a change may still answer
            outcome = word("outcome", answer.outcome)
            address = f"{answer.question.host}:{answer.question.port}"
            return not_yet("data-plane-moving", hop, **facts, address=address, outcome=outcome)
        return fail("source-replaced" if expect.kept else "source-kept", hop, **facts)
    vantages = listed(vantage_text(source.value) for source in expect.sources)
    code = "source-kept-proved" if expect.kept else "source-replaced-proved"
    seen_text = _addresses(scene, {address for answer in answers for address in answer.responders})
    return passed(code, service=expect.service, vantages=vantages, seen=seen_text)


def _says_local(service: RawObject, at: At) -> bool:
    return _policy(service, at) == "Local" or service["spec"].get("trafficDistribution") == "PreferSameNode"


def _policy(service: RawObject, at: At) -> str:
    """Read the traffic policy that rules over this address."""
    return str(service["spec"].get(_policy_field(at)) or "")


def _policy_field(at: At) -> str:
    return "internalTrafficPolicy" if at is At.CLUSTER_IP else "externalTrafficPolicy"


def _says_kept(service: RawObject) -> bool:
    return str(service["spec"].get("externalTrafficPolicy")) == "Local"


def _addresses(scene: Scene, addresses: set[str]) -> str:
    """Write addresses, and say which are a node's."""
    nodes = {internal_ip(node): name_of(node) for node in scene.evidence.objects.get("nodes", ())}
    return listed(f"{item} ({nodes[item]})" if item in nodes else item for item in sorted(addresses))


def judge_affinity(expect: Affinity, scene: Scene) -> Ruling:
    """Judge that a client stays with one Pod, while a Service without affinity spreads over the same Pods."""
    hop = Hop.RESPONSE
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    reach = as_reach(expect)
    if objection := _way_missing(expect, scene, service) or endpoints_wrong(scene, service, wanted_of(reach, scene)):
        return objection
    facts = {"service": expect.service, "control": expect.control}
    pods = {hostname_of(pod) for pod in scene.backends(expect.answered_by)}
    if len(pods) < 2:
        return fail("affinity-needs-pods", Hop.ENDPOINT_SLICE, **facts, count=len(pods))
    objects, namespace = scene.evidence.objects, scene.exercise.namespace
    questions = affinity_questions(expect, objects, namespace)
    controls = affinity_controls(expect, objects, namespace)
    answers = [answer for question in questions if (answer := scene.reach_answer(question))]
    control = [answer for question in controls if (answer := scene.reach_answer(question))]
    if not questions or not controls or len(answers) < len(questions) or len(control) < len(controls):
        if scene.service(expect.control) is None:
            return missing(scene, expect.control)
        return not_yet("not-asked-yet", hop, service=expect.service)
    for answer in (*answers, *control):
        if answer.outcome is Outcome.UNASKED:
            return environment(scene.blind(answer.question.vantage))
        if answer.outcome is not Outcome.ANSWERED:
            return unexplained(reach, scene, answer)
    for answer in control:
        if set(answer.responders) != pods:  # the control shows that the same Pods can be told apart from here
            return unexplained(reach, scene, answer)
    if service["spec"].get("sessionAffinity") != "ClientIP":
        seen = max((answer.responders for answer in answers), key=len)
        return fail("affinity-missing", hop, **facts, seen=listed(sorted(seen)), tries=answers[0].tries)
    for answer in answers:
        if strangers := sorted(set(answer.responders) - pods):
            return fail("unexpected-answer", hop, **_answer_facts(expect.service, answer), who=listed(strangers))
        if len(answer.responders) > 1:
            if scene.quiet < DATA_PLANE_SECONDS:
                return not_yet("data-plane-moving", hop, **_answer_facts(expect.service, answer))
            return environment(Problem("data-plane-silent", _answer_facts(expect.service, answer)), hop)
    vantages = listed(vantage_text(source.value) for source in expect.sources)
    return passed("affinity-proved", **facts, vantages=vantages, tries=answers[0].tries, count=len(pods))


def _answer_facts(service: str, answer: ReachAnswer) -> dict[str, str]:
    question = answer.question
    return {
        "service": service,
        "vantage": vantage_text(question.vantage),
        "address": f"{question.host}:{question.port}",
        "outcome": word("outcome", answer.outcome),
    }


def _way_missing(expect: Local | Source | Affinity, scene: Scene, service: RawObject) -> Ruling | None:
    """Object to what stands in the way of any answer: type, port, endpoints, address."""
    reach = as_reach(expect)
    return (
        wrong_type(service, headless_too=True, allowed=types_with(expect.at))
        or port_missing(service, expect.port)
        or (endpoints_wrong(scene, service, wanted_of(reach, scene)) if reach.answered_by else None)
        or proxy_ignores(service)
        or address_missing(reach, scene, service)
    )
