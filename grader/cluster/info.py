"""What is known of a cluster that was brought up: a small JSON file beside its own kubeconfig."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from grader.errors import ClusterMissing
from grader.paths import state_root, write_atomically

DEFAULT_NAME = "services-course"


class Provider(StrEnum):
    """How a cluster is brought up."""

    KIND = "kind"
    EMBEDDED = "embedded"
    CONTEXT = "context"


EMBEDDED_PACE = 0.1  # its network and DNS read the store itself: nothing is programmed afterwards


@dataclass(frozen=True)
class ClusterInfo:
    """A cluster, ready for the exercises.

    Attributes:
        name: the cluster's name; also the kind cluster's name.
        provider: how it was brought up.
        kubeconfig: path of its own kubeconfig file; the learner's current context is never touched.
        version: Kubernetes version of the API server, "v1.36.3".
        outside: how a command reaches the outside client's agnhost netexec: "docker:CONTAINER" (docker exec, curl to
            127.0.0.1:8080 there), "api:PATH" (GET on the API server, the embedded cluster), "" where there is none.
        host_ports: how the learner's host reaches a NodePort: node port → "127.0.0.1:30080". For the embedded cluster,
            where ports are bound as Services appear, `host_ports_path` is asked instead.
        host_ports_path: path on the API server that answers such a JSON object, "" where `host_ports` is complete.
        pid: process id of the embedded cluster, 0 otherwise.
    """

    name: str
    provider: Provider
    kubeconfig: Path
    version: str
    outside: str = ""
    host_ports: Mapping[int, str] = field(default_factory=dict)
    host_ports_path: str = ""
    pid: int = 0

    @property
    def pace(self) -> float:
        """How long its data plane may lag behind the objects, relative to kind (Evidence.pace)."""
        return EMBEDDED_PACE if self.provider is Provider.EMBEDDED else 1.0

    def save(self) -> None:
        """Write `cluster.json` into the cluster's folder, atomically."""
        data = {**asdict(self), "kubeconfig": str(self.kubeconfig)}
        write_atomically(folder(self.name) / "cluster.json", json.dumps(data, indent=1), mode=0o600)


def folder(name: str) -> Path:
    """The folder that holds everything of one cluster: cluster.json, kubeconfig, logs, state."""
    return state_root() / "clusters" / name


def current_name() -> str:
    """The cluster that commands use: GRADER_CLUSTER, else what `grader cluster up` chose last, else the default."""
    if override := os.environ.get("GRADER_CLUSTER"):
        return override
    marker = state_root() / "current-cluster"
    return marker.read_text(encoding="utf-8").strip() if marker.is_file() else DEFAULT_NAME


def load(name: str | None = None) -> ClusterInfo:
    """Read a cluster's record. Raises ClusterMissing where none was brought up under this name."""
    name = name or current_name()
    try:
        data = json.loads((folder(name) / "cluster.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClusterMissing("cluster-missing", name=name) from None
    return ClusterInfo(
        **{
            **data,
            "provider": Provider(data["provider"]),
            "kubeconfig": Path(data["kubeconfig"]),
            "host_ports": {int(port): address for port, address in data["host_ports"].items()},
        }
    )
