"""What kind of machine this is, as far as clusters care: Linux, WSL or macOS, and where its Docker runs."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.cluster.kind.tools import LABEL_CLUSTER, Docker
from grader.errors import EnvironmentError_


@dataclass(frozen=True)
class System:
    """The operating system.

    Attributes:
        name: "Linux", "WSL2", "WSL1", "macOS".
        version: its release, "6.8.0", "15.1".
        architecture: "x86_64", "arm64".
        windows_disk: whether the current folder is on a disk of Windows, which WSL reaches slowly.
    """

    name: str
    version: str
    architecture: str
    windows_disk: bool = False


@dataclass(frozen=True)
class Engine:
    """A Docker engine.

    Attributes:
        version: "28.1.1".
        memory: what its machine has, in bytes.
        rootless: whether it runs without root.
        cgroups: version of the control groups that it uses, "1" or "2".
        kind_clusters: names of the kind clusters in it, running or not.
    """

    version: str
    memory: int
    rootless: bool = False
    cgroups: str = "2"
    kind_clusters: tuple[str, ...] = ()


def system_of(platform_name: str, release: str, machine: str, folder: Path) -> System:
    """Tell the system from what Python and the kernel say of it.

    Args:
        platform_name: `sys.platform`.
        release: the kernel's release: WSL's ends in "-microsoft-standard-WSL2", that of WSL 1 in "-Microsoft"
            (https://learn.microsoft.com/windows/wsl/compare-versions); on macOS its product version.
        machine: the architecture.
        folder: the current folder.

    """
    if platform_name == "darwin":
        return System("macOS", release, machine)
    if "microsoft" not in release.lower():
        return System("Linux", release, machine)
    mounted = re.match(r"/mnt/[a-z](/|$)", str(folder)) is not None  # automount's default root
    return System("WSL2" if "wsl2" in release.lower() else "WSL1", release, machine, mounted)


def see_system() -> System:
    """Look at this machine."""
    release = platform.mac_ver()[0] if sys.platform == "darwin" else platform.release()
    return system_of(sys.platform, release, platform.machine(), Path(os.environ.get("PWD") or Path.home()))


def see_engine(docker: Docker, seconds: float) -> Engine:
    """Ask the Docker engine what it is. Raises EnvironmentError_, ToolMissing.

    Args:
        docker: the command.
        seconds: how long it may take.

    """
    told = json.loads(docker.run("info", "--format", "{{json .}}", timeout=seconds))
    options = [str(item) for item in told.get("SecurityOptions") or ()]
    if errors := told.get("ServerErrors"):
        raise EnvironmentError_("docker-stopped", reason="; ".join(errors))
    nodes = docker.containers(f"label={LABEL_CLUSTER}")
    return Engine(
        version=str(told.get("ServerVersion") or ""),
        memory=int(told.get("MemTotal") or 0),
        rootless=any("name=rootless" in item for item in options),
        cgroups=str(told.get("CgroupVersion") or "2"),
        kind_clusters=tuple(sorted({node.labels[LABEL_CLUSTER] for node in nodes})),
    )
