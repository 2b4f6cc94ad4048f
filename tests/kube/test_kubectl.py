from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.errors import EnvironmentError_, ToolMissing
from grader.kube import kubectl


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beside a Python of our own, and nothing else on PATH but the system's basics."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return folder


def write_kubectl(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "kubectl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_kubectl_beside_python_is_found_before_path(programs: Path, tmp_path: Path) -> None:
    on_path = write_kubectl(tmp_path / "path", "true")
    assert kubectl.find() == on_path
    beside = write_kubectl(programs, "true")
    assert kubectl.find() == beside


def test_no_kubectl_is_told_of(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ToolMissing) as error:
        kubectl.find()
    assert error.value.code == "kubectl-missing"


def test_kubectl_speaks_to_the_course_s_cluster_and_no_proxy_stands_between(programs: Path) -> None:
    write_kubectl(programs, 'echo "$KUBECONFIG|$NO_PROXY|$1"; cat; exit 3')
    done = kubectl.run(["apply"], Path("/the/kubeconfig"), stdin="manifest")
    first, rest = done.stdout.split("\n", 1)
    assert first.startswith("/the/kubeconfig|")
    assert "127.0.0.1" in first
    assert first.endswith("|apply")
    assert (rest, done.returncode) == ("manifest", 3)


def test_environment_keeps_what_was_exempt_from_the_proxy(programs: Path) -> None:
    write_kubectl(programs, "true")
    found = kubectl.environment(Path("k"), {"NO_PROXY": "a.example,127.0.0.1", "PATH": "/usr/bin"})
    assert found["NO_PROXY"] == found["no_proxy"] == "a.example,127.0.0.1,localhost,::1"
    assert found["PATH"] == f"{programs}:/usr/bin"


def test_a_kubectl_that_does_not_end_is_ended(programs: Path) -> None:
    write_kubectl(programs, "exec tail -f /dev/null")
    with pytest.raises(EnvironmentError_) as error:
        kubectl.run(["get", "-w"], Path("k"), timeout=0.05)
    assert (error.value.code, error.value.facts["command"]) == ("kubectl-timeout", "get -w")
