"""Causes that the objects themselves tell, in the order in which a Service depends on them.

Each function returns the first thing that stands in the way, or None. What these rule to fail, no waiting can mend: the
slices are settled, so the cluster has done what the manifests ask.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.judge.pods import State, state_of
from grader.judge.scene import Ruling, Scene, environment, fail, label_text, listed, not_yet, port_text, word
from grader.model.evidence import Action, Problem, RawObject
from grader.model.kubernetes import (
    actual_slices,
    find_port,
    has_slices,
    labels_of,
    name_of,
    service_port,
    slices_settled,
    uid_of,
)
from grader.model.questions import PROBE_POD, living
from grader.model.report import Hop


def missing(scene: Scene, name: str) -> Ruling:
    """Say why a Service is not there."""
    evidence = scene.evidence
    kinds = [item.kind for item in evidence.manifests]
    probes = [pod for pod in evidence.objects.get("pods", ()) if name_of(pod) == PROBE_POD]
    begun = str(probes[0]["metadata"].get("creationTimestamp") or "") if probes else ""
    elsewhere = {
        item["metadata"]["namespace"]
        for item in evidence.objects.get("services-elsewhere", ())
        # one that was there before this exercise was begun is somebody else's
        if name_of(item) == name and str(item["metadata"].get("creationTimestamp") or "") >= begun
    }
    if elsewhere:
        return fail(
            "service-in-other-namespace", Hop.SERVICE,
            service=name, namespace=scene.exercise.namespace, found=listed(sorted(elsewhere)),
        )  # fmt: skip
    applied = [item for item in evidence.manifests if item.action is not Action.REFUSED]
    if applied and "Service" not in kinds:
        seen = listed(f"{item.kind}/{item.name}" for item in applied)
        return fail("wrong-kind", Hop.SERVICE, service=name, seen=seen, namespace=scene.exercise.namespace)
    others = sorted(name_of(item) for item in evidence.objects.get("services", ()))
    return fail(
        "service-missing", Hop.SERVICE, service=name, namespace=scene.exercise.namespace, services=listed(others)
    )


def wrong_type(service: RawObject, *, headless_too: bool, allowed: tuple[str, ...] = ()) -> Ruling | None:
    """Object to a Service that has no address of the kind that is needed."""
    spec = service["spec"]
    seen = str(spec.get("type", "ClusterIP"))
    if allowed and seen not in allowed:
        return fail("service-type-differs", Hop.SERVICE, service=name_of(service), expected=allowed[0], seen=seen)
    if seen == "ExternalName":
        return fail("service-is-external-name", Hop.SERVICE, service=name_of(service), target=spec.get("externalName"))
    if headless_too and spec.get("clusterIP") == "None":
        return fail("service-is-headless", Hop.SERVICE, service=name_of(service))
    return None


def port_missing(service: RawObject, number: int) -> Ruling | None:
    """Object to a Service without this TCP port."""
    ports = service["spec"].get("ports") or ()
    if any(port.get("port") == number and port.get("protocol", "TCP") == "TCP" for port in ports):
        return None
    return fail(
        "service-port-missing", Hop.SERVICE,
        service=name_of(service), expected=f"{number}/TCP", seen=listed(map(port_text, ports)),
    )  # fmt: skip


def endpoints_wrong(
    scene: Scene, service: RawObject, labels: Mapping[str, str], port: int | None, number: int | None
) -> Ruling | None:
    """Say why a Service's endpoints are not exactly the Pods with these labels at this port.

    Args:
        scene: what was observed.
        service: the Service.
        labels: of the Pods that must be endpoints.
        port: resolved port; None: any.
        number: the Service port it belongs to; None: any.
    """
    if number is not None and (ruling := port_missing(service, number)):
        return ruling
    ruling = _selection_wrong(scene, service, labels) or _target_wrong(scene, service, labels, port, number)
    if not slices_settled(service, scene.pods, scene.slices):
        return not_yet("endpoint-slices-moving", Hop.ENDPOINT_SLICE, service=name_of(service))
    return ruling or pods_not_ready(scene, labels) or _slices_wrong(scene, service, labels, port, number)


def _selection_wrong(scene: Scene, service: RawObject, labels: Mapping[str, str]) -> Ruling | None:
    wanted = {uid_of(pod): pod for pod in living(scene.pods, labels)}
    if not wanted:
        if moving := rollout(scene):
            return moving
        return fail(
            "backend-pods-missing", Hop.ENDPOINT_SLICE, labels=label_text(labels), namespace=scene.exercise.namespace
        )
    facts = {"service": name_of(service), "namespace": scene.exercise.namespace}
    selector = service["spec"].get("selector") or {}
    if not has_slices(service):
        if actual_slices(service, scene.slices):
            return None  # slices made by hand are compared as they are
        return fail("selector-missing", Hop.ENDPOINT_SLICE, **facts)
    facts["selector"] = label_text(selector)
    chosen = {uid_of(pod): pod for pod in living(scene.pods, selector)}
    strangers = [pod for uid, pod in chosen.items() if uid not in wanted]
    if not chosen:
        return fail("selector-matches-no-pod", Hop.ENDPOINT_SLICE, **facts, labels=_label_census(scene))
    if len(strangers) == len(chosen):
        return fail("selector-matches-other-pods", Hop.ENDPOINT_SLICE, **facts, seen=listed(map(name_of, strangers)))
    if strangers:
        return fail(
            "selector-too-wide", Hop.ENDPOINT_SLICE,
            **facts, unexpected=listed(map(name_of, strangers)), count=len(chosen),
        )  # fmt: skip
    if left := [pod for uid, pod in wanted.items() if uid not in chosen]:
        return fail(
            "selector-too-narrow", Hop.ENDPOINT_SLICE,
            **facts, missing=listed(map(name_of, left)), count=len(chosen),
        )  # fmt: skip
    return None


def _target_wrong(
    scene: Scene, service: RawObject, labels: Mapping[str, str], port: int | None, number: int | None
) -> Ruling | None:
    if not has_slices(service):
        return None
    ports = [service_port(service, number)] if number is not None else service["spec"].get("ports") or ()
    pods = living(scene.pods, labels)
    first: Ruling | None = None
    for item in ports:
        resolved = {find_port(pod, item) for pod in pods} if item else set()
        if item is None or (None not in resolved and (port is None or resolved == {port})):
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


def pods_not_ready(scene: Scene, labels: Mapping[str, str]) -> Ruling | None:
    """Object to Pods that are not ready: broken ones fail, others are still moving."""
    states = {name_of(pod): state_of(pod, scene.now) for pod in living(scene.pods, labels)}
    broken = {name: state for name, state in states.items() if state.state is State.BROKEN}
    moving = {name: state for name, state in states.items() if state.state is State.MOVING}
    facts = {"labels": label_text(labels), "ready": len(states) - len(broken) - len(moving), "count": len(states)}
    if broken:
        name, state = min(broken.items())
        if state.image and state.image in scene.given_images:
            problem = Problem("image-missing", {"pod": name, "image": state.image, "reason": state.reason})
            return environment(problem, Hop.ENDPOINT_SLICE)
        return fail("pods-not-ready", Hop.ENDPOINT_SLICE, **facts, pod=name, reason=word("pod", state.reason))
    if moving:
        if node := scene.problem("node-not-ready"):
            return environment(node, Hop.ENDPOINT_SLICE)
        name, state = min(moving.items())
        return not_yet("pods-moving", Hop.ENDPOINT_SLICE, **facts, pod=name, reason=word("pod", state.reason))
    return rollout(scene, labels)


def rollout(scene: Scene, labels: Mapping[str, str] | None = None) -> Ruling | None:
    """Say that a Deployment is still making or replacing Pods (pkg/controller/deployment/util, DeploymentComplete)."""
    for item in scene.evidence.objects.get("deployments", ()):
        spec, status = item.get("spec", {}), item.get("status", {})
        template = spec.get("template", {})
        if labels is not None and not all(labels_of(template).get(key) == value for key, value in labels.items()):
            continue
        replicas = spec.get("replicas", 1)
        if (
            status.get("observedGeneration", 0) < item["metadata"].get("generation", 0)
            or status.get("updatedReplicas", 0) < replicas
            or status.get("replicas", 0) != replicas
        ):
            return not_yet("rollout-moving", Hop.ENDPOINT_SLICE, deployment=name_of(item))
    return None


def _slices_wrong(
    scene: Scene, service: RawObject, labels: Mapping[str, str], port: int | None, number: int | None
) -> Ruling | None:
    """Compare the union of all slices with the Pods; only slices made by hand can differ here."""
    item = service_port(service, number) if number is not None else None
    names = {str(item.get("name", ""))} if item else None
    endpoints = [
        endpoint
        for endpoint in actual_slices(service, scene.slices)
        if endpoint.ready and (names is None or endpoint.port_name in names) and port in (None, endpoint.port)
    ]
    wanted = {address for pod in living(scene.pods, labels) for address in _addresses(pod)}
    seen = {endpoint.address for endpoint in endpoints}
    strangers = {
        endpoint.address
        for endpoint in actual_slices(service, scene.slices)
        if endpoint.ready and endpoint.address not in wanted
    }
    if seen == wanted and not strangers:
        return None
    return fail(
        "endpoints-differ", Hop.ENDPOINT_SLICE,
        service=name_of(service), unexpected=listed(sorted(strangers)), missing=listed(sorted(wanted - seen)),
    )  # fmt: skip


def _addresses(pod: RawObject) -> list[str]:
    ips = [str(item.get("ip", "")) for item in pod.get("status", {}).get("podIPs") or ()]
    return [ip for ip in ips if ip and ":" not in ip]


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
