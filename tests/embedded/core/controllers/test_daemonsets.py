"""DaemonSets: one Pod on each node that takes it, and the way from one template to the next."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.objects import is_pod_ready

Obj = dict[str, Any]
CONTROL_PLANE, WORKER, WORKER2 = (f"services-course-{name}" for name in ("control-plane", "worker", "worker2"))
TOLERATE_CONTROL_PLANE = [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}


def daemon_set(cluster: Any, *, probe: Obj | None = None, pod: Obj | None = None, **spec: Any) -> None:
    web = {
        "name": "web",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
        "args": ["netexec", "--http-port=8080"],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1, **(probe or {})},
    }
    cluster.store.create(
        "daemonsets",
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "updateStrategy": ROLLING,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [web], **(pod or {})}},
                **spec,
            },
        },
    )


def renew(cluster: Any, **annotations: str) -> None:
    template = cluster.store.get("daemonsets", "default", "web")["spec"]["template"]
    metadata = {**template["metadata"], "annotations": annotations}
    cluster.change("daemonsets", "web", template={**template, "metadata": metadata})


def status(cluster: Any) -> Obj:
    found: Obj = cluster.store.get("daemonsets", "default", "web")["status"]
    return found


def nodes(cluster: Any) -> list[str]:
    return sorted(pod["spec"].get("nodeName", "") for pod in cluster.pods("web"))


def digests(cluster: Any) -> set[str]:
    return {pod["metadata"]["labels"]["controller-revision-hash"] for pod in cluster.pods("web")}


def change_node(cluster: Any, name: str, *, labels: Obj | None = None, **spec: Any) -> None:
    node = cluster.store.get("nodes", "", name)
    metadata = {**node["metadata"], "labels": {**node["metadata"]["labels"], **(labels or {})}}
    cluster.store.update("nodes", {**node, "metadata": metadata, "spec": {**node["spec"], **spec}})


def test_each_node_without_a_taint_gets_a_pod(cluster: Any) -> None:
    daemon_set(cluster)
    cluster.settle()
    assert nodes(cluster) == [WORKER, WORKER2]
    assert status(cluster) == {
        "observedGeneration": 1,
        "currentNumberScheduled": 2,
        "desiredNumberScheduled": 2,
        "numberAvailable": 2,
        "numberMisscheduled": 0,
        "numberReady": 2,
        "updatedNumberScheduled": 2,
    }
    name = cluster.pods("web")[0]["metadata"]["name"]
    assert ("SuccessfulCreate", f"Created pod: {name}") in cluster.events("web")


def test_a_toleration_brings_a_pod_to_the_control_plane_too(cluster: Any) -> None:
    daemon_set(cluster, pod={"tolerations": TOLERATE_CONTROL_PLANE})
    cluster.settle()
    assert nodes(cluster) == [CONTROL_PLANE, WORKER, WORKER2]


def test_pods_tolerate_what_pods_of_daemon_sets_tolerate(cluster: Any) -> None:
    daemon_set(cluster)
    cluster.settle()
    tolerations = cluster.pods("web")[0]["spec"]["tolerations"]
    assert [(item["key"].partition("/")[2], item["operator"], item["effect"]) for item in tolerations] == [
        ("not-ready", "Exists", "NoExecute"),
        ("unreachable", "Exists", "NoExecute"),
        ("disk-pressure", "Exists", "NoSchedule"),
        ("memory-pressure", "Exists", "NoSchedule"),
        ("pid-pressure", "Exists", "NoSchedule"),
        ("unschedulable", "Exists", "NoSchedule"),
    ]
    assert not any("tolerationSeconds" in item for item in tolerations)


def test_a_node_selector_chooses_the_nodes_and_follows_their_labels(cluster: Any) -> None:
    daemon_set(cluster, pod={"nodeSelector": {"disk": "ssd"}})
    cluster.settle()
    assert nodes(cluster) == []
    change_node(cluster, WORKER, labels={"disk": "ssd"})
    cluster.settle()
    assert nodes(cluster) == [WORKER]
    change_node(cluster, WORKER, labels={"disk": "tape"})
    cluster.settle(40)
    assert nodes(cluster) == []


@pytest.mark.parametrize(("effect", "left"), [("NoSchedule", [WORKER, WORKER2]), ("NoExecute", [WORKER2])])
def test_a_new_taint_ends_pods_only_where_it_says_so(cluster: Any, effect: str, left: list[str]) -> None:
    daemon_set(cluster)
    cluster.settle()
    change_node(cluster, WORKER, taints=[{"key": "broken", "effect": effect}])
    cluster.settle(40)
    assert nodes(cluster) == left
    assert status(cluster)["desiredNumberScheduled"] == 1
    assert status(cluster)["numberMisscheduled"] == len(left) - 1


def test_a_cordoned_node_keeps_its_pod(cluster: Any) -> None:
    change_node(cluster, WORKER, unschedulable=True)
    daemon_set(cluster)
    cluster.settle()
    assert nodes(cluster) == [WORKER, WORKER2]


def test_a_deleted_pod_is_replaced_on_its_node(cluster: Any) -> None:
    daemon_set(cluster)
    cluster.settle()
    victim = cluster.pods("web")[0]
    cluster.delete("pods", victim["metadata"]["name"])
    cluster.settle(40)
    assert victim["metadata"]["name"] not in cluster.names("web")
    assert nodes(cluster) == [WORKER, WORKER2]


def test_a_rolling_update_takes_one_node_after_the_other(cluster: Any) -> None:
    daemon_set(cluster, probe={"initialDelaySeconds": 5}, pod={"tolerations": TOLERATE_CONTROL_PLANE})
    cluster.settle(20)
    old = digests(cluster)
    lowest, most = 3, 3

    def watch(change: Any) -> None:
        nonlocal lowest, most
        if change.resource == "pods":
            held = cluster.pods("web")
            lowest = min(lowest, sum(map(is_pod_ready, held)))
            most = max(most, len(held))

    cluster.store.subscribe(watch)
    renew(cluster, restartedAt="now")
    cluster.settle(200)
    assert (lowest, most) == (2, 3)
    assert status(cluster)["updatedNumberScheduled"] == status(cluster)["numberAvailable"] == 3
    assert not old & digests(cluster)


def test_a_surging_update_keeps_every_node_served(cluster: Any) -> None:
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    daemon_set(cluster, probe={"initialDelaySeconds": 5}, updateStrategy=surge)
    cluster.settle(20)
    old = digests(cluster)
    unserved: set[str] = set()

    def watch(change: Any) -> None:
        if change.resource == "pods":
            ready = {pod["spec"].get("nodeName") for pod in cluster.pods("web") if is_pod_ready(pod)}
            unserved.update({WORKER, WORKER2} - ready)

    cluster.store.subscribe(watch)
    renew(cluster, restartedAt="now")
    cluster.settle(200)
    assert not unserved
    assert nodes(cluster) == [WORKER, WORKER2]
    assert not old & digests(cluster)


def test_an_update_that_does_not_become_ready_stops(cluster: Any) -> None:
    daemon_set(cluster)
    cluster.settle()
    old = digests(cluster)
    template = cluster.store.get("daemonsets", "default", "web")["spec"]["template"]
    container = {**template["spec"]["containers"][0], "readinessProbe": {"httpGet": {"path": "/x", "port": 1}}}
    cluster.change("daemonsets", "web", template={**template, "spec": {**template["spec"], "containers": [container]}})
    cluster.settle(200)
    assert len(digests(cluster) & old) == 1
    assert (status(cluster)["updatedNumberScheduled"], status(cluster)["numberUnavailable"]) == (1, 1)


def test_on_delete_leaves_it_to_whoever_deletes(cluster: Any) -> None:
    daemon_set(cluster, updateStrategy={"type": "OnDelete"})
    cluster.settle()
    old = digests(cluster)
    renew(cluster, restartedAt="now")
    cluster.settle(60)
    assert digests(cluster) == old
    cluster.delete("pods", cluster.pods("web")[0]["metadata"]["name"])
    cluster.settle(40)
    assert len(digests(cluster)) == 2
    assert status(cluster)["updatedNumberScheduled"] == 1


def test_each_template_leaves_a_revision(cluster: Any) -> None:
    daemon_set(cluster, revisionHistoryLimit=1)
    for number in range(3):
        cluster.settle(60)
        renew(cluster, number=str(number))
    cluster.settle(60)
    held = cluster.store.list("controllerrevisions", "default")
    assert sorted(item["revision"] for item in held) == [3, 4]
    newest = max(held, key=lambda item: item["revision"])
    assert digests(cluster) == {newest["metadata"]["labels"]["controller-revision-hash"]}


def test_a_pod_that_nobody_would_take_is_told_of(cluster: Any) -> None:
    daemon_set(cluster, pod={"serviceAccountName": "nobody"})
    cluster.settle(5)
    assert cluster.pods("web") == []
    assert (
        "FailedCreate",
        'Error creating: pods "web-" is forbidden: error looking up service account default/nobody: '
        'serviceaccount "nobody" not found',
    ) in cluster.events("web")


def test_what_a_daemon_set_owned_goes_with_it(cluster: Any) -> None:
    daemon_set(cluster)
    cluster.settle()
    cluster.delete("daemonsets", "web")
    cluster.settle(40)
    assert cluster.pods("web") == []
    assert cluster.store.list("controllerrevisions", "default") == []
