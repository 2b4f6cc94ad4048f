from __future__ import annotations

import pytest
import yaml

from grader.cluster.kind.config import node_names, render, step, taken_port
from grader.cluster.kind.options import KindOptions


def test_configuration_has_three_nodes_and_publishes_ports_on_the_control_plane() -> None:
    data = yaml.safe_load(render(KindOptions(listen_address="127.0.0.2", node_ports=range(30080, 30082))))
    assert [node["role"] for node in data["nodes"]] == ["control-plane", "worker", "worker"]
    assert data["nodes"][0]["extraPortMappings"] == [
        {"containerPort": port, "hostPort": port, "listenAddress": "127.0.0.2", "protocol": "TCP"}
        for port in (30080, 30081)
    ]


def test_nodes_are_named_as_kind_names_them() -> None:
    assert node_names("c") == ("c-control-plane", "c-worker", "c-worker2")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (" • Ensuring node image (kindest/node:v1.36.4) 🖼  ...\n", "kind-node-image"),
        (" • Starting control-plane 🕹️  ...\n", "kind-control-plane"),
        (" • Joining worker nodes 🚜  ...\n", "kind-workers"),
        (" ✓ Starting control-plane 🕹️\n", None),
        ('Set kubectl context to "kind-x"\n', None),
    ],
)
def test_a_step_of_kind_is_recognised_when_it_begins(line: str, code: str | None) -> None:
    assert step(line) == code


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ("Bind for 127.0.0.1:30080 failed: port is already allocated", "30080"),
        ("listen tcp4 127.0.0.1:30083: bind: address already in use", "30083"),
        ("Ports are not available: exposing port TCP 127.0.0.1:30081 -> 0.0.0.0:0", "30081"),
        ("no space left on device, 127.0.0.1:30080", None),
    ],
)
def test_a_taken_port_is_read_from_docker_s_words(words: str, port: str | None) -> None:
    assert taken_port(words) == port
