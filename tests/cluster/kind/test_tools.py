from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cluster.kind.tools import Docker, Kind, command_of, end_group
from grader.errors import EnvironmentError_, ToolMissing


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH; nothing in it yet, and no docker or kind after it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def write(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "docker-stopped",
        ),
        ("failed to connect to the docker API at unix:///x.sock", "docker-stopped"),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "docker-forbidden",
        ),
        ("Error: No such container: x", "docker-failed"),
    ],
)
def test_docker_s_words_are_sorted_by_what_helps(programs: Path, words: str, code: str) -> None:
    write(programs, "docker", f"echo '{words}' >&2; exit 1")
    with pytest.raises(EnvironmentError_) as error:
        Docker().run("ps")
    assert error.value.code == code
    assert error.value.facts["reason"] == words


def test_no_docker_is_told_of(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ToolMissing) as error:
        Docker().run("ps")
    assert error.value.code == "docker-missing"


def test_a_docker_that_hangs_is_given_up(programs: Path) -> None:
    write(programs, "docker", "exec tail -f /dev/null")
    with pytest.raises(EnvironmentError_) as error:
        Docker().run("ps", timeout=0.05)
    assert error.value.code == "docker-timeout"


def kind(folder: Path, pids: list[int] | None = None, lines: list[str] | None = None) -> Kind:
    return Kind(folder, [].append if pids is None else pids.append, [].append if lines is None else lines.append)


def test_what_kind_says_while_it_creates_is_passed_on_and_logged(programs: Path, tmp_path: Path) -> None:
    write(programs, "kind", 'echo " • Preparing nodes"; echo "$KIND_EXPERIMENTAL_PROVIDER $@" >&2')
    pids: list[int] = []
    lines: list[str] = []
    kind(tmp_path, pids, lines).create("c", tmp_path / "config", "image:1", tmp_path / "kubeconfig")
    assert lines[0] == " • Preparing nodes\n"
    assert lines[1].startswith("docker create cluster --name c --image image:1 ")
    assert f"--kubeconfig {tmp_path / 'kubeconfig'}" in lines[1]
    assert len(pids) == 1
    assert (tmp_path / "kind.log").read_text() == "".join(lines)


def test_a_failed_creation_says_why(programs: Path, tmp_path: Path) -> None:
    write(programs, "kind", 'echo "ERROR: failed to create cluster: no space"; echo "Stack Trace:"; exit 1')
    with pytest.raises(EnvironmentError_) as error:
        kind(tmp_path).create("c", tmp_path / "config", "i", tmp_path / "k")
    assert error.value.facts["reason"] == "ERROR: failed to create cluster: no space"


def test_an_interrupted_creation_takes_kind_and_its_children_along(programs: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    write(programs, "kind", f"exec 3>{tmp_path}/held; tail -f /dev/null & echo ready; wait")
    pids: list[int] = []

    def said(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Kind(tmp_path, pids.append, said).create("c", tmp_path / "config", "i", tmp_path / "k")
    assert command_of(pids[0]) == ""
    readable, _, _ = select.select([held], [], [], 10)  # readable at its end: when nobody holds the other side
    assert readable
    assert os.read(held, 1) == b""
    os.close(held)


def test_no_kind_is_told_of(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ToolMissing) as error:
        kind(tmp_path).version()
    assert error.value.code == "kind-missing"


def test_a_process_is_known_by_its_command_line_while_it_lives() -> None:
    command = [sys.executable, "-c", "print(flush=True); input()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    assert command_of(process.pid) == " ".join(command)
    end_group(process.pid)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert command_of(process.pid) == ""
    end_group(process.pid)
    assert command_of(0) == ""
