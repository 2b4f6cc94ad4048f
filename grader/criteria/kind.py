"""What every kind of criterion knows of itself: how it is asked, judged and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from grader.causes.ruling import Ruling
from grader.causes.scene import Scene, Sight
from grader.model.evidence import DnsQuestion, ReachQuestion, ShellQuestion
from grader.model.report import Hop


@dataclass(frozen=True)
class Questions:
    """What a criterion asks of a cluster.

    Attributes:
        dns: DNS questions.
        reach: who answers at addresses.
        shell: commands to run.
    """

    dns: tuple[DnsQuestion, ...] = ()
    reach: tuple[ReachQuestion, ...] = ()
    shell: tuple[ShellQuestion, ...] = ()


class Kind(Protocol):
    """One kind of expectation: frozen data, and what follows from it. Pure.

    Observe asks its questions and `rule` looks their answers up, so both see the same addresses.
    """

    negatable: ClassVar[bool]
    """Whether a criterion may say that it must not hold (`not` in exercise.yaml)."""

    forbids: ClassVar[bool]
    """Whether it only forbids: it holds where nothing was done, and then earns nothing."""

    @property
    def service(self) -> str:
        """The Service that it is about, "" where it is about none."""

    @property
    def subject(self) -> str:
        """The object that it is about, for a person: "backend-service", "ConfigMap client-config"."""

    @property
    def aspect(self) -> str:
        """What of this object it is about, for a person: "STOCK_URL", "ポート80"; it tells neighbours apart."""

    @property
    def hop(self) -> Hop:
        """The station on the way that it is about, where exercise.yaml names none."""

    @property
    def hops(self) -> frozenset[Hop]:
        """The stations that must hold for it to hold."""

    @property
    def resources(self) -> frozenset[str]:
        """Resources that must be listed for it, beside those that always are: "configmaps", "statefulsets"."""

    @property
    def outside(self) -> bool:
        """Whether the outside client is needed."""

    def questions(self, sight: Sight, *, negated: bool) -> Questions:
        """Build what it asks, with its controls; nothing where the objects give no address yet."""

    def rule(self, scene: Scene, *, negated: bool) -> Ruling:
        """Judge it; `negated`: it must not hold (only where it is `negatable`)."""

    def shown(self, scene: Scene) -> tuple[str, str]:
        """Say what is expected, and what was seen; it decides nothing."""
