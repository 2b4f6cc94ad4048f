"""Traffic policies node by node, the client address that a backend sees, and affinity beside a control."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from grader.criteria.affinity import Affinity
from grader.criteria.local import Local
from grader.criteria.source import Source
from grader.model.evidence import Outcome, ReachAnswer, ReachQuestion
from grader.model.report import Hop, Verdict
from grader.model.vantage import At, Vantage
from tests.judge.telling import NOBODY, PORT, REFUSED, only, told
from tests.judge.world import CLUSTER_IP, LABELS, OWN_ADDRESS, SERVICE, World, criterion, exercise

CONTROL = "plain"
CONTROL_IP = "10.96.7.8"
HERE = (Vantage.SAME_NAMESPACE,)
WORKER, WORKER2, EMPTY = (f"172.18.0.{number}" for number in (3, 4, 2))


def local(at: At, otherwise: str, **spec: Any) -> World:
    world = World(exercise(criterion("local", Local(SERVICE, 80, at, LABELS, otherwise), hop=Hop.NODE)))
    if at is At.NODE_PORT:
        world.set(type="NodePort", ports=[{**PORT, "nodePort": 30080}])
    return world.set(**spec)


INSIDE = {"internalTrafficPolicy": "Local"}
OUTSIDE = {"externalTrafficPolicy": "Local"}
NEAR = {"trafficDistribution": "PreferSameNode"}


@pytest.mark.parametrize(
    ("at", "otherwise", "spec", "proof"),
    [
        (At.CLUSTER_IP, "nobody", INSIDE, "local-nobody"),
        (At.NODE_PORT, "nobody", OUTSIDE, "local-nobody"),
        (At.CLUSTER_IP, "anybody", NEAR, "local-anybody"),
    ],
)
def test_each_node_served_by_its_own_pods_is_what_was_asked(
    at: At, otherwise: str, spec: dict[str, str], proof: str
) -> None:
    report = told(local(at, otherwise, **spec))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, proof)


def test_a_pod_of_another_node_that_answers_breaks_the_policy() -> None:
    world = local(At.NODE_PORT, "nobody")
    world.answered[f"outside-client {WORKER}"] = only("backend-a", "backend-b", "backend-c")
    report = told(world)
    assert (report.verdict, report.finding.diagnosis, report.broken) == (Verdict.FAIL, "policy-not-local", Hop.NODE)
    assert told(world, quiet_for=0.0).verdict is Verdict.FAIL  # the objects ask for it
    world.set(**OUTSIDE)  # it says Local: the rules of before still answer
    assert told(world, quiet_for=8.0).verdict is Verdict.NOT_YET
    assert told(world.compare(own=Outcome.TIMEOUT)).verdict is Verdict.ENVIRONMENT
    assert told(world.compare()).finding.diagnosis == "no-answer-though-sound"


@pytest.mark.parametrize("key", ["topology-mode", "topology-aware-hints"])
def test_an_annotation_that_switches_the_distribution_off_is_named(key: str) -> None:
    world = local(At.CLUSTER_IP, "anybody", **NEAR)
    world.answered["*"] = only("backend-a", "backend-b", "backend-c")
    assert told(world.compare()).finding.diagnosis == "no-answer-though-sound"
    world.service["metadata"]["annotations"] = {f"service.kubernetes.io/{key}": "Auto"}
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "policy-not-local")
    assert f"service.kubernetes.io/{key}: Auto" in report.finding.facts["settings"]
    world.service["metadata"]["annotations"] = {f"service.kubernetes.io/{key}": "Disabled"}
    assert told(world.compare()).finding.diagnosis == "no-answer-though-sound"


def test_a_node_without_pods_that_is_served_breaks_the_policy() -> None:
    world = local(At.NODE_PORT, "nobody")
    world.answered[f"outside-client {EMPTY}"] = only("backend-a")
    assert told(world).finding.diagnosis == "policy-not-local"


def test_a_node_without_pods_that_nobody_serves_is_starved_where_anybody_should() -> None:
    world = local(At.CLUSTER_IP, "anybody", **INSIDE)
    world.answered["node/control-plane"] = NOBODY
    assert told(world).finding.diagnosis == "policy-starves-node"
    world.set(internalTrafficPolicy="Cluster", **NEAR)
    assert told(world.compare(own=Outcome.TIMEOUT)).verdict is Verdict.ENVIRONMENT


def test_a_node_that_the_policy_starves_is_not_believed_to_be_served_by_the_rules_of_before() -> None:
    # on a loaded kind a wrong answer passed: kube-proxy had not yet programmed the policy that it kept
    world = local(At.CLUSTER_IP, "anybody", **INSIDE, **NEAR)
    world.answered["node/control-plane"] = only("backend-a")
    assert told(world, quiet_for=0.0).finding.diagnosis == "policy-starves-node"
    world.set(internalTrafficPolicy="Cluster")
    assert told(world, quiet_for=0.0).verdict is Verdict.PASS


def test_silence_is_believed_only_after_a_while_and_beside_a_control() -> None:
    world = local(At.CLUSTER_IP, "nobody", **INSIDE)
    assert told(world, quiet_for=1.0).finding.diagnosis == "watching-silence"
    evidence = world.evidence()
    directly = [item for item in evidence.reach if item.question.host.startswith("10.244.")]
    silent = tuple(ReachAnswer(item.question, Outcome.TIMEOUT) if item in directly else item for item in evidence.reach)
    assert directly
    assert told(world.compare(own=Outcome.TIMEOUT), reach=silent).verdict is Verdict.ENVIRONMENT


def test_what_a_service_does_not_ask_for_is_believed_late() -> None:
    world = local(At.NODE_PORT, "nobody")  # externalTrafficPolicy is Cluster, yet each node answers for itself
    assert told(world, quiet_for=4.0).verdict is Verdict.NOT_YET


def test_pods_that_were_moved_prove_no_policy() -> None:
    world = local(At.CLUSTER_IP, "nobody", **INSIDE)
    world.pods[0]["spec"]["nodeName"] = "control-plane"
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "pods-placed-otherwise")
    assert "backend-a (control-plane)" in report.finding.facts["pods"]
    world.nodes = world.nodes[1:2]
    for item in world.pods:
        item["spec"]["nodeName"] = "worker"
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "policy-not-provable")


def source(*, kept: bool, at: At = At.NODE_PORT, **spec: Any) -> World:
    sources = HERE if at is At.CLUSTER_IP else (Vantage.OUTSIDE_CLIENT,)
    world = World(exercise(criterion("source", Source(SERVICE, 80, at, sources, kept), hop=Hop.OUTSIDE_CLIENT)))
    if at is not At.CLUSTER_IP:
        world.set(type="NodePort", ports=[{**PORT, "nodePort": 30080}], externalTrafficPolicy="Cluster")
    return world.set(**spec)


def seen(*addresses: str) -> ReachAnswer:
    return ReachAnswer(ReachQuestion("", "", 0), Outcome.ANSWERED, dict.fromkeys(addresses, 3), 6)


def test_the_clients_address_is_kept_or_replaced() -> None:
    assert told(source(kept=True, **OUTSIDE)).finding.diagnosis == "source-kept-proved"
    assert told(source(kept=True, at=At.CLUSTER_IP)).finding.diagnosis == "source-kept-proved"
    world = source(kept=False)
    for node in (WORKER, WORKER2):
        world.answered[f"outside-client {node}"] = seen(node)
    assert told(world).finding.diagnosis == "source-replaced-proved"
    assert told(source(kept=False, **OUTSIDE)).finding.diagnosis == "source-kept"


def test_one_try_whose_address_was_replaced_is_enough_to_fail() -> None:
    world = source(kept=True)
    world.answered[f"outside-client {WORKER}"] = seen(OWN_ADDRESS, WORKER)
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "source-replaced")
    assert "worker" in report.finding.facts["seen"]


def test_addresses_that_the_policy_does_not_explain_are_waited_for() -> None:
    world = source(kept=True, **OUTSIDE)
    world.answered[f"outside-client {WORKER}"] = seen(WORKER)
    assert told(world, quiet_for=4.0).verdict is Verdict.NOT_YET
    assert told(source(kept=True), quiet_for=4.0).verdict is Verdict.NOT_YET


def affinity(**spec: Any) -> World:
    expect = Affinity(SERVICE, 80, At.CLUSTER_IP, HERE, LABELS, CONTROL)
    world = World(exercise(criterion("affinity", expect, hop=Hop.RESPONSE)))
    control = copy.deepcopy(world.service)
    control["metadata"]["name"] = CONTROL
    control["spec"]["clusterIP"] = CONTROL_IP
    world.services.append(control)
    return world.set(**{"sessionAffinity": "ClientIP", **spec})


def test_one_pod_for_one_client_beside_a_service_that_spreads_is_affinity() -> None:
    report = told(affinity())
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, "affinity-proved")
    assert report.finding.facts["tries"] == "9"


def test_without_affinity_it_fails_even_where_chance_chose_one_pod() -> None:
    assert told(affinity(sessionAffinity="None")).finding.diagnosis == "affinity-missing"


def test_several_pods_are_waited_for_while_rules_are_being_programmed() -> None:
    world = affinity()
    world.answered[f"same-namespace {CLUSTER_IP}"] = only("backend-a", "backend-b")
    assert told(world, quiet_for=5.0).verdict is Verdict.NOT_YET
    assert told(world.compare(own=Outcome.TIMEOUT)).verdict is Verdict.ENVIRONMENT
    assert told(world.compare()).finding.diagnosis == "no-answer-though-sound"


@pytest.mark.parametrize("nodes", [("worker", "worker2"), ("worker", "worker")])
def test_a_policy_that_starves_a_node_breaks_affinity_wherever_the_client_is(nodes: tuple[str, str]) -> None:
    world = affinity(internalTrafficPolicy="Local")
    for item, node in zip(world.pods, nodes, strict=False):
        item["spec"]["nodeName"] = node
    report = told(world, quiet_for=0.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "internal-traffic-policy-local")
    assert "control-plane" in report.finding.facts["others"]


def test_a_control_that_does_not_spread_proves_nothing() -> None:
    world = affinity()
    world.answered[f"same-namespace {CONTROL_IP}"] = only("backend-a")
    assert told(world).verdict is not Verdict.PASS
    world.services.pop()
    assert told(world).finding.diagnosis == "service-missing"


def test_one_pod_alone_cannot_show_affinity() -> None:
    world = affinity()
    world.pods = world.pods[:1]
    assert told(world).finding.diagnosis == "affinity-needs-pods"


def test_nobody_answering_is_no_verdict_on_affinity() -> None:
    world = affinity()
    world.answered[f"same-namespace {CLUSTER_IP}"] = REFUSED
    assert told(world, quiet_for=1.0).verdict is Verdict.NOT_YET
