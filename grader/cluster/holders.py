"""Who holds a port of this machine: a cluster of this course, a kind cluster, or another program.

A cluster is found by its process, not by a record: one that was brought up from another folder (another GRADER_HOME)
has none here, and is ours all the same.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

from grader.cluster.info import folder, load
from grader.errors import ClusterMissing, CourseError

MODULE = "grader.embedded"


@dataclass(frozen=True)
class Running:
    """An embedded cluster that runs on this machine.

    Attributes:
        name: the cluster's name.
        place: its folder, `HOME/clusters/NAME`.
        pid: its process.
        ports: TCP ports on which it listens.
    """

    name: str
    place: Path
    pid: int
    ports: frozenset[int]

    @property
    def home(self) -> Path:
        """The GRADER_HOME that it was brought up in."""
        return self.place.parent.parent


@dataclass(frozen=True)
class Holder:
    """Who holds a port.

    Attributes:
        code: key in text/ja/errors.yaml that says it and what to do.
        facts: values that its sentences name: "port", and what is known of the holder.
    """

    code: str
    facts: Mapping[str, str]


def running_clusters() -> tuple[Running, ...]:
    """Find the embedded clusters of this user, wherever they were brought up."""
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        options = process.info["cmdline"] or []
        if MODULE not in options:
            continue
        named = dict(pairwise(options))
        with suppress(psutil.Error, KeyError):  # it ended meanwhile, or is somebody else's
            place = Path(named["--state"])
            found.append(Running(named["--name"], place, process.info["pid"], _listening(process)))
    return tuple(found)


def _listening(process: psutil.Process) -> frozenset[int]:
    """The TCP ports on which a process listens. Raises psutil.Error."""
    connections = process.net_connections("tcp")
    return frozenset(item.laddr.port for item in connections if item.status == psutil.CONN_LISTEN)


def own_ports(name: str) -> frozenset[int]:
    """The ports of this machine that a cluster holds itself."""
    with suppress(ClusterMissing):
        known = load(name)
        if known.host_ports:
            return frozenset(known.host_ports)
    return next((item.ports for item in running_clusters() if item.place == folder(name)), frozenset())


def holder(port: int, address: str = "127.0.0.1") -> Holder:
    """Tell who holds a port on which something listens.

    Args:
        port: its number.
        address: the address of this machine, for a person.

    """
    facts = {"port": str(port), "address": address}
    for running in running_clusters():
        if port in running.ports:
            home = "" if running.place == folder(running.name) else f"GRADER_HOME={shlex.quote(str(running.home))} "
            taking = f"{home}GRADER_CLUSTER={shlex.quote(running.name)}"
            found = {"name": running.name, "home": str(running.home), "run": home, "taking": taking}
            return Holder("port-of-our-cluster", {**facts, **found})
    if kind := _kind_of(port):
        return Holder("port-of-kind-cluster", {**facts, "name": kind})
    return Holder("port-taken", {**facts, "program": _program(port)})


def _kind_of(port: int) -> str:
    """Name the kind cluster that publishes a port, "" where none does or Docker does not say."""
    from grader.cluster.kind.tools import LABEL_CLUSTER, Docker  # its provider asks this module

    with suppress(CourseError):
        for container in Docker().containers(f"publish={port}", exited=False):
            published = any(at.endswith(f":{port}") for at in container.ports.values())
            if published and (name := container.labels.get(LABEL_CLUSTER)):
                return name
    return ""


def _program(port: int) -> str:
    """Name the program that listens, as far as this user may know it; "-" else."""
    for process in psutil.process_iter(["name", "pid", "uids"]):
        with suppress(psutil.Error):
            uids = process.info["uids"]
            if uids and uids.real != os.getuid() and os.getuid():
                continue
            if port in _listening(process):
                return f"{process.info['name']}({process.info['pid']})"
    return "-"
