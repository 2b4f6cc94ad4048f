"""An operator breaks one clause of an exercise (or none), and knows without the judge what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from grader.workflow.proof.attacks.hands import Act
from grader.workflow.proof.attacks.site import Site


@dataclass(frozen=True)
class Blow:
    """One place where an operator strikes.

    Attributes:
        target: what it strikes, "Service/web"; "" where there is only one place.
        names: words that the card of the verdict must hold, all of them; an act may add some (`Hands.names`).
        act: what is done.
        instead: it is done in the place of the answer, which the act then brings itself.
    """

    target: str
    names: tuple[str, ...]
    act: Act
    instead: bool = False


@dataclass(frozen=True)
class Operator:
    """One way to break one clause.

    Attributes:
        name: "scaled".
        clause: which sentence of a task it breaks, or that it breaks none.
        strikes: finds the places in an exercise; none where it would break nothing there.
        expected: "fail", or "pass" of an operator that breaks nothing.
        needs: kinds that not every cluster serves, "v1/ResourceQuota".
    """

    name: str
    clause: str
    strikes: Callable[[Site], Iterable[Blow]]
    expected: str = "fail"
    needs: tuple[str, ...] = ()
