"""What opens Pods to clients outside of the cluster is told by the objects, whether or not somebody answers there."""

from __future__ import annotations

from typing import Any

import pytest

from grader.criteria.closed import Closed
from grader.model.evidence import ReachAnswer
from grader.model.report import Hop, Report, Verdict
from tests.judge.telling import NOBODY, PORT, told
from tests.judge.world import LABELS, SERVICE, Raw, World, criterion, exercise, service, slice_of


def closed(*besides: str, **spec: Any) -> World:
    return World(exercise(criterion("closed", Closed(LABELS, besides)))).set(**spec)


def opened(world: World) -> dict[str, str]:
    report = told(world, quiet_for=0.0)
    assert (report.verdict, report.broken) == (Verdict.FAIL, Hop.OUTSIDE_CLIENT)
    assert report.finding.diagnosis == "opened-though"
    facts = dict(report.finding.facts)
    return {key: facts[key] for key in ("kind", "name", "field", "value")}


def asked(world: World) -> set[tuple[str, str, int]]:
    return {(item.vantage, item.host, item.port) for item in world.plan().reach}


def test_pods_behind_a_service_of_the_cluster_are_closed_and_nothing_is_asked() -> None:
    world = closed()
    report = told(world)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.PASS, "closed")
    assert asked(world) == set()


def test_a_node_port_opens_them_and_is_asked_at_a_node() -> None:
    world = closed(type="NodePort", ports=[{**PORT, "nodePort": 30080}, PORT])
    assert opened(world) == {"kind": "Service", "name": SERVICE, "field": "spec.ports.nodePort", "value": "30080"}
    assert asked(world) == {("outside-client", "172.18.0.2", 30080)}
    world.nodes = []
    assert opened(world)["value"] == "30080"
    assert asked(world) == set()  # no address is known


def test_whether_somebody_answers_decides_nothing() -> None:
    def report(answer: ReachAnswer | None) -> Report:
        world = closed(type="NodePort", ports=[{**PORT, "nodePort": 30080}])
        if answer:
            world.answered["outside-client 172.18.0.2"] = answer
        return told(world)

    silent, answered = report(NOBODY), report(None)
    assert silent.verdict is answered.verdict is Verdict.FAIL
    assert silent.criteria[0].seen != answered.criteria[0].seen  # but it is shown


def test_a_load_balancer_opens_them_with_or_without_an_address_and_without_node_ports() -> None:
    world = closed(type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    assert opened(world)["value"] == "LoadBalancer"
    assert asked(world) == set()
    world.service["status"] = {"loadBalancer": {"ingress": [{"ip": "172.18.255.200"}]}}
    assert opened(world) == {
        "kind": "Service", "name": SERVICE, "field": "spec.type", "value": "LoadBalancer 172.18.255.200",
    }  # fmt: skip
    assert asked(world) == {("outside-client", "172.18.255.200", 80)}


def test_what_the_task_asks_for_may_be_open_but_for_external_addresses() -> None:
    world = closed(SERVICE, type="LoadBalancer", ports=[{**PORT, "nodePort": 30080}])
    assert told(world).verdict is Verdict.PASS
    assert told(world).criteria[0].expected == SERVICE
    world.set(externalIPs=["192.0.2.1"])
    assert opened(world) == {"kind": "Service", "name": SERVICE, "field": "spec.externalIPs", "value": "192.0.2.1"}
    assert asked(world) == {("outside-client", "192.0.2.1", 80)}
    world.set(ports=[])
    assert opened(world)["value"] == "192.0.2.1"
    assert asked(world) == set()


def second(**spec: Any) -> Raw:
    made = service(type="NodePort", ports=[{**PORT, "nodePort": 30081}], **spec)
    made["metadata"] = {"name": "second", "uid": "uid-second"}
    return made


@pytest.mark.parametrize("selector", [{"app": "backend"}, {"tier": "api"}])
def test_any_service_that_chooses_one_of_the_pods_counts(selector: dict[str, str]) -> None:
    world = closed()
    world.services.append(second(selector=selector))
    assert opened(world)["name"] == "second"


@pytest.mark.parametrize("selector", [{"app": "batch"}, {"app": "nobody"}, {}, None])
def test_a_service_that_leads_elsewhere_may_be_open(selector: dict[str, str] | None) -> None:
    world = closed()
    world.services.append(second(selector=selector))
    assert told(world).verdict is Verdict.PASS


def test_a_service_that_has_an_address_of_theirs_in_a_slice_counts() -> None:
    world = closed()
    world.services.append(second(selector=None))
    made = slice_of(world.services[1], ("", 8080, "TCP"), [{"addresses": ["10.244.1.3"], "conditions": {}}])
    made["metadata"]["labels"] = {"kubernetes.io/service-name": "second"}
    world.slices = [made]
    assert opened(world)["name"] == "second"
    made["endpoints"] = [{"addresses": ["10.244.1.4"]}]  # batch-a
    assert told(world).verdict is Verdict.PASS


def test_a_pod_on_its_nodes_own_network_or_port_is_open() -> None:
    world = closed()
    world.pods[3]["spec"]["hostNetwork"] = True  # not one of them
    assert told(world).verdict is Verdict.PASS
    world.pods[0]["spec"]["hostNetwork"] = True
    assert opened(world) == {"kind": "Pod", "name": "backend-a", "field": "spec.hostNetwork", "value": "true"}
    world = closed()
    world.pods[1]["spec"]["containers"][0]["ports"] = [{"containerPort": 1}, {"containerPort": 80, "hostPort": 8080}]
    world.pods[1]["status"]["hostIP"] = "172.18.0.3"
    assert opened(world) == {
        "kind": "Pod", "name": "backend-b", "field": "spec.containers.ports.hostPort", "value": "8080",
    }  # fmt: skip
    assert asked(world) == {("outside-client", "172.18.0.3", 8080)}
    world.pods[1]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:00Z"
    assert told(world).verdict is Verdict.PASS


def test_our_own_probe_is_never_the_learners_opening() -> None:
    world = closed()
    world.probe["metadata"]["labels"] = dict(LABELS)
    world.probe["spec"]["hostNetwork"] = True
    assert told(world).verdict is Verdict.PASS


def backend(name: str) -> Raw:
    return {"service": {"name": name, "port": {"number": 80}}}


@pytest.mark.parametrize(
    ("spec", "reached"),
    [
        ({"defaultBackend": backend(SERVICE)}, SERVICE),
        ({"rules": [{"http": {"paths": [{"backend": backend("other")}, {"backend": backend(SERVICE)}]}}]}, SERVICE),
        ({"rules": [{"host": "a"}, {"http": {"paths": [{"backend": {"resource": {"kind": "x"}}}]}}]}, ""),
        ({"rules": [{"http": {"paths": [{"backend": backend("other")}]}}]}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_an_ingress_that_leads_to_their_service_opens_them(spec: Raw | None, reached: str) -> None:
    world = closed(SERVICE)
    world.listed["ingresses"] = ({"metadata": {"name": "gate"}, "spec": spec},)
    if reached:
        assert opened(world) == {"kind": "Ingress", "name": "gate", "field": "spec.rules", "value": reached}
    else:
        assert told(world).verdict is Verdict.PASS


def test_it_speaks_of_the_pods_and_looks_at_ingresses() -> None:
    kind = Closed(LABELS)
    assert (kind.subject, kind.resources, kind.outside) == ("app=backend", {"ingresses"}, True)
