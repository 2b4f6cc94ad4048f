"""A shell's own kubeconfig: it says which Namespace plain kubectl means there, and nothing changes in another shell.

The file holds a context alone. Where the cluster is, and who asks, stands in the cluster's own kubeconfig behind it:
KUBECONFIG names both, and kubectl reads them as one, the first that has a value winning (k8s.io/client-go v0.36.3,
tools/clientcmd/loader.go, ClientConfigLoadingRules.Load). So it outlives a cluster that is brought up anew.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import yaml

from grader.cluster.info import ClusterInfo
from grader.errors import ClusterUnreachable
from grader.kube.connection import load, named
from grader.paths import state_root, write_atomically

DEFAULT_NAMESPACE = "default"
KEPT_DAYS = 90
"""Days for which a file is kept that no `grader start` has touched."""


def folder() -> Path:
    """Find the folder of these files."""
    return state_root() / "shells"


def variable(own: Path, cluster: ClusterInfo) -> str:
    """Give the value of KUBECONFIG for a shell."""
    return os.pathsep.join((str(own), str(cluster.kubeconfig)))


def new() -> Path:
    """Name a file for a new shell; files of shells that are long gone are removed. Raises OSError."""
    for place in folder().glob("*"):
        if time.time() - place.stat().st_mtime > KEPT_DAYS * 86400:
            shutil.rmtree(place, ignore_errors=True)
    return folder() / secrets.token_hex(4) / "kubeconfig"


def _files(environment: Mapping[str, str]) -> list[Path]:
    """List the files that kubectl reads there."""
    return [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]


def own(cluster: ClusterInfo, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Find the file of the shell that started this process; None where it has none, or one for another cluster."""
    match _files(environment):
        case [first, second, *_] if first.parent.parent == folder() and second == cluster.kubeconfig:
            return first
    return None


def speaks_to(cluster: ClusterInfo, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether kubectl in the shell that started this process speaks to this cluster."""
    return environment.get("KUBECONFIG") == str(cluster.kubeconfig) or own(cluster, environment) is not None


def context_of(environment: Mapping[str, str] = os.environ) -> str:
    """Name the context that kubectl uses in the shell that started this process, "" where it has none."""
    for file in _files(environment) or [Path.home() / ".kube" / "config"]:
        try:
            if name := load(file).get("current-context"):
                return str(name)
        except ClusterUnreachable:
            continue
    return ""


def enter(own: Path, cluster: ClusterInfo, namespace: str) -> None:
    """Make a Namespace of a cluster the one that kubectl means in a shell.

    Args:
        own: the shell's file.
        cluster: the cluster.
        namespace: the Namespace.

    Raises ClusterUnreachable where the cluster's kubeconfig cannot be read, OSError.
    """
    data = load(cluster.kubeconfig)
    current = data.get("current-context")
    try:
        context = {**named(data, "contexts", "context", str(current)), "namespace": namespace}
    except KeyError as error:
        raise ClusterUnreachable("kubeconfig-incomplete", path=cluster.kubeconfig, missing=error.args[0]) from error
    name = f"{current}-shell"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": context}],
    }
    own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(own, yaml.safe_dump(content), mode=0o600)


def namespace_of(own: Path) -> str:
    """Tell which Namespace kubectl means in a shell, "" where its file cannot be read."""
    try:
        contexts = load(own).get("contexts") or [{}]
    except ClusterUnreachable:
        return ""
    return str((contexts[0].get("context") or {}).get("namespace") or "")
