"""StatefulSets: names that stay, order, updates, revisions, and the names in DNS."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.dns import Zone
from grader.embedded.core.objects import is_deleting, is_pod_ready

Obj = dict[str, Any]


def stateful_set(
    cluster: Any, replicas: int = 3, *, name: str = "web", container: Obj | None = None, **spec: Any
) -> Obj:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    web = {"name": "web", "args": ["netexec", "--http-port=8080"], "readinessProbe": probe, **(container or {})}
    web.setdefault("image", "registry.k8s.io/e2e-test-images/agnhost:2.63.0")
    created: Obj = cluster.store.create(
        "statefulsets",
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": replicas,
                "serviceName": "peers",
                "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [web]}},
                **spec,
            },
        },
    )
    return created


def renew(cluster: Any, **annotations: str) -> None:
    """Change the template, as `kubectl rollout restart` does."""
    template = cluster.store.get("statefulsets", "default", "web")["spec"]["template"]
    metadata = {**template["metadata"], "annotations": annotations}
    cluster.change("statefulsets", "web", template={**template, "metadata": metadata})


def status(cluster: Any) -> Obj:
    found: Obj = cluster.store.get("statefulsets", "default", "web")["status"]
    return found


def pods(cluster: Any) -> dict[str, Obj]:
    return {pod["metadata"]["name"]: pod for pod in cluster.pods("web")}


def revisions(cluster: Any) -> dict[str, str]:
    return {name: pod["metadata"]["labels"]["controller-revision-hash"] for name, pod in pods(cluster).items()}


def follow(cluster: Any) -> list[str]:
    """What happens to Pods from here on, such as `web-0 created`."""
    story: list[str] = []

    def told(change: Any) -> None:
        if change.resource != "pods":
            return
        name = change.obj["metadata"]["name"]
        was_ready = change.old is not None and is_pod_ready(change.old)
        if change.type == "ADDED":
            story.append(f"{name} created")
        elif change.type == "DELETED":
            story.append(f"{name} gone")
        elif is_deleting(change.obj) and not is_deleting(change.old):
            story.append(f"{name} ending")
        elif is_pod_ready(change.obj) and not was_ready:
            story.append(f"{name} ready")

    cluster.store.subscribe(told)
    return story


def test_pods_start_one_after_the_other(cluster: Any) -> None:
    story = follow(cluster)
    stateful_set(cluster)
    cluster.settle(20)
    assert story == [f"web-{number} {event}" for number in range(3) for event in ("created", "ready")]
    assert status(cluster) == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": revisions(cluster)["web-0"],
        "updateRevision": revisions(cluster)["web-0"],
        "collisionCount": 0,
    }
    assert ("SuccessfulCreate", "Create Pod web-0 in StatefulSet web successful") in cluster.events("web")


def test_a_pod_that_is_not_ready_holds_up_the_next(cluster: Any) -> None:
    stateful_set(cluster, container={"readinessProbe": {"httpGet": {"path": "/nowhere", "port": 1}}})
    cluster.settle(60)
    assert list(pods(cluster)) == ["web-0"]
    assert status(cluster)["replicas"] == 1
    assert "readyReplicas" not in status(cluster)


def test_parallel_pods_do_not_wait_for_each_other(cluster: Any) -> None:
    stateful_set(
        cluster, podManagementPolicy="Parallel", container={"readinessProbe": {"httpGet": {"path": "/x", "port": 1}}}
    )
    cluster.settle()
    assert sorted(pods(cluster)) == ["web-0", "web-1", "web-2"]
    story = follow(cluster)
    cluster.change("statefulsets", "web", replicas=0)
    cluster.settle(40)
    assert sorted(story[:3]) == ["web-0 ending", "web-1 ending", "web-2 ending"]
    assert pods(cluster) == {}


def test_a_pod_has_the_identity_of_its_ordinal(cluster: Any) -> None:
    stateful_set(cluster, 1, ordinals={"start": 5})
    cluster.settle(10)
    (pod,) = cluster.pods("web")
    assert pod["metadata"]["name"] == "web-5"
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-5", "peers")
    labels = dict(pod["metadata"]["labels"])
    assert labels.pop("controller-revision-hash").startswith("web-")
    assert labels == {"app": "web", "apps.kubernetes.io/pod-index": "5", "statefulset.kubernetes.io/pod-name": "web-5"}


def test_scaling_down_ends_the_highest_first_and_waits_for_it(cluster: Any) -> None:
    stateful_set(cluster)
    cluster.settle(20)
    story = follow(cluster)
    cluster.change("statefulsets", "web", replicas=1)
    cluster.settle(100)
    assert story == ["web-2 ending", "web-2 gone", "web-1 ending", "web-1 gone"]
    assert status(cluster)["replicas"] == 1


def test_a_deleted_pod_comes_back_under_its_name(cluster: Any) -> None:
    stateful_set(cluster)
    cluster.settle(20)
    before = pods(cluster)["web-1"]
    cluster.delete("pods", "web-1")
    cluster.settle(40)
    after = pods(cluster)["web-1"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert is_pod_ready(after)
    assert status(cluster)["readyReplicas"] == 3


def test_a_pod_that_is_killed_at_once_comes_back_under_its_name(cluster: Any) -> None:
    stateful_set(cluster)
    cluster.settle(20)
    cluster.store.delete("pods", "default", "web-0")
    cluster.settle(20)
    assert is_pod_ready(pods(cluster)["web-0"])
    assert cluster.get(("default", "web-1"), pods(cluster)["web-0"]["status"]["podIP"], 8080, "/hostname") == "web-0"


def test_a_rolling_update_goes_from_the_highest_to_the_lowest(cluster: Any) -> None:
    slow = {"httpGet": {"path": "/", "port": 8080}, "initialDelaySeconds": 5}
    stateful_set(cluster, container={"readinessProbe": slow})
    cluster.settle(60)
    old = revisions(cluster)["web-0"]
    story = follow(cluster)
    renew(cluster, restartedAt="now")
    cluster.settle(2)
    assert status(cluster)["currentRevision"] == old != status(cluster)["updateRevision"]
    cluster.settle(200)
    assert story == [
        f"web-{number} {event}" for number in (2, 1, 0) for event in ("ending", "gone", "created", "ready")
    ]
    assert set(revisions(cluster).values()) == {status(cluster)["updateRevision"]} != {old}
    assert status(cluster)["currentRevision"] == status(cluster)["updateRevision"]
    assert status(cluster)["currentReplicas"] == status(cluster)["updatedReplicas"] == 3


def test_a_partition_keeps_the_lower_pods_as_they_are(cluster: Any) -> None:
    stateful_set(cluster, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    cluster.settle(20)
    old = revisions(cluster)["web-0"]
    renew(cluster, restartedAt="now")
    cluster.settle(60)
    cluster.delete("pods", "web-0")
    cluster.settle(60)
    new = status(cluster)["updateRevision"]
    assert revisions(cluster) == {"web-0": old, "web-1": old, "web-2": new}
    assert (status(cluster)["currentReplicas"], status(cluster)["updatedReplicas"]) == (2, 1)


def test_on_delete_leaves_it_to_whoever_deletes(cluster: Any) -> None:
    stateful_set(cluster, 2, updateStrategy={"type": "OnDelete"})
    cluster.settle(20)
    old = revisions(cluster)["web-0"]
    renew(cluster, restartedAt="now")
    cluster.settle(60)
    assert set(revisions(cluster).values()) == {old}
    cluster.delete("pods", "web-0")
    cluster.settle(60)
    assert revisions(cluster) == {"web-0": status(cluster)["updateRevision"], "web-1": old}


def test_minimum_ready_seconds_hold_up_the_next_pod(cluster: Any) -> None:
    stateful_set(cluster, 2, minReadySeconds=30)
    cluster.settle(20)
    assert list(pods(cluster)) == ["web-0"]
    assert (status(cluster)["readyReplicas"], status(cluster)["availableReplicas"]) == (1, 0)
    cluster.settle(60)
    assert status(cluster)["availableReplicas"] == 2


def test_each_template_leaves_a_revision_and_an_old_one_is_used_again(cluster: Any) -> None:
    stateful_set(cluster, 1)
    cluster.settle(10)
    first = cluster.store.get("statefulsets", "default", "web")["spec"]["template"]
    renew(cluster, restartedAt="now")
    cluster.settle(40)
    held = cluster.store.list("controllerrevisions", "default")
    assert sorted(item["revision"] for item in held) == [1, 2]
    assert {item["data"]["spec"]["template"]["$patch"] for item in held} == {"replace"}
    cluster.change("statefulsets", "web", template=first)
    cluster.settle(40)
    held = cluster.store.list("controllerrevisions", "default")
    assert sorted(item["revision"] for item in held) == [2, 3]
    newest = max(held, key=lambda item: item["revision"])
    assert newest["metadata"]["name"] == status(cluster)["currentRevision"] == revisions(cluster)["web-0"]


def test_old_revisions_beyond_the_limit_are_dropped(cluster: Any) -> None:
    stateful_set(cluster, 1, revisionHistoryLimit=1)
    for number in range(4):
        cluster.settle(40)
        renew(cluster, number=str(number))
    cluster.settle(40)
    assert sorted(item["revision"] for item in cluster.store.list("controllerrevisions", "default")) == [4, 5]


def test_only_pods_of_a_fitting_name_are_adopted(cluster: Any) -> None:
    cluster.pod("web-0", labels={"app": "web"})
    cluster.pod("stranger", labels={"app": "web"})
    cluster.settle()
    stateful_set(cluster, 2)
    cluster.settle(20)
    held = pods(cluster)
    assert sorted(held) == ["stranger", "web-0", "web-1"]
    assert "ownerReferences" not in held["stranger"]["metadata"]
    assert held["web-0"]["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet"
    assert held["web-0"]["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "web-0"


def test_a_pod_that_nobody_would_take_is_told_of(cluster: Any) -> None:
    stateful_set(cluster, 1, name="web", template={
        "metadata": {"labels": {"app": "web"}},
        "spec": {"serviceAccountName": "nobody", "containers": [{"name": "web", "image": "nginx:1.29"}]},
    })  # fmt: skip
    cluster.settle(5)
    assert pods(cluster) == {}
    assert (
        "FailedCreate",
        'Create Pod web-0 in StatefulSet web failed error: pods "web-0" is forbidden: error looking up service account '
        'default/nobody: serviceaccount "nobody" not found',
    ) in cluster.events("web")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "default"}}
    cluster.store.create("serviceaccounts", account)
    cluster.settle(60)
    assert list(pods(cluster)) == ["web-0"]


def test_what_a_stateful_set_owned_goes_with_it(cluster: Any) -> None:
    stateful_set(cluster, 2)
    cluster.settle(20)
    cluster.delete("statefulsets", "web")
    cluster.settle(60)
    assert pods(cluster) == {}
    assert cluster.store.list("controllerrevisions", "default") == []


@pytest.mark.parametrize("headless", [True, False])
def test_each_pod_has_a_name_of_its_own_in_dns(cluster: Any, headless: bool) -> None:
    cluster.service(
        "peers", {"app": "web"}, headless=headless, ports=[{"name": "http", "port": 80, "targetPort": 8080}]
    )
    stateful_set(cluster, 2)
    cluster.settle(20)
    zone = Zone(cluster.world.index)
    address = pods(cluster)["web-1"]["status"]["podIP"]
    answer = zone.query("web-1.peers.default.svc.cluster.local", "A")
    assert [record.data for record in answer.answers] == [address]
    endpoints = cluster.slices("peers")[0]["endpoints"]
    assert sorted(endpoint["hostname"] for endpoint in endpoints) == ["web-0", "web-1"]
    targets = {record.data for record in zone.query("_http._tcp.peers.default.svc.cluster.local", "SRV").answers}
    if headless:
        assert targets == {f"0 50 8080 web-{number}.peers.default.svc.cluster.local." for number in (0, 1)}
    else:
        assert targets == {"0 100 80 peers.default.svc.cluster.local."}
    assert zone.query("web-2.peers.default.svc.cluster.local", "A").rcode == "NXDOMAIN"


def test_a_stateful_set_without_a_service_name_has_no_names_in_dns(cluster: Any) -> None:
    cluster.service("peers", {"app": "web"}, headless=True)
    stateful_set(cluster, 1, serviceName="")
    cluster.settle(10)
    assert "subdomain" not in pods(cluster)["web-0"]["spec"]
    assert Zone(cluster.world.index).query("web-0.peers.default.svc.cluster.local", "A").rcode == "NXDOMAIN"
