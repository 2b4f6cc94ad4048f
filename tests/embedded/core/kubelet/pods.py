"""Pods that tests make, and what they look at."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.kernel import drive

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "web", "image": AGNHOST, "args": ["netexec", "--http-port=8080", "--udp-port=-1"], **fields}


def busybox(*command: str, **fields: Any) -> dict[str, Any]:
    return {"name": "web", "image": "busybox:1.37", "command": list(command), **fields}


def stored(cluster: Any, name: str = "p") -> Any:
    return cluster.store.get("pods", "default", name)


def state(cluster: Any, name: str = "p") -> Any:
    return stored(cluster, name)["status"]["containerStatuses"][0]


def reasons(cluster: Any, name: str = "p") -> list[str]:
    return [reason for reason, _ in cluster.events(name)]


def output(cluster: Any, *argv: str, name: str = "p") -> str:
    process = cluster.world.exec("default", name, None, list(argv))
    out = bytearray()
    process.on_output(lambda _fd, data: out.extend(data))
    drive(cluster.kernel, cluster.clock, process.wait())
    return out.decode()
