"""What a cluster still lacks before an exercise can start, told from objects alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from grader.cluster.probes import PROBE_IMAGE, probe_name
from grader.cluster.provider import NodeStatus

Object = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """Objects of one cluster, read at about the same time.

    Attributes:
        nodes: its Nodes.
        leases: the Nodes' Leases in kube-node-lease, which kubelets renew.
        system: Pods of cluster DNS and kube-proxy.
        probes: Pods of the Namespace course-probe.
        namespaces: those that the course uses.
        started: node → when its container was started, RFC 3339; empty where nodes are not containers of ours. What is
            older than that tells of the node's last life.
    """

    nodes: Sequence[Object]
    leases: Sequence[Object] = ()
    system: Sequence[Object] = ()
    probes: Sequence[Object] = ()
    namespaces: Sequence[Object] = ()
    started: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lack:
    """One thing that is missing.

    Attributes:
        what: "node", "dns", "kube-proxy", "probe", "load-balancer", "api"...
        name: of the object.
        why: a reason in Kubernetes' own words, "" where there is none.
    """

    what: str
    name: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.name}" + (f" ({self.why})" if self.why else "")


def node_status(node: Object) -> NodeStatus:
    """One Node as a status line shows it."""
    status = node.get("status") or {}
    addresses = {item["type"]: item["address"] for item in status.get("addresses") or ()}
    version = (status.get("nodeInfo") or {}).get("kubeletVersion") or ""
    return NodeStatus(node["metadata"]["name"], condition(node, "Ready"), addresses.get("InternalIP", ""), version)


def condition(obj: Object, kind: str) -> bool:
    """Whether a condition in the object's status is True."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return any(item.get("type") == kind and item.get("status") == "True" for item in found)


def lacks(view: View, expected_nodes: Iterable[str] = ()) -> tuple[Lack, ...]:
    """What the cluster lacks, most basic first; empty when an exercise can start.

    Args:
        view: the cluster's objects.
        expected_nodes: nodes that must exist, where that is known.
    """
    nodes = {node["metadata"]["name"]: node for node in view.nodes}
    found = [Lack("node", name) for name in expected_nodes if name not in nodes]
    renewed = {lease["metadata"]["name"]: (lease.get("spec") or {}).get("renewTime") or "" for lease in view.leases}
    for name, node in nodes.items():
        if not condition(node, "Ready"):
            found.append(Lack("node", name, _why_not_ready(node)))
        elif name in view.started and not _since(renewed.get(name, ""), view.started[name]):
            found.append(Lack("node", name, "starting"))
    for namespace in view.namespaces:
        if namespace["metadata"].get("deletionTimestamp"):  # its Pods may still look as if nothing happened
            found.append(Lack("namespace", namespace["metadata"]["name"], "Terminating"))
    found += _system(view, nodes)
    by_name = {pod["metadata"]["name"]: pod for pod in view.probes}
    for name in nodes:
        pod = by_name.get(probe_name(name))
        if pod is None:
            found.append(Lack("probe", probe_name(name), "missing"))
        elif not running(pod, view.started):
            found.append(Lack("probe", probe_name(name), why_not_running(pod)))
    return tuple(found)


def running(pod: Object, started: Mapping[str, str]) -> bool:
    """Whether a Pod is Ready, and that since its node was started: a Pod's status outlives a node that was stopped."""
    if not condition(pod, "Ready") or pod["metadata"].get("deletionTimestamp"):
        return False
    since = started.get((pod.get("spec") or {}).get("nodeName") or "")
    if not since:
        return True
    states = [(item.get("state") or {}).get("running") for item in pod["status"].get("containerStatuses") or ()]
    return bool(states) and all(state and _since(state.get("startedAt") or "", since) for state in states)


def why_not_running(pod: Object) -> str:
    """Why a Pod does not run, in the kubelet's own word: "ImagePullBackOff", "Pending", "Terminating"."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status") or {}
    for item in status.get("containerStatuses") or ():
        waiting = (item.get("state") or {}).get("waiting")
        if waiting:
            return str(waiting.get("reason") or "")
    return str(status.get("phase") or "Pending")


def to_replace(pod: Object, image: str = PROBE_IMAGE) -> bool:
    """Whether a probe Pod will not come back by itself: it has ended, or it runs something else than it should."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return True
    containers = pod["spec"].get("containers") or ()
    return [container.get("image") for container in containers] != [image]


def _system(view: View, nodes: Mapping[str, Object]) -> list[Lack]:
    """Cluster DNS must have a running Pod, kube-proxy one on each node (where it is used at all: others replace it)."""
    found: list[Lack] = []
    labelled: dict[str, list[Object]] = {}
    for pod in view.system:
        labelled.setdefault((pod["metadata"].get("labels") or {}).get("k8s-app") or "", []).append(pod)
    dns = labelled.get("kube-dns", [])
    if not any(running(pod, view.started) for pod in dns):
        found.append(Lack("dns", "coredns", why_not_running(dns[0]) if dns else "missing"))
    proxies = labelled.get("kube-proxy", [])
    ready_on = {pod["spec"].get("nodeName") for pod in proxies if running(pod, view.started)}
    if proxies:
        found += [Lack("kube-proxy", name) for name in nodes if name not in ready_on]
    return found


def _why_not_ready(node: Object) -> str:
    for item in (node.get("status") or {}).get("conditions") or ():
        if item.get("type") == "Ready":
            return str(item.get("reason") or "")
    return ""


def _since(moment: str, start: str) -> bool:
    """Whether a moment is not before a start; both RFC 3339, in whole seconds as in a Pod's status."""
    if not moment:
        return False
    return _seconds(moment) >= _seconds(start)


def age_seconds(moment: str, now: datetime) -> float:
    """How long ago an RFC 3339 moment was."""
    return (now - _seconds(moment)).total_seconds() if moment else 0.0


def _seconds(moment: str) -> datetime:
    return datetime.fromisoformat(moment[:19] + "+00:00")
