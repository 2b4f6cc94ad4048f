"""An existing cluster, such as a classroom's, used by way of one context of the learner's kubeconfig.

The context is copied into a kubeconfig of the course's own, so that switching contexts elsewhere changes nothing here;
all that is added to the cluster is the Namespace of the probe Pods.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from grader.cluster import probes
from grader.cluster.info import ClusterInfo, Provider, folder
from grader.cluster.info import load as known
from grader.cluster.placing import place_probes, view_of
from grader.cluster.provider import Progress, Status
from grader.cluster.readiness import lacks, node_status
from grader.errors import ClusterMissing, ClusterUnreachable, EnvironmentError_, UsageError
from grader.kube.client import ApiRefused, KubeApi
from grader.kube.connection import load, named
from grader.model.vantage import PROBE_NAMESPACE
from grader.paths import write_atomically

OPTIONS = frozenset({"context", "kubeconfig", "probe-image", "outside"})
INLINED = ("certificate-authority", "client-certificate", "client-key")


class ContextProvider:
    """Prepares an existing cluster for the exercises; implements ClusterProvider."""

    def up(self, name: str, options: Mapping[str, str], progress: Progress) -> ClusterInfo:
        """Copy the context, and have a probe Pod on each node.

        Options: "context" (a context's name, the current one by default; not needed again once copied), "kubeconfig"
        (files to find it in, as KUBECONFIG), "probe-image", "outside" ("docker:CONTAINER" on the nodes' network).
        """
        for option in options:
            if option not in OPTIONS:
                raise UsageError("unknown-cluster-option", option=option, provider="context")
        place = folder(name)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        kubeconfig = place / "kubeconfig"
        if options.get("context") or not kubeconfig.is_file():
            files = _kubeconfig_files(options.get("kubeconfig") or os.environ.get("KUBECONFIG") or "")
            progress("context-copying", {"context": options.get("context") or "-"})
            extracted = extract([(path, load(path)) for path in files if path.is_file()], options.get("context"))
            write_atomically(kubeconfig, yaml.safe_dump(extracted, sort_keys=False), mode=0o600)
        with KubeApi(kubeconfig, timeout=10.0) as api:
            version = api.version()
            place_probes(api, options.get("probe-image") or probes.PROBE_IMAGE, progress)
        info = ClusterInfo(
            name, Provider.CONTEXT, kubeconfig, version, outside=options.get("outside") or _outside_before(name)
        )
        info.save()
        progress("context-ready", {"name": name, "version": version})
        return info

    def down(self, name: str, progress: Progress) -> None:
        """Remove the probe Pods' Namespace and the course's own folder; the cluster stays as it is otherwise."""
        place = folder(name)
        if not place.exists():
            return
        if (place / "kubeconfig").is_file():
            progress("context-leaving", {"name": name})
            try:
                with KubeApi(place / "kubeconfig", timeout=10.0) as api:
                    api.delete("namespaces", PROBE_NAMESPACE)
            except ClusterUnreachable:
                progress("context-gone", {"name": name})  # nothing can be removed from a cluster that is not there
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise EnvironmentError_("cluster-folder-stays", path=place, error=error) from error

    def status(self, name: str) -> Status:
        """Ask the API server."""
        kubeconfig = folder(name) / "kubeconfig"
        if not kubeconfig.is_file():
            return Status(running=False, ready=False, detail="not-created")
        try:
            with KubeApi(kubeconfig, timeout=5.0) as api:
                view = view_of(api)
        except (ClusterUnreachable, ApiRefused) as error:
            return Status(running=False, ready=False, detail="unreachable", facts=dict(error.facts))
        nodes = tuple(node_status(node) for node in view.nodes)
        missing = lacks(view)
        if missing:
            detail = "nodes-not-ready" if missing[0].what == "node" else "incomplete"
            return Status(running=True, ready=False, detail=detail, facts={"missing": str(missing[0])}, nodes=nodes)
        return Status(running=True, ready=True, detail="ready", nodes=nodes)


def extract(sources: list[tuple[Path, Mapping[str, Any]]], context: str | None) -> dict[str, Any]:
    """A kubeconfig with one context only, and no other file needed, as `kubectl config view --minify --flatten`.

    Args:
        sources: kubeconfig files with their content, in the order of KUBECONFIG: the first that has a name wins
            (k8s.io/client-go/tools/clientcmd/loader.go).
        context: the context's name, None for the current one.

    Raises UsageError ("context-unknown"), ClusterUnreachable ("kubeconfig-missing", "kubeconfig-incomplete",
    "kubeconfig-unreadable").
    """
    if not sources:
        raise ClusterUnreachable("kubeconfig-missing", path="~/.kube/config")
    current = next((data["current-context"] for _, data in sources if data.get("current-context")), "")
    chosen = context or current
    _, entry = _first(sources, "contexts", "context", chosen)
    if entry is None:
        names = [item.get("name", "") for _, data in sources for item in data.get("contexts") or ()]
        raise UsageError("context-unknown", context=chosen or "-", known=", ".join(names) or "-")
    result: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": chosen}
    result["contexts"] = [{"name": chosen, "context": entry}]
    for section, content, name in (("clusters", "cluster", entry.get("cluster")), ("users", "user", entry.get("user"))):
        if content == "user" and not name:
            result["users"] = []
            continue
        path, found = _first(sources, section, content, name or "")
        if found is None:
            raise ClusterUnreachable("kubeconfig-incomplete", path=sources[0][0], missing=f"{section}/{name}")
        result[section] = [{"name": name, content: _flattened(found, path.parent)}]
    return result


def _outside_before(name: str) -> str:
    """The outside client that an earlier `up` was given, "" where there was none."""
    try:
        return known(name).outside
    except ClusterMissing:
        return ""


def _first(
    sources: list[tuple[Path, Mapping[str, Any]]], section: str, content: str, name: str
) -> tuple[Path, dict[str, Any] | None]:
    for path, data in sources:
        try:
            return path, named(data, section, content, name)
        except KeyError:
            continue
    return sources[0][0], None


def _flattened(entry: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """An entry with the files it names taken in, paths being relative to the kubeconfig's folder."""
    result = dict(entry)
    for field in INLINED:
        if name := result.pop(field, None):
            path = base / name
            try:
                result.setdefault(f"{field}-data", base64.b64encode(path.read_bytes()).decode())
            except OSError as error:
                raise ClusterUnreachable("kubeconfig-unreadable", path=path, reason=error) from error
    if result.get("tokenFile"):
        result["tokenFile"] = str(base / result["tokenFile"])  # renewed by whoever writes it, so it is not copied
    command = (result.get("exec") or {}).get("command") or ""
    if os.sep in command:  # a bare name is looked for on PATH
        result["exec"] = {**result["exec"], "command": str(base / command)}
    return result


def _kubeconfig_files(text: str) -> list[Path]:
    return [Path(part).expanduser() for part in text.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
