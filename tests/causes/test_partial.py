"""A partial manifest is matched item by item, in any order; of several ways to match the nearest is told."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.causes.partial import Difference, assignment, differences
from grader.criteria.object import Object
from grader.model.report import Hop, Verdict
from tests.judge.telling import told
from tests.judge.world import SERVICE, Raw, World, criterion, exercise


@st.composite
def costs(draw: st.DrawFn) -> list[list[int]]:
    rows = draw(st.integers(1, 5))
    columns = draw(st.integers(rows, 5))
    return [[draw(st.integers(0, 20)) for _ in range(columns)] for _ in range(rows)]


@given(costs())
def test_an_assignment_is_as_cheap_as_the_cheapest_of_all(table: list[list[int]]) -> None:
    rows, columns = len(table), len(table[0])

    def cost(order: tuple[int, ...]) -> int:
        return sum(table[row][column] for row, column in enumerate(order))

    chosen = assignment(table)
    assert len(set(chosen)) == rows and set(chosen) <= set(range(columns))
    assert cost(chosen) == min(map(cost, itertools.permutations(range(columns), rows)))


PORT = st.fixed_dictionaries(
    {"port": st.integers(80, 84)},
    optional={"name": st.sampled_from(["a", "b", "c"]), "protocol": st.sampled_from(["TCP", "UDP"])},
)
PORTS = st.lists(PORT, min_size=1, max_size=5)


@given(PORTS, PORTS, st.randoms(use_true_random=False))
def test_the_order_of_a_list_never_matters(asked: list[Raw], seen: list[Raw], shuffle: random.Random) -> None:
    def weight(found: tuple[Difference, ...]) -> list[str]:
        return sorted(".".join(item.path) for item in found)

    before = differences({"ports": asked}, {"ports": seen})
    mixed, other = shuffle.sample(asked, len(asked)), shuffle.sample(seen, len(seen))
    after = differences({"ports": mixed}, {"ports": other})
    assert bool(before) is bool(after)
    assert weight(before).count("ports.port") == weight(after).count("ports.port")
    assert len(before) == len(after)


@given(PORTS, st.randoms(use_true_random=False))
def test_a_list_matches_itself_with_more_beside_it_in_any_order(asked: list[Raw], shuffle: random.Random) -> None:
    seen = [*({**item, "nodePort": 30000} for item in asked), {"port": 99}]
    shuffle.shuffle(seen)
    assert differences({"ports": asked}, {"ports": seen}) == ()


def test_many_ports_in_reverse_order_match_at_once() -> None:
    ports = [{"port": 80 + number, "protocol": "TCP", "targetPort": 8080 + number} for number in range(7)]
    assert differences({"spec": {"ports": ports}}, {"spec": {"ports": ports[::-1]}}) == ()
    many = [{"port": number} for number in range(60)]  # every order of these would take for ever
    assert differences(many, many[::-1]) == ()


def test_no_item_of_a_list_counts_twice() -> None:
    asked = [{"port": 80}, {"port": 80}]
    assert differences(asked, [{"port": 80}]) == (Difference(("port",), 80, None),)
    assert differences(asked, [{"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}]) == ()


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({"a": {"b": 1}}, {"a": 3}, [("a", {"b": 1}, 3)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
        ({"a": []}, {"a": []}, []),
        ({"a": []}, {"a": [{"port": 80}]}, [("a", [], [{"port": 80}])]),
        ({"a": [{"port": 80}]}, {"a": "none"}, [("a.port", 80, None)]),
        ({"a": [{"name": "x", "port": 80}]}, {"a": [{"port": 80}, {"name": "x"}]}, [("a.name", "x", None)]),
        ({"z": 1, "port": 1, "a": 1}, {}, [("z", 1, None), ("a", 1, None), ("port", 1, None)]),
        ({"name": "n", "port": 1}, {}, [("port", 1, None), ("name", "n", None)]),
    ],
)
def test_what_differs_is_told_by_its_path_and_the_port_before_its_name(
    expected: Any, actual: Any, found: list[tuple[str, Any, Any]]
) -> None:
    told_of = [(".".join(item.path), item.expected, item.seen) for item in differences(expected, actual)]
    assert told_of == found


def test_a_container_is_compared_with_the_one_of_its_name() -> None:
    def probed(port: int) -> Raw:
        return {"httpGet": {"path": "/readyz", "port": port}}

    asked = {"containers": [{"name": "server", "command": ["run"], "readinessProbe": probed(8080)}]}
    seen = {"containers": [{"name": "server", "command": ["run"], "readinessProbe": probed(8990)}, {"name": "helper"}]}
    assert [item.path for item in differences(asked, seen)] == [("containers", "readinessProbe", "httpGet", "port")]


ASKED = {"spec": {"ports": [{"port": 80, "protocol": "TCP"}]}}


def of_service(**changes: Any) -> World:
    return World(exercise(criterion("service", Object("Service", SERVICE, ASKED, **changes))))


def test_more_than_was_asked_for_is_an_objection_only_where_the_task_says_exactly() -> None:
    more = [{"port": 443, "protocol": "TCP"}, {"port": 80, "protocol": "TCP"}]
    assert told(of_service().set(ports=more)).verdict is Verdict.PASS
    report = told(of_service(exactly=("spec.ports",)).set(ports=more))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "object-has-more")
    facts = report.finding.facts
    assert (facts["field"], facts["count"], facts["seen"]) == ("spec.ports", "1", "443/TCP, 80/TCP")
    assert told(of_service(exactly=("spec.ports",))).verdict is Verdict.PASS


def test_exactly_nothing_is_as_exact() -> None:
    none = of_service(exactly=("spec.loadBalancerSourceRanges",))
    assert told(none).verdict is Verdict.PASS
    report = told(none.set(loadBalancerSourceRanges=["192.0.2.0/24"]))
    assert (report.finding.diagnosis, report.finding.facts["count"]) == ("object-has-more", "0")
    assert told(of_service(exactly=("spec.type.none",))).verdict is Verdict.PASS  # no list can be there


def test_what_differs_is_told_before_what_is_too_much() -> None:
    world = of_service(exactly=("spec.ports",)).set(ports=[{"port": 81}, {"port": 82}])
    assert told(world).finding.diagnosis == "service-port-missing"


def deployment(**metadata: Any) -> World:
    expect = Object("Deployment", "mine", {"spec": {"replicas": 2}})
    world = World(exercise(criterion("deployment", expect, hop=Hop.ENDPOINT_SLICE)))
    world.deployments = [{"metadata": {"name": "mine", **metadata}, "spec": {"replicas": 2}}]
    return world


def test_an_object_that_is_going_proves_nothing() -> None:
    assert told(deployment()).verdict is Verdict.PASS
    report = told(deployment(deletionTimestamp="2026-01-02T03:04:00Z"))
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "object-going")
    assert report.finding.facts["since"] == "2026-01-02T03:04:00Z"


def test_what_must_be_absent_is_there_until_it_is_gone() -> None:
    world = deployment(deletionTimestamp="2026-01-02T03:04:00Z")
    world.task = exercise(criterion("gone", Object("Deployment", "mine", absent=True), hop=Hop.ENDPOINT_SLICE))
    assert told(world).finding.diagnosis == "object-present"
    world.deployments = []
    assert told(world).finding.diagnosis == "object-absent"


def test_an_object_of_another_kind_that_differs_is_told_by_its_field() -> None:
    world = deployment()
    world.deployments[0]["spec"]["replicas"] = 3
    report = told(world)
    assert (report.finding.diagnosis, report.finding.facts["field"]) == ("object-differs", "spec.replicas")
    world.deployments = []
    assert told(world).finding.diagnosis == "object-missing"
