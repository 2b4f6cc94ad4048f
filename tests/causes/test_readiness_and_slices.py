"""Endpoints by readiness, slices made by hand, and names whose answer is Pods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.criteria.dns import Dns
from grader.criteria.endpoints import Endpoints
from grader.criteria.records import PodNamed, PodsOf, Records
from grader.model.evidence import DnsAnswer, DnsQuestion, Outcome
from grader.model.report import Verdict
from grader.model.vantage import ConfigKey, Readiness, Vantage
from tests.judge.telling import PORT, never_ready, replacing, told
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise, pod, slice_of, slices

WANTED = Endpoints(SERVICE, LABELS, 8080, 80)


def endpoints(readiness: Readiness = Readiness.REQUIRED, *, unready: int = 0, **changes: Any) -> World:
    world = World(exercise(criterion("endpoints", replace(WANTED, readiness=readiness, **changes))))
    for item in world.pods[:unready]:
        item["status"]["conditions"][0]["status"] = "False"
    return world


def test_gated_is_proved_by_a_pod_that_stays_out() -> None:
    report = told(endpoints(Readiness.GATED, unready=1))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, "endpoints-gated")
    assert report.finding.facts["ready"] == "2"
    assert told(endpoints(Readiness.GATED)).finding.diagnosis == "no-pod-unready"
    world = endpoints(Readiness.GATED, unready=1).set(publishNotReadyAddresses=True)
    assert told(world).finding.diagnosis == "unready-published"
    assert told(endpoints(Readiness.GATED, unready=3)).verdict is not Verdict.PASS


READY, OTHER = {"httpGet": {"path": "/readyz", "port": 8080}}, {"httpGet": {"path": "/healthz", "port": 8080}}


@pytest.mark.parametrize(
    ("probes", "restarts", "diagnosis"),
    [
        ({"readinessProbe": READY, "livenessProbe": {**READY, "periodSeconds": 20}}, 0, "unready-stopped"),
        ({"readinessProbe": READY, "startupProbe": READY, "livenessProbe": READY}, 0, "endpoints-gated"),
        ({"readinessProbe": READY, "startupProbe": READY}, 1, "unready-stopped"),
        ({"readinessProbe": READY, "livenessProbe": OTHER}, 0, "endpoints-gated"),
        ({"readinessProbe": READY, "livenessProbe": OTHER}, 2, "unready-stopped"),
        ({"readinessProbe": READY}, 2, "endpoints-gated"),
    ],
)
def test_a_pod_that_is_stopped_while_it_gets_ready_does_not_stay(
    probes: dict[str, Any], restarts: int, diagnosis: str
) -> None:
    world = endpoints(Readiness.GATED, unready=1)
    world.pods[0]["spec"]["containers"][0].update(probes)
    name = world.pods[0]["spec"]["containers"][0]["name"]
    world.pods[0]["status"]["containerStatuses"] = [{"name": name, "restartCount": restarts}]
    assert told(world).finding.diagnosis == diagnosis


@pytest.mark.parametrize("unready", [0, 1])
def test_readiness_is_judged_only_once_no_pod_is_being_replaced(unready: int) -> None:
    world = endpoints(Readiness.GATED, unready=unready)
    replacing(world, updated=2)
    assert (told(world).verdict, told(world).finding.diagnosis) == (Verdict.NOT_YET, "rollout-moving")


def test_pods_that_may_just_have_found_what_they_waited_for_are_given_a_probe_more() -> None:
    world = endpoints(Readiness.GATED, unready=3)
    never_ready(world)
    assert told(world).finding.diagnosis == "pods-not-ready"
    world.changes["quiet_for"] = 2.5
    assert (told(world).verdict, told(world).finding.diagnosis) == (Verdict.NOT_YET, "pods-moving")


def test_published_is_proved_by_a_pod_that_is_in_although_unready() -> None:
    world = endpoints(Readiness.PUBLISHED, unready=1).set(publishNotReadyAddresses=True)
    assert told(world).finding.diagnosis == "endpoints-published"
    assert told(endpoints(Readiness.PUBLISHED, unready=1)).finding.diagnosis == "unready-left-out"
    world = endpoints(Readiness.PUBLISHED).set(publishNotReadyAddresses=True)
    assert told(world).finding.diagnosis == "no-pod-unready"


def test_one_port_name_may_mean_another_number_in_other_pods() -> None:
    world = endpoints(among={"tier": "api"}).set(selector={"tier": "api"}, ports=[{**PORT, "targetPort": "http-api"}])
    world.pods[3] = pod("batch-a", 4, {"app": "batch", "tier": "api"}, on="worker2", port=9090)
    assert told(world).finding.diagnosis == "endpoints-exact"
    world.set(ports=[{**PORT, "targetPort": 9090}])
    assert told(world).finding.diagnosis == "target-port-mismatch"
    world.set(selector=LABELS, ports=[{**PORT, "targetPort": "http-api"}])
    assert told(world).finding.diagnosis == "selector-too-narrow"


def by_hand(
    addresses: tuple[str, ...] = ("10.245.0.1",),
    port: tuple[str, int, str] = ("", 5432, "TCP"),
    **changes: Any,
) -> World:
    expect = Endpoints(SERVICE, {"app": "legacy"}, 5432, 80, pods_in="shop-legacy", lasting=False)
    world = World(exercise(criterion("endpoints", expect))).set(selector=None)
    legacy = pod("legacy-a", 1, {"app": "legacy"}, port=5432)
    legacy["status"]["podIPs"] = [{"ip": "10.245.0.1"}]
    world.further["shop-legacy"] = {"pods": (legacy,)}
    made = slice_of(world.service, port, [{"addresses": [item], "conditions": {}} for item in addresses])
    made["metadata"]["labels"] = {"kubernetes.io/service-name": SERVICE}
    world.slices = [{**made, **changes}]
    return world


def test_a_slice_made_by_hand_that_holds_the_outside_pods_passes() -> None:
    report = told(by_hand())
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, "endpoints-exact")


@pytest.mark.parametrize(
    ("world", "diagnosis"),
    [
        (by_hand(metadata={"name": "legacy", "labels": {}}), "slice-unlabelled"),
        (by_hand(metadata={"name": "legacy", "labels": {"kubernetes.io/service-name": "other"}}), "slice-unlabelled"),
        (by_hand(addressType="IPv6"), "slice-address-type-differs"),
        (by_hand(endpoints=[]), "slice-empty"),
        (by_hand(port=("db", 5432, "TCP")), "slice-port-name-differs"),
        (by_hand(port=("", 5433, "TCP")), "slice-port-differs"),
        (by_hand(("10.245.0.2",)), "endpoints-differ"),
        (by_hand(("10.245.0.1", "10.245.0.2")), "endpoints-differ"),
        (by_hand(endpoints=[{"addresses": ["10.245.0.1"], "conditions": {"ready": False}}]), "slice-not-ready"),
    ],
)
def test_each_mistake_in_a_slice_has_its_own_words(world: World, diagnosis: str) -> None:
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, diagnosis)


def test_without_any_slice_what_is_missing_is_the_slice_where_pods_live_elsewhere_else_the_selector() -> None:
    world = by_hand()
    world.slices = []
    assert told(world).finding.diagnosis == "slice-missing"
    assert told(endpoints().set(selector=None)).finding.diagnosis == "selector-missing"


def test_a_stranger_in_an_extra_slice_is_found_beside_the_controllers() -> None:
    world = endpoints()
    extra = slice_of(world.service, ("", 8080, "TCP"), [{"addresses": ["10.244.9.9"], "conditions": {}}])
    extra["metadata"] = {"name": "by-hand", "labels": {"kubernetes.io/service-name": SERVICE}}
    world.slices = [*world.objects().of("endpointslices"), extra]
    report = told(world)
    assert report.finding.diagnosis == "endpoints-differ"
    assert "10.244.9.9" in report.finding.facts["unexpected"]


def dns(expect: Dns, *records: str, rcode: str = "NOERROR") -> World:
    world = World(exercise(criterion("dns", expect))).set(clusterIP="None")
    name = expect.name if isinstance(expect.name, str) else "backend-service.shop.svc.cluster.local."
    question = DnsQuestion("same-namespace", name, expect.type)
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, rcode, tuple(sorted(records))),)
    return world


PODS = Dns(SERVICE, Vantage.SAME_NAMESPACE, "A", PodsOf(LABELS), SERVICE)


def test_a_headless_name_answers_with_exactly_the_ready_pods() -> None:
    every = ("10.244.1.1", "10.244.1.2", "10.244.1.3")
    assert told(dns(PODS, *every)).verdict is Verdict.PASS
    for world in (dns(PODS, *every[:2]), dns(PODS, *every, "10.244.1.4"), dns(PODS, rcode="NXDOMAIN")):
        assert told(world, quiet_for=10.0).verdict is Verdict.NOT_YET
        assert told(world.compare(own=Outcome.TIMEOUT)).finding.diagnosis == "dns-silent"
    world = dns(PODS, *every[:2])
    world.slices = slices(world.service, world.pods[:2])
    assert told(world).finding.diagnosis == "dns-differs"
    world = dns(PODS, rcode="NXDOMAIN")
    world.slices = []
    assert told(world).finding.diagnosis == "dns-name-unknown"
    assert told(world, quiet_for=0.5).verdict is Verdict.NOT_YET
    assert told(dns(PODS, "10.96.7.7").set(clusterIP="10.96.7.7")).finding.diagnosis == "service-not-headless"


def test_srv_is_compared_by_port_and_target_only() -> None:
    target = f"{SERVICE}.{NAMESPACE}.svc.cluster.local."
    expect = Dns(f"_http._tcp.{target}", Vantage.SAME_NAMESPACE, "SRV", Records((f"80 {target}",)), SERVICE)
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
    assert told(dns(expect, f"0 100 80 {target}").set(ports=ports)).verdict is Verdict.PASS
    assert told(dns(expect, f"7 1 80 {target}").set(ports=ports)).verdict is Verdict.PASS
    assert told(dns(expect, f"0 100 81 {target}").set(ports=ports)).finding.diagnosis == "dns-differs"


def test_the_name_of_one_pod_answers_with_that_pod() -> None:
    expect = Dns("backend-a.backend-service", Vantage.SAME_NAMESPACE, "A", PodNamed("backend-a"), SERVICE)
    assert told(dns(expect, "10.244.1.1")).verdict is Verdict.PASS
    assert told(dns(expect, "10.244.1.2")).finding.diagnosis == "dns-differs"


def test_a_name_that_the_learner_writes_is_asked_and_may_be_wrong() -> None:
    expect = Dns(ConfigKey("names", "HOST"), Vantage.SAME_NAMESPACE, "A", PodsOf(LABELS), SERVICE, absolute=True)
    every = ("10.244.1.1", "10.244.1.2", "10.244.1.3")
    world = dns(expect, *every)
    assert told(world).finding.diagnosis == "call-value-missing"
    name = "backend-service.shop.svc.cluster.local"
    world.listed["configmaps"] = ({"metadata": {"name": "names"}, "data": {"HOST": name}},)
    assert told(world).verdict is Verdict.PASS  # asked with the dot that makes it absolute


def test_slices_left_from_a_selector_that_was_removed_are_nobodys_handiwork() -> None:
    world = endpoints()
    world.slices = list(world.objects().of("endpointslices"))  # the controller leaves them; traffic still flows there
    world.set(selector=None)
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "selector-missing")


def test_a_selector_that_chooses_the_graders_own_probe_too_fails_and_is_not_waited_for() -> None:
    world = endpoints()
    probe_too = World(world.task)
    for item in (*probe_too.pods[:3], probe_too.probe):
        item["metadata"]["labels"] = {"app": "backend"}
    report = told(probe_too)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "endpoints-differ")
