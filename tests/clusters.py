"""Whole clusters for tests: an embedded one in a state folder of its own, gone afterwards, and the real one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grader.cluster import choose
from grader.cluster.info import ClusterInfo, Provider, load


@contextmanager
def embedded(name: str) -> Iterator[ClusterInfo]:
    with tempfile.TemporaryDirectory(prefix="grader-test-") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", home)
        with choose.temporary(name) as info:
            yield info


def real() -> ClusterInfo:
    """The current cluster, which is a real one."""
    found = load()
    assert found.provider is Provider.KIND, f"{found.name} is not a kind cluster"
    return found
