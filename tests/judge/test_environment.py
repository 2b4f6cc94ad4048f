"""What did not get in, and what is the environment's fault."""

from __future__ import annotations

import pytest

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
from grader.model.report import Hop, Verdict
from tests.judge.telling import (
    NOBODY,
    told,
)
from tests.judge.world import NAMESPACE, SERVICE, World, criterion, exercise


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
