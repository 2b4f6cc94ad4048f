"""What is expected and what was seen, side by side, for a person; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import yaml

from grader.causes.names import named_service
from grader.causes.partial import differences
from grader.causes.scene import Scene, listed, vantage_text, word
from grader.model.evidence import Outcome, RawObject, ReachAnswer, ReachQuestion
from grader.model.exercise import (
    Affinity,
    Call,
    ConfigKey,
    Dns,
    Endpoints,
    Env,
    Expectation,
    Local,
    Object,
    Reach,
    Readiness,
    Source,
)
from grader.model.kubernetes import actual_slices, addresses_of, hostname_of, name_of
from grader.model.questions import dns_question, reach_questions, serving
from grader.model.traffic import (
    affinity_questions,
    call_questions,
    destination,
    env_questions,
    local_questions,
    source_questions,
)

RESOURCES = {
    "Service": "services",
    "Pod": "pods",
    "EndpointSlice": "endpointslices",
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "ConfigMap": "configmaps",
}


def subject(expect: Expectation) -> str:
    """Name the object that an expectation is about."""
    match expect:
        case Object():
            return expect.name if expect.kind == "Service" else f"{expect.kind} {expect.name}"
        case Call(to=ConfigKey() as key) | Dns(name=ConfigKey() as key):
            return f"ConfigMap {key.config_map}"
        case Call():
            return str(expect.to)
        case _:
            return expect.service


def shown(expect: Expectation, scene: Scene) -> tuple[str, str]:
    """Say what is expected, and what was seen."""
    objects, namespace = scene.evidence.objects, scene.exercise.namespace
    match expect:
        case Object():
            return _object(expect, scene)
        case Endpoints():
            return _endpoints(expect, scene)
        case Dns():
            return _dns(expect, scene)
        case Reach():
            pods = serving(scene.backends(expect.answered_by, expect.pods_in), expect.readiness)
            questions: Iterable[ReachQuestion] = reach_questions(expect, objects, namespace, scene.evidence.host_ports)
            return listed(map(hostname_of, pods)), _answers(scene, questions)
        case Call():
            to = destination(expect.to, objects).text or word("plain", "none")
            pods = scene.backends(expect.answered_by, expect.pods_in)
            seen = _answers(scene, call_questions(expect, objects))
            return listed(map(hostname_of, pods)), f"{to}\n{seen}"
        case Local():
            expected = word("expected", f"local-{expect.otherwise}")
            return expected, _answers(scene, local_questions(expect, objects).values())
        case Source():
            questions = source_questions(expect, objects, namespace, scene.evidence.host_ports)
            return word("expected", "source-kept" if expect.kept else "source-replaced"), _answers(scene, questions)
        case Affinity():
            return word("expected", "affinity"), _answers(scene, affinity_questions(expect, objects, namespace))
        case Env():
            return _env(expect, scene)


def records(expect: Dns, scene: Scene, service: RawObject | None) -> tuple[str, ...]:
    """Compute the record data that a name must have."""
    if isinstance(expect.is_, tuple):
        return expect.is_
    if expect.is_ == "cluster-ip":
        return (str(service["spec"].get("clusterIP", "")),) if service else ()
    if isinstance(expect.is_, Mapping):
        return tuple(ip for pod in serving_pods(scene, expect) for ip in addresses_of(pod))
    if expect.is_ == "pod":
        return tuple(ip for pod in scene.pods if name_of(pod) == expect.pod for ip in addresses_of(pod))
    return ()


def serving_pods(scene: Scene, expect: Dns) -> tuple[RawObject, ...]:
    """Choose the Pods whose addresses a headless Service's name has: the ready ones, or all that are published."""
    labels = expect.is_ if isinstance(expect.is_, Mapping) else {}
    said = [item.expect for item in scene.exercise.criteria if isinstance(item.expect, Endpoints)]
    readiness = next((item.readiness for item in said if item.service == expect.service), Readiness.REQUIRED)
    return serving(scene.backends(labels), readiness)


def comparable(type_: str, data: Iterable[str]) -> tuple[str, ...]:
    """Make record data comparable: of SRV the port and target (RFC 2782), never priority and weight; sorted."""
    return tuple(sorted({" ".join(item.split()[-2:]) if type_ == "SRV" else item for item in data}))


def _endpoints(expect: Endpoints, scene: Scene) -> tuple[str, str]:
    service = scene.service(expect.service)
    pods = scene.backends(expect.pods, expect.pods_in)
    if expect.readiness is Readiness.GATED:
        pods = serving(pods, expect.readiness)
    expected = [f"{name_of(pod)}:{expect.port}" for pod in pods]
    names = {ip: name_of(pod) for pod in scene.backends(expect.pods, expect.pods_in) for ip in addresses_of(pod)}
    endpoints = sorted(actual_slices(service, scene.slices)) if service else []
    seen = {
        f"{item.name or names.get(item.address, item.address)}:{item.port or word('plain', 'no-port')}"
        for item in endpoints
        if item.ready
    }
    return listed(expected), listed(sorted(seen))


def _dns(expect: Dns, scene: Scene) -> tuple[str, str]:
    question = dns_question(expect, scene.evidence.objects)
    told = scene.dns_answer(question)
    service = named_service(expect, question.name, scene)
    wanted = records(expect, scene, service)
    expected = listed(wanted) if wanted or expect.is_ != "cluster-ip" else "ClusterIP"
    seen = f"{told.rcode or word('outcome', told.outcome)} {listed(told.records)}" if told else ""
    return f"{expect.rcode} {expected}", seen


def _env(expect: Env, scene: Scene) -> tuple[str, str]:
    prefix = expect.service.upper().replace("-", "_")
    expected = f"{prefix}_SERVICE_HOST" if expect.holds else word("plain", "absent")
    lines = []
    for pod, question in sorted(env_questions(expect, scene.evidence.objects).items()):
        told = scene.shell_answer(question)
        found = [line for line in (told.output.splitlines() if told else ()) if line.startswith(f"{prefix}_SERVICE_")]
        lines.append(f"{pod}: {listed(sorted(found))}")
    return expected, "\n".join(lines)


def _answers(scene: Scene, questions: Iterable[ReachQuestion]) -> str:
    return describe([answer for question in questions if (answer := scene.reach_answer(question))])


def describe(answers: Sequence[ReachAnswer]) -> str:
    """Write answers: who answered how often, or how the asking ended."""
    parts = []
    for answer in answers:
        who = ", ".join(f"{name}×{count}" for name, count in answer.responders.items())
        ended = "" if answer.outcome is Outcome.ANSWERED else word("outcome", answer.outcome)
        address = f"{answer.question.host}:{answer.question.port}"
        text = " / ".join(part for part in (who, ended) if part)
        parts.append(f"{vantage_text(answer.question.vantage)} → {address}: {text}")
    return "\n".join(parts)


def _object(expect: Object, scene: Scene) -> tuple[str, str]:
    items = scene.evidence.objects.get(RESOURCES[expect.kind], ())
    found = next((item for item in items if name_of(item) == expect.name), None)
    name = f"{expect.kind}/{expect.name}"
    expected = word("plain", "absent") if expect.absent else f"{name} {', '.join(_leaves(expect.matches))}"
    if found is None:
        return expected, word("plain", "absent")
    wrong = [f"{'.'.join(item.path)}={text(item.seen)}" for item in differences(expect.matches, found)]
    return expected, f"{name} {', '.join(wrong)}" if wrong else expected


def _leaves(value: object, path: str = "") -> list[str]:
    """Write a partial manifest as "spec.type=NodePort", one text a value."""
    if isinstance(value, Mapping):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".strip("."))]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [leaf for item in value for leaf in _leaves(item, path)]
    return [f"{path}={value}"]


def text(value: object) -> str:
    """Write a value of a field, several as YAML on one line; a word for none where it is missing."""
    if isinstance(value, Mapping | list):
        return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).strip()
    return word("plain", "none") if value is None else str(value)
