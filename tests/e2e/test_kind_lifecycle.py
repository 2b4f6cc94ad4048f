"""The kind provider on a real Docker engine: repaired, interrupted and taken away, with nothing of others touched.

One cluster of three nodes serves all the tests but the first, which interrupts its making. The images come from where
KIND_NODE_IMAGE and METALLB_MANIFEST say, or from upstream.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cluster.info import ClusterInfo, folder
from grader.cluster.kind import KindProvider
from grader.cluster.kind.tools import Docker
from grader.cluster.ports import taken
from grader.cluster.probes import probe_name
from grader.cluster.provider import silent
from grader.errors import EnvironmentError_
from grader.kube import kubectl
from grader.kube.client import KubeApi, Object
from grader.model.vantage import PROBE_NAMESPACE
from grader.observe.container import ContainerCarrier

pytestmark = pytest.mark.kind

NAME = "course-lifecycle"
PORTS = "30280-30281"
UP = f"""
import signal
from grader.cluster.kind import KindProvider
from grader.model.vantage import PROBE_NAMESPACE
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job would inherit ignored
KindProvider().up({NAME!r}, {{}}, lambda code, facts: print(code, flush=True))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user of our own: state folder, home folder with a kubeconfig that must not change, ports of our own."""
    place = tmp_path_factory.mktemp("user")
    (place / ".kube").mkdir()
    (place / ".kube" / "config").write_text("apiVersion: v1\nkind: Config\ncurrent-context: mine\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(place))
        patch.setenv("GRADER_HOME", str(place / "state"))
        patch.setenv("GRADER_NODE_PORTS", PORTS)
        patch.delenv("KUBECONFIG", raising=False)
        yield place


@pytest.fixture(scope="module")
def others() -> frozenset[str]:
    """Containers that run before anything is done here."""
    return frozenset(container.name for container in Docker().containers(exited=False))


@pytest.fixture(scope="module")
def cluster(home: Path, others: frozenset[str]) -> Iterator[ClusterInfo]:
    """The cluster, made after two interruptions."""
    network_before = Docker().network() is not None
    try:
        interrupt_up(at="kind-nodes", with_signal=signal.SIGKILL)
        interrupt_up(at="kind-control-plane", with_signal=signal.SIGINT)
        yield KindProvider().up(NAME, {}, silent)
    finally:
        KindProvider().down(NAME, silent)
        left = {container.name for container in Docker().containers()}
        assert not {name for name in left if name.startswith(NAME)}
        assert others <= left
        assert not folder(NAME).exists()
        assert (Docker().network() is not None) == network_before
        assert not taken("127.0.0.1", range(30280, 30282))
        config = (home / ".kube" / "config").read_text()
        assert config == "apiVersion: v1\nkind: Config\ncurrent-context: mine\n"


def interrupt_up(*, at: str, with_signal: signal.Signals) -> None:
    """Run `up` in a process of its own, and send it a signal when it tells of a step."""
    process = subprocess.Popen([sys.executable, "-c", UP], stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if line.strip() == at:
                process.send_signal(with_signal)
                break
        else:
            pytest.fail(f"`up` ended before it came to {at}")
    assert process.wait(timeout=30) != 0


def steps_of_up() -> list[str]:
    """Run `up` again and return the steps it told of."""
    steps: list[str] = []
    KindProvider().up(NAME, {}, lambda code, facts: steps.append(code))
    assert KindProvider().status(NAME).ready
    return steps


def test_up_after_interruptions_gives_three_ready_nodes(cluster: ClusterInfo) -> None:
    status = KindProvider().status(NAME)
    assert status.ready
    assert [node.ready for node in status.nodes] == [True, True, True]


def test_kubeconfig_is_private_and_names_this_cluster_only(cluster: ClusterInfo) -> None:
    assert cluster.kubeconfig.stat().st_mode & 0o077 == 0
    assert cluster.kubeconfig.read_text().count("- cluster:") == 1


def test_second_up_does_nothing(cluster: ClusterInfo) -> None:
    assert steps_of_up() == ["kind-ready"]


def test_host_reaches_no_nodeport_that_nothing_serves(cluster: ClusterInfo) -> None:
    assert cluster.host_ports == {30280: "127.0.0.1:30280", 30281: "127.0.0.1:30281"}


def test_load_balancer_address_answers_the_outside_client(cluster: ClusterInfo) -> None:
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "all-probes", "namespace": PROBE_NAMESPACE},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"services-course.example/probe": "node"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
    with KubeApi(cluster.kubeconfig) as api:
        api.apply(service)
        given = ["wait", "-n", PROBE_NAMESPACE, "svc/all-probes", "--for=jsonpath={.status.loadBalancer.ingress}"]
        assert kubectl.run([*given, "--timeout=30s"], cluster.kubeconfig).returncode == 0
        service = api.read("services", "all-probes", PROBE_NAMESPACE) or {}
    address = service["status"]["loadBalancer"]["ingress"][0]["ip"]
    patiently = ["--retry", "20", "--retry-all-errors", "--retry-delay", "1"]
    container = cluster.outside.removeprefix("docker:")
    answer = Docker().run(
        "exec", container, "curl", "-s", "-m", "1", *patiently, f"http://{address}/hostname", timeout=60
    )
    assert answer in {probe_name(f"{NAME}-{role}") for role in ("control-plane", "worker", "worker2")}


def test_commands_leave_no_dead_processes_in_the_outside_client(cluster: ClusterInfo) -> None:
    container = cluster.outside.removeprefix("docker:")
    for _ in range(3):
        carrier = ContainerCarrier(container)
        for _ in range(5):
            assert carrier.get("hostname", {}, 5.0)
        carrier.close()
    dead = "cut -d' ' -f3 /proc/[0-9]*/stat | grep -q Z"
    soon = f"for i in $(seq 50); do {dead} || exit 0; sleep 0.1; done; exit 1"
    Docker().run("exec", container, "sh", "-c", soon, timeout=30)  # raises where some are still there after 5 s


def test_up_makes_a_deleted_probe_again(cluster: ClusterInfo) -> None:
    with KubeApi(cluster.kubeconfig) as api:
        api.delete("pods", probe_name(f"{NAME}-worker"), PROBE_NAMESPACE, grace_seconds=0)
    assert "probe-creating" in steps_of_up()


def test_up_makes_the_probes_namespace_again(cluster: ClusterInfo) -> None:
    with KubeApi(cluster.kubeconfig) as api:
        api.delete("namespaces", PROBE_NAMESPACE)
    assert steps_of_up().count("probe-creating") >= 3


def test_up_starts_a_removed_outside_client_again(cluster: ClusterInfo) -> None:
    Docker().remove([f"{NAME}-outside"])
    assert "outside-started" in steps_of_up()


def test_up_brings_a_deleted_load_balancer_back(cluster: ClusterInfo) -> None:
    with KubeApi(cluster.kubeconfig) as api:
        api.delete("namespaces", "metallb-system")
    assert "metallb-applying" in steps_of_up()


def test_up_starts_stopped_nodes(cluster: ClusterInfo) -> None:
    Docker().run("stop", "-t", "1", f"{NAME}-control-plane", f"{NAME}-worker", timeout=60)
    assert KindProvider().status(NAME).detail == "stopped"
    assert "kind-starting" in steps_of_up()


def test_up_finds_a_cluster_whose_record_was_lost(cluster: ClusterInfo) -> None:
    for file in ("kubeconfig", "cluster.json", "kind.json"):
        (folder(NAME) / file).unlink()
    assert "kind-creating" not in steps_of_up()


def test_an_option_that_the_cluster_was_not_made_with_is_refused(cluster: ClusterInfo) -> None:
    with pytest.raises(EnvironmentError_) as refusal:
        KindProvider().up(NAME, {"node-ports": "30290"}, silent)
    assert refusal.value.code == "kind-differs"


def test_a_port_in_use_is_named_before_anything_is_made(cluster: ClusterInfo) -> None:
    with pytest.raises(EnvironmentError_) as refusal:
        KindProvider().up("course-lifecycle-two", {}, silent)
    assert refusal.value.code == "port-of-kind-cluster"
    assert (refusal.value.facts["port"], refusal.value.facts["name"]) == ("30280", NAME)
    KindProvider().down("course-lifecycle-two", silent)
    assert not folder("course-lifecycle-two").exists()


def test_docker_that_does_not_run_is_said_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/nothing.sock")
    with pytest.raises(EnvironmentError_) as refusal:
        KindProvider().up("course-without-docker", {}, silent)
    assert refusal.value.code == "docker-stopped"
