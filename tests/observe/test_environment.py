"""What is wrong with a cluster, told from its own objects; of what it does not show, nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from grader.kube.client import ApiRefused, KubeApi
from grader.observe.environment import control_plane_down, inspect, proxies_down
from tests.judge.world import node

Raw = dict[str, Any]
NODES = [node("control-plane", 2), node("worker", 3)]


def lease(name: str, renewed: str, namespace: str = "kube-system", lasts: int = 15) -> Raw:
    spec = {"renewTime": f"2026-01-02T03:{renewed}.000000Z", "leaseDurationSeconds": lasts}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def proxy(on: str, *, ready: bool = True) -> Raw:
    return {
        "metadata": {"name": f"kube-proxy-{on}", "labels": {"k8s-app": "kube-proxy"}},
        "spec": {"nodeName": on},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def dns(*, ready: bool = True) -> Raw:
    return {
        "metadata": {"name": "kube-dns-x", "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}],
        "endpoints": [{"addresses": ["10.244.0.2"], "conditions": {"ready": ready}}],
    }


def balancer(ready: int) -> Raw:
    return {"metadata": {"name": "controller"}, "status": {"readyReplicas": ready} if ready else {}}


class Api:
    def __init__(self, listed: Mapping[str, list[Raw]], *, refuses: str = "", metallb: bool = True) -> None:
        self.listed, self.refuses, self.metallb = listed, refuses, metallb

    def list(self, plural: str, namespace: str | None = None) -> list[Raw]:
        if plural == self.refuses:
            raise ApiRefused({"reason": "Forbidden", "message": "no"}, 403)
        return self.listed.get(f"{plural} {namespace}", [])

    def read(self, plural: str, name: str) -> Raw | None:
        return {} if self.metallb and (plural, name) == ("namespaces", "metallb-system") else None


SOUND: Mapping[str, list[Raw]] = {
    "pods kube-system": [proxy("control-plane"), proxy("worker")],
    "daemonsets kube-system": [{"metadata": {"name": "kube-proxy"}}],
    "endpointslices kube-system": [dns()],
    "deployments metallb-system": [balancer(1)],
    "leases None": [lease("kube-controller-manager", "04:01"), lease("kube-scheduler", "04:02")],
}


def found(*, refuses: str = "", metallb: bool = True, **changed: list[Raw]) -> list[str]:
    listed = {**SOUND, **{key.replace("_in_", " ").replace("_", "-"): value for key, value in changed.items()}}
    with ThreadPoolExecutor(2) as executor:
        api = cast(KubeApi, Api(listed, refuses=refuses, metallb=metallb))
        return [item.code for item in inspect(api, NODES, executor)]


def test_nothing_is_wrong_with_a_sound_cluster() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"pods_in_kube_system": [proxy("worker", ready=False), proxy("control-plane")]}, "kube-proxy-down"),
        ({"pods_in_kube_system": [proxy("worker")]}, "kube-proxy-down"),
        ({"endpointslices_in_kube_system": [dns(ready=False)]}, "dns-server-down"),
        ({"deployments_in_metallb_system": [balancer(0)]}, "load-balancer-controller-down"),
        ({"deployments_in_metallb_system": []}, "load-balancer-controller-down"),
    ],
)
def test_what_is_down_is_named(changed: dict[str, list[Raw]], code: str) -> None:
    assert found(**changed) == [code]


def test_a_cluster_that_never_had_the_load_balancer_lacks_nothing() -> None:
    assert found(metallb=False, deployments_in_metallb_system=[]) == []


def test_of_what_the_cluster_does_not_show_nothing_is_known() -> None:
    assert found(refuses="leases", pods_in_kube_system=[proxy("worker"), proxy("control-plane")]) == []
    assert proxies_down([], [], NODES) == ()  # a cluster without the DaemonSet has another proxy
    assert control_plane_down([]) == ()
    assert control_plane_down([lease("worker", "04:00", "kube-node-lease", 40)]) == ()


@pytest.mark.parametrize(
    ("renewed", "lasts", "down"), [("03:40", 15, False), ("03:39", 15, True), ("03:50", 1, True), ("03:55", 1, False)]
)
def test_a_lease_that_was_lost_tells_who_stopped_by_the_clusters_own_clocks(
    renewed: str, lasts: int, *, down: bool
) -> None:
    # one that is released when its holder ends lasts a second from then on
    leases = [
        lease("kube-controller-manager", renewed, lasts=lasts),
        lease("kube-scheduler", "03:59"),
        lease("worker", "04:00", "kube-node-lease", 40),
    ]
    assert [item.code for item in control_plane_down(leases)] == (["controller-manager-down"] if down else [])


def test_a_node_that_stopped_is_not_mistaken_for_the_control_plane() -> None:
    leases = [lease("kube-controller-manager", "04:00"), lease("kube-scheduler", "04:01")]
    assert control_plane_down([*leases, lease("kube-scheduler", "00:00", "kube-node-lease")]) == ()
    told = control_plane_down([*leases[:1], lease("kube-scheduler", "03:00")])
    assert [(item.code, item.facts["seconds"]) for item in told] == [("scheduler-down", "60")]
