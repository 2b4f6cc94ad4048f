"""postStart and preStop; what is told is what kind 1.36.3 tells."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.objects import condition
from grader.embedded.core.world import NotRunning

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def web(name: str = "web", *, start: Any = None, stop: Any = None, **fields: Any) -> dict[str, Any]:
    hooks = {key: value for key, value in (("postStart", start), ("preStop", stop)) if value is not None}
    return {"name": name, "image": "nginx:1.29", "lifecycle": hooks, **fields}


def sh(script: str) -> dict[str, Any]:
    return {"exec": {"command": ["sh", "-c", script]}}


def stored(cluster: Any) -> Any:
    return cluster.store.get("pods", "default", "p")


def states(cluster: Any) -> dict[str, Any]:
    return {held["name"]: held["state"] for held in stored(cluster)["status"]["containerStatuses"]}


def test_a_post_start_command_runs_in_the_container(cluster: Any) -> None:
    cluster.pod("p", containers=[web(start=sh("echo from $(hostname) > /usr/share/nginx/html/index.html"))])
    cluster.settle()
    pod = stored(cluster)
    assert cluster.get(cluster.probe(), pod["status"]["podIP"], 80, "/") == "from p\n"
    assert condition(pod, "Ready")["status"] == "True"  # type: ignore[index]


def test_a_container_is_not_running_before_its_post_start_has_ended(cluster: Any) -> None:
    probe = {"tcpSocket": {"port": 80}, "periodSeconds": 1}
    cluster.pod(
        "p", containers=[web(start={"sleep": {"seconds": 6}}, readinessProbe=probe), web("next", image="redis:8.2")]
    )
    cluster.settle(4)
    pod = stored(cluster)
    assert (pod["status"]["phase"], pod["status"].get("podIP")) == ("Pending", None)
    assert states(cluster) == {name: {"waiting": {"reason": "ContainerCreating"}} for name in ("web", "next")}
    assert [reason for reason, _ in cluster.events("p")] == ["Scheduled", "Pulled", "Created", "Started"]
    with pytest.raises(NotRunning, match=r'container "web" in pod "p" is waiting to start: ContainerCreating'):
        cluster.world.logs("default", "p")
    cluster.settle(5)
    assert all("running" in state for state in states(cluster).values())


def test_a_container_whose_post_start_fails_is_killed_and_restarted_ever_later(cluster: Any) -> None:
    cluster.pod("p", containers=[web(start=sh("echo out; echo err >&2; exit 1"))])
    cluster.settle(0.9)
    pod = stored(cluster)
    assert states(cluster)["web"]["waiting"] == {
        "reason": "PostStartHookError",
        "message": f'Exec lifecycle hook ([sh -c echo out; echo err >&2; exit 1]) for Container "web" in Pod '
        f'"p_default({pod["metadata"]["uid"]})" failed - error: '
        "command 'sh -c echo out; echo err >&2; exit 1' exited with 1: err\n" + ', message: "out\\nerr\\n"',
    }
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 0
    told = cluster.events("p")
    assert ("FailedPostStartHook", "PostStartHook failed") in told
    assert ("Killing", "FailedPostStartHook") in told
    cluster.settle(4)
    assert states(cluster)["web"]["waiting"]["reason"] == "CrashLoopBackOff"
    cluster.settle(30)
    assert stored(cluster)["status"]["containerStatuses"][0]["restartCount"] >= 2


def test_a_failing_post_start_ends_a_pod_that_is_never_restarted(cluster: Any) -> None:
    cluster.pod("p", containers=[web(start=sh("exit 3"))], restartPolicy="Never")
    cluster.settle()
    assert states(cluster)["web"]["terminated"]["reason"] == "Completed"
    assert stored(cluster)["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        ({"httpGet": {"port": 81, "path": "/", "scheme": "HTTP"}}, ":81: connect: connection refused"),
        ({"exec": {"command": ["nosuch"]}}, 'exec: "nosuch": executable file not found in $PATH, message: ""'),
        ({"tcpSocket": {"port": 80}}, 'invalid handler: {"tcpSocket": {"port": 80}}'),
    ],
)
def test_a_post_start_that_cannot_be_done_says_why(cluster: Any, hook: dict[str, Any], why: str) -> None:
    cluster.pod("p", containers=[web(start=hook)])
    cluster.settle(0.9)
    assert states(cluster)["web"]["waiting"]["message"].endswith(why)


@pytest.mark.parametrize("scheme", ["HTTP", "HTTPS"])
def test_a_hook_by_http_is_content_with_any_answer(cluster: Any, scheme: str) -> None:
    hook = {"httpGet": {"port": 80, "path": "/nosuch", "scheme": scheme}}
    cluster.pod("p", containers=[web(start=hook)])
    cluster.settle()
    assert "running" in states(cluster)["web"]
    told = [reason for reason, _ in cluster.events("p")]
    assert ("LifecycleHTTPFallback" in told) == (scheme == "HTTPS")


def test_a_deleted_pod_waits_for_a_post_start_that_hangs(cluster: Any) -> None:
    """SyncPod goes on without the cancellation (kubelet.go, context.WithoutCancel); seen on kind."""
    cluster.pod("p", containers=[web(start=sh("sleep 60"))], terminationGracePeriodSeconds=1)
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.settle(50)
    assert stored(cluster) is not None
    cluster.settle(15)
    assert stored(cluster) is None
    assert cluster.kernel.run() != cluster.kernel.monotonic(), "something goes on for ever"


def test_a_pod_deleted_by_force_waits_for_no_hook(cluster: Any) -> None:
    cluster.pod("p", containers=[web(start=sh("sleep 60"))])
    cluster.settle()
    cluster.store.delete("pods", "default", "p")
    cluster.settle()
    assert not any(task for task in cluster.world.kubelets.by_node.values() if ("default", "p") in task.workers)


def test_a_failing_pre_stop_is_told_and_holds_nothing_up(cluster: Any) -> None:
    cluster.pod("p", containers=[web(stop=sh("exit 1")), web("hung", stop=sh("sleep 60"), image=AGNHOST)])
    cluster.settle()
    cluster.delete("pods", "p", grace=3)
    cluster.settle(4)
    assert ("FailedPreStopHook", "PreStopHook failed") in cluster.events("p")
    cluster.settle(3)
    assert stored(cluster) is None


def test_without_a_grace_period_there_is_no_pre_stop(cluster: Any) -> None:
    """killContainer runs it only where gracePeriod > 0."""
    cluster.pod("p", containers=[web(stop=sh("exit 1"))], terminationGracePeriodSeconds=0)
    cluster.settle()
    cluster.delete("pods", "p", grace=0)
    cluster.settle()
    assert "FailedPreStopHook" not in [reason for reason, _ in cluster.events("p")]
