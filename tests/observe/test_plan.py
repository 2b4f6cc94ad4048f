"""Questions follow from criteria and objects, each asked once, none before it makes sense."""

from __future__ import annotations

from grader.criteria.reach import Reach
from grader.model.vantage import At, Vantage
from tests.judge.world import LABELS, NAMESPACE, SERVICE, World, criterion, exercise


def asked(world: World, host_ports: dict[int, str] | None = None) -> set[tuple[str, str, int]]:
    planned = world.plan(host_ports)
    return {(item.vantage, item.host, item.port) for item in planned.reach}


def test_a_name_is_short_at_home_and_carries_its_namespace_elsewhere() -> None:
    world = World()
    assert asked(world) == {("same-namespace", SERVICE, 80), ("other-namespace", f"{SERVICE}.{NAMESPACE}", 80)}
    planned = world.plan()
    assert {item.want for item in planned.reach} == {("backend-a", "backend-b", "backend-c")}
    assert {item.bound for item in planned.reach} == {3 * 3 + 30}
    assert {(item.host, item.port) for item in planned.direct} == {(f"10.244.1.{n}", 8080) for n in (1, 2, 3)}


def test_nothing_is_asked_about_a_service_that_is_not_there_not_even_its_name() -> None:
    world = World()
    world.services = []
    planned = world.plan()
    assert (planned.dns, planned.reach, planned.direct) == ((), (), ())
    assert planned.missing == (("services", SERVICE),)


def test_nothing_is_asked_at_a_port_the_service_does_not_have() -> None:
    assert asked(World().set(ports=[{"port": 8080, "protocol": "TCP"}])) == set()


def test_the_learners_host_is_asked_at_its_mapped_address() -> None:
    expect = Reach(SERVICE, 80, At.NODE_PORT, (Vantage.LEARNER_HOST,), LABELS, all_of_them=False)
    world = World(exercise(criterion("host", expect)))
    world.set(type="NodePort", ports=[{"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080}])
    assert asked(world, {30080: "127.0.0.1:31080"}) == {("learner-host", "127.0.0.1", 31080)}
    assert asked(world) == set()


def test_the_same_question_of_two_criteria_is_asked_once() -> None:
    again = criterion("again", Reach(SERVICE, 80, At.NAME, (Vantage.SAME_NAMESPACE,), LABELS))
    world = World(exercise(criterion("reach"), again))
    planned = world.plan()
    assert len(planned.reach) == 2


def test_a_negated_reach_asks_a_pod_directly_from_the_same_vantage_as_its_control() -> None:
    expect = Reach(SERVICE, 80, At.CLUSTER_IP, (Vantage.OTHER_NAMESPACE,), LABELS)
    world = World(exercise(criterion("closed", expect, negated=True)))
    assert ("other-namespace", "10.244.1.1", 8080) in asked(world)
