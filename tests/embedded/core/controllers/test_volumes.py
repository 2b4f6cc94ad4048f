"""Claims and volumes: when they are bound, where Pods then run, what is kept and what goes."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.kernel import drive
from grader.embedded.core.objects import condition
from grader.embedded.core.storage import admit_claim

WORKER, WORKER2 = "services-course-worker", "services-course-worker2"


def claim(cluster: Any, name: str = "data", **spec: Any) -> None:
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec},
    }
    admit_claim(cluster.store, body)
    cluster.store.create("persistentvolumeclaims", body)
    cluster.settle()


def volume(cluster: Any, name: str, size: str = "1Gi", node: str = "", **spec: Any) -> None:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    body: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": size},
        "hostPath": {"path": f"/data/{name}", "type": ""},
        "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem",
        **({"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}} if node else {}),
        **spec,
    }
    metadata = {"name": name, "finalizers": ["kubernetes.io/pv-protection"]}
    obj = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": body, "status": {}}
    cluster.store.create("persistentvolumes", obj)
    cluster.settle()


def storage_class(cluster: Any, name: str, provisioner: str, mode: str) -> None:
    metadata = {"name": name}
    obj = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata, "provisioner": provisioner}
    cluster.store.create("storageclasses", {**obj, "reclaimPolicy": "Delete", "volumeBindingMode": mode})


def user(cluster: Any, name: str = "p", claim_name: str = "data", **spec: Any) -> None:
    box = {"name": "box", "image": "busybox:1.37", "command": ["sleep", "10000"]}
    cluster.pod(
        name,
        containers=[{**box, "volumeMounts": [{"name": "v", "mountPath": "/data"}]}],
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": claim_name}}],
        terminationGracePeriodSeconds=0,
        **spec,
    )
    cluster.settle()


def get(cluster: Any, resource: str, name: str) -> Any:
    return cluster.store.get(resource, "" if resource == "persistentvolumes" else "default", name)


def phase(cluster: Any, name: str = "data") -> str:
    return str(get(cluster, "persistentvolumeclaims", name)["status"]["phase"])


def run(cluster: Any, script: str, name: str = "p") -> str:
    process = cluster.world.exec("default", name, None, ["sh", "-c", script])
    out = bytearray()
    process.on_output(lambda _fd, data: out.extend(data))
    drive(cluster.kernel, cluster.clock, process.wait())
    return out.decode()


def delete(cluster: Any, resource: str, name: str) -> None:
    delete_in_background(cluster.world.context, resource, get(cluster, resource, name))
    cluster.settle()


def test_a_claim_of_the_default_class_is_bound_once_a_pod_uses_it(cluster: Any) -> None:
    claim(cluster)
    held = get(cluster, "persistentvolumeclaims", "data")
    assert (held["spec"]["storageClassName"], held["status"]) == ("standard", {"phase": "Pending"})
    waiting = ("WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    assert cluster.events("data") == [waiting]
    user(cluster)
    held = get(cluster, "persistentvolumeclaims", "data")
    name = f"pvc-{held['metadata']['uid']}"
    assert held["spec"]["volumeName"] == name
    assert held["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    assert [reason for reason, _ in cluster.events("data")] == [
        "WaitForFirstConsumer",
        "ExternalProvisioning",
        "Provisioning",
        "ProvisioningSucceeded",
    ]
    pod = get(cluster, "pods", "p")
    given = get(cluster, "persistentvolumes", name)
    assert given["status"]["phase"] == "Bound"
    assert set(given["metadata"]["annotations"]) == {
        "local.path.provisioner/selected-node",
        "pv.kubernetes.io/provisioned-by",
    }
    assert given["spec"]["hostPath"]["path"] == f"/var/local-path-provisioner/{name}_default_data"
    (term,) = given["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == [pod["spec"]["nodeName"]]
    assert pod["status"]["phase"] == "Running"
    assert "FailedScheduling" not in [reason for reason, _ in cluster.events("p")]


def test_data_is_kept_over_pods_and_draws_them_to_its_node(cluster: Any) -> None:
    claim(cluster)
    user(cluster)
    node = get(cluster, "pods", "p")["spec"]["nodeName"]
    run(cluster, "echo kept > /data/f")
    for number in range(4):
        delete(cluster, "pods", "p" if number == 0 else f"p{number}")
        user(cluster, f"p{number + 1}")
        assert get(cluster, "pods", f"p{number + 1}")["spec"]["nodeName"] == node
        assert run(cluster, "cat /data/f", f"p{number + 1}") == "kept\n"


def test_a_claim_that_is_only_read_is_not_written(cluster: Any) -> None:
    claim(cluster)
    box = {"name": "box", "image": "busybox:1.37", "command": ["sleep", "10000"]}
    source = {"claimName": "data", "readOnly": True}
    cluster.pod(
        "p",
        containers=[{**box, "volumeMounts": [{"name": "v", "mountPath": "/data"}]}],
        volumes=[{"name": "v", "persistentVolumeClaim": source}],
    )
    cluster.settle()
    assert run(cluster, "echo 1 > /data/f") == "sh: can't create /data/f: Read-only file system\n"


def test_a_claim_in_use_goes_after_its_pod_and_takes_its_data_along(cluster: Any) -> None:
    claim(cluster)
    user(cluster)
    run(cluster, "echo kept > /data/f")
    name = get(cluster, "persistentvolumeclaims", "data")["spec"]["volumeName"]
    delete(cluster, "persistentvolumeclaims", "data")
    held = get(cluster, "persistentvolumeclaims", "data")
    assert "deletionTimestamp" in held["metadata"] and held["status"]["phase"] == "Bound"
    user(cluster, "late")
    told = 'persistentvolumeclaim "data" is being deleted. not found'
    assert condition(get(cluster, "pods", "late"), "PodScheduled")["message"].endswith(told)  # type: ignore[index]
    delete(cluster, "pods", "late")
    delete(cluster, "pods", "p")
    assert get(cluster, "persistentvolumeclaims", "data") is None
    assert get(cluster, "persistentvolumes", name) is None
    assert not any(path.endswith("/f") for k in cluster.world.kubelets.by_node.values() for path in k.disk)


def test_a_pod_waits_for_its_claim_to_be_created(cluster: Any) -> None:
    user(cluster)
    told = '0/3 nodes are available: persistentvolumeclaim "data" not found. not found'
    assert ("FailedScheduling", told) in cluster.events("p")
    claim(cluster)
    assert get(cluster, "pods", "p")["status"]["phase"] == "Running"


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
        ("nosuch", "ProvisioningFailed", 'storageclass.storage.k8s.io "nosuch" not found'),
    ],
)
def test_a_claim_that_nobody_provisions_says_why(cluster: Any, name: str, reason: str, told: str) -> None:
    """Seen on kind 1.36.3."""
    claim(cluster, storageClassName=name)
    user(cluster)
    assert (reason, told) in cluster.events("data")
    unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    assert ("FailedScheduling", unbound) in cluster.events("p")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"accessModes": ["ReadWriteMany"]},
            'failed to provision volume with StorageClass "standard": '
            "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes",
        ),
        ({"volumeMode": "Block"}, "rancher.io/local-path does not support block volume provisioning"),
    ],
)
def test_what_local_path_cannot_provision_stays_pending(cluster: Any, spec: dict[str, Any], told: str) -> None:
    claim(cluster, **spec)
    user(cluster)
    assert ("ProvisioningFailed", told) in cluster.events("data")
    assert phase(cluster) == "Pending" and "nodeName" not in get(cluster, "pods", "p")["spec"]
    assert cluster.events("p") == []


def test_a_class_without_provisioner_waits_for_volumes(cluster: Any) -> None:
    """Seen on kind 1.36.3, whose class it is there."""
    storage_class(cluster, "manual", "kubernetes.io/no-provisioner", "WaitForFirstConsumer")
    claim(cluster, storageClassName="manual")
    user(cluster)
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't find available persistent "
        "volumes to bind. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not "
        "helpful for scheduling."
    )
    assert ("FailedScheduling", told) in cluster.events("p")
    assert ("WaitForPodScheduled", "waiting for pod p to be scheduled") in cluster.events("data")
    volume(cluster, "one", node=WORKER2, storageClassName="manual")
    assert get(cluster, "pods", "p")["spec"]["nodeName"] == WORKER2
    assert (phase(cluster), get(cluster, "persistentvolumes", "one")["status"]["phase"]) == ("Bound", "Bound")


def test_a_claim_takes_the_smallest_volume_that_is_enough_and_leaves_it_released(cluster: Any) -> None:
    volume(cluster, "large", "10Gi")
    volume(cluster, "small", "512Mi")
    volume(cluster, "right", "2Gi")
    assert get(cluster, "persistentvolumes", "right")["status"]["phase"] == "Available"
    claim(cluster, storageClassName="")
    held = get(cluster, "persistentvolumeclaims", "data")
    assert (held["spec"]["volumeName"], held["status"]["capacity"]) == ("right", {"storage": "2Gi"})
    delete(cluster, "persistentvolumeclaims", "data")
    assert get(cluster, "persistentvolumes", "right")["status"]["phase"] == "Released"
    claim(cluster, storageClassName="")
    assert get(cluster, "persistentvolumeclaims", "data")["spec"]["volumeName"] == "large"


def test_a_bound_claim_without_its_volume_is_lost(cluster: Any) -> None:
    volume(cluster, "one")
    claim(cluster, storageClassName="")
    cluster.store.delete("persistentvolumes", "", "one")
    cluster.settle()
    assert phase(cluster) == "Lost"
    assert "ClaimLost" in [reason for reason, _ in cluster.events("data")]


def test_a_bound_volume_is_not_deleted_before_it_is_free(cluster: Any) -> None:
    volume(cluster, "one")
    claim(cluster, storageClassName="")
    delete(cluster, "persistentvolumes", "one")
    assert get(cluster, "persistentvolumes", "one") is not None
    delete(cluster, "persistentvolumeclaims", "data")
    assert get(cluster, "persistentvolumes", "one") is None


def stateful_set(cluster: Any, **spec: Any) -> None:
    box = {"name": "box", "image": "busybox:1.37", "command": ["sleep", "10000"]}
    template = {
        "metadata": {"labels": {"app": "db"}},
        "spec": {
            "containers": [{**box, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
            "terminationGracePeriodSeconds": 0,
        },
    }
    claim_template = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.store.create(
        "statefulsets",
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": "default"},
            "spec": {
                "serviceName": "db",
                "replicas": 2,
                "selector": {"matchLabels": {"app": "db"}},
                "template": template,
                "volumeClaimTemplates": [claim_template],
                "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate"},
                **spec,
            },
        },
    )
    cluster.settle(10)


def test_each_pod_of_a_stateful_set_has_a_claim_of_its_own_that_stays(cluster: Any) -> None:
    stateful_set(cluster)
    assert [phase(cluster, f"data-db-{n}") for n in (0, 1)] == ["Bound", "Bound"]
    held = get(cluster, "persistentvolumeclaims", "data-db-0")
    assert held["metadata"]["labels"] == {"app": "db"}
    told = cluster.events("db")
    assert ("SuccessfulCreate", "create Claim data-db-0 Pod db-0 in StatefulSet db success") in told
    run(cluster, "echo mine > /data/f", "db-1")
    cluster.change("statefulsets", "db", replicas=1)
    cluster.settle(5)
    assert get(cluster, "pods", "db-1") is None and phase(cluster, "data-db-1") == "Bound"
    cluster.change("statefulsets", "db", replicas=2)
    cluster.settle(5)
    assert run(cluster, "cat /data/f", "db-1") == "mine\n"
    delete(cluster, "statefulsets", "db")
    cluster.settle(5)
    assert cluster.pods("db") == [] and phase(cluster, "data-db-0") == "Bound"


def test_claims_go_with_the_stateful_set_or_the_pod_where_its_policy_says_so(cluster: Any) -> None:
    stateful_set(cluster, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete", "whenScaled": "Delete"})
    cluster.change("statefulsets", "db", replicas=1)
    cluster.settle(10)
    assert get(cluster, "persistentvolumeclaims", "data-db-1") is None
    delete(cluster, "statefulsets", "db")
    cluster.settle(10)
    assert get(cluster, "persistentvolumeclaims", "data-db-0") is None
