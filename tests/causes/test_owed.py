"""What a controller owes is nobody's mistake before that controller has seen the object."""

from __future__ import annotations

from typing import Any

import pytest

from grader.model.evidence import Problem
from grader.model.report import Verdict
from tests.judge.telling import replacing, told
from tests.judge.world import World, criterion, exercise

MANAGER = (Problem("controller-manager-down", {"lease": "kube-controller-manager", "seconds": "60"}),)
SCHEDULER = (Problem("scheduler-down", {"lease": "kube-scheduler", "seconds": "60"}),)


def unseen(world: World) -> None:
    replacing(world, updated=3)
    world.deployments[0]["metadata"]["generation"] = 3
    world.pods = world.pods[3:]


def pods_missing(world: World) -> None:
    replacing(world, updated=3)
    world.pods = world.pods[1:]


def slices_missing(world: World) -> None:
    world.slices = []


@pytest.mark.parametrize(
    ("change", "waiting"),
    [(unseen, "Deployment backend"), (pods_missing, "Deployment backend"), (slices_missing, "Service backend-service")],
)
def test_what_waits_for_a_stopped_controller_manager_is_no_failure(change: Any, waiting: str) -> None:
    world = World()
    change(world)
    report = told(world, problems=MANAGER)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "controller-manager-down")
    assert report.finding.facts["waiting"] == waiting
    assert told(world, problems=SCHEDULER).verdict is not Verdict.ENVIRONMENT


def test_a_stateful_set_that_nobody_has_seen_has_no_pods_to_miss() -> None:
    world = World(exercise(criterion("endpoints")))
    world.pods = []
    template = {"metadata": {"labels": {"app": "backend"}}}
    made = {"metadata": {"name": "backend", "generation": 1}, "spec": {"replicas": 2, "template": template}}
    world.listed["statefulsets"] = (made,)
    report = told(world, problems=MANAGER)
    assert (report.verdict, report.finding.facts["waiting"]) == (Verdict.ENVIRONMENT, "StatefulSet backend")


def test_a_pod_without_a_node_waits_for_the_scheduler() -> None:
    world = World()
    world.pods[0]["spec"]["nodeName"] = ""
    world.pods[0]["status"] = {"phase": "Pending"}
    report = told(world, problems=SCHEDULER)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "scheduler-down")
    assert report.finding.facts["waiting"] == "Pod backend-a"
    assert told(world).verdict is Verdict.NOT_YET


def test_who_has_stopped_excuses_nothing_that_does_not_wait_for_them() -> None:
    assert told(World(), problems=(*MANAGER, *SCHEDULER)).verdict is Verdict.PASS
    wrong = World().set(selector={"app": "batch"})
    assert told(wrong, problems=(*MANAGER, *SCHEDULER)).verdict is Verdict.FAIL


def test_what_the_service_itself_tells_fails_whoever_has_stopped() -> None:
    world = World().set(ports=[{"port": 81, "protocol": "TCP", "targetPort": 8080}])
    world.slices = []
    report = told(world, problems=MANAGER)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "service-port-missing")


def test_nothing_is_left_out_on_purpose_while_slices_are_owed() -> None:
    world = World(exercise(criterion("endpoints", negated=True))).set(selector={"app": "batch"})
    assert told(world, problems=MANAGER).verdict is Verdict.PASS
    world.slices = []
    assert told(world, problems=MANAGER).verdict is Verdict.ENVIRONMENT
