"""The way from a manifest to an answer that an exercise walks, and where it breaks."""

from __future__ import annotations

from collections.abc import Sequence

from grader.criteria.registry import kind_of
from grader.model.exercise import Criterion
from grader.model.report import Hop, HopState

ORDER = tuple(Hop)


def hops(criteria: Sequence[Criterion]) -> tuple[Hop, ...]:
    """List the hops that criteria walk, in order."""
    found = {Hop.MANIFEST, Hop.SERVICE}.union(*({item.hop, *kind_of(item).hops} for item in criteria))
    return tuple(hop for hop in ORDER if hop in found)


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
