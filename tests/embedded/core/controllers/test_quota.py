"""A quota in a cluster: its status, and the Pods of controllers."""

from __future__ import annotations

from typing import Any


def put(cluster: Any, hard: dict[str, str]) -> None:
    metadata = {"name": "q", "namespace": "default"}
    obj = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}, "status": {}}
    cluster.store.create("resourcequotas", obj)


def test_the_status_follows_what_is_used(cluster: Any) -> None:
    put(cluster, {"pods": "5", "services": "5", "count/deployments.apps": "1", "cats.example.com/x": "1"})
    cluster.deployment("web", 2)
    cluster.service("web", {"app": "web"})
    cluster.settle()
    state = cluster.store.get("resourcequotas", "default", "q")["status"]
    assert state["used"] == {"count/deployments.apps": "1", "pods": "2", "services": "2"}
    cluster.change("deployments", "web", replicas=1)
    cluster.settle(60)
    assert cluster.store.get("resourcequotas", "default", "q")["status"]["used"]["pods"] == "1"


def test_a_controller_is_refused_pods_and_says_so_until_there_is_room(cluster: Any) -> None:
    put(cluster, {"pods": "1"})
    cluster.deployment("web", 3)
    cluster.settle()
    assert len(cluster.pods("web")) == 1
    (replica_set,) = cluster.store.list("replicasets", "default")
    (failure,) = replica_set["status"]["conditions"]
    told = "is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"
    assert (failure["type"], failure["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert failure["message"].endswith(told)
    assert any(reason == "FailedCreate" and told in text for reason, text in cluster.events("web"))
    cluster.change("resourcequotas", "q", hard={"pods": "3"})
    cluster.settle(120)
    assert len(cluster.pods("web")) == 3


def test_controllers_of_every_kind_wait_for_room_without_haste(cluster: Any) -> None:
    put(cluster, {"pods": "0"})
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]},
    }
    always = {**template, "spec": {**template["spec"], "restartPolicy": "Always"}}
    for resource, kind, spec in (
        ("replicasets", "ReplicaSet", {"replicas": 1, "template": always}),
        ("daemonsets", "DaemonSet", {"template": always, "updateStrategy": {"type": "OnDelete"}}),
        ("statefulsets", "StatefulSet", {"replicas": 1, "serviceName": "x", "template": always}),
    ):
        body = {"selector": {"matchLabels": {"app": "x"}}, **spec}
        meta = {"name": kind.lower(), "namespace": "default"}
        cluster.store.create(resource, {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": body})
    cluster.settle(60)
    for kind in ("replicaset", "daemonset", "statefulset"):
        assert "FailedCreate" in [reason for reason, _ in cluster.events(kind)]
    before = cluster.store.resource_version
    cluster.settle(60)
    assert cluster.store.resource_version - before < 30
