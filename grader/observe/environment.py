"""What can be wrong with a cluster that is not the learner's doing: nodes, DNS, proxy, load balancer, probes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from grader.errors import CourseError
from grader.kube.client import ApiRefused, KubeApi, Object
from grader.model.evidence import Problem, RawObject
from grader.model.kubernetes import actual_slices, is_ready, labels_of, name_of


def inspect(api: KubeApi, nodes: Sequence[RawObject], executor: Executor) -> tuple[Problem, ...]:
    """Look for what is wrong with the cluster. Raises ClusterUnreachable."""
    system = executor.submit(_list, api, "pods", "kube-system")
    slices = executor.submit(_list, api, "endpointslices", "kube-system")
    balancer = executor.submit(_list, api, "deployments", "metallb-system")
    return (
        *nodes_not_ready(nodes),
        *dns_down(slices.result()),
        *proxies_down(system.result()),
        *balancer_down(balancer.result()),
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


def proxies_down(pods: Sequence[RawObject]) -> tuple[Problem, ...]:
    """Name each node whose kube-proxy Pod is not ready."""
    return tuple(
        Problem("kube-proxy-down", {"node": str(pod["spec"].get("nodeName", "")), "pod": name_of(pod)})
        for pod in pods
        if labels_of(pod).get("k8s-app") == "kube-proxy" and not is_ready(pod)
    )


def balancer_down(deployments: Sequence[RawObject]) -> tuple[Problem, ...]:
    """Tell whether MetalLB's controller, where there is one, is not running."""
    return tuple(
        Problem("load-balancer-controller-down", {"deployment": name_of(item)})
        for item in deployments
        if name_of(item) == "controller" and not item.get("status", {}).get("readyReplicas")
    )


def unreachable(error: CourseError) -> Problem:
    """Turn an error that ends all observation into a fatal problem."""
    facts = {
        "server": error.facts.get("server", error.facts.get("path", "-")),
        "reason": error.facts.get("reason", "-"),
    }
    return Problem("cluster-unreachable", facts, fatal=True)


def _list(api: KubeApi, plural: str, namespace: str) -> list[Object]:
    try:
        return api.list(plural, namespace)
    except ApiRefused:  # a shared cluster may not show its system namespaces: nothing is known of them
        return []
