"""Pods on their nodes: phases, probes, restarts, images, configuration."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.objects import condition
from tests.embedded.core.kubelet.pods import AGNHOST, busybox, container, output, reasons, state, stored


def test_a_running_pod_has_a_complete_status_and_upstreams_events(cluster: Any) -> None:
    cluster.pod("p")
    cluster.settle()
    status = stored(cluster)["status"]
    assert status["phase"] == "Running"
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert [c["type"] for c in status["conditions"]] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    held = state(cluster)
    assert held["ready"] and held["started"] and "running" in held["state"]
    assert held["imageID"].startswith("sha256:")
    assert held["containerID"].startswith("containerd://")
    messages = dict(cluster.events("p"))
    assert messages["Scheduled"].startswith("Successfully assigned default/p to services-course-worker")
    assert (
        messages["Pulled"] == f'Container image "{AGNHOST}" already present on machine and can be accessed by the pod'
    )
    assert (messages["Created"], messages["Started"]) == ("Container created", "Container started")


def test_a_pod_waits_for_its_readiness_probe(cluster: Any) -> None:
    probe = {"tcpSocket": {"port": 8080}, "initialDelaySeconds": 5, "periodSeconds": 1}
    cluster.pod("p", containers=[container(readinessProbe=probe)])
    cluster.settle(3)
    ready = condition(stored(cluster), "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [web]"
    cluster.settle(3)
    assert state(cluster)["ready"]


def test_a_failing_readiness_probe_says_why(cluster: Any) -> None:
    probe = {"httpGet": {"path": "/x", "port": 8081}, "periodSeconds": 1}
    cluster.pod("p", containers=[container(readinessProbe=probe)])
    cluster.settle(5)
    ip = stored(cluster)["status"]["podIP"]
    text = f'Readiness probe failed: Get "http://{ip}:8081/x": dial tcp {ip}:8081: connect: connection refused'
    assert dict(cluster.events("p"))["Unhealthy"] == text
    assert not state(cluster)["ready"]


def test_a_failing_liveness_probe_restarts_the_container(cluster: Any) -> None:
    probe = {"tcpSocket": {"port": 9999}, "periodSeconds": 1, "failureThreshold": 2}
    cluster.pod("p", containers=[container(livenessProbe=probe)], terminationGracePeriodSeconds=1)
    cluster.settle(6)
    assert state(cluster)["restartCount"] >= 1
    assert dict(cluster.events("p"))["Killing"] == "Container web failed liveness probe, will be restarted"
    assert "terminated" in state(cluster)["lastState"]


def test_a_startup_probe_holds_the_others_back(cluster: Any) -> None:
    startup = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 30}
    command = ("sh", "-c", "sleep 5; touch /tmp/up; sleep 1000")
    cluster.pod("p", containers=[busybox(*command, startupProbe=startup)])
    cluster.settle(3)
    assert not state(cluster)["started"]
    cluster.settle(5)
    assert state(cluster)["started"] and state(cluster)["ready"]


def test_a_crashing_container_backs_off(cluster: Any) -> None:
    cluster.pod("p", containers=[busybox("sh", "-c", "echo hi; exit 3")])
    cluster.settle(5)
    held = state(cluster)
    assert held["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert held["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=web pod=p_default(")
    assert held["lastState"]["terminated"]["exitCode"] == 3
    assert held["restartCount"] == 1
    assert "BackOff" in reasons(cluster)
    cluster.settle(40)
    assert state(cluster)["restartCount"] == 3
    assert [line.text for line in cluster.world.logs("default", "p").lines] == [b"hi\n"]
    assert [line.text for line in cluster.world.logs("default", "p", previous=True).lines] == [b"hi\n"]


def test_a_pod_that_is_done_succeeds_or_fails(cluster: Any) -> None:
    cluster.pod("ok", containers=[busybox("true")], restartPolicy="Never")
    cluster.pod("bad", containers=[busybox("false")], restartPolicy="Never")
    cluster.settle()
    assert stored(cluster, "ok")["status"]["phase"] == "Succeeded"
    assert stored(cluster, "bad")["status"]["phase"] == "Failed"
    ready = condition(stored(cluster, "ok"), "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")
    assert stored(cluster, "ok")["status"]["podIP"]


def test_an_unknown_image_is_not_pulled(cluster: Any) -> None:
    cluster.pod("p", containers=[container(image="nosuch.example/x:1")])
    cluster.settle(0.5)
    assert state(cluster)["state"]["waiting"]["reason"] == "ErrImagePull"
    cluster.settle(3)
    waiting = state(cluster)["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith('Back-off pulling image "nosuch.example/x:1": ErrImagePull: ')
    assert stored(cluster)["status"]["phase"] == "Pending"
    assert {"Pulling", "Failed", "BackOff"} <= set(reasons(cluster))


def test_a_version_that_never_was_is_not_found(cluster: Any) -> None:
    cluster.deployment("web", 2, image="nginx:1.29", args=[])
    cluster.settle()
    held = cluster.store.get("deployments", "default", "web")
    template = held["spec"]["template"]
    containers = [{**template["spec"]["containers"][0], "image": "nginx:9.99"}]
    cluster.change("deployments", "web", template={**template, "spec": {**template["spec"], "containers": containers}})
    cluster.settle(5)
    states = {
        next(iter(pod["status"]["containerStatuses"][0]["state"].values())).get("reason", "Running")
        for pod in cluster.pods("web")
    }
    assert states == {"Running", "ImagePullBackOff"}, "the rollout stands still"
    told = [message for _, message in cluster.events("web") if message.startswith("Failed to pull image")]
    full = "docker.io/library/nginx:9.99"
    assert told[0] == (
        f'Failed to pull image "nginx:9.99": failed to pull and unpack image "{full}": failed to resolve reference '
        f'"{full}": {full}: not found (nginx has no tag 9.99, as of 2026-10)'
    )


def test_a_corrected_image_is_pulled(cluster: Any) -> None:
    pod = cluster.pod("p", containers=[container(image="nosuch.example/x:1")])
    cluster.settle(5)
    fixed = {**pod["spec"]["containers"][0], "image": AGNHOST}
    cluster.change("pods", "p", containers=[fixed])
    cluster.settle(20)
    assert state(cluster)["ready"]


def test_a_command_that_is_not_there_cannot_start(cluster: Any) -> None:
    cluster.pod("p", containers=[busybox("nosuch")])
    cluster.settle(0.1)
    assert ("Failed", (
        "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
        'failed: unable to start container process: exec: "nosuch": executable file not found in $PATH'
    )) in cluster.events("p")  # fmt: skip
    assert state(cluster)["lastState"]["terminated"]["exitCode"] == 128


def test_configuration_comes_as_variables_and_files(cluster: Any) -> None:
    cluster.service("db", {"app": "db"}, ports=[{"name": "sql", "port": 5432}])
    env = [
        {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "greeting"}}},
        {"name": "BOTH", "value": "$(GREETING) from $(DB_SERVICE_HOST)"},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    mount = {"name": "settings", "mountPath": "/etc/settings"}
    cluster.pod(
        "p",
        containers=[container(env=env, volumeMounts=[mount])],
        volumes=[{"name": "settings", "configMap": {"name": "settings"}}],
    )
    cluster.settle(3)
    assert dict(cluster.events("p"))["FailedMount"] == (
        'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
    )
    cluster.store.create(
        "configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "default"},
            "data": {"greeting": "hello"},
        },
    )
    cluster.settle(3)
    db = cluster.store.get("services", "default", "db")["spec"]["clusterIP"]
    variables = dict(line.split("=", 1) for line in output(cluster, "env").splitlines())
    assert variables["BOTH"] == f"hello from {db}"
    assert variables["ME"] == "p"
    assert variables["DB_SERVICE_PORT_SQL"] == "5432"
    assert variables["DB_PORT_5432_TCP_ADDR"] == db
    assert variables["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert output(cluster, "cat", "/etc/settings/greeting") == "hello"
    assert output(cluster, "cat", "/etc/resolv.conf") == (
        "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
    )


def test_a_changed_config_map_reaches_the_files_but_not_the_variables(cluster: Any) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "namespace": "default"}}
    cluster.store.create("configmaps", {**settings, "data": {"a": "1"}})
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "a"}}}]
    mount = {"name": "s", "mountPath": "/etc/s"}
    volumes = [{"name": "s", "configMap": {"name": "s"}}]
    cluster.pod("p", containers=[container(env=env, volumeMounts=[mount])], volumes=volumes)
    cluster.settle()
    cluster.store.update("configmaps", {**settings, "data": {"a": "2"}})
    cluster.settle()
    assert output(cluster, "cat", "/etc/s/a") == "2"
    assert "A=1\n" in output(cluster, "env")


def test_a_missing_key_stops_only_the_container(cluster: Any) -> None:
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "nosuch", "key": "a"}}}]
    cluster.pod("p", containers=[container(env=env)])
    cluster.settle(3)
    waiting = state(cluster)["state"]["waiting"]
    assert waiting == {"reason": "CreateContainerConfigError", "message": 'configmap "nosuch" not found'}


def test_services_that_came_later_are_not_in_the_environment(cluster: Any) -> None:
    cluster.pod("p")
    cluster.settle()
    cluster.service("late", {"app": "x"})
    cluster.settle()
    assert "LATE_SERVICE_HOST" not in output(cluster, "env")


def test_init_containers_run_one_after_another(cluster: Any) -> None:
    first = {**busybox("sh", "-c", "sleep 2"), "name": "first"}
    second = {**busybox("sh", "-c", "sleep 2"), "name": "second"}
    cluster.pod("p", initContainers=[first, second])
    cluster.settle(1)
    assert [c["name"] for c in stored(cluster)["status"]["initContainerStatuses"] if "running" in c["state"]] == [
        "first"
    ]
    assert state(cluster)["state"]["waiting"]["reason"] == "PodInitializing"
    cluster.settle(5)
    assert stored(cluster)["status"]["phase"] == "Running"


def test_names_are_resolved_from_inside(cluster: Any) -> None:
    cluster.pod("p", labels={"app": "p"})
    ip = cluster.service("web", {"app": "p"})
    cluster.settle()
    assert output(cluster, "dig", "+short", "web.default.svc.cluster.local") == f"{ip}\n"
    assert output(cluster, "dig", "+short", "+search", "web") == f"{ip}\n"
    assert "status: NXDOMAIN" in output(cluster, "dig", "nosuch.default.svc.cluster.local")


def test_without_coredns_no_name_is_resolved(cluster: Any) -> None:
    cluster.pod("p")
    deployment = cluster.store.get("deployments", "kube-system", "coredns")
    cluster.store.update("deployments", {**deployment, "spec": {**deployment["spec"], "replicas": 0}})
    cluster.settle(40)
    assert "NOERROR" not in output(cluster, "dig", "+tries=1", "+time=1", "kubernetes.default.svc.cluster.local")


def test_a_cluster_that_was_saved_comes_up_again(cluster: Any) -> None:
    from grader.embedded.core.store import Store
    from grader.embedded.core.world import World

    cluster.deployment("web", 2)
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    saved = cluster.store.dump()
    again = type(cluster)()
    again.store = Store(again.clock.now)
    again.store.load(saved)
    again.world = World(again.store, again.kernel)
    again.world.bootstrap()
    again.settle()
    assert again.responders(again.probe(), ip) == again.names("web")


def test_a_pod_knows_its_full_name_where_it_has_one(cluster: Any) -> None:
    cluster.pod("p", containers=[busybox("sh", "-c", "hostname -f; hostname -d")], hostname="one", subdomain="peers")
    cluster.settle()
    told = [line.text for line in cluster.world.logs("default", "p").lines][:2]
    assert told == [b"one.peers.default.svc.cluster.local\n", b"peers.default.svc.cluster.local\n"]


def test_a_pod_may_be_called_by_its_full_name(cluster: Any) -> None:
    cluster.pod("p", hostname="one", subdomain="peers", setHostnameAsFQDN=True)
    cluster.settle()
    name = "one.peers.default.svc.cluster.local"
    assert output(cluster, "sh", "-c", "hostname; hostname -s; echo $HOSTNAME; cat /etc/hostname") == (
        f"{name}\none\n{name}\n{name}\n"
    )


def test_a_full_name_that_is_too_long_keeps_the_pod_from_starting(cluster: Any) -> None:
    cluster.pod("p", hostname="one" * 12, subdomain="peers", setHostnameAsFQDN=True)
    cluster.settle(30)
    assert state(cluster)["state"] == {"waiting": {"reason": "ContainerCreating"}}
    text = "is too long (64 characters is the max, 68 characters requested)"
    assert dict(cluster.events("p"))["FailedCreatePodSandBox"].endswith(text)


def test_a_program_that_is_not_there_ends_a_pod_that_is_never_restarted(cluster: Any) -> None:
    cluster.pod("p", containers=[busybox("nosuch")], restartPolicy="Never")
    cluster.settle()
    held = stored(cluster)
    assert held["status"]["phase"] == "Failed"
    ended = held["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)


@pytest.mark.parametrize("shift", [-3600.0, 86400.0])
def test_timers_of_containers_go_on_where_the_clock_of_day_is_set(cluster: Any, shift: float) -> None:
    probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 20, "periodSeconds": 7}
    cluster.pod("p", containers=[busybox("sh", "-c", "sleep 30; echo done; date +%s", readinessProbe=probe)])
    cluster.pod("crashing", containers=[busybox("sh", "-c", "sleep 1; exit 1")])
    cluster.settle(10)
    shown = cluster.clock.now()

    cluster.clock.shift = shift
    cluster.settle(5)
    assert not state(cluster)["ready"]
    cluster.settle(10)
    assert state(cluster)["ready"]
    cluster.settle(8)

    assert "terminated" in state(cluster)["lastState"] | state(cluster)["state"]
    assert state(cluster, "crashing")["restartCount"] >= 2
    said = cluster.world.logs("default", "p", previous=state(cluster)["restartCount"] > 0).lines
    assert said[0].text == b"done\n"
    assert abs(said[0].time - (shown + shift + 20)) < 5  # what is shown follows the clock
