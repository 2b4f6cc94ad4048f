"""Names that cannot have the wanted records are told by name and objects, before anybody waits for an answer."""

from __future__ import annotations

from typing import Any

import pytest

from grader.criteria.call import Call
from grader.criteria.dns import Dns
from grader.criteria.records import ClusterIp, Records
from grader.model.evidence import DnsAnswer, DnsQuestion, Outcome
from grader.model.vantage import ConfigKey, Vantage
from tests.judge.telling import told
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise, service

KEY = ConfigKey("names", "GATE")
ELSEWHERE = f"{NAMESPACE}-roads"
SRV = f"_web._tcp.{SERVICE}.{NAMESPACE}.svc.cluster.local."


class Written(World):
    """A learner wrote a name into a ConfigMap; one Service lives in a further Namespace."""

    def __init__(self, value: str, of: str = SERVICE) -> None:
        super().__init__(
            exercise(criterion("dns", Dns(KEY, Vantage.SAME_NAMESPACE, "A", ClusterIp(), of, absolute=True)))
        )
        self.dns = ()
        roads = service()
        roads["metadata"] = {**roads["metadata"], "name": "roads", "namespace": ELSEWHERE}
        self.listed["configmaps"] = ({"metadata": {"name": KEY.config_map}, "data": {KEY.key: value}},)
        self.further[ELSEWHERE] = {"services": (roads,)}

    def asked(self) -> list[str]:
        return [item.name for item in self.plan().dns]


def named(*ports: dict[str, Any]) -> World:
    expect = Dns(
        SRV, Vantage.SAME_NAMESPACE, "SRV", Records((f"80 {SERVICE}.{NAMESPACE}.svc.cluster.local.",)), SERVICE
    )
    world = World(exercise(criterion("dns", expect))).set(ports=list(ports))
    world.dns = ()
    return world


def test_a_learners_name_outside_of_the_cluster_is_told_and_never_asked_of_the_world() -> None:
    for value in (SERVICE, f"{SERVICE}.", f"{SERVICE}.{NAMESPACE}", f"{SERVICE}.{NAMESPACE}.svc"):
        world = Written(value)
        assert told(world, quiet_for=0.0).finding.diagnosis == "dns-name-outside", value
        assert world.asked() == []
    assert told(Written("10.96.0.7")).finding.diagnosis == "call-value-is-address"
    for value in ("http://backend.shop.svc.cluster.local", "backend.shop.svc.cluster.local:80", "two words"):
        assert told(Written(value)).finding.diagnosis == "dns-value-no-name"
    for value in (f"{SERVICE}.{NAMESPACE}.svc.cluster.local", f"{SERVICE}.{NAMESPACE}.svc.Cluster.Local."):
        assert told(Written(value)).finding.diagnosis == "not-asked-yet", value
        assert len(Written(value).asked()) == 1


def test_a_learners_name_in_the_wrong_namespace_does_not_make_its_service_missing() -> None:
    name = f"roads.{NAMESPACE}.svc.cluster.local."
    world = Written(name, of="roads")
    (question,) = world.plan().dns
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    assert told(world).finding.diagnosis == "dns-name-unknown"


def test_a_srv_record_needs_a_port_of_that_name_and_protocol() -> None:
    for ports in (
        [{"port": 80}],
        [{"name": "http", "port": 80, "protocol": "TCP"}],
        [{"name": "web", "port": 80, "protocol": "UDP"}],
    ):
        report = told(named(*ports), quiet_for=0.0)
        assert report.finding.diagnosis == "dns-port-unknown"
        assert report.finding.facts["expected"] == "web TCP"
    assert told(named({"name": "web", "port": 80})).finding.diagnosis == "not-asked-yet"


def test_a_call_to_a_service_that_is_not_there_is_not_made() -> None:
    call = Call(f"{SERVICE}.{NAMESPACE}:80", (Vantage.OTHER_NAMESPACE,), LABELS, service=SERVICE)
    world = World(exercise(criterion("call", call)))
    assert len(world.plan().reach) == 1
    world.services = []
    assert world.plan().reach == ()
    assert told(world).finding.diagnosis == "service-missing"


@pytest.mark.parametrize("target", ["203.0.113.7", "2001:db8::7"])
def test_an_alias_whose_target_is_an_address_is_told_as_that(target: str) -> None:
    name = f"{SERVICE}.{NAMESPACE}.svc.cluster.local."
    expect = Dns(name, Vantage.SAME_NAMESPACE, "CNAME", Records(("x.example.",)), SERVICE)
    world = World(exercise(criterion("dns", expect)))
    world.service["spec"] = {"type": "ExternalName", "externalName": target}
    question = DnsQuestion(Vantage.SAME_NAMESPACE, name, "CNAME")
    world.dns = (DnsAnswer(question, Outcome.ANSWERED, "NXDOMAIN"),)
    report = told(world)
    assert (report.finding.diagnosis, report.finding.facts["target"]) == ("alias-is-address", target)
    world.service["spec"]["externalName"] = "accounts.example"
    assert told(world).finding.diagnosis == "dns-name-unknown"
