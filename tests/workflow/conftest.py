"""An embedded cluster for the tests that need a whole one: begun once, in a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.cluster.info import ClusterInfo
from tests.clusters import embedded


@pytest.fixture(scope="package")
def cluster() -> Iterator[ClusterInfo]:
    with embedded("workflow") as info:
        yield info
