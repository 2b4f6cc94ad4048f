"""Ephemeral containers: `kubectl debug`."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.kernel import drive
from grader.embedded.core.objects import condition
from tests.embedded.core.kubelet.pods import busybox, stored


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
