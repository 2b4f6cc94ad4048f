from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.cluster.kind import converge, metallb
from grader.cluster.kind.converge import Converger
from grader.cluster.kind.options import KindOptions
from grader.cluster.probes import probe_name
from grader.errors import ClusterUnreachable, EnvironmentError_
from grader.model.vantage import PROBE_NAMESPACE
from tests.cluster import objects
from tests.cluster.kind.engine import STARTED, Engine
from tests.kube.fake_api import FakeApi, Object, serving, status

NAMES = ("c-control-plane", "c-worker", "c-worker2")
PODS = f"/api/v1/namespaces/{PROBE_NAMESPACE}/pods"
POOL = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools/services-course"
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: metallb-system}
spec: {template: {spec: {containers: [{image: m}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: speaker, namespace: metallb-system}
spec: {template: {spec: {containers: [{image: m}]}}}
"""


class World:
    """A kind cluster of three nodes: a Docker engine and an API server whose Pods run as soon as they are created."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine()
        self.engine.add_kind_cluster("c")
        self.api = FakeApi(self.as_controllers_would)
        self.told: list[str] = []
        self.now = 0.0
        self.api.replies["/version"] = (200, b'{"gitVersion": "v1.36.3"}')
        for name in NAMES:
            self.api.put(f"/api/v1/nodes/{name}", objects.node(name))
            self.api.put(
                f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}", objects.lease(name, STARTED)
            )
            self.api.put(f"/api/v1/namespaces/kube-system/pods/kube-proxy-{name}", objects.proxy(name))
            self.api.replies[f"{PODS}/{probe_name(name)}:8080/proxy/healthz"] = (200, b"")
        self.api.put("/api/v1/namespaces/kube-system/pods/coredns", objects.dns("c-worker"))

    def as_controllers_would(self, obj: Object) -> Object:
        if obj["kind"] == "DaemonSet":
            for name in NAMES:
                self.metallb_pod(f"speaker-{name}", name, "speaker")
        if obj["kind"] == "Deployment":
            self.metallb_pod("controller", NAMES[1], "controller")
        if obj["kind"] != "Pod":
            return obj
        spec = obj["spec"]
        image = spec["containers"][0]["image"]
        return objects.pod(obj["metadata"]["name"], spec["nodeName"], started=STARTED, image=image)

    def metallb_pod(self, name: str, node: str, component: str) -> None:
        labels = {"app": "metallb", "component": component}
        pod = objects.pod(name, node, started=STARTED, labels=labels)
        self.api.put(f"/api/v1/namespaces/{metallb.NAMESPACE}/pods/{name}", pod)

    def pause(self, seconds: float) -> None:
        self.now += 100 * seconds

    def mend(self, kubeconfig: Path) -> bool:
        nodes = self.engine.containers("label=io.x-k8s.kind.cluster=c")
        wished = KindOptions(probe_image="probe:1")
        with Converger(
            self.engine, "c", nodes, wished, kubeconfig, lambda code, facts: None, pause=self.pause, clock=lambda: 0.0
        ) as work:
            return work.mend_outside()

    def run(self, kubeconfig: Path) -> str:
        (self.folder / "metallb.yaml").write_text(MANIFEST)
        wished = KindOptions(metallb_manifest=str(self.folder / "metallb.yaml"), probe_image="probe:1")
        nodes = self.engine.containers("label=io.x-k8s.kind.cluster=c")
        self.told.clear()
        with Converger(
            self.engine,
            "c",
            nodes,
            wished,
            kubeconfig,
            lambda code, facts: self.told.append(code),
            pause=self.pause,
            clock=lambda: self.now,
        ) as worker:
            return worker.run()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def kubeconfig(world: World, tmp_path: Path) -> Iterator[Path]:
    with serving(world.api, tmp_path) as path:
        yield path


def test_a_bare_cluster_gets_load_balancer_outside_client_and_probes(world: World, kubeconfig: Path) -> None:
    assert world.run(kubeconfig) == "v1.36.3"
    assert {f"{PODS}/{probe_name(name)}" for name in NAMES} <= world.api.objects.keys()
    assert world.api.objects[POOL]["spec"] == {"addresses": ["172.18.255.192-172.18.255.223"]}
    outside = world.engine.containers_["c-outside"]
    assert outside["Config"]["Labels"]["services-course.pool"] == "172.18.255.192-172.18.255.223"


def test_a_complete_cluster_is_only_looked_at(world: World, kubeconfig: Path) -> None:
    world.run(kubeconfig)
    world.api.requests.clear()
    world.engine.calls.clear()
    world.run(kubeconfig)
    assert world.told == []
    assert {method for method, *_ in world.api.requests} == {"GET"}
    assert not {"run", "rm", "start", "pull"} & {call[0] for call in world.engine.calls}


def test_what_is_gone_comes_back_and_nothing_else_is_touched(world: World, kubeconfig: Path) -> None:
    world.run(kubeconfig)
    del world.api.objects[f"{PODS}/{probe_name('c-worker')}"]
    del world.engine.containers_["c-outside"]
    world.api.requests.clear()
    world.run(kubeconfig)
    assert world.api.methods("POST") == [PODS]
    assert "c-outside" in world.engine.containers_


def test_the_outside_client_is_mended_and_nothing_is_waited_for(world: World, kubeconfig: Path) -> None:
    world.run(kubeconfig)
    assert not world.mend(kubeconfig)
    del world.engine.containers_["c-outside"]
    before = len(world.engine.calls)
    assert world.mend(kubeconfig)
    assert world.engine.containers_["c-outside"]["State"]["Running"]
    assert not [call for call in world.engine.calls[before:] if "exec" in call]


def test_a_probe_of_another_image_is_replaced(world: World, kubeconfig: Path) -> None:
    world.run(kubeconfig)
    path = f"{PODS}/{probe_name('c-worker')}"
    world.api.put(path, objects.pod(probe_name("c-worker"), "c-worker", started=STARTED, image="probe:0"))
    world.run(kubeconfig)
    assert world.api.methods("DELETE") == [path]
    assert world.api.objects[path]["spec"]["containers"] == [{"image": "probe:1"}]


def test_a_pool_that_is_in_place_is_kept(world: World, kubeconfig: Path) -> None:
    world.run(kubeconfig)
    pool: Any = world.api.objects[POOL]
    pool["spec"]["addresses"] = ["172.18.254.0-172.18.254.15"]
    world.run(kubeconfig)
    assert world.api.objects[POOL]["spec"]["addresses"] == ["172.18.254.0-172.18.254.15"]
    label = world.engine.containers_["c-outside"]["Config"]["Labels"]["services-course.pool"]
    assert label == "172.18.254.0-172.18.254.15"


def test_a_pool_of_a_network_that_was_replaced_is_cut_anew(world: World, kubeconfig: Path) -> None:
    world.run(kubeconfig)
    world.engine.networks["kind"] = ["192.168.7.0/24"]
    world.run(kubeconfig)
    assert world.api.objects[POOL]["spec"]["addresses"] == ["192.168.7.192-192.168.7.223"]


def test_another_cluster_s_pool_is_left_to_it(world: World, kubeconfig: Path) -> None:
    world.engine.add("other-outside", labels={"services-course.pool": "172.18.255.192-172.18.255.223"})
    world.run(kubeconfig)
    assert world.api.objects[POOL]["spec"]["addresses"] == ["172.18.255.160-172.18.255.191"]


def test_what_never_comes_is_named_when_nothing_moves_any_more(world: World, kubeconfig: Path) -> None:
    world.api.put(f"/api/v1/nodes/{NAMES[2]}", objects.node(NAMES[2], ready=False))
    with pytest.raises(EnvironmentError_) as error:
        world.run(kubeconfig)
    assert error.value.code == "cluster-stalled"
    assert error.value.facts["missing"] == "node c-worker2 (KubeletNotReady)"
    assert world.now == pytest.approx(converge.STALL_SECONDS, abs=50)


def test_a_refusal_that_passes_is_waited_for(world: World, kubeconfig: Path) -> None:
    refusal = (403, status("Forbidden", "namespace is being terminated"))
    world.api.replies[PODS] = refusal
    pause = world.pause

    def later(seconds: float) -> None:
        pause(seconds)
        if world.now > 60:
            world.api.replies.pop(PODS, None)

    world.pause = later  # type: ignore[method-assign]
    assert world.run(kubeconfig) == "v1.36.3"
    assert world.now > 60


def test_an_api_server_that_lets_nobody_in_is_not_waited_for(world: World, kubeconfig: Path) -> None:
    world.api.replies["/version"] = (401, status("Unauthorized", "Unauthorized"))
    with pytest.raises(ClusterUnreachable) as error:
        world.run(kubeconfig)
    assert (error.value.code, world.now) == ("api-unauthorized", 0)
