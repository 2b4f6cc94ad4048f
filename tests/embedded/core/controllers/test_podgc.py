"""A node that is deleted stays away until its kubelet starts again, and its Pods go after a while."""

from __future__ import annotations

import random
from typing import Any

from grader.embedded.core.kernel import Kernel, pass_time
from grader.embedded.core.store import Store
from grader.embedded.core.world import World
from tests.embedded.core.conftest import CONTROL_PLANE, WORKER, WORKER2


def test_pods_of_a_deleted_node_are_replaced_elsewhere(cluster: Any) -> None:
    cluster.deployment("web", 2, spec={"affinity": {}})
    cluster.settle()
    cluster.store.delete("nodes", "", WORKER)
    cluster.settle(30)
    assert any(pod["spec"]["nodeName"] == WORKER for pod in cluster.pods("web"))  # quarantine
    cluster.settle(60)
    assert {pod["spec"]["nodeName"] for pod in cluster.pods("web")} == {WORKER2}
    assert cluster.store.get("nodes", "", WORKER) is None
    assert not list(cluster.world.index.pods_on(WORKER))


def test_the_control_plane_shows_no_static_pods_while_its_node_is_missing(cluster: Any) -> None:
    cluster.store.delete("nodes", "", CONTROL_PLANE)
    cluster.settle(100)
    assert cluster.store.get("pods", "kube-system", f"etcd-{CONTROL_PLANE}") is None


def test_a_kubelet_that_starts_again_registers_its_node_and_takes_pods(cluster: Any) -> None:
    cluster.store.delete("nodes", "", WORKER)
    cluster.settle(100)
    again = Store(cluster.clock.now, random.Random(2))
    again.load(cluster.store.dump())
    kernel = Kernel(cluster.clock)
    World(again, kernel, seed=2).bootstrap()
    pass_time(kernel, cluster.clock, 5)
    assert again.get("nodes", "", WORKER) is not None
    on_it = [pod for pod in again.list("pods", "kube-system") if pod["spec"].get("nodeName") == WORKER]
    assert [pod["metadata"]["labels"]["k8s-app"] for pod in on_it] == ["kube-proxy"]
