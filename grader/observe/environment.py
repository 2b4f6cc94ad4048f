"""What can be wrong with a cluster that is not the learner's doing: nodes, DNS, proxy, load balancer, control plane."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime

from grader.errors import CourseError
from grader.kube.client import ApiRefused, KubeApi, Object
from grader.model.evidence import Problem, RawObject
from grader.model.kubernetes import actual_slices, is_ready, is_terminating, labels_of, name_of

LEASES = {"kube-controller-manager": "controller-manager-down", "kube-scheduler": "scheduler-down"}
LEASE_SLACK = 5.0  # seconds; they are renewed every 2 s (staging/src/k8s.io/component-base/config/v1alpha1/defaults.go)
BALANCER_NAMESPACE = "metallb-system"


def inspect(api: KubeApi, nodes: Sequence[RawObject], executor: Executor) -> tuple[Problem, ...]:
    """Look for what is wrong with the cluster. Raises ClusterUnreachable."""
    system = executor.submit(_list, api, "pods", "kube-system")
    daemons = executor.submit(_list, api, "daemonsets", "kube-system")
    slices = executor.submit(_list, api, "endpointslices", "kube-system")
    balancer = executor.submit(_list, api, "deployments", BALANCER_NAMESPACE)
    leases = executor.submit(_list, api, "leases", None)
    deployments = balancer.result()
    installed = bool(deployments) or executor.submit(_exists, api, BALANCER_NAMESPACE).result()
    return (
        *nodes_not_ready(nodes),
        *dns_down(slices.result()),
        *proxies_down(system.result(), daemons.result(), nodes),
        *(balancer_down(deployments) if installed else ()),
        *control_plane_down(leases.result()),
    )


def nodes_not_ready(nodes: Sequence[RawObject]) -> tuple[Problem, ...]:
    """Name each node whose Ready condition is not True."""
    return tuple(Problem("node-not-ready", {"node": name_of(node)}) for node in nodes if not is_ready(node))


def dns_down(slices: Sequence[RawObject]) -> tuple[Problem, ...]:
    """Tell whether the cluster's DNS Service, `kube-dns`, has no ready endpoint."""
    service = {"metadata": {"name": "kube-dns"}}
    if any(endpoint.ready for endpoint in actual_slices(service, slices)):
        return ()
    return (Problem("dns-server-down", {"service": "kube-dns"}),)


def proxies_down(
    pods: Sequence[RawObject], daemons: Sequence[RawObject], nodes: Sequence[RawObject]
) -> tuple[Problem, ...]:
    """Name each node whose kube-proxy Pod is not ready, or is not there although a DaemonSet should have made it."""
    proxies = [pod for pod in pods if labels_of(pod).get("k8s-app") == "kube-proxy" and not is_terminating(pod)]
    asleep = {str(pod["spec"].get("nodeName", "")): name_of(pod) for pod in proxies if not is_ready(pod)}
    if any(name_of(item) == "kube-proxy" for item in daemons):
        homes = {str(pod["spec"].get("nodeName", "")) for pod in proxies}
        asleep |= {name_of(node): "kube-proxy" for node in nodes if name_of(node) not in homes}
    return tuple(Problem("kube-proxy-down", {"node": node, "pod": pod}) for node, pod in sorted(asleep.items()))


def balancer_down(deployments: Sequence[RawObject]) -> tuple[Problem, ...]:
    """Tell whether MetalLB, in a cluster that has it, lacks its controller, or that is not running."""
    controllers = [item for item in deployments if name_of(item) == "controller"]
    if any(item.get("status", {}).get("readyReplicas") for item in controllers):
        return ()
    return (Problem("load-balancer-controller-down", {"deployment": "controller"}),)


def control_plane_down(leases: Sequence[RawObject]) -> tuple[Problem, ...]:
    """Name each controller of the control plane that has not renewed its Lease; nothing is known without one.

    Clocks of the cluster alone are compared: with the Lease that was renewed last, whoever holds it. A Lease is lost
    after leaseDurationSeconds (k8s.io/client-go/tools/leaderelection/leaderelection.go, tryAcquireOrRenew).
    """
    renewed = {
        (item["metadata"]["namespace"], name_of(item)): datetime.fromisoformat(str(item["spec"]["renewTime"]))
        for item in leases
        if item.get("spec", {}).get("renewTime")
    }
    lasts = {
        name_of(item): float(item["spec"].get("leaseDurationSeconds") or 0)
        for item in leases
        if item["metadata"]["namespace"] == "kube-system"
    }
    found = []
    for name, code in LEASES.items():
        if at := renewed.get(("kube-system", name)):
            age = (max(renewed.values()) - at).total_seconds()
            if age > lasts[name] + LEASE_SLACK:
                found.append(Problem(code, {"lease": name, "seconds": str(round(age))}))
    return tuple(found)


def unreachable(error: CourseError) -> Problem:
    """Turn an error that ends all observation into a fatal problem."""
    facts = {
        "server": error.facts.get("server", error.facts.get("path", "-")),
        "reason": error.facts.get("reason", "-"),
    }
    return Problem("cluster-unreachable", facts, fatal=True)


def _exists(api: KubeApi, namespace: str) -> bool:
    try:
        return api.read("namespaces", namespace) is not None
    except ApiRefused:
        return False


def _list(api: KubeApi, plural: str, namespace: str | None) -> list[Object]:
    try:
        return api.list(plural, namespace)
    except ApiRefused:  # a shared cluster may not show its system namespaces: nothing is known of them
        return []
