"""Compare an object with a partial manifest, and name the first field that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KEY_WEIGHT = 1000  # more than all other fields of an item together: an item with another key is another item
# What tells the items of a list apart: the patchMergeKeys of k8s.io/api core/v1 types.go.
KEYS = frozenset({("ports", "port"), ("containers", "name"), ("initContainers", "name"), ("volumes", "name")})
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
    found = [[differences(item, other if other is not None else {}, path) for other in padded] for item in expected]
    order = assignment([[_weight(one) for one in row] for row in found])
    return tuple(difference for row, column in zip(found, order, strict=True) for difference in row[column])


def assignment(costs: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Choose a different column for each row so that the sum of the costs is least (the Hungarian method, O(n²m)).

    There must be at least as many columns as rows. Source: H. W. Kuhn, "The Hungarian Method for the assignment
    problem", 1955, by shortest augmenting paths.
    """
    columns = len(costs[0])
    of_row, of_column = [0] * (len(costs) + 1), [0] * (columns + 1)  # potentials; index 0 stands for "none yet"
    taken_by = [0] * (columns + 1)
    for row in range(1, len(costs) + 1):
        taken_by[0], column = row, 0
        least: list[float] = [float("inf")] * (columns + 1)
        before, seen = [0] * (columns + 1), [False] * (columns + 1)
        while taken_by[column]:
            seen[column] = True
            current, delta, following = taken_by[column], float("inf"), 0
            for other in range(1, columns + 1):
                if seen[other]:
                    continue
                reduced = costs[current - 1][other - 1] - of_row[current] - of_column[other]
                if reduced < least[other]:
                    least[other], before[other] = reduced, column
                if least[other] < delta:
                    delta, following = least[other], other
            for other in range(columns + 1):
                if seen[other]:
                    of_row[taken_by[other]] += int(delta)
                    of_column[other] -= int(delta)
                else:
                    least[other] -= delta
            column = following
        while column:
            taken_by[column] = taken_by[before[column]]
            column = before[column]
    return tuple(taken_by.index(row + 1, 1) - 1 for row in range(len(costs)))


def _weight(found: tuple[Difference, ...]) -> int:
    """Weigh differences: a port with the right number is nearer than one with the right protocol."""
    return sum(KEY_WEIGHT if item.path[-2:] in KEYS else 1 for item in found)


def _ordered(expected: Mapping[str, Any]) -> list[str]:
    rank = {key: index for index, key in enumerate(PORT_FIELDS)}
    return sorted(expected, key=lambda key: rank.get(key, -1))
