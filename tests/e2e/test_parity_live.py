"""The recorded transcripts are those of the real cluster that the course uses: all scripts are run again."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.kube import kubectl
from tests.clusters import real
from tests.e2e.part import mine
from tests.parity.test_parity import recorded
from tests.parity.transcript import Runner, Script, scripts

pytestmark = pytest.mark.kind

AT_ONCE = 4
SCRIPTS = mine(tuple(scripts()))
ALONE = ("scheduling", "zones")
"""Scripts that change nodes, on which the Pods of others run."""


def differences(script: Script) -> str:
    """Where a script goes otherwise than recorded, "" where nowhere."""
    runner = Runner(script, kubectl.environment(real().kubeconfig))
    runner.begin()
    try:
        return "\n\n".join(
            f"{script.name}.txt:{step.line}\n--- recorded\n{old}\n--- now\n{new}"
            for step, old, new in runner.compare(recorded(script))
        )
    finally:
        runner.end()


@pytest.fixture(scope="module")
def found() -> Mapping[str, str]:
    """What differs, by script. One that differs beside others is run once more alone: the load is not the rule."""
    together = [script for script in SCRIPTS if script.name not in ALONE]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip([script.name for script in together], pool.map(differences, together), strict=True))
    for script in SCRIPTS:
        if script.name in ALONE or results[script.name]:
            if text := results.get(script.name):
                print(f"run again alone:\n{text}\n")
            results[script.name] = differences(script)
    return results


@pytest.mark.parametrize("script", [script.name for script in SCRIPTS])
def test_a_script_goes_as_it_was_recorded(script: str, found: Mapping[str, str]) -> None:
    assert not found[script], found[script]
