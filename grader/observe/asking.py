"""Ask one question from its vantage: what keeps a vantage from asking becomes a Problem, never an error."""

from __future__ import annotations

from typing import Protocol

from grader.model.evidence import (
    DnsAnswer,
    DnsQuestion,
    Outcome,
    Problem,
    ReachAnswer,
    ReachQuestion,
    ShellAnswer,
    ShellQuestion,
)
from grader.model.exercise import Exercise
from grader.model.objects import Objects
from grader.model.vantage import Vantage, home_of
from grader.observe.carriers import Carrier, CarrierError
from grader.observe.dns import ask_dns
from grader.observe.reach import BATCH_SECONDS, LEAST_BATCH_SECONDS, ask_reach
from grader.observe.shell import ask_shell


class Ways(Protocol):
    """Who knows the ways to the vantages of an exercise."""

    exercise: Exercise

    @property
    def pace(self) -> float:
        """How long the cluster's data plane may lag behind (Evidence.pace)."""

    def carrier(self, vantage: str, objects: Objects) -> Carrier:
        """Find the way to a vantage. Raises CarrierError where there is none."""

    def from_here(self, question: ReachQuestion, seconds: float) -> ReachAnswer:
        """Ask as the learner's own machine does."""


class Asking:
    """Asks the questions of one observation. Safe to use from several threads.

    Attributes:
        problems: what kept vantages from asking.
        seconds: how long a first try may take.
        patience: how long a first try at an address of a Service may take.
        telling_names: a name without an address is told from silence, which takes seconds.
    """

    def __init__(self, ways: Ways, objects: Objects, seconds: float) -> None:
        self.problems: list[Problem] = []
        self.seconds, self.patience, self.telling_names = seconds, seconds, True
        self._ways, self._objects = ways, objects

    def dns(self, question: DnsQuestion) -> DnsAnswer:
        """Ask for records. Raises ClusterUnreachable."""
        try:
            home = home_of(question.vantage, self._ways.exercise.namespace)
            return ask_dns(self._ways.carrier(question.vantage, self._objects), question, home)
        except CarrierError as error:
            self._note(error, question.vantage)
            return DnsAnswer(question, Outcome.UNASKED)

    def reach(self, question: ReachQuestion) -> ReachAnswer:
        """Ask who answers at an address of a Service. Raises ClusterUnreachable."""
        return self._reach(question, self.patience, telling_names=self.telling_names)

    def briefly(self, question: ReachQuestion) -> ReachAnswer:
        """Ask who answers where silence is told by something else. Raises ClusterUnreachable."""
        return self._reach(question, self.seconds, telling_names=False)

    def _reach(self, question: ReachQuestion, seconds: float, *, telling_names: bool) -> ReachAnswer:
        batch = max(BATCH_SECONDS * self._ways.pace, LEAST_BATCH_SECONDS, 4 * seconds)
        try:
            if question.vantage == Vantage.LEARNER_HOST:
                return self._ways.from_here(question, seconds)
            carrier = self._ways.carrier(question.vantage, self._objects)
            return ask_reach(carrier, question, seconds, batch, telling_names=telling_names)
        except CarrierError as error:
            self._note(error, question.vantage)
            return ReachAnswer(question, Outcome.UNASKED, tries=0)

    def shell(self, question: ShellQuestion) -> ShellAnswer:
        """Run a command. Raises ClusterUnreachable."""
        try:
            return ask_shell(self._ways.carrier(question.vantage, self._objects), question)
        except CarrierError as error:
            self._note(error, question.vantage)
            return ShellAnswer(question, Outcome.UNASKED)

    def _note(self, error: CarrierError, vantage: str) -> None:
        self.problems.append(Problem(error.code, error.facts, vantage))
