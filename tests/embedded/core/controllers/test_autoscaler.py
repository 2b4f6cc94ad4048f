"""An autoscaler without metrics still keeps its bounds."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.controllers.autoscaler import bounded


def put(cluster: Any, least: int, most: int, name: str = "web", kind: str = "Deployment") -> None:
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}]
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": name}
    spec = {"minReplicas": least, "maxReplicas": most, "metrics": metrics, "scaleTargetRef": reference}
    meta = {"name": "h", "namespace": "default"}
    obj = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}
    cluster.store.create("horizontalpodautoscalers", {**obj, "status": {"desiredReplicas": 0}})


def conditions(cluster: Any) -> dict[str, tuple[str, str]]:
    state = cluster.store.get("horizontalpodautoscalers", "default", "h")["status"]
    return {one["type"]: (one["status"], one["reason"]) for one in state["conditions"]}


@pytest.mark.parametrize(("current", "wanted"), [(1, 3), (2, 3), (3, 3), (4, 4), (5, 5), (6, 5), (0, 0)])
def test_replicas_are_kept_between_the_bounds_unless_there_are_none(current: int, wanted: int) -> None:
    found, why = bounded({"minReplicas": 3, "maxReplicas": 5}, current)
    assert found == wanted
    assert bool(why) == (current != wanted)


def test_a_deployment_is_scaled_up_to_the_least_and_back_down_to_the_most(cluster: Any) -> None:
    cluster.deployment("web", 1)
    put(cluster, 3, 4)
    cluster.settle(20)
    assert len(cluster.pods("web")) == 3
    assert ("SuccessfulRescale", "New size: 3; reason: Current number of replicas below Spec.MinReplicas") in (
        cluster.events("h")
    )
    cluster.settle(20)
    assert conditions(cluster) == {
        "AbleToScale": ("True", "SucceededGetScale"),
        "ScalingActive": ("False", "FailedGetResourceMetric"),
    }
    cluster.change("deployments", "web", replicas=6)
    cluster.settle(60)
    assert len(cluster.pods("web")) == 4
    before = cluster.store.resource_version
    cluster.settle(600)
    assert cluster.store.resource_version == before


def test_what_is_scaled_to_zero_stays_there(cluster: Any) -> None:
    cluster.deployment("web", 0)
    put(cluster, 3, 4)
    cluster.settle(60)
    assert not cluster.pods("web")
    assert conditions(cluster)["ScalingActive"] == ("False", "ScalingDisabled")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("Deployment", 'deployments.apps "nobody" not found'),
        ("DaemonSet", "the server could not find the requested resource"),
        ("Cat", 'no matches for kind "Cat" in group "apps"'),
    ],
)
def test_a_target_that_cannot_be_scaled_is_told(cluster: Any, kind: str, why: str) -> None:
    put(cluster, 1, 2, "nobody", kind)
    cluster.settle(60)
    assert ("FailedGetScale", why) in cluster.events("h")
    assert conditions(cluster) == {"AbleToScale": ("False", "FailedGetScale")}
