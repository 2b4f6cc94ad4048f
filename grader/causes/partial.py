"""Compare an object with a partial manifest, and name the first field that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

MOST_ORDERS = 720
# Which difference is told first where a port differs in several fields.
PORT_FIELDS = ("port", "protocol", "targetPort", "nodePort", "name")


@dataclass(frozen=True)
class Difference:
    """One field that is not as asked.

    Attributes:
        path: field names from the top, without list indexes: ("spec", "ports", "port").
        expected: the value asked for.
        seen: the value found, None where the field is missing.
    """

    path: tuple[str, ...]
    expected: Any
    seen: Any


def differences(expected: Any, actual: Any, path: tuple[str, ...] = ()) -> tuple[Difference, ...]:
    """List how an object differs from a partial manifest; empty where it matches.

    Mappings: every key given must match. Lists of mappings: every item given must match a different item, in any
    order; the differences are those of the assignment with the fewest. Other lists must be equal.
    """
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return (Difference(path, expected, actual),)
        found = [
            item for key in _ordered(expected) for item in differences(expected[key], actual.get(key), (*path, key))
        ]
        return tuple(found)
    if isinstance(expected, list) and expected and all(isinstance(item, Mapping) for item in expected):
        return _assigned(expected, actual if isinstance(actual, list) else [], path)
    return () if expected == actual else (Difference(path, expected, actual),)


def _assigned(
    expected: Sequence[Mapping[str, Any]], actual: Sequence[Any], path: tuple[str, ...]
) -> tuple[Difference, ...]:
    padded = [*actual, *[None] * max(0, len(expected) - len(actual))]
    best: tuple[Difference, ...] | None = None
    for count, order in enumerate(permutations(range(len(padded)), len(expected))):
        if count >= MOST_ORDERS:
            break
        found = tuple(
            difference
            for item, index in zip(expected, order, strict=True)
            for difference in differences(item, padded[index] if padded[index] is not None else {}, path)
        )
        if best is None or _weight(found) < _weight(best):
            best = found
    return best or ()


def _weight(found: tuple[Difference, ...]) -> tuple[int, int]:
    """Weigh differences: an item with the right port is nearer than one with the right protocol."""
    return (sum(item.path[-1] == "port" for item in found), len(found))


def _ordered(expected: Mapping[str, Any]) -> list[str]:
    rank = {key: index for index, key in enumerate(PORT_FIELDS)}
    return sorted(expected, key=lambda key: rank.get(key, -1))
