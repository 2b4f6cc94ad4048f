"""What breaks nothing: another way to say the same, equal content again, Pods made anew, and things beside it all."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from grader.criteria.env import Env
from grader.kube.client import Object as Live
from grader.model.kubernetes import name_of
from grader.model.vantage import PROBE_POD
from grader.workflow.proof.attacks.hands import Act, Hands, creating, editing, put, several
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.pods import idle
from grader.workflow.proof.attacks.site import Site, Thing

RESTARTED = "kubectl.kubernetes.io/restartedAt"


def _texts(site: Site) -> list[Live]:
    """Copy the documents of the answer, to be changed; none of a script."""
    return [copy.deepcopy(dict(item)) for item in site.says]


def _twice(site: Site) -> bool:
    """Tell whether the answer says two things of one object, one after the other."""
    return len(site.says) != len(site.answered)


def _applying(text: str) -> Act:
    return lambda hands: hands.apply(text)


def _instead(objects: list[Live]) -> Iterator[Blow]:
    if objects:
        yield Blow("", (), _applying(yaml.safe_dump_all(objects, allow_unicode=True)), instead=True)


def _as_list(site: Site) -> Iterator[Blow]:
    if found := _texts(site):
        yield from _instead([{"apiVersion": "v1", "kind": "List", "items": found}])


def _as_json(site: Site) -> Iterator[Blow]:
    if found := _texts(site):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, ensure_ascii=False)
        yield Blow("", (), _applying(text), instead=True)


def _server_side(site: Site) -> Iterator[Blow]:
    """Not where the answer leaves out what was given: only who applied that before can take it away."""
    given = {item.key: item.content for item in site.given}
    if site.says and not _twice(site) and not any(_drops(given.get(item.key), item.content) for item in site.answered):
        yield Blow("", (), _applying_there(_texts(site)), instead=True)


def _drops(before: Any, after: Any) -> bool:
    """Tell whether one manifest leaves out a field of another."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return any(key not in after or _drops(value, after[key]) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return any(_drops(one, other) for one, other in zip(before, after, strict=False))
    return False


def _applying_there(objects: list[Live]) -> Act:
    def act(hands: Hands) -> None:
        for obj in objects:
            hands.api.apply(obj, namespace=hands.namespace, field_manager="kubectl")

    return act


def _again(site: Site) -> Iterator[Blow]:
    if site.says and not _twice(site):
        yield Blow("", (), _applying(site.answer.text))


def _given_again(site: Site) -> Iterator[Blow]:
    kept = [item for item in site.given if not site.is_answered(item) and not site.may_go(item)]
    if kept:
        text = yaml.safe_dump_all([item.content for item in kept], allow_unicode=True)
        yield Blow("", (), _applying(text))


def _labelled(site: Site) -> Iterator[Blow]:
    found = _texts(site)
    for obj in found:
        metadata = obj["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), "example.com/team": "ours"}
        metadata["annotations"] = {**(metadata.get("annotations") or {}), "example.com/note": "checked twice"}
    yield from _instead(found)


def _given_labelled(site: Site) -> Iterator[Blow]:
    for thing in site.given:
        if thing.kind in {"Deployment", "Service"} and not site.is_answered(thing) and not site.may_go(thing):
            changes = (
                put(("metadata", "labels", "example.com/team"), "theirs"),
                put(("metadata", "annotations", "example.com/note"), "seen"),
            )
            yield Blow(thing.title, (), editing(thing, *changes))
            return


def _reversed(site: Site) -> Iterator[Blow]:
    found = _texts(site)
    changed = [obj for obj in found if obj["kind"] == "Service" and len(obj["spec"].get("ports") or ()) > 1]
    for obj in changed:
        obj["spec"]["ports"].reverse()
    if changed:
        yield from _instead(found)


def _port_names(site: Site) -> Iterator[Blow]:
    """Names of the Pods' ports in the place of their numbers, where every Pod behind a Service has one."""
    found = _texts(site)
    services = {item.name: item for item in site.selecting}
    changed = False
    for obj in found:
        if obj["kind"] != "Service" or name_of(obj) not in services:
            continue
        backing = site.backing(services[name_of(obj)])
        for port in obj["spec"].get("ports") or ():
            names = {_port_name(item, port) for item in backing}
            if len(names) == 1 and (name := names.pop()):
                port["targetPort"], changed = name, True
    if changed:
        yield from _instead(found)


def _port_name(workload: Thing, port: Mapping[str, Any]) -> str:
    """Find what a workload's Pods call the port that a Service's port names by number, "" for nothing."""
    target, protocol = port.get("targetPort", port["port"]), port.get("protocol", "TCP")
    for container in workload.template["spec"]["containers"]:
        for declared in container.get("ports") or ():
            if (declared["containerPort"], declared.get("protocol", "TCP")) == (target, protocol):
                return str(declared.get("name") or "")
    return ""


def _restarted(site: Site) -> Iterator[Blow]:
    """`kubectl rollout restart` of the given workloads; one whose Pods never become ready would never end it."""
    ends = tuple(
        item for item in site.workloads() if item.name not in site.exercise.ready and not site.is_answered(item)
    )
    if not site.exercise.renewed_exempt and ends:
        yield Blow("", (), _restarting(ends, ("spec", "template", "metadata", "annotations", RESTARTED)))


def _restarting(workloads: tuple[Thing, ...], where: tuple[str, ...]) -> Act:
    def act(hands: Hands) -> None:
        for thing in workloads:
            change = put(where, "2026-01-01T09:00:00+09:00")
            hands.edit(thing.kind, thing.name, change, namespace=thing.namespace)

    return act


def _pod_deleted(site: Site) -> Iterator[Blow]:
    if not site.exercise.renewed_exempt:
        for thing in site.workloads():
            yield Blow(thing.title, (), _deleting_one(thing))
            return


def _deleting_one(workload: Thing) -> Act:
    def act(hands: Hands) -> None:
        pod = hands.pods(workload.pod_labels, workload.namespace)[0]
        hands.delete("Pod", name_of(pod), workload.namespace)

    return act


def _scaled_and_back(site: Site) -> Iterator[Blow]:
    for thing in site.workloads():
        if site.must_stay(thing, "spec.replicas"):
            more, same = (put(("spec", "replicas"), count) for count in (thing.replicas + 1, thing.replicas))
            yield Blow(thing.title, (), several(editing(thing, more), editing(thing, same)))
            return


def _debugging(site: Site) -> Iterator[Blow]:
    yield Blow("", (), creating(idle("debug", {"run": "debug"})))


def _own_map(site: Site) -> Iterator[Blow]:
    metadata = {"name": "my-notes"}
    yield Blow("", (), creating({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}))


def _made_anew(site: Site) -> Iterator[Blow]:
    """Services that the learner made go and come again; Pods that know their variables would have to, too."""
    if any(isinstance(item.expect, Env) for item in site.exercise.criteria) or _twice(site):
        return
    given = {item.key for item in site.given}
    own = [item for item in site.mine if item.key not in given]
    if own:
        yield Blow("", (), _making_anew(own))


def _making_anew(services: list[Thing]) -> Act:
    def act(hands: Hands) -> None:
        for thing in services:
            hands.delete(thing.kind, thing.name, thing.namespace, gone=True)
        hands.answer()

    return act


def _status(site: Site) -> Iterator[Blow]:
    for service in site.services:
        condition = {
            "type": "example.com/Seen",
            "status": "True",
            "reason": "Seen",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        yield Blow(service.title, (), _writing_status(service, condition))
        return


def _writing_status(service: Thing, condition: Live) -> Act:
    change = put(("status", "conditions"), [condition])
    return lambda hands: hands.edit("Service", service.name, change, subresource="status")


def _probe_deleted(site: Site) -> Iterator[Blow]:
    yield Blow("", (), lambda hands: hands.delete("Pod", PROBE_POD))


SAME = "none: the same, said in another way"
OPERATORS = tuple(
    Operator(name, clause, strikes, "pass")
    for name, clause, strikes in (
        ("server-side-apply", SAME, _server_side),
        ("as-list", SAME, _as_list),
        ("as-json", SAME, _as_json),
        ("applied-again", SAME, _again),
        ("given-applied-again", SAME, _given_again),
        ("labels-added", "none: labels and annotations without an effect", _labelled),
        ("labels-added-to-given", "none: labels and annotations without an effect", _given_labelled),
        ("ports-reversed", SAME, _reversed),
        ("port-names", SAME, _port_names),
        ("restarted", "none: Pods come and go", _restarted),
        ("pod-deleted", "none: Pods come and go", _pod_deleted),
        ("scaled-and-back", "none: Pods come and go", _scaled_and_back),
        ("debugging-pod", "none: it is nobody's", _debugging),
        ("own-config-map", "none: it is nobody's", _own_map),
        ("made-anew", "none: what a learner made may be made anew", _made_anew),
        ("status-written", "none: a status is no content", _status),
        ("probe-deleted", "none: our own instruments are made anew", _probe_deleted),
    )
)
