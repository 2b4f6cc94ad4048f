"""The embedded cluster answers the scripts as the recorded real one (recorded/, by tools/record_transcripts.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.cluster.info import ClusterInfo
from grader.kube import kubectl
from tests.clusters import embedded
from tests.parity.transcript import FOLDER, Runner, Script, scripts, split

SCRIPTS = scripts()
STEPS = 250


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterInfo]:
    with embedded("parity") as info:
        yield info


def recorded(script: Script) -> str:
    """The transcript of a real cluster, without its first line, which says the version."""
    return (FOLDER / "recorded" / f"{script.name}.txt").read_text(encoding="utf-8").partition("\n\n")[2]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_goes_as_on_a_real_cluster(script: Script, cluster: ClusterInfo) -> None:
    runner = Runner(script, kubectl.environment(cluster.kubeconfig))
    runner.begin()
    found = [
        f"{script.name}.txt:{step.line}\n--- real\n{real}\n--- embedded\n{ours}"
        for step, real, ours in runner.compare(recorded(script))
    ]
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_what_is_recorded_is_of_the_script_as_it_is(script: Script) -> None:
    commands = [f"{step.mark} {step.command}" for step in script.steps]
    blocks = split(recorded(script))
    assert len(blocks) == len(commands)
    assert all(block.startswith(command) for block, command in zip(blocks, commands, strict=True))


def test_there_are_enough_steps() -> None:
    assert sum(len(script.steps) for script in SCRIPTS) >= STEPS
