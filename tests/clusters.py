"""A whole embedded cluster for tests: in a state folder of its own, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grader.cluster import choose
from grader.cluster.info import ClusterInfo


@contextmanager
def embedded(name: str) -> Iterator[ClusterInfo]:
    with tempfile.TemporaryDirectory(prefix="grader-test-") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", home)
        with choose.temporary(name) as info:
            yield info
