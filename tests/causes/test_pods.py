"""How a Pod stands: on its way, or broken for good, and in Kubernetes' own word why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grader.causes.pods import PodState, State, state_of
from grader.model.report import Verdict
from tests.judge.telling import told
from tests.judge.world import LABELS, Raw, World, pod

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def unready(**status: Any) -> Raw:
    made = pod("a", 1, dict(LABELS), ready=False)
    made["status"] = {"phase": "Pending", **status}
    return made


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def unscheduled(seconds: float | None, **condition: str) -> Raw:
    since = {} if seconds is None else {"lastTransitionTime": ago(seconds)}
    return unready(conditions=[{"type": "PodScheduled", "status": "False", **since, **condition}])


@pytest.mark.parametrize(
    ("given", "reason"), [({}, "Unschedulable"), ({"reason": "SchedulingGated"}, "SchedulingGated")]
)
def test_a_pod_that_no_node_takes_says_so_even_where_the_scheduler_gave_no_reason(
    given: dict[str, str], reason: str
) -> None:
    assert state_of(unscheduled(6, **given), NOW) == PodState(State.BROKEN, reason)
    assert state_of(unscheduled(4, **given), NOW) == PodState(State.MOVING, reason)
    assert state_of(unscheduled(None, **given), NOW) == PodState(State.MOVING, reason)


def test_a_pod_that_no_node_takes_is_told_in_words() -> None:
    world = World()
    world.pods[0]["status"] = unscheduled(60)["status"]
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "pods-not-ready")
    assert report.finding.facts["reason"] not in ("", "Pending")


def waiting(reason: str) -> Raw:
    return unready(containerStatuses=[{"name": "server", "ready": False, "state": {"waiting": {"reason": reason}}}])


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "CreateContainerConfigError", "RunContainerError"])
def test_a_container_that_is_stuck_breaks_its_pod(reason: str) -> None:
    assert state_of(waiting(reason), NOW) == PodState(State.BROKEN, reason)


def test_only_where_it_is_about_an_image_the_image_is_told() -> None:
    found = state_of(waiting("ImagePullBackOff"), NOW)
    assert found.state is State.BROKEN and found.image.startswith("registry.k8s.io/")


def test_a_container_that_is_being_made_is_on_its_way() -> None:
    assert state_of(waiting("ContainerCreating"), NOW) == PodState(State.MOVING, "ContainerCreating")
    assert state_of(unready(), NOW) == PodState(State.MOVING, "Pending")
    assert state_of({"metadata": {"name": "a"}}, NOW) == PodState(State.MOVING, "Pending")


def running(seconds: float, probe: Raw | None) -> Raw:
    state = {"running": {"startedAt": ago(seconds)}}
    made = unready(phase="Running", containerStatuses=[{"name": "server", "ready": False, "state": state}])
    if probe is not None:
        made["spec"]["containers"][0]["readinessProbe"] = probe
    return made


@pytest.mark.parametrize(
    ("probe", "patience"),
    [
        ({}, 4 * 10 + 5),
        ({"periodSeconds": 1}, 4 * 1 + 5),
        ({"periodSeconds": 1, "timeoutSeconds": 3}, 4 * 3 + 5),
        ({"periodSeconds": 1, "failureThreshold": 5, "successThreshold": 2, "initialDelaySeconds": 7}, 7 + 7 + 5),
    ],
)
def test_a_readiness_probe_is_given_the_time_in_which_it_would_have_succeeded(probe: Raw, patience: int) -> None:
    if probe:
        assert state_of(running(patience + 1, probe), NOW) == PodState(State.BROKEN, "Unready")
    assert state_of(running(patience - 1, probe), NOW) == PodState(State.MOVING, "Running")


def test_slack_follows_the_pace_of_the_cluster_down_to_a_second() -> None:
    probe = {"periodSeconds": 1}
    assert state_of(running(6, probe), NOW, 0.1).state is State.BROKEN
    assert state_of(running(4.5, probe), NOW, 0.1).state is State.MOVING
    assert state_of(running(6, probe), NOW, 1.0).state is State.MOVING


def test_without_a_probe_there_is_nothing_to_lose_patience_with() -> None:
    assert state_of(running(3600, None), NOW).state is State.MOVING
