from __future__ import annotations

import pytest

from tests.embedded.core.programs.fake_host import FakeHost, Network, backends


@pytest.fixture
def network() -> Network:
    return backends()


@pytest.fixture
def probe(network: Network) -> FakeHost:
    return network.hosts["10.244.2.4"]
