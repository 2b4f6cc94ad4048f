"""Objects of a cluster for tests, as an API server would show them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
STARTED = "2026-01-02T03:04:05.123456789Z"
BEFORE = "2026-01-02T03:04:04Z"
SINCE = "2026-01-02T03:04:05Z"


def node(name: str, *, ready: bool = True) -> Object:
    condition = {"type": "Ready", "status": "True" if ready else "False", "reason": "" if ready else "KubeletNotReady"}
    return {
        "metadata": {"name": name},
        "status": {
            "conditions": [condition],
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "172.18.0.9"}],
            "nodeInfo": {"kubeletVersion": "v1.36.3"},
        },
    }


def pod(
    name: str, node: str, *, ready: bool = True, started: str = SINCE, image: str = "i", labels: Object | None = None
) -> Object:
    state: Object = {"running": {"startedAt": started}} if ready else {"waiting": {"reason": "ImagePullBackOff"}}
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"nodeName": node, "containers": [{"image": image}]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"state": state}],
        },
    }


def lease(name: str, renewed: str) -> Object:
    return {"metadata": {"name": name}, "spec": {"renewTime": renewed}}


def dns(node: str) -> Object:
    return pod("coredns", node, labels={"k8s-app": "kube-dns"})


def proxy(node: str) -> Object:
    return pod(f"kube-proxy-{node}", node, labels={"k8s-app": "kube-proxy"})


def going(obj: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "deletionTimestamp": SINCE}}
