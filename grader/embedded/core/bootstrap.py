"""The objects that a kind cluster has before anybody uses it, as kind and kubeadm 1.36 make them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.embedded.core import settings
from grader.embedded.core.objects import safe_random
from grader.embedded.core.store import Obj, Store, timestamp

VERSION = "v1.36.3"
COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.14.2"
PROBE_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
PROBE_NAMESPACE = "course-probe"
PROBE_LABEL = "services-course.example/probe"
CLUSTER_NAME = "services-course"
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system", PROBE_NAMESPACE)
KUBERNETES_IP, DNS_IP = "10.96.0.1", "10.96.0.10"
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
IMAGES = (
    PROBE_IMAGE,
    COREDNS_IMAGE,
    "docker.io/library/nginx:1.29",
    "docker.io/library/busybox:1.37",
    f"registry.k8s.io/kube-proxy:{VERSION}",
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


def initial_objects(store: Store, plans: tuple[NodePlan, ...], cluster: str) -> Iterator[tuple[str, Obj]]:
    """Resource and object, in the order in which to create them."""
    for name in NAMESPACES:
        yield "namespaces", namespace(name)
    for plan in plans:
        yield "nodes", node(plan, store.now(), cluster)
    yield from _kubernetes(plans)
    yield "serviceaccounts", _meta("v1", "ServiceAccount", "coredns", "kube-system")
    corefile = _meta("v1", "ConfigMap", "coredns", "kube-system")
    yield "configmaps", {**corefile, "data": {"Corefile": settings.COREFILE}}
    proxy = _meta("v1", "ConfigMap", "kube-proxy", "kube-system", labels={"app": "kube-proxy"})
    server = next(plan.name for plan in plans if plan.control_plane)
    yield "configmaps", {**proxy, "data": settings.kube_proxy(server)}
    yield "services", dns_service()
    yield "deployments", coredns()
    for plan in plans:
        yield from _system_pods(store, plan)
    for plan in plans:
        yield "pods", probe_pod(plan)


def _meta(api_version: str, kind: str, name: str, namespace_: str = "", **more: Any) -> Obj:
    where = {"namespace": namespace_} if namespace_ else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **where, **more}}


def namespace(name: str) -> Obj:
    """Make an active namespace."""
    return {
        **_meta("v1", "Namespace", name, labels={"kubernetes.io/metadata.name": name}),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def node(plan: NodePlan, now: float, cluster: str) -> Obj:
    """Make a node that is ready."""
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
        **_meta("v1", "Node", plan.name, labels=labels, annotations=annotations),
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


def _kubernetes(plans: tuple[NodePlan, ...]) -> Iterator[tuple[str, Obj]]:
    """Make the Service of the API server with its endpoints (pkg/controlplane/controller/kubernetesservice)."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    yield (
        "services",
        service("kubernetes", "default", KUBERNETES_IP, [_port("https", 443, 6443)], None, labels=labels),
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


def _port(name: str, port: int, target: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"name": name, "port": port, "protocol": protocol, "targetPort": target}


def service(
    name: str, where: str, ip: str, ports: list[dict[str, Any]], selector: dict[str, str] | None, **more: Any
) -> Obj:
    """A ClusterIP Service with its defaults."""
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
    if selector:
        spec["selector"] = selector
    return {**_meta("v1", "Service", name, where, **more), "spec": spec, "status": {"loadBalancer": {}}}


def dns_service() -> Obj:
    """kube-dns (kubeadm's addon)."""
    labels = {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    ports = [_port("dns", 53, 53, "UDP"), _port("dns-tcp", 53, 53), _port("metrics", 9153, 9153)]
    return service("kube-dns", "kube-system", DNS_IP, ports, {"k8s-app": "kube-dns"}, labels=labels)


def coredns() -> Obj:
    """The Deployment of CoreDNS (kubeadm's addon), with probes left out."""
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
        **_meta("apps/v1", "Deployment", "coredns", "kube-system", labels=labels),
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


def _system_pods(store: Store, plan: NodePlan) -> Iterator[tuple[str, Obj]]:
    """What else runs on a node: static Pods on the control plane, kube-proxy everywhere."""
    if plan.control_plane:
        for name, image in (
            ("etcd", "registry.k8s.io/etcd:3.6.8-0"),
            ("kube-apiserver", f"registry.k8s.io/kube-apiserver:{VERSION}"),
            ("kube-controller-manager", f"registry.k8s.io/kube-controller-manager:{VERSION}"),
            ("kube-scheduler", f"registry.k8s.io/kube-scheduler:{VERSION}"),
        ):
            labels = {"component": name, "tier": "control-plane"}
            yield "pods", _host_pod(f"{name}-{plan.name}", name, image, plan, labels)
    labels = {"k8s-app": "kube-proxy"}
    image = f"registry.k8s.io/kube-proxy:{VERSION}"
    yield "pods", _host_pod(f"kube-proxy-{safe_random(store.random)}", "kube-proxy", image, plan, labels)


def _host_pod(name: str, container: str, image: str, plan: NodePlan, labels: dict[str, str]) -> Obj:
    return {
        **_meta("v1", "Pod", name, "kube-system", labels=labels),
        "spec": {
            "containers": [
                {
                    "name": container,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": True,
            "hostNetwork": True,
            "nodeName": plan.name,
            "priorityClassName": "system-node-critical",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
            "tolerations": [{"operator": "Exists"}],
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }


def probe_pod(plan: NodePlan) -> Obj:
    """A client of the course on a node."""
    return {
        **_meta("v1", "Pod", f"probe-{plan.name}", PROBE_NAMESPACE, labels={PROBE_LABEL: "node"}),
        "spec": {
            "containers": [
                {
                    "name": "probe",
                    "image": PROBE_IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["netexec", "--http-port=8080"],
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": False,
            "nodeName": plan.name,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "serviceAccount": "default",
            "serviceAccountName": "default",
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }
