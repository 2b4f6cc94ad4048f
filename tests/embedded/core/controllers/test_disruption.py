"""PodDisruptionBudgets: what can be spared (pkg/controller/disruption/disruption.go)."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.objects import condition, controller_reference
from grader.embedded.core.store import Obj, timestamp


def budget(cluster: Any, app: str = "web", **spec: Any) -> None:
    cluster.store.create(
        "poddisruptionbudgets",
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": app, "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": app}}, **spec},
        },
    )
    cluster.settle(1)


def state(cluster: Any, app: str = "web") -> Obj:
    found: Obj = cluster.store.get("poddisruptionbudgets", "default", app)["status"]
    return found


def counted(cluster: Any, app: str = "web") -> tuple[int, ...]:
    fields = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
    return tuple(state(cluster, app)[field] for field in fields)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (4, 2, 2, 4)),
        ({"minAvailable": "60%"}, (4, 3, 1, 4)),
        ({"maxUnavailable": 1}, (4, 3, 1, 4)),
        ({"maxUnavailable": "30%"}, (4, 2, 2, 4)),
        ({"minAvailable": 9}, (4, 9, 0, 4)),
        ({}, (4, 0, 0, 0)),
    ],
)
def test_pods_are_counted_against_what_is_asked_for(cluster: Any, spec: Obj, expected: tuple[int, ...]) -> None:
    cluster.deployment("web", 4)
    cluster.settle(10)
    budget(cluster, **spec)
    assert counted(cluster) == expected


def test_the_count_follows_the_pods(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.settle(10)
    budget(cluster, maxUnavailable=1)
    assert counted(cluster) == (2, 1, 1, 2)
    cluster.change("deployments", "web", replicas=3)
    cluster.settle(10)
    assert counted(cluster) == (3, 2, 1, 3)


def test_a_number_can_be_kept_of_pods_without_a_controller_and_a_share_cannot(cluster: Any) -> None:
    cluster.pod("alone", labels={"app": "web"})
    cluster.settle(10)
    budget(cluster, minAvailable=1)
    assert counted(cluster) == (1, 1, 0, 1)
    cluster.change("poddisruptionbudgets", "web", minAvailable="50%")
    cluster.settle(1)
    assert counted(cluster) == (1, 0, 0, 0)
    assert "UnmanagedPods" in [reason for reason, _ in cluster.events("web")]


def test_what_is_not_scaled_cannot_be_counted(cluster: Any) -> None:
    cluster.pod("each-x", labels={"app": "each"})
    pod = cluster.store.get("pods", "default", "each-x")
    config = cluster.store.get("configmaps", "default", "kube-root-ca.crt")
    owner = controller_reference({"apiVersion": "v1", "kind": "ConfigMap", **config})
    cluster.store.update("pods", {**pod, "metadata": {**pod["metadata"], "ownerReferences": [owner]}})
    budget(cluster, "each", maxUnavailable=1)
    told = condition({"status": state(cluster, "each")}, "DisruptionAllowed")
    assert told is not None
    assert (told["reason"], told["message"]) == (
        "SyncFailed",
        "configmaps does not implement the scale subresource",
    )
    assert state(cluster, "each")["disruptionsAllowed"] == 0


def test_a_condition_that_stays_is_of_the_newest_generation(cluster: Any) -> None:
    cluster.deployment("web", 3)
    cluster.settle(10)
    budget(cluster, minAvailable=2)
    cluster.change("poddisruptionbudgets", "web", minAvailable=1)
    cluster.settle(1)
    told = condition({"status": state(cluster)}, "DisruptionAllowed")
    assert told is not None
    assert (told["reason"], told["observedGeneration"]) == ("SufficientPods", 2)


def test_an_evicted_pod_that_stays_counts_again_after_two_minutes(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.settle(10)
    budget(cluster, minAvailable=1)
    held = cluster.store.get("poddisruptionbudgets", "default", "web")
    name = cluster.pods("web")[0]["metadata"]["name"]
    disrupted = {"disruptedPods": {name: timestamp(cluster.clock.time)}}
    cluster.store.update("poddisruptionbudgets", {**held, "status": {**held["status"], **disrupted}})
    cluster.settle(1)
    assert counted(cluster) == (1, 1, 0, 2)
    cluster.settle(125)
    assert counted(cluster) == (2, 1, 1, 2)
    assert "disruptedPods" not in state(cluster)
