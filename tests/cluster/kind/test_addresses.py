from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.cluster.kind.addresses import Pool, choose, ipv4_subnet, parse
from grader.errors import EnvironmentError_

subnets = st.integers(16, 27).flatmap(
    lambda prefix: st.integers(0, 2**prefix - 1).map(lambda number: IPv4Network((number << (32 - prefix), prefix)))
)


@given(subnets)
def test_pool_lies_in_the_subnet_and_leaves_its_ends_and_lower_half_alone(subnet: IPv4Network) -> None:
    pool = choose(subnet, [], [])
    middle = int(subnet.network_address) + subnet.num_addresses // 2
    assert middle <= int(pool.first) <= int(pool.last) < int(subnet.broadcast_address)


@given(subnets, st.data())
def test_pool_avoids_addresses_in_use(subnet: IPv4Network, data: st.DataObject) -> None:
    free = choose(subnet, [], [])
    used = IPv4Address(data.draw(st.integers(int(free.first), int(free.last))))
    try:
        pool = choose(subnet, [used], [])
    except EnvironmentError_ as error:
        assert error.code == "kind-network-full"
    else:
        assert used not in pool


def test_pools_of_seven_clusters_on_one_network_are_apart() -> None:
    subnet = IPv4Network("172.18.0.0/16")
    pools: list[Pool] = []
    for _ in range(7):
        pool = choose(subnet, [IPv4Address("172.18.0.1"), IPv4Address("172.18.0.2")], pools)
        assert not any(pool.overlaps(other) for other in pools)
        assert str(pool.first).startswith("172.18.255.")
        pools.append(pool)
    with pytest.raises(EnvironmentError_):
        choose(subnet, [], pools)


def test_first_choice_on_docker_s_usual_network() -> None:
    assert str(choose(IPv4Network("172.18.0.0/16"), [], [])) == "172.18.255.192-172.18.255.223"


@given(subnets)
def test_a_pool_is_read_as_it_was_written(subnet: IPv4Network) -> None:
    pool = choose(subnet, [], [])
    assert parse(str(pool)) == pool


@pytest.mark.parametrize("text", ["", "172.18.0.0/24", "a-b", "1.2.3.4", "1.2.3.400-1.2.3.5"])
def test_what_is_no_range_is_no_pool(text: str) -> None:
    assert parse(text) is None


def test_ipv6_subnets_are_passed_over() -> None:
    assert ipv4_subnet(["fc00:f853:ccd:e793::/64", "172.19.0.0/16"]) == IPv4Network("172.19.0.0/16")


def test_a_network_without_ipv4_is_told_of() -> None:
    with pytest.raises(EnvironmentError_) as error:
        ipv4_subnet(["fc00::/64"])
    assert (error.value.code, error.value.facts["subnets"]) == ("kind-network-without-ipv4", "fc00::/64")
