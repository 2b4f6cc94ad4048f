"""What ResourceQuotas count, and what they do not let in: pure rules over quotas and the objects of a Namespace.

Sources: k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go CheckRequest,
k8s.io/apiserver/pkg/quota/v1/generic, k8s.io/kubernetes/pkg/quota/v1/evaluator/core/{pods,services}.go (1.36). What is
in use is counted anew each time, so that no quota lags behind; the scope CrossNamespacePodAffinity and storage are
not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from grader.embedded.core.objects import is_pod_finished, label_selector_matches, parse_time
from grader.embedded.core.quantity import Quantity, amount, parse
from grader.embedded.core.store import Obj

Usage = dict[str, Quantity]
Objects = Callable[[str], Iterable[Obj]]
"""The objects of a Namespace, by plural resource name."""

COUNTED = ("configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets")
"""Core kinds that are counted under their own name, beside Pods and Services (evaluator/core/registry.go)."""
COMPUTE = ("cpu", "memory", "ephemeral-storage")
REQUIRED = {f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory")}
"""What every container must say where a quota limits it (pods.go validationSet)."""
ONE, NONE = Quantity(Fraction(1)), Quantity(Fraction(0))


def usage(resource: str, group: str, obj: Obj, now: float) -> Usage:
    """What one object counts for.

    Args:
        resource: plural resource name.
        group: API group, "" for core.
        obj: the object.
        now: seconds since the epoch.

    """
    result = {f"count/{resource}.{group}" if group else f"count/{resource}": ONE}
    if group:
        return result
    if resource in COUNTED:
        result[resource] = ONE
    elif resource == "services":
        result |= _service(obj["spec"])
    elif resource == "pods" and not _is_over(obj, now):
        result |= {"pods": ONE, **_compute(obj["spec"])}
    return result


def _service(spec: Mapping[str, Any]) -> Usage:
    """What a Service uses; node ports are counted before they are allocated (services.go Usage)."""
    ports, balanced = spec.get("ports") or (), spec.get("type") == "LoadBalancer"
    node_ports = len(ports) if balanced or spec.get("type") == "NodePort" else 0
    if balanced and spec.get("allocateLoadBalancerNodePorts") is False:
        node_ports = sum(1 for port in ports if port.get("nodePort"))
    return {
        "services": ONE,
        "services.nodeports": Quantity(Fraction(node_ports)),
        "services.loadbalancers": ONE if balanced else NONE,
    }


def _is_over(pod: Obj, now: float) -> bool:
    """Whether a Pod has finished, or should be gone (pods.go QuotaV1Pod)."""
    meta = pod["metadata"]
    if "deletionTimestamp" in meta and meta.get("deletionGracePeriodSeconds") is not None:
        return now > parse_time(meta["deletionTimestamp"]) + float(meta["deletionGracePeriodSeconds"])
    return is_pod_finished(pod)


def _compute(spec: Mapping[str, Any]) -> Usage:
    """What a Pod uses: its requests and limits (pods.go podComputeUsageHelper over PodRequests and PodLimits)."""
    requests, limits = (pod_amounts(spec, field) for field in ("requests", "limits"))
    counted = {
        f"{field}.{name}": q for field, held in (("requests", requests), ("limits", limits)) for name, q in held.items()
    }
    return {**requests, **counted}


def pod_amounts(spec: Mapping[str, Any], field: str) -> Usage:
    """What a Pod's `requests` or `limits` are: its containers together, or the greediest that runs before them."""
    result: Usage = {}
    for name in COMPUTE:
        running = _asked(spec.get("containers") or (), field, name)
        before = _asked(spec.get("initContainers") or (), field, name)
        if running or before:
            result[name] = max([sum(running, NONE), *before], key=lambda quantity: quantity.value)
    return result


def _asked(containers: Iterable[Mapping[str, Any]], field: str, name: str) -> list[Quantity]:
    asked = ((container.get("resources") or {}).get(field) or {} for container in containers)
    return [parse(amounts[name]) for amounts in asked if name in amounts]


def kind_of(name: str) -> str:
    """The plural of the kind that a hard limit counts, "" for one that counts nothing here."""
    if name.startswith("count/"):
        return name.removeprefix("count/").partition(".")[0]
    if name in COUNTED:
        return name
    if name == "pods" or name.removeprefix("requests.").removeprefix("limits.") in COMPUTE:
        return "pods"
    return "services" if name.partition(".")[0] == "services" else ""


def used(quota: Obj, objects: Objects, groups: Mapping[str, str], now: float) -> Usage:
    """What is in use of a quota's hard limits.

    Args:
        quota: the quota.
        objects: what is in its Namespace.
        groups: API group by plural.
        now: seconds since the epoch.

    """
    hard = quota["spec"].get("hard") or {}
    result = {name: NONE for name in hard if kind_of(name) in groups}
    for resource in sorted({kind_of(name) for name in result}):
        for obj in objects(resource):
            if matches_scopes(quota, resource, obj):
                for name, quantity in usage(resource, groups[resource], obj, now).items():
                    if name in result:
                        result[name] += quantity
    return result


def matches_scopes(quota: Obj, resource: str, obj: Obj) -> bool:
    """Whether an object is one that a quota looks at (pods.go podMatchesScopeFunc); scopes are about Pods only."""
    spec = quota["spec"]
    wanted = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    wanted += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return not wanted or (resource == "pods" and all(_in_scope(one, obj) for one in wanted))


def _in_scope(wanted: Mapping[str, Any], pod: Obj) -> bool:
    spec = pod["spec"]
    scope = wanted["scopeName"]
    if scope in ("Terminating", "NotTerminating"):
        ends = spec.get("activeDeadlineSeconds") is not None
        return ends is (scope == "Terminating")
    if scope in ("BestEffort", "NotBestEffort"):
        asks = bool(pod["status"].get("qosClass") != "BestEffort")
        return asks is (scope == "NotBestEffort")
    if scope != "PriorityClass":
        return False
    name = spec.get("priorityClassName")
    expression = {"key": scope, "operator": wanted["operator"], "values": wanted.get("values") or ()}
    return label_selector_matches({"matchExpressions": [expression]}, {scope: name} if name else {})


def refusal(
    quotas: Iterable[Obj],
    resource: str,
    obj: Obj,
    old: Obj | None,
    objects: Objects,
    groups: Mapping[str, str],
    now: float,
) -> str:
    """Why an object is not let in, "" where it is.

    Args:
        quotas: those of its Namespace.
        resource: its plural resource name.
        obj: the object as it would be stored.
        old: what it replaces, None for a new one.
        objects: what is in the Namespace.
        groups: API group by plural.
        now: seconds since the epoch.

    """
    if old is not None and resource != "services":  # only a Service's change is looked at: of its type and ports
        return ""
    before = usage(resource, groups[resource], old, now) if old is not None else {}
    asked = {
        name: Quantity(quantity.value - before.get(name, NONE).value, quantity.binary)
        for name, quantity in usage(resource, groups[resource], obj, now).items()
        if quantity.value > before.get(name, NONE).value
    }
    for quota in quotas:
        hard = quota["spec"].get("hard") or {}
        if not matches_scopes(quota, resource, obj):
            continue
        name = quota["metadata"]["name"]
        if resource == "pods" and (missing := _missing(REQUIRED & hard.keys(), obj["spec"])):
            return f"failed quota: {name}: must specify {missing}"
        wanted = {key: quantity for key, quantity in asked.items() if key in hard}
        in_use = used(quota, objects, groups, now) if wanted else {}
        over = sorted(key for key, more in wanted.items() if in_use[key].value + more.value > amount(hard[key]))
        if over:
            requested, taken, limited = (_told(over, amounts) for amounts in (wanted, in_use, hard))
            return f"exceeded quota: {name}, requested: {requested}, used: {taken}, limited: {limited}"
    return ""


def _told(names: Iterable[str], amounts: Mapping[str, object]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names)


def _missing(required: Iterable[str], spec: Mapping[str, Any]) -> str:
    """The containers that say nothing of what a quota limits (pods.go Constraints)."""
    found = []
    for name in sorted(required):
        field, _, plain = name.rpartition(".")
        silent = {
            container["name"]
            for kind in ("containers", "initContainers")
            for container in spec.get(kind) or ()
            if plain not in ((container.get("resources") or {}).get(field or "requests") or {})
        }
        if silent:
            found.append(f"{name} for: {','.join(sorted(silent))}")
    return "; ".join(found)
