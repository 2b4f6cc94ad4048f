"""Evidence is a JSON document that is judged again later with the same Report."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.judge import judge
from grader.model.evidence import (
    Action,
    DnsAnswer,
    DnsQuestion,
    Evidence,
    ManifestResult,
    Outcome,
    Problem,
    ReachAnswer,
    ReachQuestion,
)
from grader.model.objects import Objects
from grader.model.report import Report
from tests.judge.world import World

TEXT = st.text(max_size=8)
FACTS = st.dictionaries(TEXT, TEXT, max_size=3)
OUTCOME = st.sampled_from(Outcome)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=2), max_leaves=3
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=2)
SEVERAL = st.lists(OBJECTS, max_size=2).map(tuple)
LISTED = st.dictionaries(TEXT, SEVERAL, max_size=2)
REACH = st.builds(
    ReachAnswer,
    st.builds(
        ReachQuestion, TEXT, TEXT, st.integers(1, 65535), st.lists(TEXT, max_size=2).map(tuple), st.integers(1, 40)
    ),
    OUTCOME,
    st.dictionaries(TEXT, st.integers(1, 40), max_size=2),
    st.integers(0, 40),
    TEXT,
)
DNS = st.builds(
    DnsAnswer, st.builds(DnsQuestion, TEXT, TEXT, TEXT), OUTCOME, TEXT, st.lists(TEXT, max_size=2).map(tuple), TEXT
)
EVIDENCE = st.builds(
    Evidence,
    exercise=TEXT,
    namespace=TEXT,
    cluster=TEXT,
    taken_at=TEXT,
    manifests=st.lists(
        st.builds(ManifestResult, st.integers(1, 9), TEXT, TEXT, TEXT, st.sampled_from(Action), FACTS, st.tuples(TEXT)),
        max_size=2,
    ).map(tuple),
    unreadable=st.none() | FACTS,
    objects=st.builds(
        Objects, LISTED, st.dictionaries(TEXT, LISTED, max_size=2), st.lists(OBJECTS, max_size=2).map(tuple)
    ),
    dns=st.lists(DNS, max_size=2).map(tuple),
    reach=st.lists(REACH, max_size=2).map(tuple),
    problems=st.lists(st.builds(Problem, TEXT, FACTS, TEXT, st.booleans()), max_size=2).map(tuple),
    host_ports=st.dictionaries(st.integers(30000, 32767), TEXT, max_size=2),
    quiet_for=st.floats(0, 1e6),
)


@settings(deadline=None)
@given(EVIDENCE)
def test_evidence_reads_back_equal(evidence: Evidence) -> None:
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence


CHANGES: dict[str, list[Any]] = {
    "selector": [{"app": "backend"}, {"app": "batch"}, {"tier": "api"}, {}, None],
    "type": ["ClusterIP", "NodePort", "ExternalName"],
    "clusterIP": ["10.96.7.7", "None"],
    "sessionAffinity": ["None", "ClientIP"],
    "internalTrafficPolicy": ["Cluster", "Local"],
    "ports": [[{"port": 80, "protocol": "TCP", "targetPort": target}] for target in (8080, 81, "http", "http-api")],
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries({key: st.sampled_from(values) for key, values in CHANGES.items()}),
    st.sampled_from([0.0, 3.0, 60.0]),
    st.lists(OUTCOME, min_size=1, max_size=1),
)
def test_saved_evidence_gives_the_same_report_and_never_an_error(
    changes: dict[str, Any], quiet: float, outcomes: list[Outcome]
) -> None:
    world = World().set(**changes)
    world.answered["other-namespace"] = ReachAnswer(ReachQuestion("", "", 0), outcomes[0], {"backend-a": 1}, 3)
    evidence = world.evidence(quiet_for=quiet)
    report = judge(world.task, evidence)
    assert judge(world.task, Evidence.from_json(json.loads(json.dumps(evidence.to_json())))) == report
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
