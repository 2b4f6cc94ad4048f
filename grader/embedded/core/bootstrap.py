"""The objects that a kind cluster has before anybody uses it, as kind and kubeadm 1.36 make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grader.embedded.core import addons
from grader.embedded.core.api.kinds import priority
from grader.embedded.core.controllers.podtemplate import admit_pod
from grader.embedded.core.nodes import PROBE_IMAGE, NodePlan
from grader.embedded.core.storage import standard_class
from grader.embedded.core.store import Obj, Store

PROBE_NAMESPACE = "course-probe"
PROBE_LABEL = "services-course.example/probe"
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system", PROBE_NAMESPACE)
KUBERNETES_IP = "10.96.0.1"


def api_names(node: str, ip: str) -> tuple[str, ...]:
    """Names and addresses of the API server's certificate, as kubeadm signs it for a kind cluster."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    return (node, *service, "localhost", KUBERNETES_IP, ip, "127.0.0.1")


def initial_objects(store: Store, plans: tuple[NodePlan, ...]) -> Iterator[tuple[str, Obj]]:
    """Resource and object, in the order in which to create them; nodes register themselves (`node`)."""
    for name in NAMESPACES:
        yield "namespaces", namespace(name)
    yield from _kubernetes(plans)
    for name, value, purpose in priority.SYSTEM:
        fields = {"value": value, "description": purpose, "preemptionPolicy": "PreemptLowerPriority"}
        yield "priorityclasses", {**_meta("scheduling.k8s.io/v1", "PriorityClass", name), **fields}
    yield "storageclasses", standard_class()
    yield from addons.objects(next(plan.name for plan in plans if plan.control_plane))
    for plan in plans:
        yield "pods", probe_pod(plan, store)


def _meta(api_version: str, kind: str, name: str, namespace_: str = "", **more: Any) -> Obj:
    where = {"namespace": namespace_} if namespace_ else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **where, **more}}


def namespace(name: str) -> Obj:
    """Make an active namespace."""
    labels = {"kubernetes.io/metadata.name": name}
    if name == PROBE_NAMESPACE:
        labels |= {PROBE_LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}
    return {
        **_meta("v1", "Namespace", name, labels=labels),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _kubernetes(plans: tuple[NodePlan, ...]) -> Iterator[tuple[str, Obj]]:
    """Make the Service of the API server with its endpoints (pkg/controlplane/controller/kubernetesservice)."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    yield (
        "services",
        {
            **_meta("v1", "Service", "kubernetes", "default", labels=labels),
            **addons.service(KUBERNETES_IP, [addons.port("https", 443, 6443)], None),
        },
    )
    address = next(plan.ip for plan in plans if plan.control_plane)
    yield (
        "endpoints",
        {
            **_meta(
                "v1", "Endpoints", "kubernetes", "default", labels={"endpointslice.kubernetes.io/skip-mirror": "true"}
            ),
            "subsets": [
                {"addresses": [{"ip": address}], "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}
            ],
        },
    )
    yield (
        "endpointslices",
        {
            **_meta(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                "kubernetes",
                "default",
                labels={"kubernetes.io/service-name": "kubernetes"},
            ),
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        },
    )


def probe_pod(plan: NodePlan, store: Store) -> Obj:
    """A client of the course on a node, just as `grader cluster up` makes one (grader/cluster/probes.py)."""
    container = {
        "name": "netexec",
        "image": PROBE_IMAGE,
        "args": ["netexec", "--http-port=8080"],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 65534, "runAsGroup": 65534}
    pod = {
        **_meta("v1", "Pod", f"probe-{plan.name}", PROBE_NAMESPACE, labels={PROBE_LABEL: "node"}),
        "spec": {
            "nodeName": plan.name,
            "tolerations": [{"operator": "Exists"}],
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }
    return admit_pod(store, pod)
