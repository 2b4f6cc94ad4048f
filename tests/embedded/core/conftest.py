"""A whole cluster on a virtual clock, without an API server in front of it: objects go straight into the Store."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from grader.embedded.core.index import ZONE_LABEL
from grader.embedded.core.kernel import Kernel, Stream, TimeoutError_, VirtualClock, drive, pass_time, with_timeout
from grader.embedded.core.programs.host import ConnectionRefused_, NoRoute
from grader.embedded.core.store import Obj, Store
from grader.embedded.core.world import World

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
CONTROL_PLANE, WORKER, WORKER2 = (f"services-course-{name}" for name in ("control-plane", "worker", "worker2"))


class Cluster:
    """The lab that tests use: `apply`-like helpers and clients with names."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.kernel = Kernel(self.clock)
        self.store = Store(self.clock.now, random.Random(seed))
        self.world = World(self.store, self.kernel, seed=seed)
        self._ips = itertools.count(1)
        self.world.bootstrap()
        self.settle()

    def settle(self, seconds: float = 3.0) -> None:
        """Let so many seconds pass."""
        pass_time(self.kernel, self.clock, seconds)

    def run(self, coro: Any, limit: float = 3600.0) -> Any:
        return drive(self.kernel, self.clock, coro, limit)

    # --- objects

    def namespace(self, name: str) -> None:
        self.store.create(
            "namespaces",
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            },
        )

    def zone(self, node: str, zone: str) -> None:
        """Put a node into a zone, "" into none."""
        live = self.store.get("nodes", "", node)
        assert live is not None
        labels = {key: value for key, value in live["metadata"]["labels"].items() if key != ZONE_LABEL}
        labels |= {ZONE_LABEL: zone} if zone else {}
        self.store.update("nodes", {**live, "metadata": {**live["metadata"], "labels": labels}})

    def deployment(
        self,
        name: str,
        replicas: int = 3,
        *,
        port: int = 8080,
        node: str = "",
        spec: Obj | None = None,
        **container: Any,
    ) -> Obj:
        pod_spec: Obj = {
            "containers": [
                {
                    "name": "web",
                    "image": AGNHOST,
                    "args": ["netexec", f"--http-port={port}", "--udp-port=-1"],
                    **container,
                }
            ],
            **({"nodeSelector": {"kubernetes.io/hostname": node}} if node else {}),
            **(spec or {}),
        }
        return self.store.create(
            "deployments",
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "replicas": replicas,
                    "progressDeadlineSeconds": 600,
                    "selector": {"matchLabels": {"app": name}},
                    "strategy": {
                        "type": "RollingUpdate",
                        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                    },
                    "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec},
                },
            },
        )

    def pod(self, name: str, *, labels: dict[str, str] | None = None, node: str = "", **spec: Any) -> Obj:
        from grader.embedded.core.controllers.podtemplate import admit_pod

        container = {"name": "web", "image": AGNHOST, "args": ["netexec", "--http-port=8080", "--udp-port=-1"]}
        body = {"containers": [container], **({"nodeName": node} if node else {}), **spec}
        return self.store.create(
            "pods",
            admit_pod(
                self.store,
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": name, "namespace": "default", "labels": labels or {}},
                    "spec": body,
                },
            ),
        )

    def service(
        self,
        name: str,
        selector: dict[str, str] | None = None,
        *,
        ports: list[Obj] | None = None,
        headless: bool = False,
        namespace: str = "default",
        **spec: Any,
    ) -> str:
        """Create a Service; returns its ClusterIP."""
        ip = "None" if headless else f"10.96.100.{next(self._ips)}"
        body: Obj = {
            "clusterIP": ip,
            "clusterIPs": [ip],
            "type": "ClusterIP",
            "ipFamilies": ["IPv4"],
            "ports": [{"protocol": "TCP", **port} for port in ports or [{"port": 80, "targetPort": 8080}]],
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            **({"selector": selector} if selector is not None else {}),
            **spec,
        }
        if body["type"] == "ExternalName":
            body.pop("clusterIP")
            body.pop("clusterIPs")
        metadata = {"name": name, "namespace": namespace}
        status: Obj = {"loadBalancer": {}}
        self.store.create(
            "services",
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body, "status": status},
        )
        return ip

    def change(self, resource: str, name: str, namespace: str = "default", **spec: Any) -> None:
        """Replace fields of an object's spec."""
        obj = self.store.get(resource, namespace, name)
        assert obj is not None
        self.store.update(resource, {**obj, "spec": {**obj["spec"], **spec}})

    def delete(self, resource: str, name: str, namespace: str = "default", grace: int | None = None) -> None:
        """Ask for deletion as a client of the API does."""
        from grader.embedded.core.controllers.deletion import delete_in_background
        from grader.embedded.core.objects import with_metadata
        from grader.embedded.core.store import timestamp

        obj = self.store.get(resource, "" if resource == "namespaces" else namespace, name)
        assert obj is not None
        if resource == "namespaces":
            self.store.update(resource, with_metadata(obj, deletionTimestamp=timestamp(self.clock.time)))
        elif grace is not None:
            marks = {"deletionTimestamp": timestamp(self.clock.time), "deletionGracePeriodSeconds": grace}
            self.store.update(resource, with_metadata(obj, **marks))
        else:
            delete_in_background(self.world.context, resource, obj)

    def pods(self, app: str | None = None, namespace: str = "default") -> list[Obj]:
        found = self.store.list("pods", namespace)
        return [p for p in found if app is None or (p["metadata"].get("labels") or {}).get("app") == app]

    def names(self, app: str) -> set[str]:
        return {pod["metadata"]["name"] for pod in self.pods(app)}

    def slices(self, service: str, namespace: str = "default") -> list[Obj]:
        return list(self.world.index.slices((namespace, service)))

    def events(self, name: str, namespace: str = "default") -> list[tuple[str, str]]:
        found = self.store.list("events", namespace)
        return [(e["reason"], e["message"]) for e in found if e["involvedObject"]["name"].startswith(name)]

    # --- clients

    def probe(self, node: str = WORKER) -> tuple[str, str]:
        return ("course-probe", f"probe-{node}")

    def get(self, source: Any, ip: str, port: int = 80, path: str = "/hostname", timeout: float = 2.0) -> str:
        """The body of an HTTP answer, or REFUSED, TIMEOUT, UNREACHABLE."""

        async def request() -> str:
            stream: Stream = await self.world.dial(source, ip, port)
            stream.send(f"GET {path} HTTP/1.1\r\nHost: {ip}\r\nConnection: close\r\n\r\n".encode())
            received = b""
            while data := await stream.recv():
                received += data
            head, _, body = received.partition(b"\r\n\r\n")
            return body.decode() if b" 200 " in head.split(b"\r\n")[0] else head.split(b"\r\n")[0].decode()

        try:
            return str(self.run(with_timeout(timeout, request())))
        except ConnectionRefused_:
            return "REFUSED"
        except NoRoute:
            return "UNREACHABLE"
        except TimeoutError_:
            return "TIMEOUT"

    def responders(self, source: Any, ip: str, port: int = 80, tries: int = 40) -> set[str]:
        return {self.get(source, ip, port) for _ in range(tries)}

    def client_ip(self, source: Any, ip: str, port: int = 80) -> str:
        return self.get(source, ip, port, "/clientip").rpartition(":")[0]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def make_cluster() -> Callable[[int], Cluster]:
    return Cluster
