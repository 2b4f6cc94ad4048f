"""Attempts of operators: an exercise's ground as new, its reference answer, what the operator does, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from grader.cluster.info import ClusterInfo
from grader.kube.client import ApiRefused, KubeApi
from grader.model.exercise import Exercise
from grader.model.report import Report
from grader.render.card import finding_message
from grader.workflow.check import check_with_evidence
from grader.workflow.proof.attacks import endpoints, exposure, given, harmless, lifecycle, names, ours, pods, policies
from grader.workflow.proof.attacks.hands import Hands
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site
from grader.workflow.proof.mutations import excused
from grader.workflow.proof.verify import Attempt, Task

ATTACK, HARMLESS = "attack", "harmless"
IMPOSSIBLE = "impossible"
DEADLINE = 20.0
"""Seconds for a verdict, at the most: nothing that a learner can do may have to be waited for longer."""
OPERATORS: tuple[Operator, ...] = tuple(
    operator
    for module in (given, pods, endpoints, names, exposure, policies, lifecycle, ours, harmless)
    for operator in module.OPERATORS
)


@dataclass(frozen=True)
class Attack:
    """An operator at one place of an exercise.

    Attributes:
        operator: the operator.
        blow: the place.
    """

    operator: Operator
    blow: Blow

    @property
    def name(self) -> str:
        """Name it: "scaled Deployment/web"."""
        return f"{self.operator.name} {self.blow.target}".strip()

    def __call__(self, api: KubeApi, exercise: Exercise, cluster: ClusterInfo, task: Task, deadline: float) -> Attempt:
        """Do it on ground that is as new, and judge. Raises ClusterUnreachable, EnvironmentError_."""
        begun = time.monotonic()
        hands = Hands(api, cluster, Site(exercise))
        try:
            refusal = self._strike(hands)
            report, _ = check_with_evidence(exercise, cluster, deadline=min(deadline, DEADLINE), api=api)
        finally:
            hands.put_back()
        done = replace(task, names=(*task.names, *hands.names))
        came = attempt(exercise, done, report, time.monotonic() - begun, refusal)
        return replace(came, got=IMPOSSIBLE, sound=False, named=False) if refusal else came

    def _strike(self, hands: Hands) -> str:
        """Do what the operator does; return why the server refuses it: a fault of the operator, nobody else's."""
        try:
            if not self.blow.instead:
                hands.answer()
            self.blow.act(hands)
        except ApiRefused as refusal:
            return refusal.message
        return ""


def attempt(exercise: Exercise, task: Task, report: Report, seconds: float, output: str = "") -> Attempt:
    """Tell what came of an attack."""
    got = report.verdict.value
    return Attempt(
        exercise.id,
        task.kind,
        task.name,
        task.expected,
        got,
        got == task.expected,
        round(seconds, 3),
        report,
        output,
        operator=task.operator,
        names=task.names,
        named=got == "fail" and named(report, task.names),
    )


def named(report: Report, words: Collection[str]) -> bool:
    """Tell whether the card of a verdict names the cause: all the words that an operator knows."""
    text = str(finding_message(report))
    return all(word in text for word in words)


def attacks(exercise: Exercise, unserved: Collection[str] = ()) -> Iterator[Attack]:
    """List the attacks on an exercise, but those that need kinds which the cluster does not serve."""
    site = Site(exercise)
    for operator in OPERATORS:
        if not set(operator.needs) & set(unserved):
            for blow in operator.strikes(site):
                yield Attack(operator, blow)


def attack_tasks(exercise: Exercise, unserved: Collection[str] = ()) -> tuple[Task, ...]:
    """List them as attempts; what exercises/survivors.yaml excuses is expected to pass."""
    answer = Site(exercise).answer
    return tuple(
        Task(
            ATTACK if item.operator.expected == "fail" else HARMLESS,
            item.name,
            None,
            "pass" if excused(exercise.id, item.name) else item.operator.expected,
            form=answer.form,
            names=item.blow.names,
            operator=item.operator.name,
            run=item,
        )
        for item in attacks(exercise, unserved)
    )


def unserved(api: KubeApi) -> tuple[str, ...]:
    """List the kinds that operators need and this cluster does not serve. Raises ClusterUnreachable."""
    needed = {kind for operator in OPERATORS for kind in operator.needs}
    return tuple(sorted(kind for kind in needed if not _serves(api, kind)))


def _serves(api: KubeApi, kind: str) -> bool:
    group_version, _, name = kind.rpartition("/")
    try:
        api.resource_of({"apiVersion": group_version, "kind": name})
    except ApiRefused as refusal:
        if refusal.http_status != 404:
            raise
        return False
    return True
