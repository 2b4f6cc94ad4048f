from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grader.cluster.embedded import EmbeddedProvider, child_environment, forget_pid, get, read_endpoint, running, stop
from grader.cluster.info import ClusterInfo, Provider, folder, load
from grader.cluster.probes import namespace, probe
from grader.cluster.provider import silent
from grader.errors import ClusterUnreachable, CourseError, EnvironmentError_, UsageError
from grader.kube.client import KubeApi
from grader.text import message
from grader.workflow.ground.instruments import is_ours

NAME = "try"


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedProvider]:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    provider = EmbeddedProvider()
    yield provider
    for place in (tmp_path / "clusters").glob("*"):
        provider.down(place.name, silent)


def nodes(info: ClusterInfo) -> list[str]:
    endpoint = read_endpoint(folder(info.name))
    assert endpoint is not None
    return [item["metadata"]["name"] for item in get(folder(info.name), endpoint, "/api/v1/nodes")["items"]]


def create_config_map(info: ClusterInfo, name: str) -> None:
    with KubeApi(info.kubeconfig) as api:
        api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}})


def config_maps(info: ClusterInfo) -> list[str]:
    endpoint = read_endpoint(folder(info.name))
    assert endpoint is not None
    answer = get(folder(info.name), endpoint, "/api/v1/namespaces/default/configmaps")
    return [item["metadata"]["name"] for item in answer["items"]]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while running(folder(NAME)):
        pass


def test_up_leaves_a_process_a_record_and_a_private_kubeconfig(provider: EmbeddedProvider) -> None:
    steps: list[str] = []
    info = provider.up(NAME, {}, lambda code, facts: steps.append(code))

    assert steps == ["embedded-starting", "embedded-ready"]
    assert info == load(NAME)
    assert info.provider is Provider.EMBEDDED
    assert info.version.startswith("v1.")
    assert running(folder(NAME)) == info.pid
    assert info.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert nodes(info) == [f"{NAME}-control-plane", f"{NAME}-worker", f"{NAME}-worker2"]


def test_a_second_up_changes_nothing(provider: EmbeddedProvider) -> None:
    first = provider.up(NAME, {}, silent)

    assert provider.up(NAME, {}, silent) == first


def test_up_after_a_kill_brings_the_objects_back_at_the_same_address(provider: EmbeddedProvider) -> None:
    first = provider.up(NAME, {}, silent)
    kubeconfig = first.kubeconfig.read_text()
    create_config_map(first, "kept")
    os.kill(first.pid, signal.SIGTERM)
    while running(folder(NAME)):
        pass

    second = provider.up(NAME, {}, silent)

    assert second.pid != first.pid
    assert second.kubeconfig.read_text() == kubeconfig
    assert "kept" in config_maps(second)


def test_every_write_that_was_acknowledged_outlives_kill_9(provider: EmbeddedProvider) -> None:
    told: list[str] = []

    def write(info: ClusterInfo, life: int) -> None:
        with contextlib.suppress(ClusterUnreachable):
            for number in range(10_000):
                create_config_map(info, name := f"w{life}-{number}")
                told.append(name)

    for life in range(3):
        info = provider.up(NAME, {}, silent)
        writer = threading.Thread(target=write, args=(info, life))
        writer.start()
        until = len(told) + 10 * (life + 1)
        while len(told) < until and writer.is_alive():
            time.sleep(0.01)
        kill(info.pid)
        writer.join()

    assert len(told) >= 60
    missing = set(told) - set(config_maps(provider.up(NAME, {}, silent)))
    assert not missing


def test_up_after_kill_9_works(provider: EmbeddedProvider) -> None:
    first = provider.up(NAME, {}, silent)
    kill(first.pid)
    assert provider.status(NAME).detail == "stopped"

    second = provider.up(NAME, {}, silent)

    assert provider.status(NAME).ready
    assert second.pid != first.pid


def test_traffic_flows_again_after_a_kill(provider: EmbeddedProvider) -> None:
    info = provider.up(NAME, {}, silent)
    manifests = Path(__file__).parents[1] / "embedded" / "server" / "manifests"
    with KubeApi(info.kubeconfig) as api:
        for name in ("backend", "service"):
            api.apply(yaml.safe_load((manifests / f"{name}.yaml").read_text()), namespace="default")
    deadline = time.monotonic() + 20
    while responders(info) != 3:
        assert time.monotonic() < deadline
    kill(info.pid)

    again = provider.up(NAME, {}, silent)

    deadline = time.monotonic() + 20
    while responders(again) != 3:
        assert time.monotonic() < deadline


def responders(info: ClusterInfo) -> int:
    """How many Pods answer behind the Service, asked from another Namespace."""
    query = {"host": "backend.default.svc.cluster.local", "port": "80", "request": "hostname", "tries": "30"}
    path = f"/api/v1/namespaces/course-probe/pods/probe-{NAME}-worker:8080/proxy/dial"
    with KubeApi(info.kubeconfig) as api:
        try:
            return len(set(json.loads(api.raw_get(path, {**query, "protocol": "http"})).get("responses", ())))
        except CourseError:
            return 0


def test_another_port_is_taken_when_the_old_one_is_not_free(provider: EmbeddedProvider) -> None:
    first = provider.up(NAME, {}, silent)
    before = read_endpoint(folder(NAME))
    assert before is not None
    kill(first.pid)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before.port))
        other.listen()

        second = provider.up(NAME, {}, silent)

        after = read_endpoint(folder(NAME))
        assert after is not None and after.port != before.port
        assert str(after.port) in second.kubeconfig.read_text()
        assert provider.status(NAME).ready


def test_a_process_id_left_behind_is_nobody(provider: EmbeddedProvider) -> None:
    place = folder(NAME)
    place.mkdir(parents=True)
    (place / "lock").write_text(str(os.getpid()))  # as after a kill -9, when the number belongs to somebody else

    assert running(place) == 0
    assert provider.status(NAME).detail == "not-created"
    provider.down(NAME, silent)  # does not kill this test
    assert not place.exists()


def test_a_new_process_never_shows_the_number_of_a_dead_one(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1")

    forget_pid(tmp_path)

    assert (tmp_path / "lock").read_text() == ""


def test_who_holds_the_lock_without_a_number_is_not_told_to_be_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a process that has none yet stood in `kill -9 -1`, which ends everything."""
    monkeypatch.setattr("grader.cluster.embedded.STOP_SECONDS", 0.01)
    with open(tmp_path / "lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(EnvironmentError_) as refusal:
            stop(tmp_path)
    assert refusal.value.code == "embedded-busy"
    told = message("errors", refusal.value.code, refusal.value.facts)
    assert "kill" not in str(told)


def test_a_process_that_does_not_answer_is_replaced(
    provider: EmbeddedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.cluster.embedded.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("grader.cluster.embedded.STOP_SECONDS", 0.5)
    first = provider.up(NAME, {}, silent)
    os.kill(first.pid, signal.SIGSTOP)
    assert provider.status(NAME).detail == "unreachable"
    steps: list[str] = []

    second = provider.up(NAME, {}, lambda code, facts: steps.append(code))

    assert steps == ["embedded-replacing", "embedded-starting", "embedded-ready"]
    assert second.pid != first.pid


def test_down_leaves_nothing_behind(provider: EmbeddedProvider) -> None:
    info = provider.up(NAME, {}, silent)

    provider.down(NAME, silent)

    assert not folder(NAME).exists()
    deadline = time.monotonic() + 5  # until the system's first process has buried it
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < deadline:
            os.kill(info.pid, 0)


def test_down_of_nothing_is_nothing(provider: EmbeddedProvider) -> None:
    provider.down(NAME, silent)

    assert provider.status(NAME).detail == "not-created"


def test_clusters_of_several_names_are_apart(provider: EmbeddedProvider) -> None:
    first, second = provider.up("one", {}, silent), provider.up("two", {}, silent)
    create_config_map(first, "mine")

    assert "mine" in config_maps(first)
    assert "mine" not in config_maps(second)
    assert nodes(second)[0] == "two-control-plane"


def test_up_makes_probe_pods_again_beside_the_learners_work(provider: EmbeddedProvider) -> None:
    info = provider.up(NAME, {}, silent)
    create_config_map(info, "work")
    with KubeApi(info.kubeconfig) as api:
        for node in nodes(info):
            api.delete("pods", f"probe-{node}", "course-probe", grace_seconds=0)
        again = provider.up(NAME, {}, silent)
        assert all(is_ours(pod, probe(pod["spec"]["nodeName"])) for pod in api.list("pods", "course-probe"))
        assert len(api.list("pods", "course-probe")) == 3

        api.delete("namespaces", "course-probe")
        provider.up(NAME, {}, silent)
        assert len(api.list("pods", "course-probe")) == 3
    assert again.pid == info.pid
    assert "work" in config_maps(again)


def test_up_registers_a_deleted_node_again_beside_the_learners_work(provider: EmbeddedProvider) -> None:
    info = provider.up(NAME, {}, silent)
    create_config_map(info, "work")
    with KubeApi(info.kubeconfig) as api:
        api.delete("nodes", f"{NAME}-worker")
    assert not provider.status(NAME).ready
    steps: list[str] = []
    again = provider.up(NAME, {}, lambda code, facts: steps.append(code))
    assert steps == ["embedded-restarting", "embedded-starting", "embedded-ready"]
    assert len(nodes(again)) == 3
    assert "work" in config_maps(again)


def test_the_probe_pods_that_a_cluster_begins_with_are_those_that_up_and_check_would_make(
    provider: EmbeddedProvider,
) -> None:
    info = provider.up(NAME, {}, silent)
    with KubeApi(info.kubeconfig) as api:
        pods = api.list("pods", "course-probe")
        labels = api.get("/api/v1/namespaces/course-probe")["metadata"]["labels"]
    assert len(pods) == 3
    assert all(is_ours(pod, probe(pod["spec"]["nodeName"])) for pod in pods)
    assert namespace()["metadata"]["labels"].items() <= labels.items()


def test_two_ups_at_once_make_one_cluster(provider: EmbeddedProvider) -> None:
    infos: list[ClusterInfo] = []
    threads = [threading.Thread(target=lambda: infos.append(provider.up(NAME, {}, silent))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(infos) == 3
    assert len({info.pid for info in infos}) == 1


def test_the_process_compiles_once_outside_of_a_tree_that_is_to_stay_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)

    environment = child_environment()

    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["PYTHONPYCACHEPREFIX"] == str(tmp_path / "bytecode")


def test_an_unknown_option_is_refused(provider: EmbeddedProvider) -> None:
    with pytest.raises(UsageError):
        provider.up(NAME, {"node-image": "x"}, silent)


def test_a_broken_state_file_does_not_keep_the_cluster_from_coming_up(provider: EmbeddedProvider) -> None:
    place = folder(NAME)
    place.mkdir(parents=True)
    (place / "state.json").write_text("{")

    info = provider.up(NAME, {}, silent)

    assert len(nodes(info)) == 3
    assert "cannot be read" in (place / "log.txt").read_text()


def test_the_record_is_json_that_others_read(provider: EmbeddedProvider) -> None:
    info = provider.up(NAME, {}, silent)

    record = json.loads((folder(NAME) / "cluster.json").read_text())

    assert record["outside"] == "api:/embedded/v1/outside"
    assert record["host_ports_path"] == "/embedded/v1/host-ports"
    assert record["pid"] == info.pid
