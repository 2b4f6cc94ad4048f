"""What kubeadm lays upon a new cluster: kube-proxy, CoreDNS, and the static Pods of the control plane.

Source: `kubeadm init phase addon all --print-manifest` (cmd/kubeadm/app/phases/addons), and what a kind cluster shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from grader.embedded.core import settings
from grader.embedded.core.objects import TEMPLATE_GENERATION
from grader.embedded.core.store import Obj, timestamp

VERSION = "v1.36.3"
COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.14.2"
PROXY_IMAGE = f"registry.k8s.io/kube-proxy:{VERSION}"
DNS_IP = "10.96.0.10"
SYSTEM = "kube-system"
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a Pod that shows a static one (pkg/kubelet/types/pod_update.go ConfigMirrorAnnotationKey)."""


def objects(server: str) -> Iterator[tuple[str, Obj]]:
    """Resource and object of the addons, in the order in which to create them; `server` is the control plane's name."""
    for name in ("coredns", "kube-proxy"):
        yield "serviceaccounts", _meta("v1", "ServiceAccount", name)
    yield "configmaps", {**_meta("v1", "ConfigMap", "coredns"), "data": {"Corefile": settings.COREFILE}}
    proxy = _meta("v1", "ConfigMap", "kube-proxy", labels={"app": "kube-proxy"})
    yield "configmaps", {**proxy, "data": settings.kube_proxy(server)}
    yield "services", dns_service()
    yield "deployments", coredns()
    yield "daemonsets", kube_proxy()


def _meta(api_version: str, kind: str, name: str, **more: Any) -> Obj:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": SYSTEM, **more}}


def service(ip: str, ports: list[dict[str, Any]], selector: dict[str, str] | None) -> dict[str, Any]:
    """Spec and status of a ClusterIP Service with its defaults."""
    spec: dict[str, Any] = {
        "clusterIP": ip,
        "clusterIPs": [ip],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": ports,
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    return {"spec": {**spec, **({"selector": selector} if selector else {})}, "status": {"loadBalancer": {}}}


def port(name: str, number: int, target: int, protocol: str = "TCP") -> dict[str, Any]:
    """A port of a Service."""
    return {"name": name, "port": number, "protocol": protocol, "targetPort": target}


def dns_service() -> Obj:
    """kube-dns."""
    labels = {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    ports = [port("dns", 53, 53, "UDP"), port("dns-tcp", 53, 53), port("metrics", 9153, 9153)]
    return {**_meta("v1", "Service", "kube-dns", labels=labels), **service(DNS_IP, ports, {"k8s-app": "kube-dns"})}


def coredns() -> Obj:
    """The Deployment of CoreDNS, with probes left out."""
    labels = {"k8s-app": "kube-dns"}
    container = {
        "name": "coredns",
        "image": COREDNS_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
        ],
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"mountPath": "/etc/coredns", "name": "config-volume", "readOnly": True}],
    }
    items = [{"key": "Corefile", "path": "Corefile"}]
    spec = {
        "containers": [container],
        "dnsPolicy": "Default",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-cluster-critical",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "coredns",
        "serviceAccountName": "coredns",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"},
        ],
        "volumes": [{"name": "config-volume", "configMap": {"defaultMode": 420, "name": "coredns", "items": items}}],
    }
    return {
        **_meta("apps/v1", "Deployment", "coredns", labels=labels),
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 2,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
        "status": {},
    }


def kube_proxy() -> Obj:
    """The DaemonSet of kube-proxy; where its ConfigMap names a server, that is the API server's address."""
    labels = {"k8s-app": "kube-proxy"}
    container = {
        "name": "kube-proxy",
        "image": PROXY_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
            "--hostname-override=$(NODE_NAME)",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}],
        "resources": {},
        "securityContext": {"privileged": True},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"mountPath": "/var/lib/kube-proxy", "name": "kube-proxy"},
            {"mountPath": "/run/xtables.lock", "name": "xtables-lock"},
            {"mountPath": "/lib/modules", "name": "lib-modules", "readOnly": True},
        ],
    }
    spec = {
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "hostNetwork": True,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-node-critical",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "kube-proxy",
        "serviceAccountName": "kube-proxy",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [{"operator": "Exists"}],
        "volumes": [
            {"name": "kube-proxy", "configMap": {"defaultMode": 420, "name": "kube-proxy"}},
            {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
            {"name": "lib-modules", "hostPath": {"path": "/lib/modules", "type": ""}},
        ],
    }
    return {
        **_meta("apps/v1", "DaemonSet", "kube-proxy", labels=labels, annotations={TEMPLATE_GENERATION: "1"}),
        "spec": {
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        },
        "status": {
            "currentNumberScheduled": 0,
            "desiredNumberScheduled": 0,
            "numberMisscheduled": 0,
            "numberReady": 0,
        },
    }


def static_pods(node: str) -> Iterator[Obj]:
    """The Pods that a control plane's kubelet reads from /etc/kubernetes/manifests, without what shows them."""
    for name, image in (
        ("etcd", "registry.k8s.io/etcd:3.6.8-0"),
        ("kube-apiserver", f"registry.k8s.io/kube-apiserver:{VERSION}"),
        ("kube-controller-manager", f"registry.k8s.io/kube-controller-manager:{VERSION}"),
        ("kube-scheduler", f"registry.k8s.io/kube-scheduler:{VERSION}"),
    ):
        container = {
            "name": name,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
        labels = {"component": name, "tier": "control-plane"}
        yield {
            **_meta("v1", "Pod", f"{name}-{node}", labels=labels),
            "spec": {
                "containers": [container],
                "dnsPolicy": "ClusterFirst",
                "enableServiceLinks": True,
                "hostNetwork": True,
                "nodeName": node,
                "priority": 2000001000,
                "priorityClassName": "system-node-critical",
                "restartPolicy": "Always",
                "schedulerName": "default-scheduler",
                "securityContext": {},
                "terminationGracePeriodSeconds": 30,
                "tolerations": [{"effect": "NoExecute", "operator": "Exists"}],
            },
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        }


def mirror(static: Obj, node: Obj, now: float) -> Obj:
    """The Pod by which a kubelet shows a static one (pkg/kubelet/pod/mirror_client.go CreateMirrorPod).

    Args:
        static: the static Pod.
        node: the stored Node that owns it.
        now: seconds since the epoch.

    """
    digest = hashlib.md5(static["metadata"]["name"].encode(), usedforsecurity=False).hexdigest()
    owner = {"apiVersion": "v1", "controller": True, "kind": "Node"}
    owner |= {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
    annotations = {
        "kubernetes.io/config.hash": digest,
        MIRROR: digest,
        "kubernetes.io/config.seen": timestamp(now),
        "kubernetes.io/config.source": "file",
    }
    metadata = {**static["metadata"], "annotations": annotations, "ownerReferences": [owner]}
    return {**static, "metadata": metadata}
