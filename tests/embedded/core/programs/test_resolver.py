from __future__ import annotations

import pytest

from grader.embedded.core.kernel import drive
from grader.embedded.core.programs.resolver import NameNotFound, NameserverTimeout, ResolvConf, resolve
from tests.embedded.core.programs.fake_host import FakeHost, Network

CONF = ResolvConf(("10.96.0.10",), ("a.svc.cluster.local", "svc.cluster.local", "cluster.local"), 5)


@pytest.mark.parametrize(
    ("name", "first", "count"),
    [
        ("web", "web.a.svc.cluster.local.", 4),
        ("web.b", "web.b.a.svc.cluster.local.", 4),
        ("web.b.svc.cluster.local", "web.b.svc.cluster.local.a.svc.cluster.local.", 4),
        ("web.b.svc.cluster.local.", "web.b.svc.cluster.local.", 1),
        ("a.b.c.d.e.f", "a.b.c.d.e.f.", 4),
    ],
)
def test_ndots_decides_what_is_asked_first(name: str, first: str, count: int) -> None:
    found = list(CONF.candidates(name))
    assert (found[0], len(found)) == (first, count)


def test_the_file_is_read_as_written_by_the_kubelet() -> None:
    text = "search x.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5 timeout:2 attempts:1\n"
    assert ResolvConf.parse(text) == ResolvConf(
        ("10.96.0.10",), ("x.svc.cluster.local", "svc.cluster.local"), 5, 2.0, 1
    )


def test_hosts_file_comes_first(network: Network, probe: FakeHost) -> None:
    assert drive(network.kernel, network.clock, resolve(probe, "localhost")) == ["127.0.0.1"]
    assert drive(network.kernel, network.clock, resolve(probe, "probe")) == ["10.244.2.4"]
    assert network.queries == []


def test_search_list_is_asked_in_order_until_an_answer(network: Network, probe: FakeHost) -> None:
    network.zone["web.other.svc.cluster.local.", "A"] = ["10.96.1.1"]
    assert drive(network.kernel, network.clock, resolve(probe, "web.other")) == ["10.96.1.1"]
    assert [name for name, _, _ in network.queries] == [
        "web.other.programs.svc.cluster.local.",
        "web.other.svc.cluster.local.",
    ]
    with pytest.raises(NameNotFound):
        drive(network.kernel, network.clock, resolve(probe, "nosuch"))


def test_a_silent_nameserver_costs_attempts_times_timeout(network: Network, probe: FakeHost) -> None:
    probe.files["/etc/resolv.conf"] = b"nameserver 10.96.9.9\n"
    before = network.clock.now()
    with pytest.raises(NameserverTimeout):
        drive(network.kernel, network.clock, resolve(probe, "web"))
    assert network.clock.now() - before == 10.0
