"""Pods on their nodes: phases, probes, restarts, images, configuration, ending."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kernel import drive
from grader.embedded.core.kubelet.probing import CANCELLED
from grader.embedded.core.objects import condition

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "web", "image": AGNHOST, "args": ["netexec", "--http-port=8080", "--udp-port=-1"], **fields}


def busybox(*command: str, **fields: Any) -> dict[str, Any]:
    return {"name": "web", "image": "busybox:1.37", "command": list(command), **fields}


def stored(cluster: Any, name: str = "p") -> Any:
    return cluster.store.get("pods", "default", name)


def state(cluster: Any, name: str = "p") -> Any:
    return stored(cluster, name)["status"]["containerStatuses"][0]


def reasons(cluster: Any, name: str = "p") -> list[str]:
    return [reason for reason, _ in cluster.events(name)]


def output(cluster: Any, *argv: str, name: str = "p") -> str:
    process = cluster.world.exec("default", name, None, list(argv))
    out = bytearray()
    process.on_output(lambda _fd, data: out.extend(data))
    drive(cluster.kernel, cluster.clock, process.wait())
    return out.decode()


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


def test_a_pod_ends_gracefully_and_at_the_latest_after_its_grace_period(cluster: Any) -> None:
    polite = busybox("sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done")
    cluster.pod("p", containers=[polite])
    stubborn = busybox("sleep", "1000")
    cluster.pod("stubborn", containers=[stubborn], terminationGracePeriodSeconds=7)
    cluster.settle()
    for name in ("p", "stubborn"):
        cluster.delete("pods", name)
    cluster.settle(3)
    assert stored(cluster) is None
    assert stored(cluster, "stubborn") is not None
    cluster.settle(5)
    assert stored(cluster, "stubborn") is None
    assert ("Killing", "Stopping container web") in cluster.events("p")


def test_a_pod_that_is_ending_can_be_forced_away(cluster: Any) -> None:
    cluster.pod("stubborn", containers=[busybox("sleep", "1000")], terminationGracePeriodSeconds=30)
    cluster.settle()
    cluster.delete("pods", "stubborn")
    cluster.settle(1)
    cluster.store.delete("pods", "default", "stubborn")
    cluster.settle(1)
    assert cluster.kernel.run() != cluster.kernel.monotonic(), "something goes on for ever"


def test_a_pod_forced_away_is_gone_from_the_network(cluster: Any) -> None:
    cluster.pod("p")
    cluster.settle()
    ip = stored(cluster)["status"]["podIP"]
    assert cluster.get(cluster.probe(), ip, 8080) == "p"
    cluster.store.delete("pods", "default", "p")
    cluster.settle()
    assert cluster.get(cluster.probe(), ip, 8080) == "TIMEOUT"


def test_a_pod_forced_away_while_it_ends_holds_nobody_up(cluster: Any) -> None:
    hook = {"preStop": {"sleep": {"seconds": 20}}}
    cluster.pod("p", containers=[container(lifecycle=hook)], terminationGracePeriodSeconds=30)
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.settle(3)
    cluster.store.delete("pods", "default", "p")
    cluster.settle(60)
    cluster.pod("p")
    cluster.settle()
    assert state(cluster)["ready"]


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


def test_a_second_deletion_does_not_hurry_the_kubelet(cluster: Any) -> None:
    """SyncTerminatingPod takes no notice of the cancelled sync (context.TODO); seen on kind."""
    hook = {"preStop": {"sleep": {"seconds": 20}}}
    cluster.pod("p", containers=[busybox("sleep", "1000", lifecycle=hook)], terminationGracePeriodSeconds=20)
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.settle(5)
    cluster.delete("pods", "p", grace=1)
    cluster.settle(16)
    assert stored(cluster) is not None, "two seconds after the hook are for the signal"
    cluster.settle(2)
    assert stored(cluster) is None


def test_while_a_pod_ends_probes_by_http_go_on_and_commands_are_cancelled(cluster: Any) -> None:
    by = {
        "command": {"exec": {"command": ["test", "!", "-e", "/tmp/away"]}},
        "http": {"httpGet": {"path": "/readyz", "port": 8080}},
    }
    for name, probe in by.items():
        args = ["netexec", "--http-port=8080", "--delay-shutdown=50"]
        spec = container(args=args, readinessProbe={**probe, "periodSeconds": 1, "failureThreshold": 1})
        cluster.pod(name, containers=[spec], terminationGracePeriodSeconds=60)
    cluster.settle(4)
    for name in by:
        cluster.delete("pods", name)
    output(cluster, "touch", "/tmp/away", name="command")
    cluster.settle(4)
    assert (state(cluster, "command")["ready"], state(cluster, "http")["ready"]) == (True, False)
    assert dict(cluster.events("command"))["Unhealthy"] == CANCELLED


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


def debugged(cluster: Any, *command: str, **fields: Any) -> None:
    pod = stored(cluster)
    new = {**busybox(*command, **fields), "name": fields.get("name", "debugger")}
    spec = {**pod["spec"], "ephemeralContainers": [*pod["spec"].get("ephemeralContainers", ()), new]}
    cluster.store.update("pods", {**pod, "spec": spec})
    cluster.settle()


def ephemeral(cluster: Any) -> Any:
    return stored(cluster)["status"]["ephemeralContainerStatuses"]


def test_an_ephemeral_container_joins_a_running_pod(cluster: Any) -> None:
    cluster.pod("p")
    cluster.settle()
    debugged(cluster, "sleep", "5")
    (told,) = ephemeral(cluster)
    assert "running" in told["state"]
    assert (told["name"], told["ready"], told["restartCount"]) == ("debugger", False, 0)
    assert "started" not in told
    process = cluster.world.exec("default", "p", "debugger", ["wget", "-qO-", "http://127.0.0.1:8080/hostname"])
    out = bytearray()
    process.on_output(lambda _fd, data: out.extend(data))
    drive(cluster.kernel, cluster.clock, process.wait())
    assert out == b"p"  # the Pod's network
    paths = {event["involvedObject"].get("fieldPath") for event in cluster.store.list("events", "default")}
    assert "spec.ephemeralContainers{debugger}" in paths


def test_an_ephemeral_container_runs_once_and_changes_nothing_of_the_pod(cluster: Any) -> None:
    cluster.pod("p")
    cluster.settle()
    debugged(cluster, "sh", "-c", "exit 3")
    debugged(cluster, "nosuch", name="other")
    cluster.settle(30)
    ended = {told["name"]: told["state"]["terminated"] for told in ephemeral(cluster)}
    assert {name: (state["exitCode"], state["reason"]) for name, state in ended.items()} == {
        "debugger": (3, "Error"),
        "other": (128, "StartError"),
    }
    assert stored(cluster)["status"]["phase"] == "Running"
    assert condition(stored(cluster), "Ready")["status"] == "True"  # type: ignore[index]


def test_a_pod_ends_with_its_ephemeral_containers(cluster: Any) -> None:
    cluster.pod("p", terminationGracePeriodSeconds=1)
    cluster.settle()
    debugged(cluster, "sleep", "1000")
    cluster.delete("pods", "p")
    cluster.settle(5)
    assert stored(cluster) is None


def test_a_pod_that_is_deleted_by_force_is_probed_no_more(cluster: Any) -> None:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1, "failureThreshold": 1}
    cluster.pod("p", containers=[busybox("sleep", "1000", livenessProbe=probe)])
    cluster.settle()
    cluster.store.delete("pods", "default", "p")
    cluster.settle(10)
    assert "Unhealthy" not in reasons(cluster)


def test_a_pod_deleted_while_it_initializes_is_gone_after_its_grace_period(cluster: Any) -> None:
    waits = {**busybox("sh", "-c", "until nslookup stock; do sleep 2; done"), "name": "wait-for-stock"}
    cluster.pod("p", initContainers=[waits], terminationGracePeriodSeconds=5)
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.settle(4)
    assert stored(cluster) is not None
    cluster.settle(2)
    assert stored(cluster) is None
    assert cluster.kernel.run() != cluster.kernel.monotonic(), "something goes on for ever"
    assert ("Killing", "Stopping container wait-for-stock") in cluster.events("p")


@pytest.mark.parametrize(
    "spec",
    [
        {"initContainers": [{**busybox("sleep", "1000"), "name": "side", "restartPolicy": "Always"}]},
        {
            "initContainers": [
                {
                    **busybox("sleep", "1000"),
                    "name": "side",
                    "restartPolicy": "Always",
                    "startupProbe": {"exec": {"command": ["false"]}, "failureThreshold": 100},
                }
            ]
        },
        {"initContainers": [{**busybox("false"), "name": "backing-off"}]},
        {"initContainers": [{**busybox("true", image="nosuch.example/x:1"), "name": "unpulled"}]},
        {"containers": [busybox("false")]},
        {"containers": [busybox("sleep", "1000", livenessProbe={"exec": {"command": ["sleep", "1000"]}})]},
    ],
    ids=["sidecar", "sidecar-that-does-not-start", "init-backoff", "init-image", "backoff", "hung-probe"],
)
def test_whatever_a_pod_is_doing_it_ends_within_its_grace_period(cluster: Any, spec: dict[str, Any]) -> None:
    cluster.pod("p", terminationGracePeriodSeconds=3, **spec)
    cluster.settle(8)
    cluster.delete("pods", "p")
    cluster.settle(6)
    assert stored(cluster) is None
    assert cluster.kernel.run() != cluster.kernel.monotonic(), "something goes on for ever"


def test_sidecars_end_after_the_containers_the_last_one_first(cluster: Any) -> None:
    """kuberuntime_termination_order.go (1.36)."""
    loud = "trap 'echo ended at $(date +%s); exit 0' TERM; while true; do sleep 1; done"
    sides = [{**busybox("sh", "-c", loud), "name": name, "restartPolicy": "Always"} for name in ("first", "second")]
    slow = busybox("sh", "-c", "trap 'sleep 3; exit 0' TERM; while true; do sleep 1; done")
    cluster.pod("p", initContainers=sides, containers=[slow])
    cluster.settle()
    worker = cluster.world.kubelets.worker(("default", "p"))
    ended: list[str] = []
    for held in worker.containers:
        held.process.on_exit(lambda _code, name=held.name: ended.append(name))
    cluster.delete("pods", "p")
    cluster.settle(10)
    assert ended == ["web", "second", "first"]
    assert stored(cluster) is None


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
