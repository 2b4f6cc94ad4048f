"""On a ground that is not as it was laid nothing else proves anything: the first change is told, and no points."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.model.evidence import Evidence
from grader.model.ground import Change, Given, GroundRule, Laid
from grader.model.objects import Objects
from grader.model.report import Hop, HopState, Report, Verdict
from tests.judge.telling import NOBODY, no_service, told
from tests.judge.world import (
    LABELS,
    NAMESPACE,
    SERVICE,
    Raw,
    World,
    laid,
    node,
    owned,
    pod,
    service,
    slice_of,
)

BACKEND = Given(NAMESPACE, "Deployment", "backend")
FURTHER = "shop-roads"


def broken(report: Report) -> str:
    """The diagnosis, of a report that fails at the ground."""
    assert (report.verdict, report.broken, report.points) == (Verdict.FAIL, Hop.GROUND, 0.0)
    assert report.chain[0] == (Hop.GROUND, HopState.BROKEN)
    assert all(item.finding == report.finding for item in report.criteria)
    return report.finding.diagnosis


def changed(world: World, **rule: Any) -> World:
    world.task = replace(world.task, ground=GroundRule(**rule))
    return world


def test_on_the_ground_that_was_laid_everything_is_as_without_a_record() -> None:
    report = told(World().ground())
    assert (report.verdict, report.points) == (Verdict.PASS, 4.0)
    assert Hop.GROUND not in dict(report.chain)


def test_where_nothing_is_known_of_the_ground_nothing_is_told_of_it() -> None:
    world = World().ground()
    world.deployments[0]["spec"]["minReadySeconds"] = 5
    world.laid = None
    assert told(world).verdict is Verdict.PASS


def unborn(world: World) -> None:
    world.pods.pop()


def without_address(world: World) -> None:
    del world.pods[-1]["status"]["podIPs"]
    world.pods[-1]["status"]["conditions"] = []


def not_looked_at(world: World) -> None:
    world.deployments[-1]["metadata"]["generation"] = 2


@pytest.mark.parametrize("change", [unborn, without_address, not_looked_at])
def test_while_a_given_workload_has_no_pods_nobody_can_be_sure_whom_a_selector_takes(
    change: Callable[[World], None],
) -> None:
    world = World().ground()
    change(world)
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.NOT_YET, "rollout-moving")
    assert report.finding.facts["name"] == "batch"


def test_a_given_workload_that_may_be_changed_is_the_criteria_s_to_judge() -> None:
    world = changed(World().ground(), may_differ={Given(NAMESPACE, "Deployment", "batch"): ("spec",)})
    unborn(world)
    assert told(world).verdict is Verdict.PASS


def test_a_given_pod_that_is_broken_for_good_is_not_waited_for() -> None:
    world = World().ground()
    without_address(world)
    waiting = {"name": "server", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    world.pods[-1]["status"]["containerStatuses"] = [waiting]
    assert told(world).verdict is Verdict.PASS


def scaled(world: World) -> None:
    world.deployments[0]["spec"]["replicas"] = 1


def gone(world: World) -> None:
    world.deployments.pop(0)


def going(world: World) -> None:
    world.deployments[0]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:00Z"


@pytest.mark.parametrize(
    ("change", "diagnosis"), [(scaled, "ground-changed"), (gone, "ground-gone"), (going, "ground-going")]
)
def test_each_way_to_change_the_ground_has_its_own_words(change: Callable[[World], None], diagnosis: str) -> None:
    world = World().ground()
    change(world)
    report = told(world)
    assert broken(report) == diagnosis
    assert (report.finding.facts["kind"], report.finding.facts["name"]) == ("Deployment", "backend")


def test_a_change_tells_field_and_values() -> None:
    world = World().ground()
    scaled(world)
    facts = told(world).finding.facts
    assert (facts["field"], facts["before"], facts["after"]) == ("spec.replicas", "3", "1")


def test_what_must_stay_the_very_same_was_made_anew() -> None:
    world = World()
    world.ground(laid("Service", world.service))
    changed(world, may_differ={Given(NAMESPACE, "Service", SERVICE): ("spec",)}, kept=frozenset({BACKEND}))
    assert told(world).verdict is Verdict.PASS
    world.deployments[0]["metadata"]["uid"] = "another"
    assert broken(told(world)) == "ground-remade"


def test_the_first_change_wins_over_all_that_follows_from_it() -> None:
    world = World().ground()
    gone(world)
    world.pods, world.answered["*"] = [], NOBODY
    no_service(world)
    assert broken(told(world)) == "ground-gone"


def test_a_manifest_that_did_not_get_in_is_told_before_the_ground() -> None:
    world = World().ground()
    gone(world)
    facts = {"line": "3", "column": "1", "reason": "…"}
    assert told(world, unreadable=facts).finding.diagnosis == "manifest-unreadable"


def test_what_a_hand_in_tells_of_the_ground_where_it_was_written_counts_here_and_first() -> None:
    change = Change(Given(FURTHER, "Deployment", "road"), "spec.replicas", "2", "0")
    world = World().ground(told=(change,))
    scaled(world)
    report = told(world)
    assert broken(report) == "ground-changed"
    assert (report.finding.facts["name"], report.finding.facts["after"]) == ("road", "0")
    assert FURTHER in report.finding.facts["place"]


def test_a_pod_of_a_given_workload_keeps_the_labels_of_its_template() -> None:
    for value in (None, "other"):
        world = World().ground()
        labels = world.pods[0]["metadata"]["labels"]
        labels.pop("tier") if value is None else labels.update(tier=value)
        report = told(world)
        assert broken(report) == "ground-changed"
        facts = report.finding.facts
        assert (facts["kind"], facts["name"], facts["field"]) == ("Pod", "backend-a", "metadata.labels.tier")


def test_a_pod_may_have_more_labels_and_one_that_is_going_or_nobodys_any() -> None:
    world = World().ground()
    world.pods[0]["metadata"]["labels"]["more"] = "x"
    assert told(world).verdict is Verdict.PASS
    world.pods[1]["metadata"]["labels"].pop("tier")
    world.pods[1]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:00Z"
    world.pods.append(pod("free", 7, {"tier": "x"}))
    world.pods.append(owned(pod("mine-x", 8, {"tier": "x"}), "ReplicaSet", "mine-5d5f"))
    assert told(world).finding.diagnosis != "ground-changed"


def test_labels_of_pods_are_free_where_their_workload_may_differ() -> None:
    world = changed(World().ground(), may_differ={BACKEND: ("spec",)})
    world.pods[0]["metadata"]["labels"].pop("tier")
    assert told(world).finding.diagnosis != "ground-changed"


def by_hand(of: str, name: str = "by-hand") -> Raw:
    made = slice_of(service(), ("", 8080, "TCP"), [{"addresses": ["10.244.9.9"], "conditions": {}}])
    made["metadata"] = {"name": name, "labels": {"kubernetes.io/service-name": of}}
    return made


def given_service(*slices: Laid) -> tuple[World, Raw]:
    """A given Service "plain" beside the learner's."""
    plain = service(selector={"app": "batch"})
    plain["metadata"] = {"name": "plain", "uid": "uid-plain"}
    world = World().ground(laid("Service", plain), *slices)
    world.services.append(plain)
    world.task = replace(world.task, may_change=("Service", "EndpointSlice"))
    return world, plain


def test_a_slice_that_leads_a_given_service_elsewhere_is_a_change_of_it() -> None:
    world, _ = given_service()
    assert told(world).verdict is Verdict.PASS
    world.slices = [*world.objects().of("endpointslices"), by_hand("plain")]
    report = told(world)
    assert broken(report) == "ground-changed"
    assert (report.finding.facts["name"], report.finding.facts["after"]) == ("plain", "by-hand")


def test_a_slice_that_was_given_or_leads_another_service_is_no_change() -> None:
    given = by_hand("plain")
    world, _ = given_service(laid("EndpointSlice", given))
    world.slices = [*world.objects().of("endpointslices"), given, by_hand("mine", "mine")]
    assert told(world).verdict is Verdict.PASS


def test_a_given_slice_that_is_given_to_a_given_service_is_a_change() -> None:
    given = by_hand("other")
    world, _ = given_service(laid("EndpointSlice", given))
    world.slices = [*world.objects().of("endpointslices"), by_hand("plain")]
    assert broken(told(world)) == "ground-changed"


def test_slices_are_free_beside_a_service_that_may_differ() -> None:
    world, plain = given_service()
    plain["spec"]["type"] = "NodePort"
    assert broken(told(world)) == "ground-changed"
    changed(world, may_differ={Given(NAMESPACE, "Service", "plain"): ("spec",)})
    world.slices = [*world.objects().of("endpointslices"), by_hand("plain")]
    assert told(world).verdict is Verdict.PASS


def test_the_ground_of_a_further_namespace_is_looked_at_there() -> None:
    road = service()
    road["metadata"] = {"name": "road", "uid": "uid-road"}
    world = World().ground(laid("Service", road, FURTHER))
    world.task = replace(world.task, namespaces=(FURTHER,))
    world.further[FURTHER] = {"services": (road,), "endpointslices": ()}
    assert told(world).verdict is Verdict.PASS
    world.further[FURTHER] = {"services": (road,), "endpointslices": (by_hand("road"),)}
    assert broken(told(world)) == "ground-changed"
    world.further[FURTHER] = {"services": (), "endpointslices": ()}
    report = told(world)
    assert broken(report) == "ground-gone"
    assert FURTHER in report.finding.facts["place"]
    world.further[FURTHER] = {"endpointslices": ()}
    assert told(world).verdict is Verdict.PASS  # not listed: nothing is known


def test_the_clusters_own_ground_is_held_too() -> None:
    corefile: Raw = {"metadata": {"name": "coredns", "uid": "uid-c"}, "data": {"Corefile": "."}}
    worker = {**node("worker", 3), "kind": "Node"}
    world = World().ground(laid("ConfigMap", corefile, "kube-system"), laid("Node", worker, ""))
    world.nodes[1] = worker

    def seen(config: Raw) -> Evidence:
        objects = world.objects()
        return world.evidence(objects=Objects(objects.own, objects.further, (), {"configmaps": (config,)}))

    def report(config: Raw) -> Report:
        return told(world, objects=seen(config).objects)

    assert report(corefile).verdict is Verdict.PASS
    assert told(world).verdict is Verdict.PASS  # not listed: nothing is known
    assert broken(report({**corefile, "data": {"Corefile": "other"}})) == "ground-changed"
    world.nodes[1] = {**copy.deepcopy(worker), "spec": {"unschedulable": True}}
    found = report(corefile)
    assert broken(found) == "ground-changed"
    assert (found.finding.facts["kind"], found.finding.facts["place"]) == ("Node", "")


def policy(**spec: Any) -> Raw:
    return {"metadata": {"name": "closed"}, "spec": {"podSelector": {}, **spec}}


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ({}, "Ingress"),
        ({"policyTypes": ["Ingress"]}, "Ingress"),
        ({"policyTypes": ["Egress"]}, "Egress"),
        ({"policyTypes": ["Ingress", "Egress"]}, "Ingress, Egress"),
        ({"egress": [{"to": [{"podSelector": {}}]}]}, "Ingress, Egress"),
        ({"ingress": [{"from": [{"podSelector": {}}]}]}, "Ingress"),
        ({"ingress": [{"ports": [{"port": 8080}]}]}, "Ingress"),
        ({"podSelector": {"matchLabels": LABELS}}, "Ingress"),
        ({"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["batch"]}]}}, "Ingress"),
    ],
)
def test_a_policy_that_lets_through_less_than_everything_is_told_though_nothing_is_silent(
    spec: Raw, directions: str
) -> None:
    world = World().ground()
    world.listed["networkpolicies"] = (policy(**spec),)
    report = told(world)
    assert broken(report) == "policy-beside"
    assert report.finding.facts["directions"] == directions


@pytest.mark.parametrize(
    "spec",
    [
        {"ingress": [{}]},
        {"ingress": [{"from": [{"podSelector": {}}]}, {}]},
        {"policyTypes": ["Egress"], "egress": [{}]},
        {"policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
        {"podSelector": {"matchLabels": {"app": "nobody"}}},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}], "matchLabels": LABELS}},
    ],
)
def test_a_policy_that_lets_everything_through_or_is_about_nobody_is_welcome(spec: Raw) -> None:
    world = World().ground()
    world.listed["networkpolicies"] = (policy(**spec),)
    assert told(world).verdict is Verdict.PASS


def test_a_policy_in_a_further_namespace_acts_there() -> None:
    world = World().ground()
    world.task = replace(world.task, namespaces=(FURTHER,))
    world.further[FURTHER] = {"networkpolicies": (policy(),), "pods": ()}
    assert told(world).verdict is Verdict.PASS
    world.further[FURTHER] = {"networkpolicies": (policy(),), "pods": (pod("a", 9, {}),)}
    assert broken(told(world)) == "policy-beside"
    finished = pod("a", 9, {})
    finished["status"]["phase"] = "Succeeded"
    world.further[FURTHER] = {"networkpolicies": (policy(),), "pods": (finished,)}
    assert told(world).verdict is Verdict.PASS


@pytest.mark.parametrize("plural", ["resourcequotas", "limitranges"])
def test_a_limit_beside_the_answer_is_told(plural: str) -> None:
    world = World()
    world.listed[plural] = ({"metadata": {"name": "small"}, "spec": {}},)
    assert broken(told(world)) == "limit-beside"


def test_an_autoscaler_beside_the_answer_is_told() -> None:
    world = World()
    target = {"kind": "Deployment", "name": "backend"}
    world.listed["horizontalpodautoscalers"] = ({"metadata": {"name": "scaler"}, "spec": {"scaleTargetRef": target}},)
    report = told(world)
    assert broken(report) == "autoscaler-beside"
    assert report.finding.facts["target"] == "Deployment backend"


def strange(name: str) -> Raw:
    made = service()
    made["metadata"] = {"name": name, "uid": f"uid-{name}"}
    return made


def test_a_service_where_none_may_be_made_is_told() -> None:
    world = World()
    world.ground(laid("Service", world.service))
    world.task = replace(world.task, may_change=("ConfigMap",))
    assert told(world).verdict is Verdict.PASS  # it was given
    world.services.append(strange("more"))
    report = told(world)
    assert broken(report) == "service-beside"
    assert (report.finding.facts["service"], report.finding.facts["namespace"]) == ("more", NAMESPACE)
    world.task = replace(world.task, may_change=("Service",))
    assert told(world).verdict is Verdict.PASS


def test_a_service_in_a_further_namespace_where_none_may_be_made_is_told_unless_it_is_only_in_the_wrong_place() -> None:
    world = World().ground()
    world.task = replace(world.task, namespaces=(FURTHER,))
    world.further[FURTHER] = {"services": (strange("more"),)}
    report = told(world)
    assert (broken(report), report.finding.facts["namespace"]) == ("service-beside", FURTHER)
    world.task = replace(world.task, may_change_there={FURTHER: ("Service",)})
    assert told(world).verdict is Verdict.PASS
    world.task = replace(world.task, may_change_there={})
    no_service(world)
    world.further[FURTHER] = {"services": (strange(SERVICE),)}
    assert told(world).finding.diagnosis == "service-missing"  # its own criterion says where it must be
    world.services = [service()]
    assert broken(told(world)) == "service-beside"  # the right one is there: this one is one too many


def test_without_a_record_no_service_is_one_too_many() -> None:
    world = World()
    world.task = replace(world.task, may_change=())
    assert told(world).verdict is Verdict.PASS
