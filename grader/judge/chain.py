"""The way from a manifest to an answer that an exercise walks, and where it breaks."""

from __future__ import annotations

from collections.abc import Sequence

from grader.model.exercise import Affinity, At, Call, Criterion, Dns, Endpoints, Local, Reach, Source, Vantage
from grader.model.report import Hop, HopState
from grader.model.traffic import as_reach

ORDER = tuple(Hop)
INSIDE = frozenset({Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE})


def hops(criteria: Sequence[Criterion]) -> tuple[Hop, ...]:
    """List the hops that criteria walk, in order."""
    found = {Hop.MANIFEST, Hop.SERVICE} | {criterion.hop for criterion in criteria}
    for criterion in criteria:
        expect = criterion.expect
        if isinstance(expect, Endpoints):
            found.add(Hop.ENDPOINT_SLICE)
        if isinstance(expect, Dns):
            found.add(Hop.DNS)
        if isinstance(expect, Reach):
            found |= _of_reach(expect)
        if isinstance(expect, Local | Source | Affinity):
            found |= _of_reach(as_reach(expect))
        if isinstance(expect, Call):
            found |= {Hop.DNS, Hop.CLUSTER_IP, Hop.RESPONSE}
    return tuple(hop for hop in ORDER if hop in found)


def _of_reach(expect: Reach) -> set[Hop]:
    found = {Hop.ENDPOINT_SLICE, Hop.RESPONSE}
    if expect.at is At.NAME:
        found.add(Hop.DNS)
    if expect.at in (At.NAME, At.CLUSTER_IP) and INSIDE & set(expect.sources):
        found.add(Hop.CLUSTER_IP)
    if expect.at is At.NODE_PORT:
        found.add(Hop.NODE)
    if Vantage.OUTSIDE_CLIENT in expect.sources:
        found.add(Hop.OUTSIDE_CLIENT)
    if Vantage.LEARNER_HOST in expect.sources:
        found.add(Hop.LEARNER_HOST)
    return found


def walk(way: Sequence[Hop], stop: Hop | None, state: HopState) -> tuple[tuple[Hop, HopState], ...]:
    """Mark the way: what comes before the stop holds, the stop has this state, what comes after is unknown.

    A stop that is not on the way is marked at the next hop that is; None: everything holds.
    """
    if stop is None:
        return tuple((hop, HopState.HOLDS) for hop in way)
    at = place(way, stop)
    return tuple(
        (hop, HopState.HOLDS if index < at else state if index == at else HopState.UNKNOWN)
        for index, hop in enumerate(way)
    )


def place(way: Sequence[Hop], stop: Hop) -> int:
    """Find the index of a hop on the way, or of the next one that is on it."""
    later = [index for index, hop in enumerate(way) if ORDER.index(hop) >= ORDER.index(stop)]
    return later[0] if later else len(way) - 1
