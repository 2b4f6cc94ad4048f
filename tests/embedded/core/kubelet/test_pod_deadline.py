"""A Pod that may be active only so long."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.objects import condition
from tests.embedded.core.kubelet.pods import busybox, container, reasons, stored

TEXT = "Pod was active on the node longer than the specified deadline"


def told(cluster: Any) -> tuple[str, str, str]:
    status = stored(cluster)["status"]
    return status["phase"], status.get("reason", ""), status.get("message", "")


def ready(cluster: Any) -> list[bool]:
    """What the Service's slices say of each endpoint."""
    return [end["conditions"]["ready"] for held in cluster.slices("web") for end in held.get("endpoints") or ()]


def test_a_pod_fails_when_its_deadline_is_over(cluster: Any) -> None:
    cluster.pod("p", activeDeadlineSeconds=20, labels={"app": "web"})
    cluster.service("web", {"app": "web"})
    cluster.settle(15)
    assert told(cluster) == ("Running", "", "")
    assert ready(cluster) == [True]
    cluster.settle(15)
    assert told(cluster) == ("Failed", "DeadlineExceeded", TEXT)
    assert ready(cluster) == []
    assert reasons(cluster).count("DeadlineExceeded") == reasons(cluster).count("Killing") == 1
    cluster.settle(60)
    assert "Started" in reasons(cluster) and stored(cluster)["status"]["containerStatuses"][0]["restartCount"] == 0


def test_while_its_containers_end_it_runs_and_is_not_ready(cluster: Any) -> None:
    cluster.pod(
        "p",
        activeDeadlineSeconds=10,
        terminationGracePeriodSeconds=20,
        containers=[container(lifecycle={"preStop": {"exec": {"command": ["sleep", "10"]}}})],
    )
    cluster.settle(15)
    found = condition(stored(cluster), "Ready")
    assert found is not None
    assert (told(cluster)[0], found["status"], found["reason"]) == ("Running", "False", "PodFailed")
    cluster.settle(15)
    assert told(cluster)[0] == "Failed"


def test_a_deadline_may_be_set_later_and_made_less(cluster: Any) -> None:
    cluster.pod("p")
    cluster.settle(10)
    cluster.change("pods", "p", activeDeadlineSeconds=1000)
    cluster.settle(10)
    assert told(cluster)[0] == "Running"
    cluster.change("pods", "p", activeDeadlineSeconds=30)
    cluster.settle(5)
    assert told(cluster)[0] == "Running"
    cluster.settle(30)
    assert told(cluster)[0] == "Failed"


def test_who_is_done_before_is_not_failed(cluster: Any) -> None:
    cluster.pod("p", activeDeadlineSeconds=20, restartPolicy="Never", containers=[busybox("true")])
    cluster.settle(60)
    assert told(cluster) == ("Succeeded", "", "")


def test_a_failed_pod_can_be_deleted(cluster: Any) -> None:
    cluster.pod("p", activeDeadlineSeconds=5)
    cluster.settle(30)
    cluster.delete("pods", "p")
    cluster.settle(5)
    assert stored(cluster) is None
