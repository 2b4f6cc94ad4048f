"""Hold what is there against what was laid: on a changed ground no other observation proves anything."""

from __future__ import annotations

from collections.abc import Iterator

from grader.causes.acting import acting, service_beside
from grader.causes.handmade import made_by_hand
from grader.causes.owners import WORKLOADS
from grader.causes.rollouts import HASHES
from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.words import text, word
from grader.criteria.object import RESOURCES
from grader.model.choosing import alive
from grader.model.evidence import RawObject
from grader.model.ground import DELETION, UID, Change, Given, Ground, changes
from grader.model.kubernetes import SERVICE_NAME_LABEL, labels_of, name_of, workload_of
from grader.model.report import Hop


def ground_wrong(scene: Scene) -> Ruling | None:
    """Name the first way in which the ground is not as it was laid, None where it is."""
    change = next(ground_changes(scene), None)
    if change is None:
        return acting(scene) or service_beside(scene)
    kind, name = change.what.kind, change.what.name
    facts = {"kind": kind, "name": name, "place": place(change.what, scene)}
    facts |= {"namespace": change.what.namespace, "exercise": scene.exercise.id}
    if not change.field:
        return fail("ground-gone", Hop.GROUND, **facts)
    if change.field == DELETION:
        return fail("ground-going", Hop.GROUND, **facts, since=change.after)
    if change.field == UID:
        return fail("ground-remade", Hop.GROUND, **facts)
    return fail(
        "ground-changed", Hop.GROUND, **facts, field=change.field, before=text(change.before), after=text(change.after)
    )


def ground_changes(scene: Scene) -> Iterator[Change]:
    """Give every way in which the ground differs: what a hand-in tells of it first."""
    ground = scene.evidence.ground
    if ground is None:
        return
    yield from ground.told
    for laid in ground.laid:
        if (items := _listed(laid.what, scene)) is not None:
            live = next((item for item in items if name_of(item) == laid.what.name), None)
            yield from changes(laid, live, scene.exercise.ground)
    yield from _relabelled(scene, ground)
    yield from _released(scene)
    yield from _slices_added(scene, ground)


def _relabelled(scene: Scene, ground: Ground) -> Iterator[Change]:
    """Give the Pods of given workloads that lost a label of the template, or have another value of it."""
    held = {item.what: item for item in ground.laid if item.what not in scene.exercise.ground.may_differ}
    for namespace in scene.exercise.all_namespaces:
        for pod in alive(scene.objects.of("pods", scene.home(namespace))):
            laid = held.get(Given(namespace, *workload_of(pod)))
            template = ((laid.content.get("spec") or {}).get("template") or {}) if laid else {}
            for key, value in labels_of(template).items():
                if labels_of(pod).get(key) != value:
                    what = Given(namespace, "Pod", name_of(pod))
                    yield Change(what, f"metadata.labels.{key}", value, labels_of(pod).get(key))


def _released(scene: Scene) -> Iterator[Change]:
    """Give the Pods that some controller made and none owns any more: they were relabelled until it let them go."""
    if any(what.kind in WORKLOADS for what in scene.exercise.ground.may_differ):
        return
    for namespace in scene.exercise.all_namespaces:
        for pod in alive(scene.objects.of("pods", scene.home(namespace))):
            if labels_of(pod).keys() & set(HASHES.values()) and not pod["metadata"].get("ownerReferences"):
                yield Change(Given(namespace, "Pod", name_of(pod)), "metadata.ownerReferences", word("plain", "owned"))


def _slices_added(scene: Scene, ground: Ground) -> Iterator[Change]:
    """Give the slices made by hand that lead a given Service to further addresses."""
    given = {item.what: item.content["metadata"]["labels"] for item in ground.laid}
    for what in sorted(given.keys() - scene.exercise.ground.may_differ.keys()):
        if what.kind != "Service" or what.namespace not in scene.exercise.all_namespaces:
            continue
        for item in made_by_hand(scene, scene.home(what.namespace)):
            slice_ = Given(what.namespace, "EndpointSlice", name_of(item))
            laid = given.get(slice_, {}).get(SERVICE_NAME_LABEL)
            if labels_of(item).get(SERVICE_NAME_LABEL) == what.name != laid:
                yield Change(what, "EndpointSlice", None, name_of(item))


def _listed(what: Given, scene: Scene) -> tuple[RawObject, ...] | None:
    """Find the objects among which it must be, None where they were not listed."""
    objects, resource = scene.evidence.objects, RESOURCES[what.kind]
    if what.namespace not in ("", *scene.exercise.all_namespaces):
        return objects.cluster.get(resource)
    home = "" if what.namespace in ("", scene.exercise.namespace) else what.namespace
    return objects.of(resource, home) if objects.knows(resource, home) else None


def place(what: Given, scene: Scene) -> str:
    """Say in which Namespace an object is, where it is not the exercise's own."""
    if what.namespace in ("", scene.exercise.namespace):
        return ""
    return word("plain", "in-namespace").format(namespace=what.namespace)
