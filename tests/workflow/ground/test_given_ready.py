"""When what was given stands: as many Pods are ready as will be, and none is of an owner that is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader import exercises
from grader.workflow.ground.laying import given_ready

EXERCISE = replace(exercises.load("clusterip"), id="restored", namespace="restored", namespaces=())


class Listing:
    """An API server that only lists."""

    def __init__(self, **objects: list[dict[str, Any]]) -> None:
        self.objects = objects

    def list(self, plural: str, namespace: str) -> list[dict[str, Any]]:
        return self.objects.get(plural, []) if namespace == "restored" else []


def stateful(**status: int) -> Any:
    probe = {"metadata": {"name": "grader-probe"}, "status": {"phase": "Running"}}
    live = {
        "kind": "StatefulSet",
        "metadata": {"name": "db", "uid": "u", "generation": 2},
        "spec": {"replicas": 3, "podManagementPolicy": "OrderedReady"},
        "status": {"observedGeneration": 2, **status},
    }
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    pods = [
        {"metadata": {"name": f"db-{number}", "ownerReferences": [{"uid": "u"}]}, "status": ready}
        for number in range(status.get("readyReplicas", 0))
    ]
    return Listing(statefulsets=[live], pods=[probe, *pods])


@pytest.mark.parametrize(
    ("ready", "made", "made_ready", "stands"),
    [(None, 3, 3, True), (None, 3, 2, False), (2, 3, 2, True), (1, 2, 1, True), (0, 1, 0, True), (0, 0, 0, False)],
)
def test_a_stateful_set_stands_when_as_many_pods_are_ready_as_will_be(
    ready: int | None, made: int, made_ready: int, stands: bool
) -> None:
    given = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n"
    exercise = replace(EXERCISE, given=given, ready={} if ready is None else {"db": ready})
    api = stateful(replicas=made, updatedReplicas=made, readyReplicas=made_ready)
    assert given_ready(api, exercise) is stands


def test_pods_that_their_controller_has_not_missed_yet_are_waited_for() -> None:
    # on a loaded kind, Pods were made anew after an attempt had begun, and knew its Service
    given = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n"
    api = stateful(replicas=3, updatedReplicas=3, readyReplicas=3)
    api.objects["pods"].pop()
    assert not given_ready(api, replace(EXERCISE, given=given))


def test_a_pod_whose_owner_is_gone_is_waited_for() -> None:
    given = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n"
    api = stateful(replicas=3, updatedReplicas=3, readyReplicas=3)
    exercise = replace(EXERCISE, given=given)
    assert given_ready(api, exercise)
    api.objects["pods"].append({"metadata": {"name": "db-9", "ownerReferences": [{"uid": "gone"}]}})
    assert not given_ready(api, exercise)
