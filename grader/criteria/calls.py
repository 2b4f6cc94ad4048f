"""Judge calls to a name that the learner wrote down, and the environment variables of Pods."""

from __future__ import annotations

from collections.abc import Mapping

from grader.causes.endpoints import missing, pods_not_ready
from grader.causes.patience import DATA_PLANE_SECONDS, DNS_SECONDS, SILENCE_SECONDS, STALE_SECONDS
from grader.causes.resolving import lookup, published
from grader.causes.rollouts import rollout
from grader.causes.scene import (
    Ruling,
    Scene,
    environment,
    fail,
    label_text,
    listed,
    not_yet,
    passed,
    vantage_text,
    word,
)
from grader.model.evidence import Outcome, Problem, RawObject, ReachAnswer
from grader.model.exercise import Call, ConfigKey, Env
from grader.model.kubernetes import hostname_of, is_ready, name_of
from grader.model.questions import full_name, home_of
from grader.model.report import Hop
from grader.model.traffic import Destination, call_questions, destination, env_questions


def judge_call(expect: Call, scene: Scene) -> Ruling:
    """Judge who answers at a name."""
    to = destination(expect.to, scene.evidence.objects)
    if objection := _unwritten(expect, to):
        return objection
    if expect.service and scene.service(expect.service) is None:
        return missing(scene, expect.service)
    if objection := pods_not_ready(scene, expect.answered_by, expect.pods_in):
        return objection
    questions = call_questions(expect, scene.evidence.objects)
    answers = [answer for question in questions if (answer := scene.reach_answer(question))]
    if not questions or len(answers) < len(questions):
        return not_yet("call-not-asked-yet", Hop.RESPONSE, to=to.text)
    if unasked := [answer for answer in answers if answer.outcome is Outcome.UNASKED]:
        return environment(scene.blind(unasked[0].question.vantage))
    pods = [pod for pod in scene.backends(expect.answered_by, expect.pods_in) if is_ready(pod)]
    wanted = set(map(hostname_of, pods))
    if not wanted:
        return fail(
            "backend-pods-missing", Hop.ENDPOINT_SLICE,
            labels=label_text(expect.answered_by), namespace=expect.pods_in or scene.exercise.namespace,
        )  # fmt: skip
    for answer in answers:
        if ruling := _judge_answer(expect, scene, to, answer, wanted):
            return ruling
    vantages = listed(vantage_text(source.value) for source in expect.sources)
    return passed("call-answered", to=to.text, vantages=vantages, count=len(wanted))


def _unwritten(expect: Call, to: Destination) -> Ruling | None:
    """Object to a value that is not there, cannot be read, or is an address."""
    if not isinstance(expect.to, ConfigKey):
        return None
    facts = {"name": expect.to.config_map, "key": expect.to.key, "seen": to.text}
    if not to.text:
        return fail("call-value-missing", Hop.SERVICE, **facts)
    if not to.host:
        return fail("call-value-unreadable", Hop.SERVICE, **facts)
    if to.is_address:
        return fail("call-value-is-address", Hop.SERVICE, **facts)
    return None


def _judge_answer(expect: Call, scene: Scene, to: Destination, answer: ReachAnswer, wanted: set[str]) -> Ruling | None:
    """Say what is wrong with one answer, None where it is as wanted."""
    seen = set(answer.responders)
    facts = {"to": to.text, "host": to.host, "port": to.port, "vantage": vantage_text(answer.question.vantage)}
    quiet, home = scene.quiet, home_of(answer.question.vantage, scene.exercise.namespace)
    if not seen <= wanted:
        if quiet < STALE_SECONDS:
            return not_yet("call-moving", Hop.RESPONSE, **facts)
        return fail("call-unexpected-answer", Hop.RESPONSE, **facts, who=listed(sorted(seen - wanted)))
    if answer.outcome is Outcome.ANSWERED and (seen == wanted or (seen and not expect.all_of_them)):
        return None
    if answer.outcome is Outcome.ANSWERED:
        if quiet < STALE_SECONDS:
            return not_yet("call-moving", Hop.RESPONSE, **facts)
        return fail(
            "call-some-only", Hop.RESPONSE, **facts, seen=listed(sorted(seen)), missing=listed(sorted(wanted - seen))
        )
    if answer.outcome is Outcome.NAME_ERROR:
        if problem := scene.problem("dns-server-down", "node-not-ready"):
            return environment(problem, Hop.DNS)
        due = lookup(scene, answer.question.host, home)
        if scene.evidence.quiet_for < (DNS_SECONDS if due else STALE_SECONDS):  # by the clock: a busy machine lags
            return not_yet("call-moving", Hop.DNS, **facts)
        if due:  # one of several DNS servers has not seen the objects: never the learner's fault
            told = {
                "name": to.host,
                "type": "A",
                "rcode": word("outcome", answer.outcome),
                "seen": word("plain", "none"),
                "vantage": vantage_text(answer.question.vantage),
            }
            return environment(Problem("dns-silent", told), Hop.DNS)
        return fail("call-name-unresolved", Hop.DNS, **facts)
    if problem := scene.problem("kube-proxy-down", "node-not-ready"):
        return environment(problem, Hop.CLUSTER_IP)
    service = _service(scene, to)
    known = {int(port["port"]) for port in service["spec"].get("ports") or ()} if service else None
    if known is not None and to.port not in known:  # objects explain it: no need to wait
        return fail("call-port-unserved", Hop.CLUSTER_IP, **facts, ports=listed(sorted(known)))
    local = service is not None and service["spec"].get("internalTrafficPolicy") == "Local"
    there = service is not None or published(scene, answer.question.host, home, to.port)
    sound = there and answer.outcome is Outcome.TIMEOUT and not local
    lasted = scene.evidence.quiet_for if answer.outcome is Outcome.TIMEOUT else quiet  # a busy machine is silent too
    if lasted < (DATA_PLANE_SECONDS if sound else SILENCE_SECONDS):
        return not_yet("call-moving", Hop.CLUSTER_IP, **facts)
    if sound:  # a Service of that name and port, which kube-proxy serves or refuses at once, or Pods that listen there
        facts |= {"address": f"{to.host}:{to.port}", "outcome": word("outcome", answer.outcome)}
        return environment(Problem("data-plane-silent", {key: str(value) for key, value in facts.items()}))
    codes = {Outcome.REFUSED: "call-refused", Outcome.TIMEOUT: "call-timeout"}
    return fail(codes.get(answer.outcome, "call-unexpected-answer"), Hop.CLUSTER_IP, **facts, who=answer.error or "-")


def _service(scene: Scene, to: Destination) -> RawObject | None:
    """Find the Service with a ClusterIP that a name belongs to, None where it is none that was observed."""
    parts = full_name(to.host, scene.exercise.namespace).split(".")
    namespace = "" if parts[1] == scene.exercise.namespace else parts[1]
    service = scene.service(parts[0], namespace) if len(parts) > 1 else None
    if service is None or service["spec"].get("clusterIP") in (None, "", "None"):
        return None
    return service


def judge_env(expect: Env, scene: Scene) -> Ruling:
    """Judge the environment variables of a Service in Pods."""
    service = scene.service(expect.service)
    if service is None:
        return missing(scene, expect.service)
    if objection := pods_not_ready(scene, expect.pods) or rollout(scene, expect.pods):
        return objection
    pods = scene.backends(expect.pods)
    if not pods:
        return fail(
            "backend-pods-missing", Hop.VARIABLES,
            labels=label_text(expect.pods), namespace=scene.exercise.namespace,
        )  # fmt: skip
    wanted = variables(service)
    if expect.holds and not wanted:
        return fail("env-service-has-none", Hop.VARIABLES, service=expect.service, seen=_kind(service))
    questions = env_questions(expect, scene.evidence.objects)
    for pod in pods:
        question = questions.get(name_of(pod))
        answer = scene.shell_answer(question) if question else None
        if question and answer and answer.outcome is Outcome.UNASKED:
            return environment(scene.blind(question.vantage))
        if answer is None or answer.outcome is not Outcome.ANSWERED:
            return not_yet("env-not-asked-yet", Hop.VARIABLES, pod=name_of(pod))
        if ruling := _judge_pod(expect, service, pod, wanted, _parse(answer.output)):
            return ruling
    facts = {"service": expect.service, "count": len(pods), "labels": label_text(expect.pods)}
    return passed("env-holds" if expect.holds else "env-absent", **facts, variables=listed(sorted(wanted)))


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


def _judge_pod(
    expect: Env, service: RawObject, pod: RawObject, wanted: Mapping[str, str], has: Mapping[str, str]
) -> Ruling | None:
    present = set(wanted) & set(has)
    facts = {"service": expect.service, "pod": name_of(pod), "variable": next(iter(wanted), "-")}
    if not expect.holds:
        if not present:
            return None
        return fail("env-present-though", Hop.VARIABLES, **{**facts, "variable": min(present)})
    older = _created(pod) < _created(service)
    written = {str(item.get("name")) for box in pod["spec"].get("containers") or () for item in box.get("env") or ()}
    right = all(has.get(name) == value for name, value in wanted.items())
    if written & set(wanted) or (older and right):
        return fail("env-hard-coded", Hop.VARIABLES, **facts)
    if right:
        return None
    if pod["spec"].get("enableServiceLinks") is False:
        return fail("env-links-off", Hop.VARIABLES, **facts)
    differing = [name for name in wanted if name in present and has[name] != wanted[name]]
    if differing:
        name = differing[0]
        return fail("env-stale", Hop.VARIABLES, **{**facts, "variable": name}, seen=has[name], expected=wanted[name])
    return fail("env-missing", Hop.VARIABLES, **facts)


def _created(obj: RawObject) -> str:
    return str(obj["metadata"].get("creationTimestamp") or "")


def _parse(output: str) -> dict[str, str]:
    return {name: value for name, found, value in (line.partition("=") for line in output.splitlines()) if found}


def _kind(service: RawObject) -> str:
    return "ExternalName" if service["spec"].get("type") == "ExternalName" else "Headless Service"
