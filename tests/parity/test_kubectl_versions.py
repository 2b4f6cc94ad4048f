"""Other versions of kubectl get from the embedded cluster what the recorded one got from a real one.

    GRADER_KUBECTLS=/path/to/1.33/kubectl:/path/to/1.35/kubectl pytest tests/parity/test_kubectl_versions.py

Each path is a file called kubectl. How to build one where no package has it: a Go module that requires
k8s.io/kubectl@v0.MINOR.PATCH and whose main.go is k8s.io/kubernetes/cmd/kubectl/kubectl.go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cluster.info import ClusterInfo
from grader.kube import kubectl
from tests.clusters import embedded
from tests.parity.test_parity import recorded
from tests.parity.transcript import Runner, Script, scripts

KUBECTLS = [Path(path) for path in os.environ.get("GRADER_KUBECTLS", "").split(os.pathsep) if path]
ABOUT_KUBECTL = ("api-raw", "containers", "kubectl-apply", "kubectl-change", "kubectl-create", "lists", "ownership")
EVERY = os.environ.get("GRADER_KUBECTL_SCRIPTS") == "all"
SCRIPTS = [script for script in scripts() if EVERY or script.name in ABOUT_KUBECTL]

REWORDED = (
    (r"(?m)^(?P<kept>\S+ \"[^\"]+\" (?:force )?deleted) from \S+ namespace", r"\g<kept>"),  # 1.34 cmd/delete/delete.go
    (r"(?m)^  creationTimestamp: null\n", ""),  # 1.34 apimachinery meta/v1/types.go: omitzero
    (r"(?m)^Warning: resource \S+ was previously managed with 'kubectl apply'.*\n", ""),  # 1.36 rollout_undo.go
    (r"(?P<not>label \"\S+\" not found\.\n\S+) labeled", r"\g<not> not labeled"),  # 1.36 cmd/label/label.go
    (  # 1.36 cmd/exec/exec.go, polymorphichelpers/logsforobject.go: kubectl finds it out by itself
        r"(?:error|Error from server \(BadRequest\)): (?P<said>container \S+ is not valid for pod \S+)(?: out of: .*)?",
        r"error: \g<said>",
    ),
    (  # 1.36 k8s.io/streaming pkg/httpstream/spdy: a Status is no longer told as one
        r"(?:error: unable to upgrade connection|Error from server \(BadRequest\)): (?P<said>pod \S+ does not have)",
        r"error: \g<said>",
    ),
    (r"cannot delete (?=cannot delete)", ""),  # 1.36 drain/filters.go
    (r"(?<=error: )Invalid(?= image name)", "invalid"),  # 1.37 cmd/run/run.go
)
"""Sentences of kubectl's own that are not the same in 1.33 to 1.37, where the newer ones begin, and their source."""

STREAMS = """
exec one -- sh -c 'echo out; sleep 0.5; echo err >&2; exit 3' -> out err command terminated with exit code 3
exec -i one -- cat <<< typed -> typed
run two --image=busybox:1.37 --rm -i --restart=Never -q -- cat <<< typed | head -1 -> typed
cp one:/etc/hostname $SCRATCH/name && cat $SCRATCH/name -> (tar: .* )?one
attach one & sleep 2; kill $! -> .*tick.*
logs one --tail=1 -> tick
debug one --image=busybox:1.37 --profile=general -q -i -c debugger -- hostname -> .*one.*
port-forward pod/one 0:99 & sleep 1; kill $! -> Forwarding from 127.0.0.1:\\d+ -> 99.*
wait --for=condition=Ready pod/one --timeout=5s -> pod/one condition met
get pods -w --request-timeout=2s -o name -> pod/one
events --for pod/one --types=Warning -> No events found in \\S+ namespace.
explain service.spec.type | head -1 -> KIND: Service
autoscale deployment d --min=1 --max=3 --dry-run=server -o name -> horizontalpodautoscaler.autoscaling/d
auth can-i create services -> yes
top pods -> error: Metrics API not available
delete pod one --now; kubectl get pods -> .*No resources found in \\S+ namespace.
"""
"""A command, and everything that it says, in one line: what no script asks, since it is no rule of the server's."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterInfo]:
    with embedded("versions") as info:
        yield info


def environment(program: Path, cluster: ClusterInfo) -> dict[str, str]:
    """As kubectl.environment, with another kubectl first on PATH."""
    result = kubectl.environment(cluster.kubeconfig)
    return {**result, "PATH": os.pathsep.join((str(program.resolve().parent), result["PATH"]))}


def reworded(text: str) -> str:
    for pattern, replacement in REWORDED:
        text = re.sub(pattern, replacement, text)
    return text


given = pytest.mark.skipif(not KUBECTLS, reason="GRADER_KUBECTLS names no kubectl")
each = pytest.mark.parametrize("program", KUBECTLS or [Path("kubectl")], ids=str)


@given
@each
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_goes_with_every_kubectl_but_for_its_own_words(
    script: Script, program: Path, cluster: ClusterInfo
) -> None:
    runner = Runner(script, environment(program, cluster))
    runner.begin()
    found = [
        f"{script.name}.txt:{step.line}\n--- recorded\n{real}\n--- {program}\n{ours}"
        for step, real, ours in runner.compare(recorded(script))
        if reworded(real) != reworded(ours)
    ]
    assert not found, "\n\n".join(found)


@given
@each
@pytest.mark.parametrize("sockets", [True, False], ids=["websocket", "spdy"])
def test_streams_go_with_every_kubectl(program: Path, sockets: bool, cluster: ClusterInfo, tmp_path: Path) -> None:
    steps = [line.partition(" -> ") for line in STREAMS.strip().splitlines()]
    asked = "true" if sockets else "false"
    more = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": asked, "KUBECTL_PORT_FORWARD_WEBSOCKETS": asked}
    runner = Runner(Script("streams", ()), {**environment(program, cluster), **more, "SCRATCH": str(tmp_path)})
    runner.begin()
    made = runner.run(
        "kubectl run one --image=busybox:1.37 -- sh -c 'while true; do echo tick; sleep 1; done' && "
        "kubectl create deployment d --image=busybox:1.37 --replicas=0 && "
        "kubectl delete pod client --now && kubectl wait --for=condition=Ready pod/one --timeout=20s"
    )
    assert made[0] == 0, made[1]
    found = []
    for command, _, wanted in steps:
        said = " ".join(runner.run(f"command kubectl -n streams {command}")[1].split())
        if not re.fullmatch(wanted, said):
            found.append(f"{command}\n--- wanted\n{wanted}\n--- {program}\n{said}")
    runner.end()
    assert not found, "\n\n".join(found)


def test_only_kubectls_own_words_are_taken_for_the_same() -> None:
    newer = 'service "web" deleted from shop namespace\nError from server (NotFound): services "web" not found'
    assert reworded(newer) == newer.replace(" from shop namespace", "")
    assert reworded("service/web labeled") == "service/web labeled"
