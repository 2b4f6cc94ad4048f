from __future__ import annotations

from pathlib import Path

import pytest

from grader.cluster.holders import Holder
from grader.cluster.info import Provider, folder, load
from grader.cluster.kind import KindProvider, state
from grader.cluster.kind import provider as module
from grader.cluster.kind.tools import LABEL_OUTSIDE
from grader.cluster.provider import silent
from grader.errors import EnvironmentError_, ToolMissing, UsageError
from grader.paths import write_atomically
from tests.cluster.kind.engine import Engine

KIND = """
case "$1 $2" in
version*) echo "kind v0.33.0";;
"get kubeconfig") cat "$(dirname "$0")/kubeconfig";;
"create cluster") echo " • Preparing nodes"; {create};;
esac
"""
KUBECONFIG = """current-context: kind-c
clusters:
- name: kind-c
  cluster:
    server: https://127.0.0.1:6443
contexts:
- name: kind-c
  context: {cluster: kind-c}
"""
MANIFEST = "kind: DaemonSet\nspec: {template: {spec: {containers: [{image: speaker:1}]}}}\n"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a state folder, a kind that works and a local manifest; ports that are free; no API server."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "m.yaml").write_text(MANIFEST)
    (tmp_path / "bin" / "kubeconfig").write_text(KUBECONFIG)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("METALLB_MANIFEST", str(tmp_path / "m.yaml"))
    monkeypatch.setenv("KIND_NODE_IMAGE", "kindest/node:test")
    monkeypatch.setattr(module, "taken", lambda address, ports: ())
    monkeypatch.setattr(module.Converger, "run", lambda self: "v1.36.3")
    give_kind(tmp_path)
    return tmp_path


def give_kind(folder: Path, create: str = "exit 0") -> None:
    """Put a kind on PATH; `create` is what it does to create a cluster."""
    path = folder / "bin" / "kind"
    path.write_text("#!/bin/sh\n" + KIND.format(create=create))
    path.chmod(0o755)


class Making(Engine):
    """An engine in which the cluster's containers appear once kind was asked to create it."""

    def run(self, *arguments: str, timeout: float = 30.0) -> str:
        if (folder("c") / "kind.log").exists() and not self.containers_:
            self.add_kind_cluster("c")
        return super().run(*arguments, timeout=timeout)


def test_a_new_cluster_is_made_and_recorded() -> None:
    told: list[str] = []
    info = KindProvider(Making()).up("c", {}, lambda code, facts: told.append(code))
    assert info == load("c")
    assert (info.provider, info.version, info.outside) == (Provider.KIND, "v1.36.3", "docker:c-outside")
    assert info.host_ports == {30080: "127.0.0.1:30080"}
    assert info.kubeconfig.read_text() == KUBECONFIG
    assert told == ["kind-creating", "kind-nodes", "kind-ready"]
    assert state.load(folder("c")) == state.KindState(state.CREATED, network_made=True, images_taken=True)


def test_images_that_the_machine_has_and_the_nodes_lack_are_taken_along() -> None:
    told: list[tuple[str, str]] = []
    engine = Making(images={"speaker:1", "docker.io/library/nginx:1.29"}, in_nodes=("docker.io/library/nginx:1.29",))
    KindProvider(engine).up("c", {}, lambda code, facts: told.append((code, facts.get("images", ""))))
    assert ("kind-images", "speaker:1") in told


def test_too_little_memory_is_told_before_anything_is_made() -> None:
    engine = Engine(bytes_of_memory=10**9)
    with pytest.raises(EnvironmentError_) as error:
        KindProvider(engine).up("c", {}, silent)
    assert (error.value.code, error.value.facts["has"]) == ("docker-memory", "1.0")
    assert state.load(folder("c")).phase == ""


@pytest.fixture
def _nginx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports that are taken are held by nginx."""

    def holder(port: int, address: str) -> Holder:
        return Holder("port-taken", {"address": address, "port": str(port), "program": "nginx(1)"})

    monkeypatch.setattr(module, "holder", holder)


@pytest.mark.usefixtures("_nginx")
def test_a_taken_port_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "taken", lambda address, ports: (30083,))
    with pytest.raises(EnvironmentError_) as error:
        KindProvider(Engine()).up("c", {}, silent)
    assert error.value.facts == {"address": "127.0.0.1", "port": "30083", "program": "nginx(1)"}


@pytest.mark.usefixtures("_nginx")
def test_a_port_that_docker_finds_taken_is_told_and_nothing_stays(machine: Path) -> None:
    give_kind(machine, "echo 'ERROR: Bind for 127.0.0.1:30085 failed: port is already allocated'; exit 1")
    engine = Making()
    with pytest.raises(EnvironmentError_) as error:
        KindProvider(engine).up("c", {}, silent)
    assert (error.value.code, error.value.facts["port"]) == ("port-taken", "30085")
    assert not engine.containers_


def test_without_kind_it_is_told_how_to_get_it(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "bin" / "kind").unlink()
    monkeypatch.setenv("PATH", str(machine / "bin"))
    with pytest.raises(ToolMissing) as error:
        KindProvider(Engine()).up("c", {}, silent)
    assert error.value.code == "kind-missing"


def test_a_cluster_whose_making_was_cut_short_is_made_anew() -> None:
    folder("c").mkdir(parents=True)
    state.KindState(state.CREATING, network_made=True).save(folder("c"))
    engine = Making()
    engine.add_kind_cluster("c")
    told: list[str] = []
    KindProvider(engine).up("c", {}, lambda code, facts: told.append(code))
    assert told[:2] == ["kind-removing-half", "kind-creating"]
    assert state.load(folder("c")).network_made  # the network that the first attempt brought goes with the cluster


def test_a_cluster_that_lost_a_node_is_made_anew() -> None:
    engine = Making()
    KindProvider(engine).up("c", {}, silent)
    del engine.containers_["c-worker"]
    told: list[str] = []
    KindProvider(engine).up("c", {}, lambda code, facts: told.append(code))
    assert "kind-creating" in told


def test_stopped_nodes_are_started() -> None:
    engine = Making()
    KindProvider(engine).up("c", {}, silent)
    engine.containers_["c-worker"]["State"]["Running"] = False
    assert KindProvider(engine).status("c").detail == "stopped"
    KindProvider(engine).up("c", {}, silent)
    assert engine.containers_["c-worker"]["State"]["Running"]


def test_frozen_nodes_go_on() -> None:
    engine = Making()
    KindProvider(engine).up("c", {}, silent)
    engine.containers_["c-worker"]["State"]["Paused"] = True
    assert KindProvider(engine).status("c").detail == "stopped"
    KindProvider(engine).up("c", {}, silent)
    assert not engine.containers_["c-worker"]["State"]["Paused"]


def test_a_cluster_of_our_shape_without_a_record_is_taken_over() -> None:
    engine = Engine()
    engine.add_kind_cluster("c")
    told: list[str] = []
    KindProvider(engine).up("c", {}, lambda code, facts: told.append(code))
    assert told == ["kind-ready"]


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_kind_cluster_of_somebody_else_is_left_alone(command: str) -> None:
    engine = Engine()
    engine.add_kind_cluster("c", ports={})
    provider = KindProvider(engine)
    with pytest.raises(EnvironmentError_) as error:
        provider.up("c", {}, silent) if command == "up" else provider.down("c", silent)
    assert error.value.code == "kind-foreign"
    assert len(engine.containers_) == 3


def test_an_option_that_an_existing_cluster_cannot_take_on_is_refused() -> None:
    engine = Making()
    KindProvider(engine).up("c", {}, silent)
    for option, value in {"node-image": "other:1", "node-ports": "30500", "listen-address": "127.0.0.9"}.items():
        with pytest.raises(EnvironmentError_) as error:
            KindProvider(engine).up("c", {option: value}, silent)
        assert (error.value.code, error.value.facts["option"]) == ("kind-differs", option)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(UsageError):
        KindProvider(Engine()).up("c", {"colour": "blue"}, silent)


def test_a_kubeconfig_of_an_earlier_cluster_is_replaced() -> None:
    engine = Making()
    path = KindProvider(engine).up("c", {}, silent).kubeconfig
    path.write_text("    server: https://127.0.0.1:1\n")
    KindProvider(engine).up("c", {}, silent)
    assert path.read_text() == KUBECONFIG


def test_down_leaves_nothing_of_ours_and_everything_of_others() -> None:
    engine = Making()
    KindProvider(engine).up("c", {}, silent)
    engine.add("c-outside", labels={LABEL_OUTSIDE: "c"})
    engine.add("c-database", network="bridge")
    KindProvider(engine).down("c", silent)
    assert set(engine.containers_) == {"c-database"}
    assert "kind" not in engine.networks
    assert not folder("c").exists()


def test_down_keeps_a_network_that_was_there_before_or_is_used_by_others() -> None:
    engine = Making(networks={"kind": ["172.18.0.0/16"]})
    KindProvider(engine).up("c", {}, silent)
    KindProvider(engine).down("c", silent)
    assert "kind" in engine.networks
    del engine.networks["kind"]
    KindProvider(engine).up("c", {}, silent)
    engine.add("other-control-plane", running=False)
    KindProvider(engine).down("c", silent)
    assert "kind" in engine.networks


def test_down_finishes_what_was_half_made() -> None:
    folder("c").mkdir(parents=True)
    state.KindState(state.CREATING).save(folder("c"))
    engine = Engine()
    engine.add("c-worker", labels={"io.x-k8s.kind.cluster": "c"})
    KindProvider(engine).down("c", silent)
    assert not engine.containers_
    assert not folder("c").exists()


def test_down_of_nothing_does_nothing_even_without_docker() -> None:
    KindProvider(Engine()).down("c", silent)
    KindProvider(Engine(failing={"ps": ToolMissing("docker-missing")})).down("c", silent)
    assert not folder("c").exists()


def test_down_of_a_known_cluster_needs_docker() -> None:
    write_atomically(folder("c") / "kind.json", '{"phase": "created"}')
    with pytest.raises(ToolMissing):
        KindProvider(Engine(failing={"ps": ToolMissing("docker-missing")})).down("c", silent)
    assert folder("c").exists()


def test_status_tells_apart_what_can_be_wrong() -> None:
    assert KindProvider(Engine()).status("c").detail == "not-created"
    assert KindProvider(Engine(failing={"ps": ToolMissing("docker-missing")})).status("c").detail == "unknown"
    engine = Engine()
    engine.add_kind_cluster("c")
    assert KindProvider(engine).status("c").detail == "unreachable"
    folder("c").mkdir(parents=True)
    state.KindState(state.CREATING).save(folder("c"))
    assert KindProvider(engine).status("c").detail == "half-made"
