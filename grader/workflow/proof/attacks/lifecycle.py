"""What is on its way out, was made anew where it must not be, or never comes to an end."""

from __future__ import annotations

from collections.abc import Iterator

from grader.workflow.proof.attacks.hands import Act, Hands, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site, Thing

GOING = "削除"
CLUSTERS_OWN = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"})


def _going(thing: Thing) -> Blow:
    return Blow(thing.title, (thing.name, GOING), lambda hands: hands.hold(thing.kind, thing.name, thing.namespace))


def _going_services(site: Site) -> Iterator[Blow]:
    yield from map(_going, site.services)


def _going_workloads(site: Site) -> Iterator[Blow]:
    """One workload that the answer rests on; its Pods stay as long as it does."""
    found = [item for item in site.workloads() if not site.may_go(item)]
    yield from map(_going, found[:1])


def _going_maps(site: Site) -> Iterator[Blow]:
    yield from (_going(item) for item in site.answered if item.kind == "ConfigMap")


def _made_anew(site: Site) -> Iterator[Blow]:
    for thing in site.given:
        if site.is_kept(thing):
            yield Blow(thing.title, (thing.name,), _making_anew(thing))


def _making_anew(thing: Thing) -> Act:
    """Delete an object and create it again just as it was, addresses and ports included."""

    def act(hands: Hands) -> None:
        live = hands.read(thing.kind, thing.name, thing.namespace)
        metadata = {key: value for key, value in live["metadata"].items() if key not in CLUSTERS_OWN}
        same = {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}
        hands.delete(thing.kind, thing.name, thing.namespace, gone=True)
        hands.create(same, thing.namespace)

    return act


def _paused(site: Site) -> Iterator[Blow]:
    """The rollout that the answer asks for is paused before it begins."""
    for thing in site.given:
        if thing.kind == "Deployment" and site.is_answered(thing):
            yield Blow(thing.title, (thing.name, "paused"), _pausing(thing), instead=True)


def _pausing(thing: Thing) -> Act:
    def act(hands: Hands) -> None:
        hands.edit(thing.kind, thing.name, put(("spec", "paused"), True), namespace=thing.namespace)
        hands.answer()

    return act


OPERATORS = (
    Operator("service-going", "it is there to stay", _going_services),
    Operator("workload-going", "it is there to stay", _going_workloads),
    Operator("config-going", "it is there to stay", _going_maps),
    Operator("made-anew-though-kept", "it is changed without being deleted", _made_anew),
    Operator("paused-rollout", "the Pods are made as the answer says", _paused),
)
