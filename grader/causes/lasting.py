"""Whether a Service will still find its Pods tomorrow: endpoints that a controller makes, of labels that new Pods have.

What answers now proves nothing of the next rollout: addresses written by hand, and labels that only today's Pods carry,
are lost with them.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.causes.handmade import by_hand_for
from grader.causes.owners import GENERATED, STABLE, template_labels
from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.words import label_text, listed, word
from grader.model.kubernetes import (
    actual_slices,
    has_slices,
    is_terminating,
    name_of,
    workload_of,
)
from grader.model.objects import RawObject
from grader.model.report import Hop


def going(service: RawObject) -> Ruling | None:
    """Object to a Service that was deleted and is only held back by a finalizer."""
    if not is_terminating(service):
        return None
    metadata = service["metadata"]
    return fail(
        "service-going", Hop.SERVICE,
        service=name_of(service), since=metadata["deletionTimestamp"],
        finalizers=listed(metadata.get("finalizers") or ()),
    )  # fmt: skip


def not_lasting(scene: Scene, service: RawObject, labels: Mapping[str, str], namespace: str = "") -> Ruling | None:
    """Say why a Service will lose its Pods when they are made anew.

    Args:
        scene: what was observed.
        service: a Service whose endpoints are right at this moment.
        labels: those by which the task speaks of the Pods: they may be a controller's.
        namespace: the further Namespace that it is in, "" for the exercise's own.
    """
    facts = {"service": name_of(service)}
    if not has_slices(service):
        return fail("endpoints-by-hand", Hop.ENDPOINT_SLICE, **facts)
    selector: Mapping[str, str] = service["spec"]["selector"]
    for pod in scene.labelled(selector, namespace):
        generated = GENERATED - (STABLE if workload_of(pod)[0] == "StatefulSet" else frozenset()) - set(labels)
        if key := next((key for key in selector if key in generated), ""):
            return fail("selector-generated", Hop.ENDPOINT_SLICE, **facts, label=f"{key}={selector[key]}")
        made_with = template_labels(scene.objects, pod, namespace)
        own = {key: value for key, value in selector.items() if key not in GENERATED}
        if made_with is not None and not own.items() <= made_with.items():
            lacking = {key: value for key, value in own.items() if made_with.get(key) != value}
            told = {"label": label_text(lacking), "pod": name_of(pod), "workload": "/".join(workload_of(pod))}
            return fail("selector-not-of-template", Hop.ENDPOINT_SLICE, **facts, **told)
    beside = [
        item
        for item in by_hand_for(scene, service, namespace)
        if any(endpoint.ready for endpoint in actual_slices(service, [item]))
    ]
    if beside:
        return fail("slice-beside-selector", Hop.ENDPOINT_SLICE, **facts, slices=listed(sorted(map(name_of, beside))))
    return None


def strangers_chosen(scene: Scene, service: RawObject, labels: Mapping[str, str]) -> Ruling | None:
    """Name Pods that a Service chooses and that no workload of the task made, though they carry its labels."""
    selector = service["spec"].get("selector") or {}
    found = [pod for pod in scene.labelled({**selector, **labels}) if scene.is_stranger(pod)] if selector else []
    if not found:
        return None
    return fail(
        "stranger-chosen", Hop.ENDPOINT_SLICE,
        service=name_of(service), pods=listed(map(name_of, found)), labels=label_text(labels) or word("plain", "none"),
    )  # fmt: skip
