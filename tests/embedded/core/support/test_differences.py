"""Fields that the table calls emulated, set one by one, where no other test sets them."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.objects import is_pod_ready
from tests.embedded.core.kubelet.pods import busybox, container, output, state, stored

ROLLING = {"type": "RollingUpdate"}


def configured(cluster: Any) -> None:
    """A ConfigMap and a Secret."""
    meta = {"name": "settings", "namespace": "default"}
    cluster.store.create(
        "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"COLOUR": "red"}}
    )
    cluster.store.create(
        "secrets",
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": {"TOKEN": "cG9zdA=="}},
    )


def test_the_protocol_of_an_application_is_copied_to_the_slices(cluster: Any) -> None:
    cluster.pod("p", labels={"app": "web"})
    cluster.service("web", {"app": "web"}, ports=[{"port": 80, "targetPort": 8080, "appProtocol": "kubernetes.io/h2c"}])
    cluster.settle()
    assert cluster.slices("web")[0]["ports"][0]["appProtocol"] == "kubernetes.io/h2c"


def test_a_readiness_gate_keeps_a_pod_out_until_its_condition_is_true(cluster: Any) -> None:
    cluster.pod("p", readinessGates=[{"conditionType": "example.com/open"}])
    cluster.settle()

    def ready() -> str:
        return next(item["status"] for item in stored(cluster)["status"]["conditions"] if item["type"] == "Ready")

    assert ready() == "False"
    live = stored(cluster)
    opened = {"type": "example.com/open", "status": "True", "lastTransitionTime": None}
    conditions = [*live["status"]["conditions"], opened]
    cluster.store.update("pods", {**live, "status": {**live["status"], "conditions": conditions}})
    cluster.settle()
    assert ready() == "True"


@pytest.mark.parametrize("fields", [{"schedulerName": "mine"}, {"schedulingGates": [{"name": "example.com/wait"}]}])
def test_a_pod_of_another_scheduler_or_behind_a_gate_waits(cluster: Any, fields: dict[str, Any]) -> None:
    cluster.pod("p", **fields)
    cluster.settle(60.0)
    assert "nodeName" not in stored(cluster)["spec"]
    cluster.change("pods", "p", schedulerName="default-scheduler", schedulingGates=[])
    cluster.settle()
    assert stored(cluster)["spec"]["nodeName"]


def test_a_node_affinity_chooses_the_nodes(cluster: Any) -> None:
    for name, term in {
        "by-label": {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["x"]}]},
        "by-field": {
            "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["services-course-worker2"]}]
        },
        "nowhere": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]},
    }.items():
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        cluster.pod(name, affinity={"nodeAffinity": required})
    cluster.settle()
    nodes = {name: stored(cluster, name)["spec"].get("nodeName") for name in ("by-label", "by-field", "nowhere")}
    assert nodes["by-label"]
    assert (nodes["by-field"], nodes["nowhere"]) == ("services-course-worker2", None)


def test_secrets_come_as_variables_and_files(cluster: Any) -> None:
    configured(cluster)
    cluster.pod(
        "p",
        containers=[
            busybox(
                "sleep",
                "1000",
                env=[{"name": "ONE", "valueFrom": {"secretKeyRef": {"name": "settings", "key": "TOKEN"}}}],
                envFrom=[
                    {"prefix": "MY_", "secretRef": {"name": "settings"}},
                    {"configMapRef": {"name": "settings"}},
                    {"configMapRef": {"name": "nowhere", "optional": True}},
                ],
                volumeMounts=[{"name": "secret", "mountPath": "/etc/secret"}],
            )
        ],
        volumes=[{"name": "secret", "secret": {"secretName": "settings"}}],
    )
    cluster.settle()
    script = 'echo "$ONE $MY_TOKEN $COLOUR $(cat /etc/secret/TOKEN)"'
    assert output(cluster, "sh", "-c", script) == "post post red post\n"


def test_resources_come_as_variables(cluster: Any) -> None:
    def of(name: str, resource: str, **fields: str) -> dict[str, Any]:
        return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, **fields}}}

    limits = {"limits": {"cpu": "1500m", "memory": "64Mi"}, "requests": {"cpu": "250m", "memory": "32Mi"}}
    asked = [
        of("A", "limits.cpu"),
        of("B", "limits.cpu", divisor="1m"),
        of("C", "limits.memory"),
        of("D", "limits.memory", divisor="1Mi"),
        of("E", "requests.memory", containerName="other"),
        of("F", "limits.memory", containerName="other"),
    ]
    other = {**busybox("sleep", "1000", resources={"requests": {"memory": "5M"}}), "name": "other"}
    cluster.pod("p", containers=[busybox("sleep", "1000", env=asked, resources=limits), other])
    cluster.settle()
    node = cluster.store.get("nodes", "", stored(cluster)["spec"]["nodeName"])["status"]["allocatable"]["memory"]
    assert node.endswith("Ki")  # of a limit that is not set
    given = output(cluster, "sh", "-c", "echo $A $B $C $D $E $F").split()
    assert given == ["2", "1500", "67108864", "64", "5000000", str(int(node[:-2]) * 1024)]


def test_commands_begin_in_the_working_directory(cluster: Any) -> None:
    cluster.pod("p", containers=[busybox("sh", "-c", "pwd; sleep 1000", workingDir="/srv/data")])
    cluster.settle()
    assert [line.text for line in cluster.world.logs("default", "p").lines] == [b"/srv/data\n"]
    assert output(cluster, "pwd") == "/srv/data\n"
    assert output(cluster, "sh", "-c", "echo here > note; cat /srv/data/note") == "here\n"


def test_a_grpc_probe_fails_where_nobody_speaks_it(cluster: Any) -> None:
    cluster.pod("p", containers=[container(readinessProbe={"grpc": {"port": 8080}, "periodSeconds": 1})])
    cluster.settle()
    assert not state(cluster)["ready"]
    assert "failed to connect service" in dict(cluster.events("p"))["Unhealthy"]


def test_a_probe_must_succeed_as_often_as_it_says(cluster: Any) -> None:
    probe = {"httpGet": {"path": "/hostname", "port": 8080}, "periodSeconds": 2, "successThreshold": 4}
    cluster.pod("p", containers=[container(readinessProbe=probe)])
    cluster.settle(5.0)
    assert not state(cluster)["ready"]
    cluster.settle(6.0)
    assert state(cluster)["ready"]


def test_a_single_file_of_a_volume_is_mounted(cluster: Any) -> None:
    configured(cluster)
    mount = {"name": "settings", "mountPath": "/etc/colour", "subPath": "COLOUR"}
    cluster.pod(
        "p",
        containers=[busybox("sleep", "1000", volumeMounts=[mount])],
        volumes=[{"name": "settings", "configMap": {"name": "settings"}}],
    )
    cluster.settle()
    assert output(cluster, "cat", "/etc/colour") == "red"


def test_the_pods_own_fields_come_as_files(cluster: Any) -> None:
    items = [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]
    cluster.pod(
        "p",
        containers=[busybox("sleep", "1000", volumeMounts=[{"name": "own", "mountPath": "/own"}])],
        volumes=[{"name": "own", "downwardAPI": {"items": items}}],
    )
    cluster.settle()
    assert output(cluster, "cat", "/own/name") == "p"


def test_several_sources_are_projected_into_one_volume(cluster: Any) -> None:
    configured(cluster)
    sources = [{"secret": {"name": "settings"}}, {"configMap": {"name": "settings"}}]
    cluster.pod(
        "p",
        containers=[busybox("sleep", "1000", volumeMounts=[{"name": "all", "mountPath": "/all"}])],
        volumes=[{"name": "all", "projected": {"sources": sources}}],
    )
    cluster.settle()
    assert output(cluster, "sh", "-c", "cat /all/COLOUR /all/TOKEN") == "redpost"


@pytest.mark.parametrize(
    ("policy", "reasons"), [("Always", ("ErrImagePull", "ImagePullBackOff")), ("Never", ("ErrImageNeverPull",))]
)
def test_an_image_that_nobody_knows_is_not_there(cluster: Any, policy: str, reasons: tuple[str, ...]) -> None:
    cluster.pod("p", containers=[{"name": "web", "image": "example.com/mine:1", "imagePullPolicy": policy}])
    cluster.settle()
    assert state(cluster)["state"]["waiting"]["reason"] in reasons


def test_a_deployment_waits_for_minimum_ready_seconds(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.change("deployments", "web", minReadySeconds=30)
    cluster.settle(20.0)
    assert not cluster.store.get("deployments", "default", "web")["status"].get("availableReplicas")
    cluster.settle(15.0)
    assert cluster.store.get("deployments", "default", "web")["status"]["availableReplicas"] == 1


def again(cluster: Any, name: str, number: int) -> None:
    """Change a Deployment's template."""
    live = cluster.store.get("deployments", "default", name)
    template = live["spec"]["template"]
    metadata = {**template["metadata"], "annotations": {"again": str(number)}}
    cluster.change("deployments", name, template={**template, "metadata": metadata})


def test_a_paused_deployment_rolls_nothing_out(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.settle()
    before = cluster.names("web")
    cluster.change("deployments", "web", paused=True)
    again(cluster, "web", 1)
    cluster.settle(30.0)
    assert cluster.names("web") == before
    cluster.change("deployments", "web", paused=False)
    cluster.settle(60.0)
    assert not cluster.names("web") & before


def test_old_replica_sets_beyond_the_limit_are_dropped(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.change("deployments", "web", revisionHistoryLimit=1)
    for number in range(4):
        again(cluster, "web", number)
        cluster.settle(60.0)
    assert len(cluster.store.list("replicasets", "default")) == 2


@pytest.mark.parametrize(("surge", "unavailable", "most", "least"), [(2, 0, 6, 4), (0, 2, 4, 2)])
def test_a_rolling_update_keeps_to_its_bounds(
    cluster: Any, surge: int, unavailable: int, most: int, least: int
) -> None:
    probe = {"httpGet": {"path": "/hostname", "port": 8080}, "periodSeconds": 1, "initialDelaySeconds": 2}
    cluster.deployment("web", 4, readinessProbe=probe)
    bounds = {"maxSurge": surge, "maxUnavailable": unavailable}
    cluster.change("deployments", "web", strategy={**ROLLING, "rollingUpdate": bounds})
    cluster.settle(10.0)
    again(cluster, "web", 1)
    counts, ready = set(), set()
    for _ in range(300):
        cluster.settle(0.1)
        pods = [pod for pod in cluster.pods("web") if "deletionTimestamp" not in pod["metadata"]]
        counts.add(len(pods))
        ready.add(sum(is_pod_ready(pod) for pod in pods))
    assert max(counts) == most
    assert min(ready) == least


def test_a_rollout_that_does_not_get_on_says_so_after_its_deadline(cluster: Any) -> None:
    cluster.deployment("web", 1)
    cluster.settle()
    cluster.change("deployments", "web", progressDeadlineSeconds=30)
    live = cluster.store.get("deployments", "default", "web")
    template = live["spec"]["template"]
    held = {**template["spec"], "containers": [{**template["spec"]["containers"][0], "image": "example.com/mine:1"}]}
    cluster.change("deployments", "web", template={**template, "spec": held})

    def progressing() -> str:
        conditions = cluster.store.get("deployments", "default", "web")["status"]["conditions"]
        return next(item["reason"] for item in conditions if item["type"] == "Progressing")

    cluster.settle(20.0)
    assert progressing() == "ReplicaSetUpdated"
    cluster.settle(20.0)
    assert progressing() == "ProgressDeadlineExceeded"


def test_the_cheapest_pod_is_deleted_first(cluster: Any) -> None:
    cluster.deployment("web", 3)
    cluster.settle()
    cheap = cluster.store.get("pods", "default", sorted(cluster.names("web"))[1])
    cost = {"controller.kubernetes.io/pod-deletion-cost": "-5"}
    cluster.store.update("pods", {**cheap, "metadata": {**cheap["metadata"], "annotations": cost}})
    cluster.change("deployments", "web", replicas=2)
    cluster.settle(60.0)
    assert cheap["metadata"]["name"] not in cluster.names("web")


def test_the_default_container_is_the_annotated_one(cluster: Any) -> None:
    containers = [{**busybox("sleep", "1000", env=[{"name": "WHO", "value": name}]), "name": name} for name in "ab"]
    pod = cluster.pod("p", containers=containers)
    cluster.settle()
    assert output(cluster, "sh", "-c", "echo $WHO") == "a\n"
    chosen = {"kubectl.kubernetes.io/default-container": "b"}
    live = stored(cluster)
    cluster.store.update("pods", {**live, "metadata": {**pod["metadata"], **live["metadata"], "annotations": chosen}})
    cluster.settle()
    assert output(cluster, "sh", "-c", "echo $WHO") == "b\n"
