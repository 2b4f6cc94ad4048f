from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cluster.embedded import EmbeddedProvider
from grader.cluster.info import ClusterInfo
from grader.cluster.provider import silent
from tests.embedded.server.kubectl import Kubectl


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterInfo]:
    """One embedded cluster in a process of its own, for all tests of the session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", str(tmp_path_factory.mktemp("home")))
        provider = EmbeddedProvider()
        info = provider.up("services-course", {}, silent)
        yield info
        log = (info.kubeconfig.parent / "log.txt").read_text()
        provider.down("services-course", silent)
        assert " ERROR " not in log, log[-4000:]


@pytest.fixture
def kubectl(cluster: ClusterInfo, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kubectl]:
    """Real kubectl, whose default namespace is new and this test's own."""
    words = "".join(char if char.isalnum() else "-" for char in request.node.name.lower())
    namespace = words[:50].strip("-")
    admin = Kubectl(cluster.kubeconfig, "default")
    admin("create", "namespace", namespace)
    own = tmp_path / "kubeconfig"
    own.write_bytes(cluster.kubeconfig.read_bytes())
    kubectl = Kubectl(own, namespace)
    kubectl("config", "set-context", "--current", f"--namespace={namespace}")
    yield kubectl
    admin("delete", "namespace", namespace, "--wait=false")
