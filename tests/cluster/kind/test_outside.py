from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from grader.cluster.kind.addresses import Pool
from grader.cluster.kind.outside import answers, ensure, outside_name
from grader.errors import EnvironmentError_
from tests.cluster.kind.engine import Engine

POOL = Pool(IPv4Address("172.18.255.192"), IPv4Address("172.18.255.223"))
OTHER = Pool(IPv4Address("172.18.255.160"), IPv4Address("172.18.255.191"))


def test_it_is_started_once_beside_the_nodes() -> None:
    engine = Engine()
    assert ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert not ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert engine.images == {"agnhost:1"}
    (container,) = engine.containers("label=services-course.outside-of=c")
    assert (container.name, container.networks) == ("c-outside", ("kind",))
    assert container.labels["services-course.pool"] == str(POOL)


def test_a_stopped_one_is_started_again() -> None:
    engine = Engine()
    ensure(engine, "c", "agnhost:1", "kind", POOL)
    engine.containers_["c-outside"]["State"]["Running"] = False
    assert ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert engine.containers_["c-outside"]["State"]["Running"]


def test_a_frozen_one_goes_on() -> None:
    engine = Engine()
    ensure(engine, "c", "agnhost:1", "kind", POOL)
    engine.containers_["c-outside"]["State"]["Paused"] = True  # Docker calls it running too
    assert ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert not engine.containers_["c-outside"]["State"]["Paused"]
    assert not ensure(engine, "c", "agnhost:1", "kind", POOL)


@pytest.mark.parametrize(
    ("image", "network", "pool"),
    [("agnhost:2", "kind", POOL), ("agnhost:1", "net", POOL), ("agnhost:1", "kind", OTHER)],
)
def test_one_that_does_not_fit_any_more_is_replaced(image: str, network: str, pool: Pool) -> None:
    engine = Engine()
    ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert ensure(engine, "c", image, network, pool)
    assert not ensure(engine, "c", image, network, pool)
    assert len(engine.containers_) == 1


def test_a_container_of_somebody_else_is_left_alone() -> None:
    engine = Engine()
    engine.add(outside_name("c"))
    with pytest.raises(EnvironmentError_) as error:
        ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert error.value.code == "outside-name-taken"
    assert outside_name("c") in engine.containers_


def test_an_image_that_cannot_be_had_is_named() -> None:
    engine = Engine(failing={"pull": EnvironmentError_("docker-failed", command="pull", reason="no route to host")})
    with pytest.raises(EnvironmentError_) as error:
        ensure(engine, "c", "agnhost:1", "kind", POOL)
    assert (error.value.code, error.value.facts["reason"]) == ("image-missing", "no route to host")


def test_it_answers_or_it_does_not() -> None:
    assert answers(Engine(), "c")
    assert not answers(Engine(failing={"exec": EnvironmentError_("docker-failed", command="exec", reason="")}), "c")
