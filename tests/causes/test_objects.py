"""Causes that the objects tell: the Service, its endpoints, and any object as a partial manifest."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.criteria.endpoints import Endpoints
from grader.criteria.object import Object
from grader.model.evidence import (
    Action,
    ManifestResult,
)
from grader.model.report import Hop, HopState, Verdict
from tests.judge.telling import (
    PORT,
    crashing,
    never_ready,
    no_service,
    only,
    spec,
    told,
)
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise, pod, slice_of


def test_a_right_service_passes_with_all_points_and_says_what_was_proved() -> None:
    report = told(World())
    assert (report.verdict, report.points, report.broken) == (Verdict.PASS, 4.0, None)
    assert {state for _, state in report.chain} == {HopState.HOLDS}
    assert [item.finding.diagnosis for item in report.criteria] == [
        "object-matches", "endpoints-exact", "dns-exact", "reach-name",
    ]  # fmt: skip


def misnamed(world: World) -> None:
    world.service["metadata"]["name"] = "backend"


def without_selector(world: World) -> None:
    del world.service["spec"]["selector"]


def headless(world: World) -> None:
    world.set(clusterIP="None")


def no_backends(world: World) -> None:
    world.pods = [item for item in world.pods if item["metadata"]["labels"]["app"] != "backend"]


def half_the_backends(world: World) -> None:
    world.pods[0]["metadata"]["labels"]["version"] = "2"
    world.set(selector={"version": "2"})


def stranger_by_hand(world: World) -> None:
    made = slice_of(world.service, ("", 8080, "TCP"), [{"addresses": ["192.0.2.1"], "conditions": {}}])
    made["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] = "me"
    objects = world.objects()
    world.slices = [*objects.of("endpointslices"), made]


OBJECT_CAUSES: list[tuple[str, Callable[[World], None], Hop]] = [
    ("service-missing", no_service, Hop.SERVICE),
    ("service-missing", misnamed, Hop.SERVICE),
    ("service-type-differs", spec(type="NodePort"), Hop.SERVICE),
    ("service-type-differs", spec(type="ExternalName", clusterIP="", ports=[], externalName="a.example"), Hop.SERVICE),
    ("service-is-headless", headless, Hop.SERVICE),
    ("service-port-missing", spec(ports=[{**PORT, "port": 8080}]), Hop.SERVICE),
    ("service-port-missing", spec(ports=[{**PORT, "protocol": "UDP"}]), Hop.SERVICE),
    ("service-port-missing", spec(ports=[]), Hop.SERVICE),
    ("selector-missing", without_selector, Hop.ENDPOINT_SLICE),
    ("selector-missing", spec(selector={}), Hop.ENDPOINT_SLICE),
    ("selector-matches-no-pod", spec(selector={"app": "backned"}), Hop.ENDPOINT_SLICE),
    ("selector-matches-other-pods", spec(selector={"app": "batch"}), Hop.ENDPOINT_SLICE),
    ("selector-too-wide", spec(selector={"tier": "api"}), Hop.ENDPOINT_SLICE),
    ("selector-too-narrow", half_the_backends, Hop.ENDPOINT_SLICE),
    ("target-port-mismatch", spec(ports=[{**PORT, "targetPort": 80}]), Hop.ENDPOINT_SLICE),
    ("target-port-name-unknown", spec(ports=[{**PORT, "targetPort": "http"}]), Hop.ENDPOINT_SLICE),
    ("backend-pods-missing", no_backends, Hop.ENDPOINT_SLICE),
    ("pods-not-ready", crashing, Hop.ENDPOINT_SLICE),
    ("pods-not-ready", never_ready, Hop.ENDPOINT_SLICE),
    ("endpoints-differ", stranger_by_hand, Hop.ENDPOINT_SLICE),
]


@pytest.mark.parametrize(
    ("code", "change", "hop"), OBJECT_CAUSES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_a_cause_in_the_objects_fails_at_once_at_its_hop(code: str, change: Callable[[World], None], hop: Hop) -> None:
    world = World()
    change(world)
    report = told(world, quiet_for=0.0)
    assert (report.verdict, report.finding.diagnosis, report.broken) == (Verdict.FAIL, code, hop)
    states = dict(report.chain)
    assert states[hop] is HopState.BROKEN
    assert states[Hop.RESPONSE] is HopState.UNKNOWN


def test_the_first_cause_is_told_even_where_traffic_still_flows() -> None:
    world = World()
    world.set(selector={"app": "backned"})
    world.answered["*"] = only("backend-a", "backend-b", "backend-c")  # rules of before the change
    report = told(world)
    assert report.finding.diagnosis == "selector-matches-no-pod"
    assert {item.id for item in report.criteria if item.verdict is Verdict.PASS} == {"service", "dns"}


def test_a_named_port_on_different_numbers_makes_endpoints_of_both() -> None:
    world = World()
    world.pods[0]["spec"]["containers"][0]["ports"][0]["containerPort"] = 8081
    world.set(ports=[{**PORT, "targetPort": "http-api"}])
    assert told(world).finding.diagnosis == "target-port-mismatch"


def test_the_port_that_is_asked_for_may_be_the_second() -> None:
    world = World().set(ports=[{"name": "direct", "port": 8080, "protocol": "TCP"}, {**PORT, "name": "http"}])
    assert told(world).verdict is Verdict.PASS


def test_duplicate_slices_and_slices_without_endpoints_are_legal() -> None:
    world = World()
    made = list(world.objects().of("endpointslices"))
    world.slices = [*made, {**copy.deepcopy(made[0]), "metadata": {**made[0]["metadata"], "name": "again"}}]
    assert told(world).verdict is Verdict.PASS


def test_a_terminating_pod_does_not_fail_a_right_answer() -> None:
    world = World()
    leaving = pod("backend-z", 9, {"app": "backend", "tier": "api"})
    leaving["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:00Z"
    world.pods.append(leaving)
    assert told(world).verdict is Verdict.PASS


def test_a_service_of_the_same_name_elsewhere_is_named_unless_it_was_there_before() -> None:
    world = World()
    world.services = []
    late = {"metadata": {"name": SERVICE, "namespace": "default", "creationTimestamp": "2026-01-02T03:04:00Z"}}
    early = {"metadata": {"name": SERVICE, "namespace": "other", "creationTimestamp": "2025-01-01T00:00:00Z"}}
    objects = world.objects()
    report = told(world, objects=replace(objects, elsewhere=(late, early)))
    assert report.finding.diagnosis == "service-in-other-namespace"
    assert report.finding.facts["found"] == "default"
    assert told(world, objects=replace(objects, elsewhere=(early,))).finding.diagnosis == "service-missing"
    world.task = replace(world.task, namespaces=("other",))
    found = told(world, objects=replace(objects, elsewhere=(early,))).finding
    assert (found.diagnosis, found.facts["found"]) == ("service-in-other-namespace", "other")


def test_another_kind_in_place_of_a_service_is_named() -> None:
    world = World()
    world.services = []
    applied = (ManifestResult(1, "Deployment", SERVICE, NAMESPACE, Action.CREATED),)
    report = told(world, manifests=applied)
    assert report.finding.diagnosis == "wrong-kind"
    assert "Deployment" in report.finding.facts["seen"]


def test_a_pod_whose_given_image_is_missing_is_the_environments_fault() -> None:
    world = World()
    crashing(world)
    world.pods[0]["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    assert told(world).finding.diagnosis == "image-missing"
    world.pods[0]["spec"]["containers"][0]["image"] = "exapmle"
    assert told(world).finding.diagnosis == "pods-not-ready"


def test_fewer_pods_than_asked_for_fail() -> None:
    world = World(exercise(criterion("endpoints", Endpoints(SERVICE, LABELS, 8080, 80, count=4))))
    assert told(world).finding.diagnosis == "backend-pods-differ"


def differing(matches: dict[str, Any], **changes: Any) -> str:
    world = World(exercise(criterion("service", Object("Service", SERVICE, matches)))).set(**changes)
    return told(world).finding.diagnosis


def test_differing_fields_have_their_own_words() -> None:
    ports = [{**PORT, "name": "web", "nodePort": 31111}]
    assert differing({"spec": {"ports": [{"nodePort": 30080}]}}, type="NodePort", ports=ports) == "node-port-differs"
    assert differing({"spec": {"ports": [{"name": "http"}]}}, ports=ports) == "port-name-differs"
    assert differing({"spec": {"clusterIP": CLUSTER}}, clusterIP="None") == "service-is-headless"
    assert differing({"spec": {"sessionAffinity": "ClientIP"}}) == "object-differs"


CLUSTER = "10.96.7.7"


def test_objects_may_be_missing_present_or_absent() -> None:
    absent = Object("Pod", "backend-a", absent=True)
    assert told(World(exercise(criterion("gone", absent)))).finding.diagnosis == "object-present"
    absent = Object("Pod", "nobody", absent=True)
    assert told(World(exercise(criterion("gone", absent)))).finding.diagnosis == "object-absent"
    there = Object("Pod", "nobody", {"spec": {}})
    assert told(World(exercise(criterion("there", there)))).finding.diagnosis == "object-missing"


def test_a_criterion_alone_tells_the_root_cause() -> None:
    for change, code in ((no_service, "service-missing"), (spec(selector={"app": "x"}), "selector-matches-no-pod")):
        world = World(exercise(criterion("reach")))
        change(world)
        assert told(world).finding.diagnosis == code
