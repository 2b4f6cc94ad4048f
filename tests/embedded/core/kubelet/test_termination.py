"""The last words of a container."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.kubelet.pods import busybox, state

FROM_LOG = {"terminationMessagePolicy": "FallbackToLogsOnError"}


@pytest.mark.parametrize(
    ("script", "fields", "message"),
    [
        ("echo why > /dev/termination-log; exit 1", {}, "why\n"),
        ("echo why > /tmp/a; exit 0", {"terminationMessagePath": "/tmp/a"}, "why\n"),
        ("echo why > /dev/termination-log; exit 1", {"terminationMessagePath": "/tmp/a"}, None),
        ("echo log; exit 1", {}, None),
        ("echo log; exit 1", FROM_LOG, "log\n"),
        ("echo log; exit 0", FROM_LOG, None),
        ("echo log; echo why > /dev/termination-log; exit 1", FROM_LOG, "why\n"),
        ("seq 1 5000 > /dev/termination-log", {}, 4096),
        ("seq 1 500; exit 1", FROM_LOG, 320),
    ],
)
def test_a_container_leaves_a_message(
    cluster: Any, script: str, fields: dict[str, Any], message: str | int | None
) -> None:
    cluster.pod("p", restartPolicy="Never", containers=[busybox("sh", "-c", script, **fields)])
    cluster.settle()
    found = state(cluster)["state"]["terminated"].get("message")
    assert (len(found) if isinstance(message, int) else found) == message


def test_each_run_begins_with_an_empty_file(cluster: Any) -> None:
    script = "cat /dev/termination-log; echo again >> /dev/termination-log; exit 1"
    cluster.pod("p", containers=[busybox("sh", "-c", script)])
    cluster.settle(60)
    assert state(cluster)["lastState"]["terminated"]["message"] == "again\n"
    assert state(cluster)["restartCount"] > 1
