"""The fixtures for whoever tests a client."""

from __future__ import annotations

import json
import socket
import ssl
import time
import urllib.request
from pathlib import Path

import pytest

from grader.embedded.testing import ServedCluster, cluster, serve, served_cluster

__all__ = ["cluster", "served_cluster"]


def test_a_served_cluster_answers_whoever_has_its_kubeconfig(served_cluster: ServedCluster) -> None:
    config = json.loads(served_cluster.kubeconfig.read_text())
    token = config["users"][0]["user"]["token"]
    trust = ssl.create_default_context(cafile=str(served_cluster.kubeconfig.with_name("ca.crt")))
    asked = urllib.request.Request(
        f"{served_cluster.server}/api/v1/nodes", headers={"Authorization": f"Bearer {token}"}
    )

    with urllib.request.urlopen(asked, context=trust, timeout=10) as answer:
        nodes = json.loads(answer.read())["items"]

    assert config["clusters"][0]["cluster"]["server"] == served_cluster.server
    assert nodes[0]["metadata"]["name"] == "testing-control-plane"


def test_a_cluster_that_cannot_start_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), serve(tmp_path / "file"):
        pass


def test_a_client_that_keeps_its_connection_does_not_keep_the_cluster(tmp_path: Path) -> None:
    begun = time.monotonic()
    with serve(tmp_path) as served:
        trust = ssl.create_default_context(cafile=str(served.kubeconfig.with_name("ca.crt")))
        port = int(served.server.rpartition(":")[2])
        raw = socket.create_connection(("127.0.0.1", port))
        silent = trust.wrap_socket(raw, server_hostname="127.0.0.1")
        silent.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
        assert silent.recv(100).startswith(b"HTTP/1.1 200")
    silent.close()

    assert time.monotonic() - begun < 20  # asyncio's TLS waits 30 s for a goodbye
