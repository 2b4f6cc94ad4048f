"""Hold what is there against what was laid: on a changed ground no other observation proves anything."""

from __future__ import annotations

from collections.abc import Iterator

from grader.causes.ruling import Ruling, fail
from grader.causes.scene import Scene
from grader.causes.words import text, word
from grader.criteria.object import RESOURCES
from grader.model.evidence import RawObject
from grader.model.ground import DELETION, UID, Change, Given, changes
from grader.model.kubernetes import name_of
from grader.model.report import Hop


def ground_wrong(scene: Scene) -> Ruling | None:
    """Name the first way in which the ground is not as it was laid, None where it is."""
    change = next(ground_changes(scene), None)
    if change is None:
        return None
    kind, name = change.what.kind, change.what.name
    facts = {"kind": kind, "name": name, "exercise": scene.exercise.id, "place": place(change.what, scene)}
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
