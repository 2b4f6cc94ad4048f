"""The way to a Service port: what every kind that asks who answers there has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.model.report import Hop
from grader.model.vantage import At, Readiness, Vantage

INSIDE = frozenset({Vantage.SAME_NAMESPACE, Vantage.OTHER_NAMESPACE})


@dataclass(frozen=True)
class Way:
    """From vantages to an address of a Service, and to the Pods behind it.

    Attributes:
        service: the Service's name.
        port: the Service port (for a node port too: its nodePort is looked up).
        at: which address.
        sources: the vantages (YAML `from`), each of which must reach it.
        answered_by: labels of the Pods that may answer; empty: whoever does.
        all_of_them: each of these Pods must have answered.
        readiness: which of the Pods answer, as an endpoints criterion of the same Service says.
        pods_in: the Namespace where the Pods live, "" for the exercise's own; likewise.
    """

    service: str
    port: int
    at: At
    sources: tuple[Vantage, ...]
    answered_by: Mapping[str, str]
    all_of_them: bool = True
    readiness: Readiness = Readiness.REQUIRED
    pods_in: str = ""

    @property
    def inside(self) -> bool:
        """Whether the internal traffic policy rules over this address, and not the external one."""
        return self.at in (At.NAME, At.CLUSTER_IP)

    @property
    def outside(self) -> bool:
        """Whether the outside client asks."""
        return Vantage.OUTSIDE_CLIENT in self.sources

    @property
    def hops(self) -> frozenset[Hop]:
        """List the hops that an answer along this way depends on."""
        found = {Hop.ENDPOINT_SLICE, Hop.RESPONSE}
        if self.at is At.NAME:
            found.add(Hop.DNS)
        if self.inside and INSIDE & set(self.sources):
            found.add(Hop.CLUSTER_IP)
        if self.at is At.NODE_PORT:
            found.add(Hop.NODE)
        if self.outside:
            found.add(Hop.OUTSIDE_CLIENT)
        if Vantage.LEARNER_HOST in self.sources:
            found.add(Hop.LEARNER_HOST)
        return frozenset(found)
