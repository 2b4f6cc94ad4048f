"""A Report says where the learner's own machine reaches the node ports of what passed."""

from __future__ import annotations

from grader.judge import judge
from grader.model.report import HostUrl, Verdict
from grader.model.vantage import Vantage
from tests.judge.telling import node_port


def test_a_pass_names_the_urls_of_its_node_ports() -> None:
    world = node_port(Vantage.SAME_NAMESPACE, everyone=False)
    report = judge(world.task, world.evidence(host_ports={30080: "127.0.0.1:41000", 30081: "127.0.0.1:30081"}))
    assert report.verdict is Verdict.PASS
    (url,) = report.urls
    assert url == HostUrl(url.service, 30080, "http://127.0.0.1:41000")
    assert url.elsewhere


def test_what_did_not_pass_names_none() -> None:
    world = node_port(Vantage.SAME_NAMESPACE, everyone=False)
    world.set(type="ClusterIP")
    assert not judge(world.task, world.evidence()).urls
