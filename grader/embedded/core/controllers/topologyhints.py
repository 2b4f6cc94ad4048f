"""Hints by the annotation topology-mode: each zone gets endpoints in proportion to the processors of its nodes.

Source: k8s.io/endpointslice 0.36 topologycache (topologycache.go, utils.go, sliceinfo.go). Where upstream takes zones
in the order of a Go map, which is any, they are taken in the order of their names here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.index import ZONE_LABEL
from grader.embedded.core.objects import Key, condition_is_true, labels_of
from grader.embedded.core.quantity import amount
from grader.embedded.core.store import Obj

OVERLOAD = 0.2
"""By how much more than its share an endpoint may have to bear (overloadThreshold)."""
EXCLUDED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
ENABLED, DISABLED = "TopologyAwareHintsEnabled", "TopologyAwareHintsDisabled"
NO_NODES = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
FEW_ENDPOINTS = "Insufficient number of endpoints"
OVERLOADED = "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold"
NO_ZONE = "One or more endpoints do not have a zone specified"
NOTHING = "No hints allocated for zones"

Endpoints = list[dict[str, Any]]


def rests_on(node: Obj) -> tuple[object, bool]:
    """What of a node hints rest on (endpointslice_controller.go updateNode)."""
    return labels_of(node).get(ZONE_LABEL), condition_is_true(node, "Ready")


def without_hints(endpoints: Endpoints) -> Endpoints:
    """The endpoints, as if they had no hints."""
    return [{key: value for key, value in endpoint.items() if key != "hints"} for endpoint in endpoints]


@dataclass(frozen=True)
class Told:
    """An Event to be.

    Attributes:
        type: Normal or Warning.
        reason: its reason.
        message: its message.

    """

    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class Allocation:
    """How many endpoints a zone should have: at least, at the most, and best."""

    minimum: int
    maximum: int
    desired: float


class _Impossible(Exception):
    """No hints can be given; `str()` says why."""


def cpu_ratios(nodes: Iterable[Obj]) -> dict[str, float]:
    """The share of each zone in the processors; empty where a node tells no zone, or there is only one (SetNodes)."""
    by_zone: dict[str, float] = {}
    for node in nodes:
        labels = labels_of(node)
        if any(label in labels for label in EXCLUDED) or not condition_is_true(node, "Ready"):
            continue
        zone = labels.get(ZONE_LABEL)
        cpu = float(amount(((node.get("status") or {}).get("allocatable") or {}).get("cpu", 0)))
        if not zone or not cpu:
            return {}
        by_zone[zone] = by_zone.get(zone, 0.0) + cpu
    total = sum(by_zone.values())
    return {zone: by_zone[zone] / total for zone in sorted(by_zone)} if len(by_zone) > 1 else {}


def allocations(ratios: Mapping[str, float], count: int) -> dict[str, Allocation]:
    """How many of so many endpoints each zone should have (getAllocations). Raises _Impossible."""
    if not ratios:
        raise _Impossible(NO_NODES)
    numbers = f"({count} endpoints, {len(ratios)} zones)"
    if len(ratios) > count:
        raise _Impossible(f"{FEW_ENDPOINTS} {numbers}")
    least = {zone: math.ceil(ratio * count * (1 / (1 + OVERLOAD))) for zone, ratio in ratios.items()}
    if sum(least.values()) > count:
        raise _Impossible(f"{OVERLOADED} {numbers}")
    rest = count - sum(least.values())
    return {
        zone: Allocation(least[zone], least[zone] + rest, max(ratio * count, least[zone]))
        for zone, ratio in ratios.items()
    }


class TopologyCache:
    """What hints each Service has been given, to tell when that has changed or no longer suits the nodes."""

    def __init__(self) -> None:
        self._given: dict[Key, Counter[str]] = {}

    def forget(self, service: Key) -> Told | None:
        """The Service wants no such hints (any more); tells so where it had some."""
        if self._given.pop(service, None) is None:
            return None
        return _told("Warning", DISABLED, "Topology Aware Hints has been disabled")

    def overloaded(self, ratios: Mapping[str, float]) -> list[Key]:
        """The Services with hints that are too few for some zone (serviceOverloaded)."""
        return [service for service, given in self._given.items() if _is_overloaded(given, ratios)]

    def add(
        self, service: Key, ratios: Mapping[str, float], changing: Sequence[Endpoints], others: Sequence[Endpoints]
    ) -> tuple[list[int], Told | None]:
        """Give endpoints their hints, in place (AddHints).

        Args:
            service: whose they are.
            ratios: what `cpu_ratios` told.
            changing: the endpoints of each slice that is written anyway.
            others: those of each that is not, copied so that they may be changed.

        Returns which of the others are changed, and what is to be told.

        """
        try:
            touched, given = _allocate(ratios, changing, others)
        except _Impossible as impossible:
            self._given.pop(service, None)
            bare = [number for number, slice_ in enumerate(others) if any("hints" in item for item in slice_)]
            for endpoint in (item for slice_ in (*changing, *others) for item in slice_):
                endpoint.pop("hints", None)
            return bare, _told("Warning", DISABLED, str(impossible))
        had = service in self._given
        self._given[service] = given
        return touched, None if had else _told("Normal", ENABLED, "Topology Aware Hints has been enabled")


def _told(type_: str, reason: str, message: str) -> Told:
    return Told(type_, reason, f"{message}, addressType: IPv4")


def _allocate(
    ratios: Mapping[str, float], changing: Sequence[Endpoints], others: Sequence[Endpoints]
) -> tuple[list[int], Counter[str]]:
    """Which of the other slices are changed too, and how many endpoints each zone has. Raises _Impossible."""
    count = sum(_ready(endpoint) for slice_ in (*changing, *others) for endpoint in slice_)
    wanted = allocations(ratios, count)
    given: Counter[str] = Counter()
    touched: list[int] = []
    for number, slice_ in enumerate(others):
        kept = _kept(slice_, given, wanted)
        if kept is None:
            touched.append(number)
        else:
            given += kept
    free = [endpoint for slice_ in (*changing, *(others[number] for number in touched)) for endpoint in slice_]
    for endpoint in free:
        endpoint.pop("hints", None)
    ready = [endpoint for endpoint in free if _ready(endpoint)]
    for endpoint in ready:
        if not endpoint.get("zone"):
            raise _Impossible(NO_ZONE)
        given[endpoint["zone"]] += 1
        endpoint["hints"] = {"forZones": [{"name": endpoint["zone"]}]}
    giving, receiving = _exchanges(wanted, given)
    for endpoint in ready:
        zone = endpoint["zone"]
        to = next((name for name in sorted(receiving) if receiving[name] > 0), None)
        if to is None:
            break
        if giving[zone] > 0:
            endpoint["hints"] = {"forZones": [{"name": to}]}
            giving[zone] -= 1
            receiving[to] -= 1
            given[zone] -= 1
            given[to] += 1
    if not given:
        raise _Impossible(NOTHING)
    return touched, given


def _ready(endpoint: Mapping[str, Any]) -> bool:
    return (endpoint.get("conditions") or {}).get("ready") is True


def _kept(slice_: Endpoints, given: Counter[str], wanted: Mapping[str, Allocation]) -> Counter[str] | None:
    """The hints of a slice by zone, None where it cannot stay as it is (getHintsByZone)."""
    found: Counter[str] = Counter()
    for endpoint in filter(_ready, slice_):
        names = [hint["name"] for hint in (endpoint.get("hints") or {}).get("forZones") or ()]
        if not names or any(name not in wanted for name in names):
            return None
        found.update(names)
    return None if any(given[zone] + number > wanted[zone].maximum for zone, number in found.items()) else found


def _exchanges(wanted: Mapping[str, Allocation], given: Mapping[str, int]) -> tuple[Counter[str], Counter[str]]:
    """How many endpoints each zone gives to others, and gets (getGivingAndReceivingZones)."""
    more = {zone: given.get(zone, 0) - item.desired for zone, item in wanted.items()}
    too_many = {zone: number for zone, number in more.items() if number > 0}
    too_few = {zone: -number for zone, number in more.items() if number < 0}
    giving: Counter[str] = Counter()
    receiving: Counter[str] = Counter()
    while too_many and too_few:
        giver, taker = max(too_many, key=too_many.__getitem__), max(too_few, key=too_few.__getitem__)
        gives, takes = too_many[giver], too_few[taker]
        if (gives < 1.0 and takes < 1.0) or gives < 0.5 or takes < 0.5:
            break
        giving[giver] += 1
        receiving[taker] += 1
        too_many[giver] -= 1
        too_few[taker] -= 1
    return giving, receiving


def _is_overloaded(given: Counter[str], ratios: Mapping[str, float]) -> bool:
    total = sum(given.values())
    if not total:
        return False
    return not ratios or any(
        zone not in given or given[zone] < math.ceil(total * ratio * (1 / (1 + OVERLOAD)))
        for zone, ratio in ratios.items()
    )
