"""How Pods end: gracefully, by force, whatever they are doing."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kubelet.probing import CANCELLED
from tests.embedded.core.kubelet.pods import busybox, container, output, reasons, state, stored


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
