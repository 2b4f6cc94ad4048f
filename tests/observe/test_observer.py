"""A verdict rests on objects that coexisted: two collections that are alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from grader.kube.client import KubeApi
from grader.observe import Observer
from grader.observe.observer import Target
from tests.judge.world import NAMESPACE, World


class Api:
    """An API server with the objects of a World; `between` happens once Pods have been listed for the first time."""

    def __init__(self, world: World, between: Callable[[], None] = lambda: None) -> None:
        self.world, self.between, self.listed = world, between, 0

    def list(self, plural: str, namespace: str | None = None) -> list[Mapping[str, Any]]:
        items = [dict(item) for item in self.world.objects().of(plural)] if namespace in (NAMESPACE, None) else []
        if plural == "pods":
            self.listed += 1
            if self.listed == 1:
                self.between()
        return items


def observer(world: World, between: Callable[[], None] = lambda: None) -> Observer:
    return Observer(Target(cast(KubeApi, Api(world, between)), "a cluster"), world.task)


def test_objects_that_stay_as_they_are_coexisted() -> None:
    with observer(World()) as eyes:
        eyes.objects()
        assert eyes.coexisted()


def test_objects_that_change_while_they_are_collected_did_not_coexist() -> None:
    world = World()
    before = len(world.objects().of("pods"))

    def rolled_out() -> None:
        gone = world.pods.pop()
        assert gone["metadata"]["uid"] not in {item["metadata"]["uid"] for item in world.pods}

    with observer(world, rolled_out) as eyes:
        assert len(eyes.objects().of("pods")) == before
        assert not eyes.coexisted()
        assert eyes.coexisted()  # and now they are still
