"""Both rates are counted of what must fail; what is excused, and what breaks nothing, is counted apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader import exercises
from grader.model.report import Finding, Report
from grader.workflow.proof.attacks.run import attempt, named
from grader.workflow.proof.attacks.tally import tally
from grader.workflow.proof.verify import Attempt, Task
from tests.render.samples import FAILED, PASSED

CLUSTERIP = exercises.load("clusterip")


def made(
    operator: str, report: Report, *, kind: str = "attack", expected: str = "fail", names: tuple[str, ...] = ()
) -> Attempt:
    task = Task(kind, f"{operator} Service/web", None, expected, operator=operator, names=names)
    return attempt(CLUSTERIP, task, report, 0.5)


def test_survivors_misfires_and_causes_that_are_not_named_are_told_apart() -> None:
    items = (
        made("scaled", FAILED, names=("backend-service",)),
        made("scaled", FAILED, names=("batch", "replicas")),
        made("deleted", PASSED, names=("batch",)),
        made("as-list", PASSED, kind="harmless", expected="pass"),
        made("as-json", FAILED, kind="harmless", expected="pass"),
        made("paused", PASSED, expected="pass"),
        replace(made("scaled", FAILED), kind="wrong"),
    )
    counted = tally(items)
    assert [(item.operator, item.attempts, item.sound, item.fallen, item.named) for item in counted.operators] == [
        ("scaled", 2, 2, 2, 1),
        ("deleted", 1, 0, 0, 0),
        ("as-list", 1, 1, 0, 0),
        ("as-json", 1, 0, 1, 1),
        ("paused", 1, 1, 0, 0),
    ]
    assert [item.operator for item in counted.survivors] == ["deleted"]
    assert [item.operator for item in counted.misfires] == ["as-json"]
    assert [item.names for item in counted.unnamed] == [("batch", "replicas")]
    assert counted.caught == pytest.approx(2 / 3)
    assert counted.named == pytest.approx(1 / 2)
    assert not counted.holds


def test_causes_must_be_named_for_nearly_all() -> None:
    good = [made("scaled", FAILED, names=("backend-service",)) for _ in range(97)]
    bad = [made("scaled", FAILED, names=("batch",)) for _ in range(3)]
    assert tally([*good, *bad]).holds
    assert not tally([*good[:-1], *bad]).holds
    assert not tally([]).holds


def test_a_cause_is_named_by_all_its_words_in_any_part_of_the_card() -> None:
    assert named(FAILED, ("backend-service", "app=backned", "kubectl get pods"))
    assert not named(FAILED, ("backend-service", "replicas"))
    environment = replace(FAILED, finding=Finding("exercise-not-started", {"namespace": "a", "exercise": "b"}))
    assert named(environment, ("grader start b",))
