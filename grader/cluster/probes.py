"""Probe Pods: one agnhost `netexec` on each node, in a Namespace of the course's own, to look from."""

from __future__ import annotations

from typing import Any

from grader.model.vantage import PROBE_NAMESPACE

PROBE_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
PROBE_PORT = 8080
PROBE_LABEL = "services-course.example/probe"


def probe_name(node: str) -> str:
    """Name of the probe Pod that runs on this node."""
    return f"probe-{node}"


def namespace() -> dict[str, Any]:
    """The Namespace that holds the probe Pods; they satisfy the strictest Pod Security Standard."""
    labels = {PROBE_LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROBE_NAMESPACE, "labels": labels}}


def probe(node: str, image: str = PROBE_IMAGE) -> dict[str, Any]:
    """The probe Pod of one node.

    It is pinned by `nodeName` and tolerates every taint, so that the control plane and a cordoned node have one too.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": probe_name(node), "namespace": PROBE_NAMESPACE, "labels": {PROBE_LABEL: "node"}},
        "spec": {
            "nodeName": node,
            "tolerations": [{"operator": "Exists"}],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "netexec",
                    "image": image,
                    "args": ["netexec", f"--http-port={PROBE_PORT}"],
                    "ports": [{"containerPort": PROBE_PORT}],
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": PROBE_PORT}, "periodSeconds": 1},
                    "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }
