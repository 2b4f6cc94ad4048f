"""The embedded cluster answers the scripts as the recorded real one (recorded/, by tools/record_transcripts.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from grader.cluster.info import ClusterInfo
from grader.kube import kubectl
from tests.clusters import embedded
from tests.parity.transcript import FOLDER, Runner, Script, scripts, split

SCRIPTS = scripts()
STEPS = 250
# What kube-apiserver gives by itself comes from above: of 30000-32767 the first 86 are left to those who choose
# (https://kubernetes.io/docs/concepts/services-networking/service/#avoid-nodeport-collisions, v1.36).
GIVEN = range(30086, 32768)


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


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_chooses_no_node_port_that_a_cluster_may_have_given(script: Script) -> None:
    chosen = [
        int(port) for step in script.steps for port in re.findall(r"[nN]ode-?[pP]ort\W{1,3}(\d{5})(?!\d)", step.command)
    ]
    assert not [port for port in chosen if port in GIVEN]


def test_there_are_enough_steps() -> None:
    assert sum(len(script.steps) for script in SCRIPTS) >= STEPS
