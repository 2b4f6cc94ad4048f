"""Real Kubernetes and the embedded API server judge generated manifests alike.

Disagreements that are known, with their reasons, are in tests/embedded/core/api/known_differences.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from grader.cluster import info
from tests.embedded.core.api import fuzz_verdicts
from tests.embedded.core.api.fuzz_manifests import CHANGES, MANIFESTS
from tools import record_parity

MANIFESTS_ASKED = int(os.environ.get("GRADER_FUZZ", "2000"))
CHANGES_ASKED = MANIFESTS_ASKED // 4  # three requests each


@pytest.fixture
def real() -> Iterator[record_parity.Cluster]:
    cluster = record_parity.Cluster(info.load().kubeconfig)
    record_parity.ground(cluster)
    yield cluster
    record_parity.leave(cluster)


def limits(count: int) -> settings:
    return settings(
        max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


@pytest.mark.kind
def test_both_judge_generated_manifests_alike(real: record_parity.Cluster) -> None:
    asked = fuzz_verdicts.Asked(real)
    limits(MANIFESTS_ASKED)(given(MANIFESTS)(asked.compare))()
    told(asked, MANIFESTS_ASKED)


@pytest.mark.kind
def test_both_change_generated_services_alike(real: record_parity.Cluster) -> None:
    asked = fuzz_verdicts.Asked(real)
    limits(CHANGES_ASKED)(given(CHANGES)(lambda pair: asked.change(*pair)))()
    told(asked, CHANGES_ASKED)


def told(asked: fuzz_verdicts.Asked, least: int) -> None:
    print(asked.summary())
    assert asked.count >= least * 0.9
    assert not asked.found, "\n\n".join(
        f"{len(json.dumps(item))} {key}\n{json.dumps(item, ensure_ascii=False)}\n{text}"
        for key, (item, text) in sorted(asked.found.items())
    )
