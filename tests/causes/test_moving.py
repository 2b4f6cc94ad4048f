"""What is still moving is waited for, and only what the cluster itself owes is blamed on it."""

from __future__ import annotations

from grader.model.evidence import (
    DnsAnswer,
    DnsQuestion,
    Outcome,
)
from grader.model.report import Hop, HopState, Verdict
from tests.judge.telling import (
    NOBODY,
    never_ready,
    replacing,
    spec,
    told,
)
from tests.judge.world import NAMESPACE, SERVICE, World, criterion, exercise, slices


def test_slices_that_lag_behind_are_waited_for_and_never_failed() -> None:
    for change in (lambda world: None, spec(selector={"app": "batch"})):
        world = World()
        world.slices = []
        change(world)
        report = told(world)
        endpoints = next(item for item in report.criteria if item.id == "endpoints")
        assert (endpoints.verdict, endpoints.finding.diagnosis) == (Verdict.NOT_YET, "endpoint-slices-moving")


def test_a_young_pod_is_waited_for() -> None:
    world = World()
    never_ready(world)
    world.pods[0]["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-01-02T03:04:04Z"}}
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.NOT_YET, "pods-moving")
    assert dict(report.chain)[Hop.ENDPOINT_SLICE] is HopState.MOVING


def test_a_quicker_cluster_needs_less_patience_with_a_pod() -> None:
    world = World()
    never_ready(world)
    world.pods[0]["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-01-02T03:03:59Z"}}
    assert told(world).verdict is Verdict.NOT_YET
    assert told(world, pace=0.1).verdict is Verdict.FAIL


def test_a_rollout_is_waited_for() -> None:
    world = World()
    template = {"metadata": {"labels": {"app": "backend"}}}
    world.deployments = [
        {
            "metadata": {"name": "backend", "generation": 2},
            "spec": {"replicas": 3, "template": template},
            "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3},
        }
    ]
    assert told(world).finding.diagnosis == "rollout-moving"


def test_labels_of_pods_that_are_being_replaced_are_not_held_against_anybody() -> None:
    world = World()
    spec(selector={"app": "backend", "traffic": "open"})(world)
    replacing(world, updated=0, template={"app": "backend", "traffic": "open"})
    world.slices = slices(world.service, world.pods)
    assert told(world).finding.diagnosis == "rollout-moving"
    replacing(world, updated=3)
    assert told(world).finding.diagnosis == "selector-matches-no-pod"


def test_pods_that_are_broken_but_being_replaced_are_waited_for() -> None:
    world = World()
    never_ready(world)
    replacing(world, updated=0)
    assert told(world).finding.diagnosis == "rollout-moving"


def test_pods_that_their_deployment_has_not_missed_yet_are_waited_for() -> None:
    world = World()
    replacing(world, updated=3)
    for pod in world.pods[:3]:
        pod["metadata"]["labels"]["app"] = "backned"
    world.slices = slices(world.service, world.pods)
    assert told(world).finding.diagnosis == "rollout-moving"


def test_a_rollout_whose_new_pods_are_broken_is_not_waited_for() -> None:
    world = World()
    never_ready(world)
    replacing(world, updated=1)
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "pods-not-ready")


def test_traffic_that_does_not_flow_yet_is_waited_for_then_blamed_on_the_environment() -> None:
    world = World()
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=60.0).finding.diagnosis == "control-moving"
    report = told(world.compare(own=Outcome.TIMEOUT, here=Outcome.TIMEOUT), quiet_for=60.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "data-plane-silent")
    assert report.broken is None


def test_a_name_that_is_not_there_yet_is_waited_for_then_blamed_on_the_environment() -> None:
    world = World(exercise(criterion("dns")))
    question = DnsQuestion("same-namespace", f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world, quiet_for=60.0).finding.diagnosis == "control-moving"
    assert told(world.compare(own=Outcome.TIMEOUT), quiet_for=60.0).finding.diagnosis == "dns-silent"


def test_a_question_that_was_not_asked_is_no_pass() -> None:
    world = World()
    assert told(world, dns=(), reach=()).verdict is Verdict.NOT_YET
