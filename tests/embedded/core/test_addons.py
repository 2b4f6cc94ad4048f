"""What every cluster has comes back by itself, as on kind."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.addons import MIRROR
from tests.embedded.core.conftest import CONTROL_PLANE, WORKER

SYSTEM = "kube-system"


def proxies(cluster: Any) -> dict[str, Any]:
    pods = cluster.store.list("pods", SYSTEM)
    return {pod["spec"]["nodeName"]: pod for pod in pods if pod["metadata"]["labels"].get("k8s-app") == "kube-proxy"}


def test_kube_proxy_is_a_daemon_set_and_a_deleted_pod_of_it_comes_back(cluster: Any) -> None:
    before = proxies(cluster)
    assert len(before) == 3
    assert {pod["metadata"]["ownerReferences"][0]["kind"] for pod in before.values()} == {"DaemonSet"}
    assert {pod["spec"]["priority"] for pod in before.values()} == {2000001000}
    cluster.delete("pods", before[WORKER]["metadata"]["name"], SYSTEM)
    cluster.settle(5)
    after = proxies(cluster)
    assert after[WORKER]["metadata"]["uid"] != before[WORKER]["metadata"]["uid"]
    assert after[WORKER]["status"]["phase"] == "Running"


def test_static_pods_are_mirrored_with_their_node_as_owner_and_come_back(cluster: Any) -> None:
    name = f"etcd-{CONTROL_PLANE}"
    before = cluster.store.get("pods", SYSTEM, name)
    assert MIRROR in before["metadata"]["annotations"]
    assert before["metadata"]["ownerReferences"][0]["name"] == CONTROL_PLANE
    cluster.delete("pods", name, SYSTEM)
    cluster.settle(5)
    after = cluster.store.get("pods", SYSTEM, name)
    assert after["status"]["phase"] == "Running"
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
