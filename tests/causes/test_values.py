"""A ConfigMap that a task has a learner write: it is not there, is somewhere else, or is on its way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.criteria.call import Call
from grader.criteria.dns import Dns
from grader.criteria.object import Object
from grader.criteria.records import ClusterIp
from grader.model.report import Hop, Verdict
from grader.model.vantage import ConfigKey, Vantage
from tests.judge.telling import told
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise

KEY = ConfigKey("client-config", "URL")
SOURCE = Vantage.SAME_NAMESPACE


def called() -> World:
    return World(exercise(criterion("call", Call(KEY, (SOURCE,), LABELS))))


def resolved() -> World:
    return World(exercise(criterion("dns", Dns(KEY, SOURCE, "A", ClusterIp(), SERVICE, absolute=True))))


def looked_at() -> World:
    return World(exercise(criterion("object", Object("ConfigMap", KEY.config_map), hop=Hop.SERVICE)))


WAYS = pytest.mark.parametrize("world", [called, resolved, looked_at])


@WAYS
def test_a_config_map_on_its_way_out_is_none(world: Callable[[], World]) -> None:
    made = world()
    metadata = {"name": KEY.config_map, "deletionTimestamp": "2026-01-02T03:04:00Z"}
    value = f"http://{SERVICE}/" if world is called else f"{SERVICE}.{NAMESPACE}.svc.cluster.local."
    made.listed["configmaps"] = ({"metadata": metadata, "data": {KEY.key: value}},)
    report = told(made)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "object-going")


@WAYS
def test_a_config_map_in_another_namespace_is_told_with_that_namespace(world: Callable[[], World]) -> None:
    made = world()
    made.listed["configmaps"] = ()
    there = {"name": KEY.config_map, "namespace": "default", "creationTimestamp": "2026-01-02T03:04:00Z"}
    made.elsewhere = ({"kind": "ConfigMap", "metadata": there},)
    assert made.plan().missing == (("configmaps", KEY.config_map),) if world is looked_at else made.plan().missing
    report = told(made)
    assert (report.finding.diagnosis, report.finding.facts["found"]) == ("object-in-other-namespace", "default")
    made.elsewhere = ({"kind": "Service", "metadata": there},)
    assert told(made).finding.diagnosis != "object-in-other-namespace"
