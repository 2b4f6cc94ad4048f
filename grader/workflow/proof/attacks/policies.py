"""What acts on traffic or on Pods: policies, quotas, and fields, labels and annotations with an effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from grader.criteria.affinity import Affinity
from grader.criteria.call import Call
from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.local import Local
from grader.criteria.reach import Reach
from grader.criteria.source import Source
from grader.kube.client import Object as Live
from grader.model.vantage import At, ConfigKey, Readiness, Vantage
from grader.workflow.proof.attacks.hands import Change, creating, editing, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site, Thing

CLOSED = "closed"
THROUGH_PROXY = frozenset({At.NAME, At.CLUSTER_IP})


def _policy(spec: Live) -> Live:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": CLOSED},
        "spec": {"podSelector": {}, **spec},
    }


def _answering(site: Site) -> bool:
    """Tell whether Pods of the exercise's own Namespace must answer."""
    for item in site.exercise.criteria:
        expect = item.expect
        if isinstance(expect, Reach | Call) and not expect.pods_in and not item.negated:
            return True
        if isinstance(expect, Local | Source | Affinity):
            return True
    return False


def _asking(site: Site, vantage: Vantage) -> bool:
    """Tell whether something must be reached, or looked up, from a vantage."""
    for item in site.exercise.criteria:
        expect = item.expect
        if isinstance(expect, Dns) and expect.source is vantage:
            return True
        if isinstance(expect, Reach | Call | Source | Affinity) and vantage in expect.sources:
            return True
    return False


def _ingress(site: Site) -> Iterator[Blow]:
    if _answering(site):
        yield Blow("", (CLOSED,), creating(_policy({"policyTypes": ["Ingress"]})))


def _others(site: Site) -> Iterator[Blow]:
    """Only Pods of the same Namespace may come in."""
    reached = [
        item
        for item in site.exercise.criteria
        if isinstance(item.expect, Reach) and Vantage.OTHER_NAMESPACE in item.expect.sources and not item.expect.pods_in
    ]
    if reached:
        spec = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
        yield Blow("", (CLOSED,), creating(_policy(spec)))


def _egress(site: Site) -> Iterator[Blow]:
    if _asking(site, Vantage.SAME_NAMESPACE):
        yield Blow("", (CLOSED,), creating(_policy({"policyTypes": ["Egress"]})))


def _quota(site: Site) -> Iterator[Blow]:
    if site.workloads(given=False):
        obj = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "no-more"},
            "spec": {"hard": {"pods": "0"}},
        }
        yield Blow("", ("no-more",), creating(obj))


def _limits(site: Site) -> Iterator[Blow]:
    if site.workloads(given=False):
        limit = {"type": "Container", "default": {"cpu": "900"}, "defaultRequest": {"cpu": "900"}}
        obj = {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "too-big"},
            "spec": {"limits": [limit]},
        }
        yield Blow("", ("too-big",), creating(obj))


def _autoscaler(site: Site) -> Iterator[Blow]:
    for thing in site.workloads():
        if thing.namespace == site.exercise.namespace and site.must_stay(thing, "spec.replicas"):
            aim = {"apiVersion": thing.content["apiVersion"], "kind": thing.kind, "name": thing.name}
            obj = {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": f"{thing.name}-scaler"},
                "spec": {"scaleTargetRef": aim, "minReplicas": thing.replicas, "maxReplicas": thing.replicas + 2},
            }
            yield Blow(thing.title, (f"{thing.name}-scaler",), creating(obj))
            return


def _on(services: Callable[[Site], Iterator[Thing]], word: str, *changes: Change) -> Callable[[Site], Iterator[Blow]]:
    """Make the blows of an operator that sets a field of a Service; `word` is what the card must name beside it."""

    def strikes(site: Site) -> Iterator[Blow]:
        for service in services(site):
            yield Blow(service.title, (service.name, word), editing(service, *changes))

    return strikes


def _expectations(site: Site, service: Thing) -> Iterator[Any]:
    for item in site.exercise.criteria:
        if item.expect.service == service.name and not item.negated:
            yield item.expect


def _through_proxy(site: Site) -> Iterator[Thing]:
    """Find the Services whose clusterIP must be answered at."""
    for service in site.mine:
        if service.has_cluster_ip and any(
            isinstance(expect, Reach | Affinity | Source | Local)
            or (isinstance(expect, Call) and isinstance(expect.to, ConfigKey))
            for expect in _expectations(site, service)
        ):
            yield service


def _spread(site: Site, *at: At) -> Iterator[Thing]:
    """Find the Services where each of several Pods must answer one client at some address."""
    for service in site.mine:
        if (
            service.has_cluster_ip
            and site.pods_of(service) > 1
            and any(
                isinstance(expect, Reach) and expect.at in at and expect.all_of_them
                for expect in _expectations(site, service)
            )
        ):
            yield service


def _spread_inside(site: Site) -> Iterator[Thing]:
    for service in _spread(site, *THROUGH_PROXY):
        if service.spec.get("internalTrafficPolicy") != "Local":
            yield service


def _spread_outside(site: Site) -> Iterator[Thing]:
    kept = {item.expect.service for item in site.exercise.criteria if isinstance(item.expect, Source)}
    yield from (item for item in _spread(site, At.NODE_PORT, At.LOAD_BALANCER) if item.name not in kept)


def _spread_at_all(site: Site) -> Iterator[Thing]:
    sticky = {item.expect.service for item in site.exercise.criteria if isinstance(item.expect, Affinity)}
    yield from (item for item in _spread(site, *At) if item.name not in sticky)


def _sticky(site: Site) -> Iterator[Thing]:
    sticky = {item.expect.service for item in site.exercise.criteria if isinstance(item.expect, Affinity)}
    yield from (item for item in site.mine if item.name in sticky)


def _preferring(site: Site) -> Iterator[Thing]:
    nearest = {
        item.expect.service
        for item in site.exercise.criteria
        if isinstance(item.expect, Local) and item.expect.otherwise == "anybody"
    }
    yield from (item for item in site.mine if item.name in nearest)


def _gated(site: Site) -> Iterator[Thing]:
    for service in site.mine:
        if any(
            isinstance(expect, Endpoints) and expect.readiness is Readiness.GATED
            for expect in _expectations(site, service)
        ):
            yield service


def _balanced(site: Site) -> Iterator[Thing]:
    for service in site.mine:
        if any(
            isinstance(expect, Reach | Source) and expect.at is At.LOAD_BALANCER
            for expect in _expectations(site, service)
        ):
            yield service


LOCAL = "internalTrafficPolicy"
AFFINITY = "sessionAffinity"
PROXY_NAME = "service.kubernetes.io/service-proxy-name"
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
PUBLISHED = "publishNotReadyAddresses"
RANGES = "loadBalancerSourceRanges"
EVERYBODY = "each of these Pods answers"
OPERATORS = (
    Operator("deny-ingress", "these Pods answer", _ingress),
    Operator("deny-others", "these Pods answer in other Namespaces", _others),
    Operator("deny-egress", "it is reached, or looked up, from this Namespace", _egress),
    Operator("quota", "Pods may be made anew", _quota, needs=("v1/ResourceQuota",)),
    Operator("limit-range", "Pods may be made anew", _limits, needs=("v1/LimitRange",)),
    Operator("autoscaler", "so many Pods", _autoscaler, needs=("autoscaling/v2/HorizontalPodAutoscaler",)),
    Operator("internal-local", EVERYBODY, _on(_spread_inside, LOCAL, put(("spec", LOCAL), "Local"))),
    Operator(
        "internal-local-sticky", "it is reached from every node", _on(_sticky, LOCAL, put(("spec", LOCAL), "Local"))
    ),
    Operator(
        "external-local",
        "each of these Pods answers at every node",
        _on(_spread_outside, "externalTrafficPolicy", put(("spec", "externalTrafficPolicy"), "Local")),
    ),
    Operator("sticky", EVERYBODY, _on(_spread_at_all, AFFINITY, put(("spec", AFFINITY), "ClientIP"))),
    Operator(
        "another-proxy",
        "kube-proxy serves the Service",
        _on(_through_proxy, PROXY_NAME, put(("metadata", "labels", PROXY_NAME), "another")),
    ),
    Operator(
        "topology-mode",
        "the nearest Pods answer",
        _on(_preferring, TOPOLOGY_MODE, put(("metadata", "annotations", TOPOLOGY_MODE), "Auto")),
    ),
    Operator("published", "only ready Pods are endpoints", _on(_gated, PUBLISHED, put(("spec", PUBLISHED), True))),
    Operator(
        "source-ranges", "clients outside reach it", _on(_balanced, RANGES, put(("spec", RANGES), ["192.0.2.0/24"]))
    ),
)
