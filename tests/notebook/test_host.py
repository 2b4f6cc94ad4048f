from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cluster.info import ClusterInfo, Provider
from grader.errors import EnvironmentError_, UsageError
from grader.notebook import host

KUBECONFIG = """{apiVersion: v1, kind: Config, current-context: c,
contexts: [{name: c, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: u, user: {token: t}}]}"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterInfo:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG, encoding="utf-8")
    info = ClusterInfo(
        "small", Provider.KIND, kubeconfig, "v1.36.3", outside="docker:client", host_ports={30081: "127.0.0.1:41081"}
    )
    monkeypatch.setattr(host, "load", lambda: info)
    return info


class Dialer:
    """Stands for the outside client's netexec."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.closed = False
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        self.asked.append((path, query))
        return json.dumps(self.answer).encode()

    def close(self) -> None:
        self.closed = True


def test_a_node_port_is_reached_where_the_cluster_brings_it(cluster: ClusterInfo) -> None:
    assert host.node_port_url(30081) == "http://127.0.0.1:41081"


def test_a_port_that_is_not_brought_here_is_told_with_those_that_are(cluster: ClusterInfo) -> None:
    with pytest.raises(UsageError) as caught:
        host.node_port_url(31999)
    assert caught.value.facts == {"port": "31999", "known": "30081"}


def test_the_outside_client_is_asked_to_dial(cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    dialer = Dialer({"responses": ["pod-a"]})
    monkeypatch.setattr(host, "ContainerCarrier", lambda container: dialer)
    assert host.outside("http://172.18.255.200:8081/hostname") == "pod-a"
    path, query = dialer.asked[0]
    assert path == "dial"
    assert dialer.closed
    assert (query["host"], query["port"], query["request"]) == ("172.18.255.200", "8081", "hostname")


def test_silence_outside_is_an_error_with_its_reason(cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "ContainerCarrier", lambda container: Dialer({"errors": ["i/o timeout"]}))
    with pytest.raises(EnvironmentError_) as caught:
        host.outside("http://172.18.255.200/hostname")
    assert "i/o timeout" in caught.value.facts["reason"]


def test_silence_outside_may_be_what_a_lesson_shows(cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "ContainerCarrier", lambda container: Dialer({"errors": ["i/o timeout"]}))
    assert host.outside("http://172.18.255.200/hostname", silence="silent") == "silent"


def test_a_cluster_without_an_outside_client_says_so(cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "load", lambda: replace(cluster, outside=""))
    with pytest.raises(EnvironmentError_) as caught:
        host.outside("http://172.18.255.200/hostname")
    assert caught.value.code == "outside-client-absent"
