"""Causes that keep the endpoints of a Service from being those that are wanted, in the order in which they depend.

Each function returns the first thing that stands in the way, or None. What these rule to fail, no waiting can mend: the
slices are settled, so the cluster has done what the manifests ask.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.causes.handmade import made_by_hand, slices_wrong, without_slices
from grader.causes.lasting import not_lasting, strangers_chosen
from grader.causes.patience import LEAST_PROBE_SECONDS, PROBE_SECONDS
from grader.causes.pods import State, state_of, stopped_by
from grader.causes.rollouts import rollout
from grader.causes.ruling import Ruling, environment, fail, not_yet
from grader.causes.scene import Scene
from grader.causes.service import port_missing
from grader.causes.wanted import Wanted
from grader.causes.words import label_text, listed, port_text, word
from grader.model.evidence import Problem
from grader.model.kubernetes import (
    actual_slices,
    find_port,
    has_slices,
    is_ready,
    labels_of,
    name_of,
    service_port,
    slices_settled,
    uid_of,
)
from grader.model.objects import RawObject
from grader.model.report import Hop, Verdict, Waits
from grader.model.vantage import Readiness


def endpoints_wrong(scene: Scene, service: RawObject, wanted: Wanted) -> Ruling | None:
    """Say why a Service's endpoints are not exactly the Pods that are wanted."""
    if wanted.number is not None and (ruling := port_missing(service, wanted.number)):
        return ruling
    ruling = _selection_wrong(scene, service, wanted) or _target_wrong(scene, service, wanted)
    if not slices_settled(service, scene.every_pod, scene.slices):
        return not_yet("endpoint-slices-moving", Hop.ENDPOINT_SLICE, service=name_of(service))
    if ruling and (moving := rollout(scene)):  # the Pods to come may have other labels and ports
        return moving
    return (
        ruling
        or _readiness_wrong(scene, service, wanted)
        or slices_wrong(scene, service, wanted)
        or (not_lasting(scene, service, wanted.among or wanted.labels) if wanted.lasting else None)
    )


def _selection_wrong(scene: Scene, service: RawObject, wanted: Wanted) -> Ruling | None:
    labels = wanted.among or wanted.labels
    pods = {uid_of(pod): pod for pod in scene.backends(labels, wanted.pods_in)}
    if not pods or not scene.backends(wanted.labels, wanted.pods_in):
        if moving := rollout(scene):
            return moving
        return fail(
            "backend-pods-missing", Hop.ENDPOINT_SLICE,
            labels=label_text(wanted.labels), namespace=wanted.pods_in or scene.exercise.namespace,
        )  # fmt: skip
    facts = {"service": name_of(service), "namespace": scene.exercise.namespace}
    selector = service["spec"].get("selector") or {}
    if not _followed(scene, service, wanted):
        if actual_slices(service, made_by_hand(scene)):  # they are compared as they are
            return not_lasting(scene, service, labels) if wanted.lasting else None
        code = "slice-missing" if wanted.pods_in else "selector-missing"
        return without_slices(scene, service) or fail(code, Hop.ENDPOINT_SLICE, **facts)
    facts["selector"] = label_text(selector)
    chosen = {uid_of(pod): pod for pod in scene.labelled(selector)}
    strangers = [pod for uid, pod in chosen.items() if uid not in pods]
    if not chosen:
        return fail("selector-matches-no-pod", Hop.ENDPOINT_SLICE, **facts, labels=_label_census(scene))
    if len(strangers) == len(chosen):
        return fail("selector-matches-other-pods", Hop.ENDPOINT_SLICE, **facts, seen=listed(map(name_of, strangers)))
    if ruling := strangers_chosen(scene, service, labels):
        return ruling
    if strangers:
        return fail(
            "selector-too-wide", Hop.ENDPOINT_SLICE,
            **facts, unexpected=listed(map(name_of, strangers)), count=len(chosen),
        )  # fmt: skip
    if left := [pod for uid, pod in pods.items() if uid not in chosen]:
        return fail(
            "selector-too-narrow", Hop.ENDPOINT_SLICE,
            **facts, missing=listed(map(name_of, left)), count=len(chosen),
        )  # fmt: skip
    return None


def _followed(scene: Scene, service: RawObject, wanted: Wanted) -> bool:
    """Tell whether the selector decides; one that chooses nobody stands beside addresses that a task wants by hand."""
    if wanted.lasting or not has_slices(service):
        return has_slices(service)
    return bool(scene.labelled(service["spec"]["selector"])) or not actual_slices(service, made_by_hand(scene))


def _target_wrong(scene: Scene, service: RawObject, wanted: Wanted) -> Ruling | None:
    if not _followed(scene, service, wanted):
        return None
    number = wanted.number
    ports = [service_port(service, number)] if number is not None else service["spec"].get("ports") or ()
    pods = scene.backends(wanted.labels)
    first: Ruling | None = None
    for item in ports:
        resolved = {find_port(pod, item) for pod in pods} if item else set()
        if item is None or (None not in resolved and (wanted.port is None or resolved == {wanted.port})):
            return None
        declared = listed(sorted(_declared(pods)))
        facts = {"service": name_of(service), "port": port_text(item), "target": item.get("targetPort")}
        if None in resolved:
            ruling = fail("target-port-name-unknown", Hop.ENDPOINT_SLICE, **facts, declared=declared)
        else:
            shown = listed(sorted(filter(None, resolved)))
            ruling = fail("target-port-mismatch", Hop.ENDPOINT_SLICE, **facts, resolved=shown, declared=declared)
        first = first or ruling
    return first


def _readiness_wrong(scene: Scene, service: RawObject, wanted: Wanted) -> Ruling | None:
    """Object to Pods whose readiness is not as wanted, or not published as wanted."""
    if wanted.readiness is Readiness.REQUIRED:
        return pods_not_ready(scene, wanted.labels, wanted.pods_in)
    pods = scene.backends(wanted.labels, wanted.pods_in)
    waiting = [pod for pod in pods if not is_ready(pod)]
    facts = {"service": name_of(service), "labels": label_text(wanted.labels)}
    if moving := rollout(scene, wanted.labels):  # the Pods to come may be ready, or not, where these are not
        return moving
    if not waiting:
        return fail("no-pod-unready", Hop.ENDPOINT_SLICE, **facts, count=len(pods))
    facts["pods"] = listed(map(name_of, waiting))
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    if published and wanted.readiness is Readiness.GATED:
        return fail("unready-published", Hop.ENDPOINT_SLICE, **facts)
    if not published and wanted.readiness is Readiness.PUBLISHED and has_slices(service):
        return fail("unready-left-out", Hop.ENDPOINT_SLICE, **facts)
    stopped = {name_of(pod): probe for pod in waiting if (probe := stopped_by(pod))}
    if wanted.readiness is Readiness.GATED and stopped:
        pod, probe = next(iter(stopped.items()))
        return fail("unready-stopped", Hop.ENDPOINT_SLICE, pod=pod, probe=probe)
    if len(waiting) == len(pods) and wanted.readiness is Readiness.GATED:
        ruling = pods_not_ready(scene, wanted.labels, wanted.pods_in)
        if ruling is not None and ruling.verdict is Verdict.FAIL:  # what the Pods wait for may just have come
            again = max(scene.paced(PROBE_SECONDS), LEAST_PROBE_SECONDS)
            return ruling.once_quiet(again, Waits.PODS)
        return ruling
    return None


def pods_not_ready(scene: Scene, labels: Mapping[str, str], namespace: str = "") -> Ruling | None:
    """Object to Pods that are not ready: broken ones fail, others are still moving."""
    states = {name_of(pod): state_of(pod, scene.now, scene.evidence.pace) for pod in scene.backends(labels, namespace)}
    broken = {name: state for name, state in states.items() if state.state is State.BROKEN}
    moving = {name: state for name, state in states.items() if state.state is State.MOVING}
    facts = {"labels": label_text(labels), "ready": len(states) - len(broken) - len(moving), "count": len(states)}
    facts["namespace"] = namespace or scene.exercise.namespace
    if broken:
        if moving_on := rollout(scene, labels):  # the broken ones are being replaced
            return moving_on
        name, state = min(broken.items())
        if state.image and state.image in scene.given_images:
            problem = Problem("image-missing", {"pod": name, "image": state.image, "reason": state.reason})
            return environment(problem, Hop.ENDPOINT_SLICE)
        return fail("pods-not-ready", Hop.ENDPOINT_SLICE, **facts, pod=name, reason=word("pod", state.reason))
    if moving:
        if node := scene.problem("node-not-ready"):
            return environment(node, Hop.ENDPOINT_SLICE)
        name, state = min(moving.items())
        reason = word("pod", state.reason)
        return not_yet("pods-moving", Hop.ENDPOINT_SLICE, Waits.PODS, **facts, pod=name, reason=reason)
    return rollout(scene, labels)


def _declared(pods: tuple[RawObject, ...]) -> set[str]:
    """List the ports that containers declare: "http-api=8080/TCP", or "8080/TCP" without a name."""
    return {
        f"{port['name']}={port['containerPort']}" if port.get("name") else str(port["containerPort"])
        for pod in pods
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
    }


def _label_census(scene: Scene) -> str:
    """Count Pods by their labels, without those that controllers add."""
    census: dict[str, int] = {}
    for pod in scene.pods:
        own = {
            key: value
            for key, value in labels_of(pod).items()
            if not key.startswith(("pod-template-hash", "controller-"))
        }
        census[label_text(own)] = census.get(label_text(own), 0) + 1
    return listed(f"{text} ({count})" for text, count in sorted(census.items()))
