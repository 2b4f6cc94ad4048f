"""What attacks came to: of each operator how many were made, caught, and told with their cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.workflow.proof.attacks.run import ATTACK, HARMLESS
from grader.workflow.proof.verify import Attempt

LEAST_NAMED = 0.97
"""The part of the attacks that fail whose cause must be named."""


@dataclass(frozen=True)
class Count:
    """The attempts of one operator.

    Attributes:
        operator: its name.
        kind: "attack" or "harmless".
        attempts: how many.
        sound: how many came out as expected.
        fallen: of attacks: how many failed, as they must.
        named: of those, how many with the cause named.
    """

    operator: str
    kind: str
    attempts: int
    sound: int
    fallen: int
    named: int


@dataclass(frozen=True)
class Tally:
    """All of them.

    Attributes:
        operators: one Count an operator, in the order of the attempts.
        survivors: attacks that came out otherwise than as a failure, and are not excused.
        misfires: what breaks nothing, or is excused, and did not pass.
        unnamed: attacks that failed with another cause.
        caught: the part of the attacks that failed, of those that are not excused, 0 to 1.
        named: the part of those whose cause is named, 0 to 1.
    """

    operators: tuple[Count, ...]
    survivors: tuple[Attempt, ...]
    misfires: tuple[Attempt, ...]
    unnamed: tuple[Attempt, ...]
    caught: float
    named: float

    @property
    def holds(self) -> bool:
        """Whether nothing survived or misfired, and causes are named as they must be."""
        return bool(self.operators) and not self.survivors and not self.misfires and self.named >= LEAST_NAMED


def _part(some: int, every: int) -> float:
    return some / every if every else 1.0


def tally(attempts: Sequence[Attempt]) -> Tally:
    """Count attempts of operators; others are left out."""
    mine = [item for item in attempts if item.kind in {ATTACK, HARMLESS}]
    names = dict.fromkeys((item.operator, item.kind) for item in mine)
    attacks = [item for item in mine if item.kind == ATTACK and item.expected == "fail"]
    fallen = [item for item in attacks if item.sound]
    return Tally(
        tuple(_count(*name, [item for item in mine if (item.operator, item.kind) == name]) for name in names),
        tuple(item for item in attacks if not item.sound),
        tuple(item for item in mine if item.expected == "pass" and not item.sound),
        tuple(item for item in fallen if not item.named),
        _part(len(fallen), len(attacks)),
        _part(sum(item.named for item in fallen), len(fallen)),
    )


def _count(operator: str, kind: str, attempts: Sequence[Attempt]) -> Count:
    return Count(
        operator,
        kind,
        len(attempts),
        sum(item.sound for item in attempts),
        sum(item.got == "fail" for item in attempts),
        sum(item.named for item in attempts),
    )
