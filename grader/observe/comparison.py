"""Ask a Service of our own beside the learner's, and remember for how long it has answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Generic

from grader.causes.comparing import compared_all, compared_name, vantages_of
from grader.causes.patience import STEADY_SECONDS
from grader.kube.client import ApiRefused, KubeApi
from grader.model.evidence import (
    Answer,
    Compared,
    Controls,
    DnsAnswer,
    DnsQuestion,
    Outcome,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.kubernetes import SERVICE_NAME_LABEL, actual_slices, routed
from grader.model.objects import Objects, RawObject
from grader.model.vantage import PROBE_NAMESPACE, Vantage
from grader.observe.asking import Asking
from grader.observe.plan import Plan

DNS_TRIES = 4  # each of several DNS servers may be asked; one of two is missed once in 16 rounds
PATIENT_SECONDS = 4.0  # how long a first try may take where our own Service answers: a busy machine is silent too
HOST_NAME = 63


class Steady(Generic[Answer]):
    """Since when each question has been answered as it must be, or has not."""

    def __init__(self) -> None:
        self._since: dict[object, tuple[bool, float]] = {}

    def told(self, answer: Answer, *, right: bool, now: float) -> Compared[Answer]:
        """Take an answer in. The first right one counts for a moment only."""
        before, since = self._since.get(answer.question, (right, now))
        since = since if before is right else now
        self._since[answer.question] = (right, since)
        lasted = round(now - since, 3)
        return Compared(answer, max(lasted, 0.001) if right else -lasted)


class Comparison:
    """One Service of our own, by its name in the probes' Namespace."""

    def __init__(self, api: KubeApi, name: str, clock: Callable[[], float]) -> None:
        self._api, self._name, self._clock = api, name, clock
        self._made = clock()
        self._reach: Steady[ReachAnswer] = Steady()
        self._dns: Steady[DnsAnswer] = Steady()

    def ask(self, planned: Plan, objects: Objects, asking: Asking, executor: Executor) -> Controls:
        """Ask what stands beside the planned questions. Raises ClusterUnreachable.

        Where all of it is answered, the questions of the exercise may take their time afterwards.
        """
        try:
            service = self._api.read("services", self._name, PROBE_NAMESPACE)
            listed = self._api.list("endpointslices", PROBE_NAMESPACE, labels=f"{SERVICE_NAME_LABEL}={self._name}")
        except ApiRefused as refused:
            return Controls(None, reason=refused.message)
        if service is None:
            return Controls(None, reason=f"{PROBE_NAMESPACE}/{self._name} NotFound")
        now = self._clock()
        pods = tuple(sorted({item.name[:HOST_NAME].rstrip("-.") for item in routed(actual_slices(service, listed))}))
        asked = self._addresses(planned, service, objects, pods)
        named = executor.map(partial(self._looked_up, asking), self._names(planned, service, objects))
        reach = list(executor.map(asking.briefly, asked))
        dns = list(named)
        names = (str(service["spec"].get("clusterIP") or ""),)
        controls = Controls(
            {key: service[key] for key in ("metadata", "spec", "status") if key in service},
            round(now - self._made, 3),
            tuple(self._reach.told(item, right=_by_all(item, pods), now=now) for item in reach),
            tuple(self._dns.told(item, right=item.records == names, now=now) for item in dns),
        )
        steady = [item.steady for item in controls.reach] + [item.steady for item in controls.dns]
        if min(steady, default=0.0) >= STEADY_SECONDS:
            asking.patience = max(asking.seconds, PATIENT_SECONDS)
        if min(steady, default=0.0) <= 0.0:
            asking.telling_names = False  # what is silent is told by what is ours
        return controls

    def _addresses(
        self, planned: Plan, service: RawObject, objects: Objects, pods: tuple[str, ...]
    ) -> tuple[ReachQuestion, ...]:
        """Build the questions to its addresses; one from our own Namespace is always among them."""
        own = ReachQuestion(Vantage.OTHER_NAMESPACE.value, str(service["spec"].get("clusterIP") or ""), 80)
        return compared_all((own, *planned.reach), service, objects, pods, max(len(pods) ** 2 + 30, 1))

    def _names(self, planned: Plan, service: RawObject, objects: Objects) -> Sequence[DnsQuestion]:
        return tuple(
            dict.fromkeys(
                compared_name(question, vantage, service)
                for question in planned.dns
                for vantage in vantages_of(question.vantage, objects)
            )
        )

    def _looked_up(self, asking: Asking, question: DnsQuestion) -> DnsAnswer:
        """Look its name up several times: the first answer without records, else the last one."""
        answers = (asking.dns(question) for _ in range(DNS_TRIES))
        last = next(answers)
        for answer in answers:
            if not last.records:
                break
            last = answer
        return last


def _by_all(answer: ReachAnswer, pods: tuple[str, ...]) -> bool:
    return answer.outcome is Outcome.ANSWERED and bool(pods) and set(answer.responders) == set(pods)
