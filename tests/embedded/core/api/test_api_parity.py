"""The embedded API server answers as the recorded real one (parity.json, by tools/record_parity.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.embedded.core.api import parity_cases, parity_shape
from tests.embedded.core.api.parity_asking import ask, cluster, differences

RECORDED = json.loads((Path(__file__).parent / "parity.json").read_text())
CASES = parity_cases.all_cases()


@pytest.mark.parametrize("name", CASES)
def test_answers_as_kubernetes_does(name: str) -> None:
    server = cluster()
    for step, real in zip(CASES[name], RECORDED["answers"][name], strict=True):
        ours = parity_shape.shape(ask(server, step), CASES[name])
        found = differences(real, ours)
        assert not found, "\n".join(found)


def test_every_recorded_case_is_still_asked() -> None:
    assert sorted(RECORDED["answers"]) == sorted(CASES)
