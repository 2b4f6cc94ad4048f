"""Which slices of a Service to create, update and delete: pure.

Source: k8s.io/endpointslice 0.36 (reconciler.go, util/endpointset.go). Slices are filled as upstream fills them: what
is there is kept in place, changed slices are filled first, then one that has room, then a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.embedded.core.controllers.podendpoints import (
    Ports,
    desired_endpoint,
    desired_ports,
    should_be_in_endpoints,
    slice_labels,
)
from grader.embedded.core.controllers.topologyhints import Endpoints, without_hints
from grader.embedded.core.objects import labels_of, uid_of
from grader.embedded.core.store import Obj

MAX_ENDPOINTS = 100
"""--max-endpoints-per-slice of kube-controller-manager."""


@dataclass
class Plan:
    """What to write.

    Attributes:
        create: ports and endpoints of new slices.
        update: existing slices with new content.
        delete: existing slices to remove.

    """

    create: list[tuple[Ports, list[dict[str, Any]]]] = field(default_factory=list)
    update: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)


Hinting = Callable[[Sequence[Endpoints], Sequence[Endpoints]], list[int]]
"""Gives hints to the endpoints of slices that are written, and of others; tells which of those it has changed."""


def plan(
    service: Obj, pods: list[Obj], existing: list[Obj], zones: dict[str, str], hinting: Hinting | None = None
) -> Plan:
    """Which slices to create, update and delete (reconciler.go reconcileByAddressType, for IPv4).

    Args:
        service: the Service.
        pods: the Pods that its selector matches.
        existing: this controller's slices of the Service.
        zones: the zone of each node that exists ("" where it has none).
        hinting: gives the hints that an annotation asks for.

    """
    labels = slice_labels(service)
    wanted: dict[Ports, dict[tuple[str, str], dict[str, Any]]] = {}
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    for pod in pods:
        node = pod["spec"].get("nodeName") or ""
        if not should_be_in_endpoints(pod, include_terminating=True):
            continue
        group = wanted.setdefault(_grouping(desired_ports(service, pod)), {})
        if node in zones or publish:
            endpoint = desired_endpoint(pod, service, zones.get(node, ""))
            group[_identity(endpoint)] = endpoint
    result = Plan()
    by_ports: dict[Ports, list[Obj]] = {}
    for slice_ in existing:
        owners = [reference["uid"] for reference in slice_["metadata"].get("ownerReferences") or ()]
        if slice_["addressType"] == "IPv4" and uid_of(service) in owners:
            by_ports.setdefault(_grouping(_ports_of(slice_)), []).append(slice_)
        else:
            result.delete.append(slice_)
    for ports, endpoints in wanted.items():
        _fill(result, ports, endpoints, by_ports.get(ports, []), labels, keeps_hints=hinting is not None)
    for ports, slices in by_ports.items():
        if ports not in wanted:
            result.delete += slices
    if len(existing) == len(result.delete) and not result.create:
        if len(result.delete) == 1 and _is_placeholder(result.delete[0], labels, service):
            result.delete.clear()
        else:
            result.create.append(((), []))
    if hinting is not None:
        _hint(result, existing, hinting)
    _reuse(result, service, labels)
    return result


def _hint(result: Plan, existing: list[Obj], hinting: Hinting) -> None:
    """Give hints to what is to be written, and write what would otherwise keep wrong ones."""
    written = {slice_["metadata"]["name"] for slice_ in (*result.update, *result.delete)}
    others = [slice_ for slice_ in existing if slice_["metadata"]["name"] not in written]
    copies = [[dict(endpoint) for endpoint in slice_.get("endpoints") or ()] for slice_ in others]
    changing = [slice_.get("endpoints") or [] for slice_ in result.update]
    for number in hinting([*(endpoints for _, endpoints in result.create), *changing], copies):
        result.update.append({**others[number], "endpoints": copies[number]})


def _fill(
    result: Plan,
    ports: Ports,
    wanted: dict[tuple[str, str], dict[str, Any]],
    slices: list[Obj],
    labels: dict[str, str],
    *,
    keeps_hints: bool = False,
) -> None:
    """Plan the slices of one set of ports (reconciler.go reconcileByPortMapping).

    Slices that differ only in hints count as the same, because hints are added afterwards.
    """
    left = dict(wanted)
    contents: dict[str, list[dict[str, Any]]] = {}
    changed: list[str] = []
    unchanged: list[str] = []
    by_name = {slice_["metadata"]["name"]: slice_ for slice_ in slices}
    for name, slice_ in by_name.items():
        before = slice_.get("endpoints") or []
        kept = [left.pop(_identity(old)) for old in before if _identity(old) in left]
        contents[name] = kept
        if kept != (without_hints(before) if keeps_hints else before):
            if kept:
                changed.append(name)
            else:
                result.delete.append(slice_)
        elif labels_of(slice_) != labels:
            changed.append(name)
        else:
            unchanged.append(name)
    rest = list(left.values())
    for name in sorted(changed, key=lambda name: -len(contents[name])):
        room = MAX_ENDPOINTS - len(contents[name])
        contents[name] += rest[:room]
        rest = rest[room:]
    while rest:
        fitting = [name for name in unchanged if len(contents[name]) + len(rest) <= MAX_ENDPOINTS]
        if fitting and len(rest) < MAX_ENDPOINTS:
            name = max(fitting, key=lambda name: len(contents[name]))
            contents[name] = [*contents[name], *rest]
            changed.append(name)
            rest = []
        else:
            result.create.append((ports, rest[:MAX_ENDPOINTS]))
            rest = rest[MAX_ENDPOINTS:]
    for name in changed:
        result.update.append(_with(by_name[name], labels, contents[name]))


def _reuse(result: Plan, service: Obj, labels: dict[str, str]) -> None:
    """Turn a deletion and a creation into one update (reconciler.go finalize)."""
    kept = []
    for slice_ in result.delete:
        owners = [reference["uid"] for reference in slice_["metadata"].get("ownerReferences") or ()]
        if result.create and slice_["addressType"] == "IPv4" and uid_of(service) in owners:
            ports, endpoints = result.create.pop()
            result.update.append({**_with(slice_, labels, endpoints), "ports": ports_json(ports)})
        else:
            kept.append(slice_)
    result.delete = kept


def ports_json(ports: Ports) -> list[dict[str, Any]] | None:
    """The ports as in the API; Go writes an empty list that went through protobuf as null."""
    return [
        {"name": name, "port": number, "protocol": protocol, **({"appProtocol": application} if application else {})}
        for name, number, protocol, application in ports
    ] or None


def _ports_of(slice_: Obj) -> Ports:
    return tuple(
        (port.get("name") or "", port.get("port") or 0, port.get("protocol") or "TCP", port.get("appProtocol") or "")
        for port in slice_.get("ports") or ()
    )


def _grouping(ports: Ports) -> Ports:
    return tuple(sorted(ports))


def _identity(endpoint: dict[str, Any]) -> tuple[str, str]:
    """What makes two endpoints the same (util/endpointset.go hashEndpoint)."""
    target = endpoint.get("targetRef") or {}
    return ",".join(
        sorted(endpoint["addresses"])
    ), f"{target.get('namespace')}/{target.get('name')}/{target.get('uid')}"


def _with(slice_: Obj, labels: dict[str, str], endpoints: list[dict[str, Any]]) -> Obj:
    metadata = {**slice_["metadata"], "labels": labels}
    return {**slice_, "metadata": metadata, "endpoints": endpoints or None}


def _is_placeholder(slice_: Obj, labels: dict[str, str], service: Obj) -> bool:
    return not slice_.get("ports") and not slice_.get("endpoints") and labels_of(slice_) == labels
