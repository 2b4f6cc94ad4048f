"""The recorded transcripts are those of the real cluster that the course uses."""

from __future__ import annotations

import pytest

from grader.cluster import info
from grader.cluster.info import Provider
from grader.kube import kubectl
from tests.parity.test_parity import recorded
from tests.parity.transcript import Runner, Script, scripts

pytestmark = pytest.mark.transcripts


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_a_script_goes_as_it_was_recorded(script: Script) -> None:
    cluster = info.load()
    assert cluster.provider is Provider.KIND, f"{cluster.name} is not a kind cluster"
    runner = Runner(script, kubectl.environment(cluster.kubeconfig))
    runner.begin()
    try:
        found = [
            f"line {step.line}\n--- recorded\n{old}\n--- now\n{new}"
            for step, old, new in runner.compare(recorded(script))
        ]
    finally:
        runner.end()
    assert not found, "\n\n".join(found)
