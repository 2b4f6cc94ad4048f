"""Who answers: strangers among the Pods that a task means, and Pods whose readiness says nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from grader.cluster.probes import PROBE_IMAGE
from grader.criteria.object import Object
from grader.kube.client import Object as Live
from grader.model.kubernetes import name_of
from grader.workflow.proof.attacks.hands import Hands, creating, editing, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site, Thing

STRANGER = "stranger"


def pod(name: str, labels: Mapping[str, str], spec: Mapping[str, Any]) -> Live:
    """Make a Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {"terminationGracePeriodSeconds": 0, **spec},
    }


def idle(name: str, labels: Mapping[str, str]) -> Live:
    """Make a Pod that is ready and listens nowhere."""
    return pod(name, labels, {"containers": [{"name": "idle", "image": PROBE_IMAGE, "args": ["pause"]}]})


def twin(workload: Thing, name: str = STRANGER) -> Live:
    """Make a Pod that is like those of a workload, and nobody's."""
    spec = {key: value for key, value in workload.template["spec"].items() if key != "topologySpreadConstraints"}
    return pod(name, workload.pod_labels, copy.deepcopy(spec))


def _stray(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        backing = site.backing(service)
        if backing and backing[0].kind != "StatefulSet":
            yield Blow(service.title, (STRANGER,), creating(twin(backing[0])))


def _silent(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        yield Blow(service.title, (STRANGER,), creating(idle(STRANGER, service.selector)))


def _relabelled(site: Site) -> Iterator[Blow]:
    for service in site.selecting:
        # a rollout that the answer begins would take the Pod away meanwhile
        other = next((item for item in site.bystanders(service) if not site.is_answered(item)), None)
        if other is not None:
            yield Blow(service.title, (), _relabelling(other, service))


def _relabelling(workload: Thing, service: Thing) -> Any:
    def act(hands: Hands) -> None:
        name = name_of(hands.pods(workload.pod_labels, workload.namespace)[0])
        changes = [put(("metadata", "labels", key), value) for key, value in service.selector.items()]
        hands.edit("Pod", name, *changes, namespace=workload.namespace)
        hands.names.append(name)

    return act


def _probes(site: Site) -> Iterator[Thing]:
    """Find the Deployments of the answer whose readiness probe a criterion asks for."""
    for item in site.exercise.criteria:
        expect = item.expect
        if isinstance(expect, Object) and expect.kind == "Deployment" and "readinessProbe" in str(expect.matches):
            yield from (thing for thing in site.answered if (thing.kind, thing.name) == ("Deployment", expect.name))


def _other_container(site: Site) -> Iterator[Blow]:
    """The container that serves has no probe; one beside it has the very same."""
    for thing in _probes(site):
        yield Blow(thing.title, (thing.name, "readinessProbe"), editing(thing, _hand_on))


def _hand_on(workload: Live) -> None:
    containers = workload["spec"]["template"]["spec"]["containers"]
    probe = containers[0].pop("readinessProbe")
    helper = {"name": "helper", "image": PROBE_IMAGE, "args": ["pause"], "readinessProbe": probe}
    containers.append(helper)


def _other_port(site: Site) -> Iterator[Blow]:
    """The probe asks a container beside it, which is ready at once."""
    for thing in _probes(site):
        yield Blow(thing.title, (thing.name, "readinessProbe"), editing(thing, _ask_another))


def _ask_another(workload: Live) -> None:
    containers = workload["spec"]["template"]["spec"]["containers"]
    containers[0]["readinessProbe"]["httpGet"]["port"] = 8990
    ports = ["--http-port=8990", "--udp-port=8990"]
    containers.append({"name": "helper", "image": PROBE_IMAGE, "args": ["netexec", *ports]})


OPERATORS = (
    Operator("stray", "the Pods are those of the workload, in its number, and nobody else's", _stray),
    Operator("stray-silent", "the Pods are those of the workload, in its number, and nobody else's", _silent),
    Operator("relabelled", "the Pods are those of the workload, in its number, and nobody else's", _relabelled),
    Operator("probe-of-another-container", "the container that serves has the readiness probe", _other_container),
    Operator("probe-of-another-port", "the readiness probe asks the port that serves", _other_port),
)
