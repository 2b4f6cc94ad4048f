"""Who answers, from where, and which policy of the Service explains it."""

from __future__ import annotations

import pytest

from grader.criteria.object import Object
from grader.model.evidence import Outcome, Problem
from grader.model.report import Hop, Verdict
from grader.model.vantage import Vantage
from tests.judge.telling import (
    NOBODY,
    PORT,
    REFUSED,
    load_balancer,
    node_port,
    only,
    told,
)
from tests.judge.world import NODES, SERVICE, World, criterion, exercise, slice_of, slices


def test_an_endpoint_that_refuses_directly_explains_silence_at_once() -> None:
    world = World(exercise(criterion("reach")))
    world.set(ports=[{**PORT, "targetPort": 81}])
    world.answered.update({"*": REFUSED, "direct": REFUSED})
    report = told(world, quiet_for=0.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "target-port-nobody-listens")


def test_one_of_three_answering_is_no_pass_and_a_stranger_answering_fails() -> None:
    world = World()
    world.answered["other-namespace"] = only("backend-a")
    assert told(world, quiet_for=1.0).finding.diagnosis == "control-moving"
    world.answered["other-namespace"] = only("backend-a", "backend-b", "backend-c", "batch-a")
    assert told(world).finding.diagnosis == "unexpected-answer"


def test_a_stranger_that_no_endpointslice_sends_anybody_to_may_be_answering_for_rules_of_before() -> None:
    world = World(exercise(criterion("reach")))
    world.answered["same-namespace"] = only("backend-a", "batch-a")
    assert told(world, quiet_for=5.0).finding.diagnosis == "data-plane-moving"
    assert told(world, quiet_for=21.0).finding.diagnosis == "unexpected-answer"


def test_a_stranger_at_an_address_that_was_given_anew_is_believed_only_when_no_node_announces_the_old_one() -> None:
    world = load_balancer()
    world.answered["*"] = only("batch-a")
    assert told(world, quiet_for=30.0).finding.diagnosis == "data-plane-moving"
    assert told(world, quiet_for=46.0).finding.diagnosis == "unexpected-answer"


@pytest.mark.parametrize("label", [{"kubernetes.io/service-name": "backend-old"}, {}])
def test_silence_beside_a_slice_that_was_given_another_label_is_blamed_on_it(label: dict[str, str]) -> None:
    def world(generation: int) -> World:
        scene = World()
        stale = slice_of(scene.service, ("http", 8080, "TCP"), [{"addresses": ["192.0.2.10"], "conditions": {}}], 7)
        stale["metadata"].update(labels=label, generation=generation)
        scene.slices = [*slices(scene.service, scene.pods), stale]
        return scene

    assert told(world(1)).verdict is Verdict.PASS
    assert told(world(2), quiet_for=1.0).finding.diagnosis == "data-plane-moving"  # by chance
    silent = world(2)
    silent.answered["same-namespace"] = NOBODY
    assert told(silent, quiet_for=1.0).verdict is Verdict.NOT_YET
    assert told(silent.compare(age=6.2), quiet_for=6.5).finding.diagnosis == "slice-relabelled"  # explained
    assert told(silent.compare(own=Outcome.TIMEOUT)).verdict is Verdict.ENVIRONMENT
    silent = world(1)
    silent.answered["same-namespace"] = NOBODY
    assert told(silent.compare(own=Outcome.TIMEOUT)).finding.diagnosis == "data-plane-silent"


def test_affinity_is_told_where_one_pod_answers_one_client() -> None:
    world = World().set(sessionAffinity="ClientIP")
    world.answered["*"] = only("backend-b")
    assert told(world, quiet_for=0.0).finding.diagnosis == "session-affinity-pins"


def test_a_local_policy_inside_is_told_with_and_without_a_pod_on_the_node() -> None:
    world = World().set(internalTrafficPolicy="Local")
    world.answered["*"] = only("backend-a", "backend-b")  # both on the probe's node
    assert told(world, quiet_for=0.0).finding.diagnosis == "internal-traffic-policy-local"
    for item in world.pods:
        item["spec"]["nodeName"] = "worker"
    world.answered.clear()  # all are near this client, but others on other nodes get nothing
    report = told(world, quiet_for=0.0)
    assert report.finding.diagnosis == "internal-traffic-policy-local"
    assert report.finding.facts["others"] == "control-plane, worker2"
    for item, node in zip(world.pods, NODES, strict=False):
        item["spec"]["nodeName"] = node
    world.answered["*"] = only("backend-b")  # every node has one: only the own answers
    assert told(world, quiet_for=0.0).finding.diagnosis == "internal-traffic-policy-local"


def test_a_preference_for_what_is_near_is_told_where_it_leaves_pods_out() -> None:
    world = World().set(trafficDistribution="PreferSameNode")
    world.answered["*"] = only("backend-a", "backend-b")  # both on the probe's node
    assert told(world, quiet_for=0.0).finding.diagnosis == "traffic-distribution-prefers-near"
    world.set(trafficDistribution="PreferSameZone")
    assert told(world, quiet_for=0.0).verdict is Verdict.NOT_YET  # no node has a zone: nothing is preferred
    for node, zone in zip(world.nodes, "aab", strict=True):
        node["metadata"]["labels"]["topology.kubernetes.io/zone"] = zone
    assert told(world, quiet_for=0.0).finding.diagnosis == "traffic-distribution-prefers-near"


def test_answers_that_a_policy_says_cannot_last_are_watched_before_they_are_believed() -> None:
    for changes in (
        {"sessionAffinity": "ClientIP"},
        {"trafficDistribution": "PreferSameNode"},
    ):
        world = World().set(**changes)
        assert told(world, quiet_for=1.0).finding.diagnosis == "data-plane-moving"
        assert told(world, quiet_for=30.0).verdict is Verdict.PASS
    nodes = node_port(Vantage.OTHER_NODE).set(externalTrafficPolicy="Local")
    assert told(nodes, quiet_for=1.0).verdict is Verdict.NOT_YET
    balancer = load_balancer().set(externalTrafficPolicy="Local")
    assert told(balancer, quiet_for=1.0).verdict is Verdict.NOT_YET
    assert told(balancer, quiet_for=30.0).verdict is Verdict.PASS


def test_a_load_balancer_that_serves_some_clients_only_fails_whether_or_not_ours_is_one_of_them() -> None:
    some = load_balancer().set(loadBalancerSourceRanges=["203.0.113.0/24"])
    assert told(some, quiet_for=0.0).finding.diagnosis == "source-ranges-exclude-client"
    everybody = load_balancer().set(loadBalancerSourceRanges=["0.0.0.0/0"])
    assert told(everybody, quiet_for=0.0).verdict is Verdict.PASS


def test_a_label_for_another_proxy_is_told() -> None:
    world = World()
    world.service["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "mesh"}
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=0.0).finding.diagnosis == "service-proxy-ignored"


def test_every_node_is_asked_from_another_node_and_passes() -> None:
    world = node_port(Vantage.OTHER_NODE)
    report = told(world)
    assert report.verdict is Verdict.PASS
    asked = {
        (item.question.vantage, item.question.host) for item in world.evidence().reach if item.question.port == 30080
    }
    own = {("node/control-plane", "172.18.0.2"), ("node/worker", "172.18.0.3"), ("node/worker2", "172.18.0.4")}
    assert len(asked) == 3
    assert not asked & own


def test_a_local_policy_outside_is_told_for_a_node_without_a_pod() -> None:
    world = node_port(Vantage.OTHER_NODE).set(externalTrafficPolicy="Local")
    world.answered["*"] = NOBODY
    report = told(world, quiet_for=0.0)
    assert (report.finding.diagnosis, report.broken) == ("external-traffic-policy-local", Hop.NODE)


def test_a_node_port_of_another_type_unset_or_not_mapped_is_told() -> None:
    assert told(node_port(Vantage.OTHER_NODE).set(type="ClusterIP")).finding.diagnosis == "service-type-differs"
    assert told(node_port(Vantage.OTHER_NODE).set(ports=[PORT])).finding.diagnosis == "node-port-unset"
    world = node_port(Vantage.LEARNER_HOST, everyone=False).set(ports=[{**PORT, "nodePort": 31234}])
    assert told(world).finding.diagnosis == "node-port-not-mapped"
    assert told(node_port(Vantage.LEARNER_HOST, everyone=False)).verdict is Verdict.PASS


def test_the_learners_host_is_judged_at_the_node_port_that_was_asked_for_on_every_cluster() -> None:
    world = node_port(Vantage.LEARNER_HOST, everyone=False)
    asked = Object("Service", SERVICE, {"spec": {"ports": [{"port": 80, "nodePort": 30085}]}})
    world.task = exercise(*world.task.criteria, criterion("service", asked))
    assert {item.finding.diagnosis for item in told(world).criteria} == {"node-port-differs"}


def test_a_load_balancer_is_waited_for_and_its_troubles_are_told() -> None:
    assert told(load_balancer()).verdict is Verdict.PASS
    world = load_balancer()
    world.service["status"] = {}
    assert told(world).finding.diagnosis == "load-balancer-pending"
    down = Problem("load-balancer-controller-down", {"deployment": "controller"})
    assert told(world, problems=(down,)).verdict is Verdict.ENVIRONMENT
    world.set(loadBalancerClass="example.com/none")
    assert told(world, quiet_for=0.5).verdict is Verdict.NOT_YET
    assert told(world, quiet_for=3.0).finding.diagnosis == "load-balancer-class-unserved"


def test_an_old_ingress_address_is_no_pass() -> None:
    world = load_balancer()
    world.answered["*"] = NOBODY
    assert told(world).verdict is not Verdict.PASS


def test_source_ranges_and_a_local_policy_are_told_at_the_load_balancer() -> None:
    world = load_balancer().set(loadBalancerSourceRanges=["203.0.113.0/24"])
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=3.0).finding.diagnosis == "source-ranges-exclude-client"
    world.set(externalTrafficPolicy="Local")  # silence is not what a policy does to an address of a load balancer
    assert told(world, quiet_for=3.0).finding.diagnosis == "source-ranges-exclude-client"
    world = load_balancer().set(externalTrafficPolicy="Local")
    world.answered["*"] = only("backend-c")
    assert told(world, quiet_for=3.0).finding.diagnosis == "external-traffic-policy-local"
    world.answered["*"] = NOBODY  # the address is announced by a node that has Pods: the policy explains no silence
    assert told(world, quiet_for=3.0).verdict is Verdict.NOT_YET
