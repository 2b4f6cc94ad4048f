"""The nodes of the cluster, and the objects by which their kubelets register them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.addons import CONTROL_PLANE_LABEL, COREDNS_IMAGE, PROXY_IMAGE, VERSION
from grader.embedded.core.store import Obj, timestamp

CLUSTER_NAME = "services-course"
PROBE_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
IMAGES = (
    PROBE_IMAGE,
    COREDNS_IMAGE,
    "docker.io/library/nginx:1.29",
    "docker.io/library/busybox:1.37",
    PROXY_IMAGE,
)


@dataclass(frozen=True)
class NodePlan:
    """A node to be.

    Attributes:
        name: its name.
        ip: its InternalIP.
        pod_cidr: addresses of its Pods.
        control_plane: whether it is the control plane, and tainted.

    """

    name: str
    ip: str
    pod_cidr: str
    control_plane: bool = False


def node_plans(name: str = CLUSTER_NAME) -> tuple[NodePlan, ...]:
    """One control plane and two workers, as kind names and numbers them."""
    return (
        NodePlan(f"{name}-control-plane", "172.18.0.4", "10.244.0.0/24", control_plane=True),
        NodePlan(f"{name}-worker", "172.18.0.2", "10.244.1.0/24"),
        NodePlan(f"{name}-worker2", "172.18.0.3", "10.244.2.0/24"),
    )


def node(plan: NodePlan, now: float, cluster: str) -> Obj:
    """Make a Node that is ready, as its kubelet registers it.

    Args:
        plan: the node.
        now: seconds since the epoch.
        cluster: the cluster's name.

    """
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": plan.name,
        "kubernetes.io/os": "linux",
    }
    spec: dict[str, Any] = {
        "podCIDR": plan.pod_cidr,
        "podCIDRs": [plan.pod_cidr],
        "providerID": f"kind://docker/{cluster}/{plan.name}",
    }
    if plan.control_plane:
        labels[CONTROL_PLANE_LABEL] = ""
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
        spec["taints"] = [{"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}]
    resources = {
        "cpu": "2",
        "ephemeral-storage": "65792556Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": "8148636Ki",
        "pods": "110",
    }
    machine_id = hashlib.md5(plan.name.encode(), usedforsecurity=False).hexdigest()
    annotations = {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": plan.name, "labels": labels, "annotations": annotations},
        "spec": spec,
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": plan.ip},
                {"type": "Hostname", "address": plan.name},
            ],
            "allocatable": resources,
            "capacity": resources,
            "conditions": [_node_condition(now, *row) for row in _NODE_CONDITIONS],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": [{"names": [image], "sizeBytes": 50_000_000 + len(image)} for image in IMAGES],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": str(machine_id),
                "containerRuntimeVersion": "containerd://2.2.1",
                "kernelVersion": "6.12.0-embedded",
                "kubeProxyVersion": "",
                "kubeletVersion": VERSION,
                "machineID": machine_id,
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": machine_id,
            },
        },
    }


_NODE_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def _node_condition(now: float, type_: str, status: str, reason: str, message: str) -> dict[str, Any]:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": timestamp(now),
        "lastTransitionTime": timestamp(now),
    }
