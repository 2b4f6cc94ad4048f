"""Who holds a port: a cluster of ours wherever it was brought up, or another program."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from grader.cluster import doctor
from grader.cluster.doctor import State
from grader.cluster.holders import holder, own_ports, running_clusters
from grader.cluster.kind.options import parse
from grader.text import message

NAME = "services-course"


@pytest.fixture
def port(cluster_home: Path) -> int:
    """A port on which an embedded cluster of that home listens."""
    return int(json.loads((cluster_home / "clusters" / NAME / "endpoint.json").read_text())["port"])


def test_the_current_cluster_holds_its_own_ports(
    cluster_home: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    monkeypatch.delenv("GRADER_CLUSTER", raising=False)
    assert port in own_ports(NAME)


def test_a_cluster_of_ours_from_another_folder_is_called_that_with_the_command_that_stops_it(
    cluster_home: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    assert [item.place for item in running_clusters() if port in item.ports] == [cluster_home / "clusters" / NAME]
    assert port not in own_ports(NAME)
    found = holder(port)
    words = message("errors", found.code, found.facts)
    assert str(cluster_home) in words.where
    assert f"GRADER_HOME={cluster_home} grader --cluster {NAME} cluster down" in words.next
    assert f"export GRADER_HOME={cluster_home} GRADER_CLUSTER={NAME}" in words.next


def test_another_program_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = holder(listener.getsockname()[1])
    assert found.code == "port-taken"
    assert f"({os.getpid()})" in found.facts["program"]


def test_the_doctor_sees_a_taken_port_although_a_cluster_exists(
    cluster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        wished = parse({}, {"GRADER_LISTEN_ADDRESS": "127.0.0.1"})
        object.__setattr__(wished, "node_ports", range(number, number + 1))
        finding = doctor._see_ports(wished, NAME)
    assert (finding.state, finding.code, finding.facts["port"]) == (State.WARN, "port-taken", str(number))


def test_the_ports_of_the_current_cluster_are_no_fault(
    cluster_home: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    monkeypatch.delenv("GRADER_CLUSTER", raising=False)
    wished = parse({}, {})
    object.__setattr__(wished, "node_ports", range(port, port + 1))
    assert doctor._see_ports(wished, NAME).ok
