"""Fields without an effect are found on what the learner wrote, not on what controllers made of it."""

from __future__ import annotations

from grader.embedded.core.support.unemulated import unemulated
from grader.judge import judge
from grader.model.evidence import Evidence
from grader.model.objects import Objects
from grader.model.vantage import PROBE_POD
from grader.observe.inert import inert
from grader.render.card import report_card
from tests.judge.world import World


def test_each_object_that_neither_a_controller_nor_we_made_is_named_with_its_fields() -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"hostPID": True, "containers": [{"stdinOnce": True}]}}
    made = {"metadata": {"name": "q", "ownerReferences": [{"kind": "ReplicaSet"}]}, "spec": {"hostPID": True}}
    ours = {"metadata": {"name": PROBE_POD}, "spec": {"hostPID": True}}
    service = {"metadata": {"name": "web"}, "spec": {"type": "ClusterIP"}}
    found = inert(Objects({"pods": (pod, made, ours), "services": (service,)}, {"mall": {"pods": (pod,)}}), unemulated)
    assert found == ("Pod/p spec.hostPID", "Pod/p spec.containers[0].stdinOnce") * 2


def test_a_card_names_them_whatever_the_verdict() -> None:
    world = World()
    evidence = world.evidence(inert=("Pod/p spec.hostPID",))
    assert Evidence.from_json(evidence.to_json()) == evidence
    report = judge(world.task, evidence)
    assert report.inert == ("Pod/p spec.hostPID",)
    assert any("Pod/p spec.hostPID" in sentence for _, sentence in report_card(report).parts)
    assert not any("hostPID" in sentence for _, sentence in report_card(judge(world.task, world.evidence())).parts)
