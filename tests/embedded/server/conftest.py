from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.cluster.embedded import EmbeddedProvider
from grader.cluster.info import ClusterInfo
from grader.cluster.provider import silent

KUBECTL = Path(sys.executable).with_name("kubectl")


@dataclass(frozen=True)
class Kubectl:
    """Runs the real kubectl against one cluster, in one namespace."""

    kubeconfig: Path
    namespace: str

    def run(
        self, *arguments: str, stdin: str | None = None, timeout: float = 30.0, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(KUBECTL), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment(env),
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str | None = None, timeout: float = 30.0) -> str:
        """Standard output of a command that must succeed."""
        done = self.run(*arguments, stdin=stdin, timeout=timeout)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(KUBECTL), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(None),
        )

    def fails(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard error of a command that must fail."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def environment(self, more: dict[str, str] | None) -> dict[str, str]:
        return {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "POD_NAMESPACE": self.namespace,
            "HOME": str(self.kubeconfig.parent),
            **(more or {}),
        }


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


Wait = Callable[[str, str], None]
