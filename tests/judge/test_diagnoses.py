"""Every cause is told by its own diagnosis, and its message can be filled."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import grader.judge
from grader.judge import judge
from grader.model.evidence import (
    Action,
    DnsAnswer,
    DnsQuestion,
    ManifestResult,
    Outcome,
    Problem,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.exercise import At, Criterion, Dns, Endpoints, Object, Reach, Vantage
from grader.model.report import Hop, HopState, Report, Verdict
from grader.text import catalogue, message
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise, pod, service, slice_of

NOBODY = ReachAnswer(ReachQuestion("", "", 0), Outcome.TIMEOUT, {}, 1, "0.35 s")
REFUSED = ReachAnswer(ReachQuestion("", "", 0), Outcome.REFUSED, {}, 1, "connection refused")


def only(*names: str) -> ReachAnswer:
    return ReachAnswer(ReachQuestion("", "", 0), Outcome.ANSWERED, dict.fromkeys(names, 5), 39)


def told(world: World, **changes: Any) -> Report:
    report = judge(world.task, world.evidence(**changes))
    for finding in (report.finding, *(item.finding for item in report.criteria)):
        found = "proofs" if finding.diagnosis in catalogue("proofs") else "diagnoses"
        found = "environment" if finding.diagnosis in catalogue("environment") else found
        assert str(message(found, finding.diagnosis, finding.facts))
    return report


def test_a_right_service_passes_with_all_points_and_says_what_was_proved() -> None:
    report = told(World())
    assert (report.verdict, report.points, report.broken) == (Verdict.PASS, 4.0, None)
    assert {state for _, state in report.chain} == {HopState.HOLDS}
    assert [item.finding.diagnosis for item in report.criteria] == [
        "object-matches", "endpoints-exact", "dns-exact", "reach-name",
    ]  # fmt: skip


# -- the Service and its endpoints -------------------------------------------------------------------------------------


def no_service(world: World) -> None:
    world.services = []


def misnamed(world: World) -> None:
    world.service["metadata"]["name"] = "backend"


def spec(**changes: Any) -> Callable[[World], None]:
    return lambda world: world.service["spec"].update(changes)


def without_selector(world: World) -> None:
    del world.service["spec"]["selector"]


def headless(world: World) -> None:
    world.set(clusterIP="None")


def no_backends(world: World) -> None:
    world.pods = [item for item in world.pods if item["metadata"]["labels"]["app"] != "backend"]


def crashing(world: World) -> None:
    world.pods[0]["status"]["conditions"][0]["status"] = "False"
    world.pods[0]["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}


def never_ready(world: World) -> None:
    world.pods[0]["status"]["conditions"][0]["status"] = "False"
    world.pods[0]["status"]["containerStatuses"][0]["ready"] = False
    world.pods[0]["spec"]["containers"][0]["readinessProbe"] = {"periodSeconds": 1}


def half_the_backends(world: World) -> None:
    world.pods[0]["metadata"]["labels"]["version"] = "2"
    world.set(selector={"version": "2"})


def stranger_by_hand(world: World) -> None:
    made = slice_of(world.service, ("", 8080, "TCP"), [{"addresses": ["192.0.2.1"], "conditions": {}}])
    made["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] = "me"
    objects = world.objects()
    world.slices = [*objects["endpointslices"], made]


PORT = {"port": 80, "protocol": "TCP", "targetPort": 8080}
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
    made = list(world.objects()["endpointslices"])
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
    report = told(world, objects={**objects, "services-elsewhere": (late, early)})
    assert report.finding.diagnosis == "service-in-other-namespace"
    assert report.finding.facts["found"] == "default"
    assert told(world, objects={**objects, "services-elsewhere": (early,)}).finding.diagnosis == "service-missing"


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


# -- still moving ------------------------------------------------------------------------------------------------------


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


def test_traffic_that_does_not_flow_yet_is_waited_for_then_blamed_on_the_environment() -> None:
    world = World()
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=1.0).finding.diagnosis == "data-plane-moving"
    report = told(world, quiet_for=60.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "data-plane-silent")
    assert report.broken is None


def test_a_name_that_is_not_there_yet_is_waited_for_then_blamed_on_the_environment() -> None:
    world = World(exercise(criterion("dns")))
    question = DnsQuestion("same-namespace", f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world, quiet_for=1.0).finding.diagnosis == "dns-moving"
    assert told(world, quiet_for=60.0).finding.diagnosis == "dns-silent"


def test_a_question_that_was_not_asked_is_no_pass() -> None:
    world = World()
    assert told(world, dns=(), reach=()).verdict is Verdict.NOT_YET


# -- traffic -----------------------------------------------------------------------------------------------------------


def test_an_endpoint_that_refuses_directly_explains_silence_at_once() -> None:
    world = World(exercise(criterion("reach")))
    world.set(ports=[{**PORT, "targetPort": 81}])
    world.answered.update({"*": REFUSED, "direct": REFUSED})
    report = told(world, quiet_for=0.0)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "target-port-nobody-listens")


def test_one_of_three_answering_is_no_pass_and_a_stranger_answering_fails() -> None:
    world = World()
    world.answered["other-namespace"] = only("backend-a")
    assert told(world, quiet_for=1.0).finding.diagnosis == "data-plane-moving"
    world.answered["other-namespace"] = only("backend-a", "backend-b", "backend-c", "batch-a")
    assert told(world).finding.diagnosis == "unexpected-answer"


def test_affinity_is_told_where_one_pod_answers_one_client() -> None:
    world = World().set(sessionAffinity="ClientIP")
    world.answered["*"] = only("backend-b")
    assert told(world, quiet_for=0.0).finding.diagnosis == "session-affinity-pins"


def test_a_local_policy_inside_is_told_with_and_without_a_pod_on_the_node() -> None:
    world = World().set(internalTrafficPolicy="Local")
    world.answered["*"] = only("backend-a", "backend-b")  # both on the probe's node
    assert told(world, quiet_for=0.0).finding.diagnosis == "internal-traffic-policy-local"
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=0.0).verdict is Verdict.NOT_YET  # there are Pods on that node: they must answer first
    for item in world.pods:
        item["spec"]["nodeName"] = "worker2"
    assert told(world, quiet_for=0.0).finding.diagnosis == "internal-traffic-policy-local"


def test_answers_that_a_policy_says_cannot_last_are_watched_before_they_are_believed() -> None:
    for changes in ({"sessionAffinity": "ClientIP"}, {"internalTrafficPolicy": "Local"}):
        world = World().set(**changes)
        assert told(world, quiet_for=1.0).finding.diagnosis == "data-plane-moving"
        assert told(world, quiet_for=30.0).verdict is Verdict.PASS
    nodes = node_port(Vantage.OTHER_NODE).set(externalTrafficPolicy="Local")
    assert told(nodes, quiet_for=1.0).verdict is Verdict.NOT_YET
    for changes in ({"externalTrafficPolicy": "Local"}, {"loadBalancerSourceRanges": ["203.0.113.0/24"]}):
        balancer = load_balancer().set(**changes)
        assert told(balancer, quiet_for=1.0).verdict is Verdict.NOT_YET
        assert told(balancer, quiet_for=30.0).verdict is Verdict.PASS
    everybody = load_balancer().set(loadBalancerSourceRanges=["0.0.0.0/0"])
    assert told(everybody, quiet_for=0.0).verdict is Verdict.PASS


def test_a_label_for_another_proxy_is_told() -> None:
    world = World()
    world.service["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "mesh"}
    world.answered["*"] = NOBODY
    assert told(world, quiet_for=0.0).finding.diagnosis == "service-proxy-ignored"


def node_port(*sources: Vantage, everyone: bool = True) -> World:
    world = World(
        exercise(criterion("nodes", Reach(SERVICE, 80, At.NODE_PORT, sources, LABELS, everyone), hop=Hop.NODE))
    )
    world.set(type="NodePort", ports=[{**PORT, "nodePort": 30080}], externalTrafficPolicy="Cluster")
    world.changes["host_ports"] = {30080: "127.0.0.1:30080"}
    return world


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


def load_balancer() -> World:
    expect = Reach(SERVICE, 80, At.LOAD_BALANCER, (Vantage.OUTSIDE_CLIENT,), LABELS)
    world = World(exercise(criterion("outside", expect, hop=Hop.OUTSIDE_CLIENT)))
    world.set(type="LoadBalancer", externalTrafficPolicy="Cluster")
    world.service["status"] = {"loadBalancer": {"ingress": [{"ip": "172.18.255.200"}]}}
    return world


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
    world = load_balancer().set(externalTrafficPolicy="Local")
    world.answered["*"] = only("backend-c")
    assert told(world, quiet_for=3.0).finding.diagnosis == "external-traffic-policy-local"


# -- objects, and what must not hold -----------------------------------------------------------------------------------


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


def not_reached(answer: ReachAnswer | None = None) -> tuple[World, ReachQuestion]:
    expect = Reach(SERVICE, 80, At.CLUSTER_IP, (Vantage.OTHER_NAMESPACE,), LABELS)
    world = World(exercise(criterion("closed", expect, negated=True)))
    if answer:
        world.answered["*"] = answer
    return world, ReachQuestion("other-namespace", "10.244.1.1", 8080)


def test_what_must_not_be_reached_passes_only_beside_a_control_that_answers() -> None:
    world, question = not_reached(NOBODY)
    evidence = world.evidence()
    control = ReachAnswer(question, Outcome.ANSWERED, {"backend-a": 1}, 1)
    silent = ReachAnswer(question, Outcome.TIMEOUT)
    assert told(world, reach=(*evidence.reach, control)).finding.diagnosis == "not-reached"
    assert told(world, reach=(*evidence.reach, control), quiet_for=0.5).finding.diagnosis == "watching-silence"
    assert told(world, reach=(*evidence.reach, silent)).verdict is not Verdict.PASS
    assert told(world).verdict is Verdict.NOT_YET  # no control was asked
    world, _ = not_reached()
    assert told(world, reach=(*world.evidence().reach, control)).finding.diagnosis == "reached-though"


def test_what_must_not_hold_is_turned_round() -> None:
    report = told(World(exercise(criterion("endpoints", negated=True))))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "holds-though")
    world = World(exercise(criterion("endpoints", negated=True))).set(selector={"app": "batch"})
    assert told(world).finding.diagnosis == "not-endpoints"
    dns = criterion("dns", negated=True)
    assert told(World(exercise(dns))).finding.diagnosis == "holds-though"
    world = World(exercise(dns))
    question = DnsQuestion("same-namespace", f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world).finding.diagnosis == "not-dns"
    world.dns = (DnsAnswer(question, Outcome.TIMEOUT),)
    assert told(world).verdict is Verdict.ENVIRONMENT


def test_an_exact_rrset_differs_by_a_record_or_a_response_code() -> None:
    name = "gone.shop.svc.cluster.local."
    expect = Dns(name, Vantage.SAME_NAMESPACE, "A", "nothing", SERVICE, "NXDOMAIN")
    world = World(exercise(criterion("dns", expect)))
    question = DnsQuestion("same-namespace", name, "A")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world).verdict is Verdict.PASS
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NOERROR"),)
    assert told(world).finding.diagnosis == "dns-differs"


# -- the manifest and the environment ----------------------------------------------------------------------------------


def test_a_manifest_that_did_not_get_in_is_the_first_broken_hop() -> None:
    facts = {"line": "3", "column": "1", "reason": "…"}
    report = told(World(), unreadable=facts)
    assert (report.finding.diagnosis, report.broken, report.points) == ("manifest-unreadable", Hop.MANIFEST, 0.0)
    assert told(World(), unreadable={**facts, "empty": "yes"}).finding.diagnosis == "manifest-empty"
    cause = {"field": "spec.type", "reason": "FieldValueNotSupported", "message": 'Unsupported value: "Nodeport"'}
    status = {"reason": "Invalid", "message": "…", "details": {"causes": [cause]}}
    refused = ManifestResult(4, "Service", SERVICE, NAMESPACE, Action.REFUSED, status)
    report = told(World(), manifests=(refused,))
    assert (report.finding.diagnosis, report.broken) == ("manifest-rejected", Hop.MANIFEST)
    assert report.finding.facts["line"] == "4"


@pytest.mark.parametrize(
    "code",
    ["probe-unreachable", "probe-silent", "outside-client-missing", "outside-client-unreachable", "docker-missing"],
)
def test_a_blind_vantage_is_never_the_learners_fault(code: str) -> None:
    facts = dict.fromkeys(("namespace", "pod", "reason", "vantage", "cluster", "client"), "x")
    world = World()
    world.answered["other-namespace"] = ReachAnswer(ReachQuestion("", "", 0), Outcome.UNASKED, {}, 0)
    report = told(world, problems=(Problem(code, facts, "other-namespace"),))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, code)
    assert report.verdict.exit_status == 4


def test_a_blind_vantage_does_not_hide_a_wrong_answer() -> None:
    world = World().set(selector={"app": "batch"})
    world.answered["other-namespace"] = ReachAnswer(ReachQuestion("", "", 0), Outcome.UNASKED, {}, 0)
    assert told(world).verdict is Verdict.FAIL


def test_a_cluster_that_does_not_answer_is_an_environment_error_for_everything() -> None:
    report = told(World(), problems=(Problem("cluster-unreachable", {"server": "s", "reason": "r"}, fatal=True),))
    assert {item.verdict for item in report.criteria} == {Verdict.ENVIRONMENT}


@pytest.mark.parametrize("code", ["node-not-ready", "kube-proxy-down"])
def test_a_broken_node_explains_traffic_that_does_not_flow(code: str) -> None:
    world = World()
    world.answered["*"] = NOBODY
    report = told(world, quiet_for=0.0, problems=(Problem(code, {"node": "worker", "pod": "p"}),))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, code)
    assert told(World(), problems=(Problem(code, {"node": "worker", "pod": "p"}),)).verdict is Verdict.PASS


def test_a_dead_dns_server_explains_a_name_without_an_answer() -> None:
    world = World(exercise(criterion("dns")))
    question = DnsQuestion("same-namespace", f"{SERVICE}.{NAMESPACE}.svc.cluster.local.", "A")
    world.dns = (DnsAnswer(question, Outcome.TIMEOUT),)
    assert told(world, problems=(Problem("dns-server-down", {"service": "kube-dns"}),)).verdict is Verdict.ENVIRONMENT


# -- the catalogues ----------------------------------------------------------------------------------------------------


def codes_in_source() -> set[str]:
    source = "\n".join(
        path.read_text()
        for folder in ("judge", "observe")
        for path in (Path(grader.judge.__file__).parents[1] / folder).glob("*.py")
    )
    return set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', source))


def test_every_code_in_a_catalogue_is_told_somewhere() -> None:
    said = codes_in_source()
    reaches = {f"reach-{at.value}{end}" for at in At for end in ("", "-some")}
    for name in ("diagnoses", "environment", "proofs"):
        assert set(catalogue(name)) <= said | reaches, name


def test_every_message_has_its_three_parts() -> None:
    for name in ("diagnoses", "environment", "proofs"):
        for code, entry in catalogue(name).items():
            assert set(entry) == {"what", "where", "next"}, code


def test_the_same_evidence_gives_the_same_report() -> None:
    world = World().set(selector={"tier": "api"})
    evidence = world.evidence()
    assert judge(world.task, evidence) == judge(world.task, copy.deepcopy(evidence))


def test_a_criterion_alone_tells_the_root_cause() -> None:
    for change, code in ((no_service, "service-missing"), (spec(selector={"app": "x"}), "selector-matches-no-pod")):
        world = World(exercise(criterion("reach")))
        change(world)
        assert told(world).finding.diagnosis == code
    assert isinstance(criterion("reach"), Criterion)
    assert service()["spec"]["type"] == "ClusterIP"
