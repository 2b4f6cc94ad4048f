"""Node ports of an exercise that lead elsewhere on this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from grader import exercises
from grader.cluster.info import load
from grader.kube.client import KubeApi
from grader.workflow.ground import hostports

ALL = {item.id: item for item in exercises.all_exercises()}


def test_the_node_ports_that_are_given_and_wanted_are_known() -> None:
    assert hostports.node_ports(ALL["nodeport"]) == (30080,)
    assert set(hostports.node_ports(ALL["type-change"])) >= {30083, 30084}
    assert hostports.node_ports(ALL["clusterip"]) == ()


def test_a_port_that_is_held_is_told_and_the_url_that_works_beside_it(
    cluster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    monkeypatch.delenv("GRADER_CLUSTER", raising=False)
    cluster, exercise = load(), ALL["nodeport"]
    with KubeApi(cluster.kubeconfig) as api:
        given = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "held", "namespace": "default"},
            "spec": {"type": "NodePort", "ports": [{"port": 80}]},
        }
        number = api.create(given)["spec"]["ports"][0]["nodePort"]
        monkeypatch.setattr(hostports, "node_ports", lambda _: (number,))
        assert hostports.conflicts(exercise, cluster) == ()
        api.delete("services", "held", "default")
        api.get(cluster.host_ports_path)
        with socket.create_server(("127.0.0.1", number)):
            (conflict,) = hostports.conflicts(exercise, cluster)
            assert (conflict.port, conflict.holder.code, conflict.url) == (number, "port-taken", "")
            given["spec"] = {"type": "NodePort", "ports": [{"port": 80, "nodePort": number}]}
            api.create(given)
            (conflict,) = hostports.conflicts(exercise, cluster)
            assert conflict.url.startswith("http://127.0.0.1:")
            assert not conflict.url.endswith(f":{number}")
            assert conflict.url in hostports.conflict_words(conflict)
            assert f"({os.getpid()})" in hostports.conflict_words(conflict)
            events = [item for item in api.list("events", "default") if item["reason"] == "HostPortTaken"]
            assert [item["involvedObject"]["name"] for item in events] == ["held"]
            assert conflict.url in events[0]["message"]
        assert hostports.conflicts(exercise, cluster) == ()
        assert api.get(cluster.host_ports_path)[str(number)] == f"127.0.0.1:{number}"  # once it is free after all
        api.delete("services", "held", "default")
