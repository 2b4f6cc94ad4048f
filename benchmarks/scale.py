"""How the embedded cluster does with many objects and many clients."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from benchmarks.row import Row
from grader.cluster import choose
from grader.cluster.info import ClusterInfo
from grader.embedded.core.kernel import Kernel, VirtualClock, pass_time
from grader.embedded.core.store import Obj, Store
from grader.embedded.core.world import World
from grader.errors import CourseError
from grader.kube.client import KubeApi

PODS = 10
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
NAMESPACE = "bench"
NODE = "elsewhere"  # without a kubelet: its Pods are objects only


def measure(runs: int, seconds: float) -> list[Row]:
    """Endpoint updates by the number of Services, memory and apply on a live cluster, clients side by side."""
    rows = [_update(count, runs) for count in (10, 100, 1000)]
    with choose.temporary(f"bench-{os.getpid()}") as info, KubeApi(info.kubeconfig) as api:
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        rows.append(_applied(api, runs))
        rows.append(_memory(api, info))
        rows.extend(_clients(info, 100, seconds))
        rows.append(Row("embedded: resident memory after all this", "MB", (_resident(info),)))
    return rows


def _update(services: int, runs: int) -> Row:
    """A Pod of one of many Services becomes unready: processor time until every controller has done its part."""
    clock = VirtualClock()
    kernel, store = Kernel(clock), Store(clock.now, random.Random(1))
    World(store, kernel, seed=1).bootstrap()
    store.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "spec": {}, "status": {}})
    for number in range(services):
        name = f"s{number}"
        store.create("services", _service(name, f"10.96.{8 + number // 250}.{1 + number % 250}"))
        for pod in range(PODS):
            store.create("pods", _pod(name, number * PODS + pod))
    pass_time(kernel, clock, 30)
    spent = []
    for run in range(runs):
        name = f"s{run * 7 % services}"
        pod = store.get("pods", "default", f"{name}-{run * 7 % services * PODS}") or {}
        store.update("pods", _turned(pod))
        begun = time.process_time()
        pass_time(kernel, clock, 5)
        spent.append((time.process_time() - begun) * 1000)
        ready = pod["status"]["conditions"][0]["status"] != "True"
        seen = sum(e["conditions"]["ready"] for item in _slices(store, name) for e in item["endpoints"])
        assert seen == (PODS if ready else PODS - 1), (name, seen)
    return Row(f"embedded: endpoints follow one Pod, {services} Services x {PODS} Pods", "ms", tuple(spent))


def _slices(store: Store, service: str) -> list[Obj]:
    label = "kubernetes.io/service-name"
    return [item for item in store.list("endpointslices") if item["metadata"]["labels"].get(label) == service]


def _service(name: str, ip: str) -> Obj:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "selector": {"app": name}, "ports": ports}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def _pod(app: str, number: int) -> Obj:
    ip = f"10.244.{64 + number // 250}.{1 + number % 250}"
    status = {
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    metadata = {"name": f"{app}-{number}", "namespace": "default", "labels": {"app": app}}
    spec = {"nodeName": NODE, "containers": [{"name": "c", "image": IMAGE}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _turned(pod: Obj) -> Obj:
    ready = "False" if pod["status"]["conditions"][0]["status"] == "True" else "True"
    return {**pod, "status": {**pod["status"], "conditions": [{"type": "Ready", "status": ready}]}}


def _applied(api: KubeApi, runs: int) -> Row:
    """Server-side apply of new Services, over the loopback."""
    spent = []
    for number in range(50):
        obj = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"s{number}", "namespace": NAMESPACE},
            "spec": {"selector": {"app": f"d{number % 4}"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
        begun = time.perf_counter()
        api.apply(obj)
        spent.append((time.perf_counter() - begun) * 1000)
    return Row("embedded: apply one Service, as the client sees it", "ms", tuple(spent))


def _memory(api: KubeApi, info: ClusterInfo) -> Row:
    """Resident memory with 50 Services and 200 Pods that are ready."""
    for number in range(4):
        container = {
            "name": "c",
            "image": IMAGE,
            "args": ["netexec", "--http-port=8080"],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 10},
        }
        labels = {"app": f"d{number}"}
        api.create(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": f"d{number}", "namespace": NAMESPACE},
                "spec": {
                    "replicas": 50,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
                },
            }
        )
    begun = time.monotonic()
    while sum(item.get("status", {}).get("readyReplicas", 0) for item in api.list("deployments", NAMESPACE)) < 200:
        if time.monotonic() - begun > 60:
            raise RuntimeError("200 Pods are not ready after 60 s")
        time.sleep(0.2)
    return Row("embedded: resident memory, 50 Services and 200 ready Pods", "MB", (_resident(info),))


def _resident(info: ClusterInfo) -> float:
    return float(psutil.Process(info.pid).memory_info().rss / 1e6)


def _clients(info: ClusterInfo, count: int, seconds: float) -> list[Row]:
    """Many clients at once, each with a connection of its own: requests, and errors (there must be none)."""
    done, errors = [0] * count, [0] * count
    end = time.monotonic() + seconds

    def work(me: int) -> None:
        with KubeApi(info.kubeconfig, timeout=30) as api:
            pods = [item["metadata"]["name"] for item in api.list("pods", NAMESPACE)]
            name = f"c{me}"
            steps: tuple[Callable[[], Any], ...] = (
                lambda: api.apply(_config(name, str(done[me]))),
                lambda: api.list("services", NAMESPACE),
                lambda: api.list("pods", NAMESPACE, labels="app=d1"),
                lambda: api.pod_get(NAMESPACE, pods[me % len(pods)], "hostname", port=8080),
                lambda: api.delete("configmaps", name, NAMESPACE),
            )
            while time.monotonic() < end:
                for step in steps:
                    try:
                        step()
                    except (CourseError, OSError):
                        errors[me] += 1
                    done[me] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [
        Row(f"embedded: requests of {count} clients in {seconds:g} s", "1/s", (sum(done) / seconds,)),
        Row(f"embedded: errors of {count} clients in {seconds:g} s", "", (float(sum(errors)),)),
    ]


def _config(name: str, value: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {"value": value},
    }
