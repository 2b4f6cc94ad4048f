"""Which system, and what a Docker engine says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.cluster.kind.tools import Container, Docker
from grader.cluster.machine import System, see_engine, system_of
from grader.errors import EnvironmentError_

HOME, WINDOWS = Path("/home/me/course"), Path("/mnt/c/Users/me/course")


@pytest.mark.parametrize(
    ("platform", "release", "folder", "name", "slow"),
    [
        ("linux", "6.8.0-45-generic", HOME, "Linux", False),
        ("linux", "6.8.0-45-generic", WINDOWS, "Linux", False),
        ("linux", "5.15.153.1-microsoft-standard-WSL2", HOME, "WSL2", False),
        ("linux", "5.15.153.1-microsoft-standard-WSL2", WINDOWS, "WSL2", True),
        ("linux", "4.4.0-19041-Microsoft", HOME, "WSL1", False),
        ("darwin", "15.1", HOME, "macOS", False),
    ],
)
def test_the_system_is_told_from_the_kernel(platform: str, release: str, folder: Path, name: str, slow: bool) -> None:
    assert system_of(platform, release, "arm64", folder) == System(name, release, "arm64", slow)


class Engine(Docker):
    def __init__(self, **told: object) -> None:
        self.told = told

    def run(self, *arguments: str, timeout: float = 1.0) -> str:
        return json.dumps({"ServerVersion": "28.1.1", "MemTotal": 8, **self.told})

    def containers(self, *filters: str, exited: bool = True) -> tuple[Container, ...]:
        labels = {"io.x-k8s.kind.cluster": "other"}
        return tuple(Container(name, True, "", "", labels, {}, ()) for name in ("other-control-plane", "other-worker"))


def test_a_rootless_engine_and_the_kind_clusters_in_it_are_known() -> None:
    seen = see_engine(Engine(SecurityOptions=["name=seccomp,profile=builtin", "name=rootless"], CgroupVersion="2"), 1.0)
    assert (seen.version, seen.memory, seen.rootless, seen.cgroups) == ("28.1.1", 8, True, "2")
    assert seen.kind_clusters == ("other",)


def test_an_engine_with_root_is_not_rootless() -> None:
    assert not see_engine(Engine(SecurityOptions=None, CgroupVersion="1"), 1.0).rootless


def test_an_engine_that_does_not_run_is_an_error_although_the_command_succeeds() -> None:
    with pytest.raises(EnvironmentError_) as error:
        see_engine(Engine(ServerErrors=["Cannot connect to the Docker daemon"]), 1.0)
    assert error.value.code == "docker-stopped"
