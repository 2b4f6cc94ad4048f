"""A Service whose endpoints are right now, but would be lost with the Pods, does not pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.records import PodNamed, PodsOf
from grader.model.evidence import DnsAnswer, DnsQuestion, Outcome
from grader.model.ground import Given, GroundRule
from grader.model.report import Hop, Verdict, Waits
from grader.model.vantage import Vantage
from tests.judge.telling import replacing, told
from tests.judge.world import LABELS, NAMESPACE, SERVICE, Raw, World, criterion, exercise, owned, pod, slice_of

ENDPOINTS = Endpoints(SERVICE, LABELS, 8080, 80)
EVERY = ("10.244.1.1", "10.244.1.2", "10.244.1.3")


def lasting(expect: Endpoints = ENDPOINTS) -> World:
    return World(exercise(criterion("endpoints", expect))).ground()


def slice_by_hand(world: World, *addresses: str, port: tuple[str, int, str] = ("", 8080, "TCP")) -> Raw:
    made = slice_of(world.service, port, [{"addresses": [item], "conditions": {}} for item in addresses])
    made["metadata"] = {"name": "by-hand", "labels": {"kubernetes.io/service-name": SERVICE}}
    return made


def failed(world: World, diagnosis: str) -> dict[str, str]:
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, diagnosis)
    return dict(report.finding.facts)


def test_a_service_that_chooses_by_labels_of_the_template_passes() -> None:
    assert told(lasting()).finding.diagnosis == "endpoints-exact"
    assert told(lasting().set(selector={"app": "backend", "tier": "api"})).verdict is Verdict.PASS


def test_pods_that_merely_carry_the_labels_are_strangers() -> None:
    world = lasting()
    world.pods.append(pod("lone", 8, dict(LABELS)))
    facts = failed(world, "stranger-chosen")
    assert (facts["pods"], facts["labels"]) == ("lone", "app=backend")
    world = lasting()
    world.pods.append(owned(pod("mine-1", 8, dict(LABELS)), "StatefulSet", "mine"))
    assert failed(world, "stranger-chosen")["pods"] == "mine-1"


def test_strangers_whom_the_service_does_not_choose_are_welcome() -> None:
    world = lasting().set(selector={"app": "backend", "tier": "api"})
    world.pods.append(pod("lone", 8, {"app": "backend"}))
    assert told(world).verdict is Verdict.PASS


def test_where_the_task_asks_for_a_workload_its_pods_are_none() -> None:
    world = lasting()
    world.pods.append(owned(pod("mine-1", 8, dict(LABELS)), "StatefulSet", "mine"))
    rule = GroundRule(makes=frozenset({Given(NAMESPACE, "StatefulSet", "mine")}))
    world.task = replace(world.task, ground=rule)
    assert told(world).verdict is Verdict.PASS


def test_where_nothing_is_known_of_the_ground_nobody_is_a_stranger() -> None:
    world = lasting()
    world.pods.append(pod("lone", 8, dict(LABELS)))
    world.laid = None
    assert told(world).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "key",
    [
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/job-name",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
    ],
)
def test_a_label_that_a_controller_sets_is_lost_with_the_pods(key: str) -> None:
    world = lasting()
    for item in world.pods[:3]:
        item["metadata"]["labels"][key] = "x"
    assert failed(world.set(selector={**LABELS, key: "x"}), "selector-generated")["label"] == f"{key}=x"


def stateful(**labels: str) -> World:
    world = World(exercise(criterion("endpoints", ENDPOINTS)))
    for index, item in enumerate(world.pods[:3]):
        owned(item, "StatefulSet", "backend")
        item["metadata"]["labels"] |= {"apps.kubernetes.io/pod-index": str(index), **labels}
    template = {"metadata": {"labels": dict(LABELS)}}
    status = {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3}
    made = {"metadata": {"name": "backend", "generation": 1}, "spec": {"replicas": 3, "template": template}}
    world.listed["statefulsets"] = ({**made, "status": status},)
    return world


def test_a_stateful_set_keeps_the_names_and_numbers_of_its_pods_but_not_their_revision() -> None:
    one = {"app": "backend", "apps.kubernetes.io/pod-index": "0"}
    world = stateful()
    world.task = exercise(criterion("endpoints", replace(ENDPOINTS, pods=one)))
    assert told(world.set(selector=one)).verdict is Verdict.PASS
    selector = {**LABELS, "controller-revision-hash": "r"}
    assert failed(stateful(**{"controller-revision-hash": "r"}).set(selector=selector), "selector-generated")


def test_a_label_by_which_the_task_itself_speaks_may_be_a_controllers() -> None:
    labels = {"app": "backend", "pod-template-hash": "5d5f"}
    world = lasting(replace(ENDPOINTS, pods=labels)).set(selector=labels)
    assert told(world).verdict is Verdict.PASS


def test_a_label_that_only_todays_pods_carry_is_not_the_templates() -> None:
    world = lasting().set(selector={"app": "backend", "seen": "yes"})
    for item in world.pods[:3]:
        item["metadata"]["labels"]["seen"] = "yes"
    facts = failed(world, "selector-not-of-template")
    assert (facts["label"], facts["workload"]) == ("seen=yes", "Deployment/backend")


def test_pods_that_nobody_listed_the_workload_of_are_believed() -> None:
    world = lasting().set(selector={"app": "backend", "seen": "yes"})
    for item in world.pods[:3]:
        item["metadata"]["labels"]["seen"] = "yes"
    world.deployments, world.laid = [], None
    assert told(world).verdict is Verdict.PASS


def test_a_slice_by_hand_beside_a_selector_is_told_though_its_address_is_right() -> None:
    world = lasting()
    world.slices = [*world.objects().of("endpointslices"), slice_by_hand(world, EVERY[0])]
    assert failed(world, "slice-beside-selector")["slices"] == "by-hand"
    for change in ({"addressType": "IPv6"}, {"endpoints": []}):  # it leads nowhere
        world.slices[-1] |= change
        assert told(world).verdict is Verdict.PASS
    world.slices[-1] = slice_by_hand(world, EVERY[0])
    world.slices[-1]["metadata"]["labels"] = {"kubernetes.io/service-name": "other"}
    assert told(world).verdict is Verdict.PASS


def without_selector(*addresses: str, **changes: Any) -> World:
    world = lasting(replace(ENDPOINTS, **changes)).set(selector=None)
    world.slices = [slice_by_hand(world, *addresses)]
    return world


def test_addresses_written_by_hand_pass_only_where_the_task_wants_them() -> None:
    failed(without_selector(*EVERY), "endpoints-by-hand")
    failed(without_selector(EVERY[0]), "endpoints-by-hand")  # that some are missing is not the cause
    assert told(without_selector(*EVERY, lasting=False)).verdict is Verdict.PASS
    failed(without_selector(*EVERY[:2], lasting=False), "endpoints-differ")


def test_where_addresses_are_wanted_a_selector_that_chooses_nobody_may_stand_beside_them() -> None:
    world = without_selector(*EVERY, lasting=False).set(selector={"app": "nobody"})
    assert told(world).verdict is Verdict.PASS
    world.task = exercise(criterion("endpoints", ENDPOINTS))
    failed(world, "selector-matches-no-pod")


def test_only_the_first_of_several_addresses_of_an_endpoint_is_used() -> None:
    world = without_selector(lasting=False)
    world.slices = [slice_by_hand(world)]
    world.slices[0]["endpoints"] = [{"addresses": list(EVERY), "conditions": {}}]
    facts = failed(world, "slice-endpoint-crowded")
    assert (facts["slice"], facts["first"], facts["addresses"]) == ("by-hand", EVERY[0], ", ".join(EVERY))
    world.slices[0]["endpoints"] = [{"addresses": [*EVERY, "10.244.9.9"]}]  # told before what else is wrong
    failed(world, "slice-endpoint-crowded")


def test_a_crowded_endpoint_of_another_service_is_not_this_ones() -> None:
    world = without_selector(*EVERY, lasting=False)
    other = slice_by_hand(world)
    other["metadata"] = {"name": "other", "labels": {"kubernetes.io/service-name": "other"}}
    other["endpoints"] = [{"addresses": ["10.0.0.1", "10.0.0.2"]}]
    world.slices = [*(world.slices or ()), other]
    assert told(world).verdict is Verdict.PASS


def test_endpoints_of_another_protocol_serve_no_port() -> None:
    world = without_selector(lasting=False)
    world.slices = [slice_by_hand(world, *EVERY, port=("", 8080, "UDP"))]
    facts = failed(world, "slice-protocol-differs")
    assert (facts["expected"], facts["seen"]) == ("TCP", "UDP")
    world.slices = [slice_by_hand(world, *EVERY), slice_by_hand(world, *EVERY, port=("more", 8080, "UDP"))]
    assert told(world).verdict is Verdict.PASS  # a port of another name is another port


def test_a_service_that_is_going_is_told_whatever_it_still_does() -> None:
    world = World().ground()
    world.service["metadata"] |= {"deletionTimestamp": "2026-01-02T03:04:00Z", "finalizers": ["example.com/held"]}
    report = told(world)
    assert {item.finding.diagnosis for item in report.criteria} == {"service-going"}
    assert (report.broken, report.points) == (Hop.SERVICE, 0.0)
    assert report.finding.facts["finalizers"] == "example.com/held"
    del world.service["metadata"]["finalizers"]
    assert told(world).finding.diagnosis == "service-going"


def headless(expect: Dns, *records: str, **spec: Any) -> World:
    world = World(exercise(criterion("dns", expect))).ground().set(clusterIP="None", **spec)
    question = DnsQuestion("same-namespace", str(expect.name), "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NOERROR", records),)
    return world


def test_a_name_that_stands_for_pods_lasts_only_with_its_service() -> None:
    pods = Dns(SERVICE, Vantage.SAME_NAMESPACE, "A", PodsOf(LABELS), SERVICE)
    one = Dns(f"backend-a.{SERVICE}", Vantage.SAME_NAMESPACE, "A", PodNamed("backend-a"), SERVICE)
    assert told(headless(pods, *EVERY)).verdict is Verdict.PASS
    assert told(headless(one, EVERY[0])).verdict is Verdict.PASS
    failed(headless(pods, *EVERY, selector=None), "endpoints-by-hand")
    failed(headless(one, EVERY[0], selector=None), "endpoints-by-hand")
    generated = {**LABELS, "pod-template-hash": "5d5f"}
    failed(headless(pods, *EVERY, selector=generated), "selector-generated")
    world = headless(pods, *EVERY, selector=None)
    by_hand = criterion("endpoints", replace(ENDPOINTS, lasting=False))
    world.task = exercise(*world.task.criteria, by_hand)
    assert told(world).criteria[0].verdict is Verdict.PASS  # the task wants addresses by hand


def test_a_name_of_pods_stands_for_no_stranger_published_or_not_yet() -> None:
    pods = Dns(SERVICE, Vantage.SAME_NAMESPACE, "A", PodsOf(LABELS), SERVICE)
    for answered in (EVERY, (*EVERY, "10.244.1.8")):
        world = headless(pods, *answered)
        world.pods.append(pod("lone", 8, dict(LABELS)))
        assert failed(world, "stranger-chosen")["pods"] == "lone"


def paused(world: World) -> None:
    world.deployments[0]["spec"]["paused"] = True


def refused(world: World) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}
    world.deployments[0]["status"]["conditions"] = [{"type": "Progressing", "status": "True"}, condition]


def stopped(change: Callable[[World], None]) -> World:
    world = World(exercise(criterion("endpoints", ENDPOINTS)))
    replacing(world, updated=1)
    change(world)
    return world


@pytest.mark.parametrize(("change", "diagnosis"), [(paused, "rollout-paused"), (refused, "rollout-refused")])
def test_a_rollout_that_gets_no_further_by_itself_is_not_waited_for(
    change: Callable[[World], None], diagnosis: str
) -> None:
    facts = failed(stopped(change), diagnosis)
    assert facts["name"] == "backend"
    assert facts.get("reason", "exceeded quota: small") == "exceeded quota: small"


def test_one_that_its_controller_has_not_seen_yet_may_still_move() -> None:
    world = stopped(paused)
    world.deployments[0]["status"]["observedGeneration"] = 1
    report = told(world)
    assert (report.verdict, report.criteria[0].waits_for) == (Verdict.NOT_YET, Waits.OBJECTS)


def test_one_whose_trouble_is_over_or_that_has_done_all_is_no_objection() -> None:
    world = stopped(refused)
    world.deployments[0]["status"]["conditions"][1]["status"] = "False"
    assert told(world).finding.diagnosis == "rollout-moving"
    world = lasting()
    world.laid = None
    paused(world)
    assert told(world).verdict is Verdict.PASS
