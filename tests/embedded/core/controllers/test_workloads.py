"""Deployments, ReplicaSets, the scheduler, garbage collection and namespaces."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.objects import condition, is_pod_ready

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
WORKER, WORKER2 = "services-course-worker", "services-course-worker2"

CONTROL_PLANE = "services-course-control-plane"


def available(cluster: Any, name: str = "web") -> int:
    status = cluster.store.get("deployments", "default", name)["status"]
    return int(status.get("availableReplicas", 0))


def test_a_deployment_becomes_pods_and_says_so(cluster: Any) -> None:
    cluster.deployment("web", 3)
    cluster.settle()
    status = cluster.store.get("deployments", "default", "web")["status"]
    counts = {key: status[key] for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    assert counts == dict.fromkeys(counts, 3)
    assert {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]} == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    (replica_set,) = cluster.store.list("replicasets", "default")
    name = replica_set["metadata"]["name"]
    assert ("ScalingReplicaSet", f"Scaled up replica set {name} from 0 to 3") in cluster.events("web")
    assert all(pod["metadata"]["name"].startswith(f"{name}-") for pod in cluster.pods("web"))
    assert CONTROL_PLANE not in {pod["spec"]["nodeName"] for pod in cluster.pods("web")}


def test_scaling_goes_both_ways(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.settle()
    cluster.change("deployments", "web", replicas=5)
    cluster.settle()
    assert len(cluster.pods("web")) == 5
    cluster.change("deployments", "web", replicas=2)
    cluster.settle(40)
    assert len(cluster.pods("web")) == 2
    cluster.change("deployments", "web", replicas=0)
    cluster.settle(40)
    assert cluster.pods("web") == []


def test_many_pods_come_at_the_pace_of_a_controllers_client(cluster: Any) -> None:
    cluster.deployment("web", 1_000_000)
    cluster.settle(1)
    assert 30 <= len(cluster.pods("web")) <= 51
    cluster.settle(2)
    assert 85 <= len(cluster.pods("web")) <= 91
    cluster.change("deployments", "web", replicas=95)
    cluster.settle(3)
    assert len(cluster.pods("web")) == 95


def test_a_rolling_update_never_falls_below_what_may_be_unavailable(cluster: Any) -> None:
    deployment = cluster.deployment("web", 4)
    cluster.settle()
    before = cluster.names("web")
    lowest, highest = 4, 4

    def watch(change: Any) -> None:
        nonlocal lowest, highest
        if change.resource == "pods":
            own = cluster.pods("web")
            lowest = min(lowest, sum(is_pod_ready(p) and "deletionTimestamp" not in p["metadata"] for p in own))
            asked = sum(rs["spec"]["replicas"] for rs in cluster.store.list("replicasets", "default"))
            highest = max(highest, asked)

    cluster.store.subscribe(watch)
    template = deployment["spec"]["template"]
    annotations = {"kubectl.kubernetes.io/restartedAt": "now"}
    renewed = {**template, "metadata": {**template["metadata"], "annotations": annotations}}
    cluster.change("deployments", "web", template=renewed)
    cluster.settle(60)
    assert not before & cluster.names("web")
    assert available(cluster) == 4
    assert lowest >= 3
    assert highest <= 5
    revisions = [
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for rs in cluster.store.list("replicasets", "default")
    ]
    assert sorted(revisions) == ["1", "2"]


def test_going_back_to_an_old_template_reuses_its_replica_set(cluster: Any) -> None:
    template = cluster.deployment("web", 2)["spec"]["template"]
    cluster.settle()
    other = {**template, "metadata": {**template["metadata"], "annotations": {"a": "b"}}}
    cluster.change("deployments", "web", template=other)
    cluster.settle(60)
    cluster.change("deployments", "web", template=template)
    cluster.settle(60)
    sets = cluster.store.list("replicasets", "default")
    assert len(sets) == 2
    current = next(rs for rs in sets if rs["spec"]["replicas"] == 2)
    annotations = current["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == "3"
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"


def test_recreate_ends_all_old_pods_first(cluster: Any) -> None:
    deployment = cluster.deployment("web", 2)
    cluster.change("deployments", "web", strategy={"type": "Recreate"})
    cluster.settle()
    template = deployment["spec"]["template"]
    renewed = {**template, "metadata": {**template["metadata"], "annotations": {"a": "b"}}}
    most = 0

    def watch(change: Any) -> None:
        nonlocal most
        if change.resource == "pods":
            most = max(most, len(cluster.pods("web")))

    cluster.store.subscribe(watch)
    cluster.change("deployments", "web", template=renewed)
    cluster.settle(90)
    assert available(cluster) == 2
    assert most == 2


def test_a_rollout_that_does_not_progress_times_out(cluster: Any) -> None:
    cluster.deployment("web", 1, image="nosuch.example/web:1")
    cluster.settle(700)
    deployment = cluster.store.get("deployments", "default", "web")
    progressing = condition(deployment, "Progressing")
    assert progressing is not None
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_a_replica_set_is_told_that_its_pods_are_refused(cluster: Any) -> None:
    cluster.deployment("web", 1, spec={"priorityClassName": "nosuch"})
    cluster.settle()
    (held,) = cluster.store.list("replicasets", "default")
    name = held["metadata"]["name"]
    refusal = f'pods "{name}-" is forbidden: no PriorityClass with name nosuch was found'
    assert dict(cluster.events(name))["FailedCreate"] == f"Error creating: {refusal}"
    assert cluster.pods("web") == []


def test_a_deleted_pod_is_replaced(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.settle()
    victim = sorted(cluster.names("web"))[0]
    cluster.delete("pods", victim)
    cluster.settle(40)
    assert victim not in cluster.names("web")
    assert available(cluster) == 2


def test_a_pod_that_loses_its_label_is_let_go(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.settle()
    pod = cluster.pods("web")[0]
    cluster.store.update("pods", {**pod, "metadata": {**pod["metadata"], "labels": {"app": "debug"}}})
    cluster.settle()
    assert len(cluster.pods("web")) == 1
    freed = cluster.store.get("pods", "default", pod["metadata"]["name"])
    assert not freed["metadata"].get("ownerReferences")


def test_what_a_deployment_owned_goes_with_it(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.settle()
    cluster.delete("deployments", "web")
    cluster.settle(40)
    assert cluster.pods("web") == []
    assert cluster.store.list("replicasets", "default") == []


def test_a_service_takes_its_slices_and_endpoints_along(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.service("web", {"app": "web"})
    cluster.settle()
    assert cluster.slices("web")
    assert cluster.store.get("endpoints", "default", "web") is not None
    cluster.delete("services", "web")
    cluster.settle()
    assert cluster.slices("web") == []
    assert cluster.store.get("endpoints", "default", "web") is None


def test_a_namespace_is_furnished_and_emptied(cluster: Any) -> None:
    cluster.namespace("shop")
    cluster.settle()
    assert cluster.store.get("serviceaccounts", "shop", "default") is not None
    assert cluster.store.get("configmaps", "shop", "kube-root-ca.crt") is not None
    cluster.service("web", {"app": "web"}, namespace="shop")
    cluster.settle()
    cluster.delete("namespaces", "shop")
    cluster.settle(5)
    assert cluster.store.get("namespaces", "", "shop") is None
    assert cluster.world.index.contents("shop") == []


def test_a_pod_that_fits_nowhere_says_why(cluster: Any) -> None:
    cluster.pod("picky", nodeSelector={"disk": "ssd"})
    cluster.settle()
    pod = cluster.store.get("pods", "default", "picky")
    scheduled = condition(pod, "PodScheduled")
    assert scheduled is not None
    assert scheduled["reason"] == "Unschedulable"
    assert scheduled["message"] == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node "
        "affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not "
        "helpful for scheduling."
    )
    node = cluster.store.get("nodes", "", "services-course-worker")
    labels = {**node["metadata"]["labels"], "disk": "ssd"}
    cluster.store.update("nodes", {**node, "metadata": {**node["metadata"], "labels": labels}})
    cluster.settle()
    assert cluster.store.get("pods", "default", "picky")["spec"]["nodeName"] == "services-course-worker"


def test_a_cordoned_node_is_tainted_until_it_is_uncordoned(cluster: Any) -> None:
    node = cluster.store.get("nodes", "", WORKER)
    cluster.store.update("nodes", {**node, "spec": {**node["spec"], "unschedulable": True}})
    cluster.settle()
    (taint,) = cluster.store.get("nodes", "", WORKER)["spec"]["taints"]
    assert (taint["key"], taint["effect"], "timeAdded" in taint) == (
        "node.kubernetes.io/unschedulable",
        "NoSchedule",
        True,
    )
    node = cluster.store.get("nodes", "", WORKER)
    spec = {key: value for key, value in node["spec"].items() if key != "unschedulable"}
    cluster.store.update("nodes", {**node, "spec": spec})
    cluster.settle()
    assert "taints" not in cluster.store.get("nodes", "", WORKER)["spec"]


def test_a_pod_that_asks_for_more_than_is_left_waits_for_room(cluster: Any) -> None:
    def container(cpu: str) -> dict[str, Any]:
        return {"name": "main", "image": AGNHOST, "args": ["pause"], "resources": {"requests": {"cpu": cpu}}}

    for node in (WORKER, WORKER2):
        cluster.pod(f"big-{node}", node=node, containers=[container("1500m")], terminationGracePeriodSeconds=0)
    cluster.pod("late", containers=[container("1")])
    cluster.pod("greedy", containers=[container("1000")])
    cluster.settle()
    for name, hope in (
        ("late", "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."),
        ("greedy", "3 Preemption is not helpful for scheduling."),
    ):
        scheduled = condition(cluster.store.get("pods", "default", name), "PodScheduled")
        assert scheduled is not None
        assert scheduled["message"] == (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to "
            f"deallocate, preemption: 0/3 nodes are available: {hope}"
        )
    cluster.delete("pods", f"big-{WORKER}")
    cluster.settle()
    assert cluster.store.get("pods", "default", "late")["spec"]["nodeName"] == WORKER


def test_a_pod_that_claims_storage_waits_for_it(cluster: Any) -> None:
    cluster.pod("store", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    cluster.settle()
    told = '0/3 nodes are available: persistentvolumeclaim "data" not found. not found'
    assert cluster.store.get("pods", "default", "store")["status"]["phase"] == "Pending"
    assert ("FailedScheduling", told) in cluster.events("store")


def test_replicas_are_spread_over_the_workers(cluster: Any) -> None:
    cluster.deployment("web", 4)
    cluster.settle()
    nodes = sorted(pod["spec"]["nodeName"] for pod in cluster.pods("web"))
    assert nodes == ["services-course-worker"] * 2 + ["services-course-worker2"] * 2
