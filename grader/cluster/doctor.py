"""What is missing on this machine: each check is a pure function of what was seen, `examine` does the seeing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from grader.cluster.choose import provider_of
from grader.cluster.holders import Holder, holder, own_ports
from grader.cluster.info import load
from grader.cluster.kind.options import KindOptions, parse
from grader.cluster.kind.provider import MEMORY_BYTES
from grader.cluster.kind.tools import Docker
from grader.cluster.machine import Engine, System, see_engine, see_system
from grader.cluster.ports import taken
from grader.errors import CourseError, EnvironmentError_, ToolMissing
from grader.kube import kubectl
from grader.paths import state_root

PYTHON = (3, 11)
KUBECTL = (1, 33)
KIND = (0, 33)  # the release that the default node image was built for
DISK_BYTES = 1_000_000_000
KIND_DISK_BYTES = 10_000_000_000  # node image, course images and three nodes' own storage
INOTIFY = {"max_user_instances": 512, "max_user_watches": 524288}
"""What kind's documentation asks for (site/content/docs/user/known-issues.md, on too many open files)."""
ANSWER_SECONDS = 15.0
FOR_KIND = frozenset({"docker", "kind", "memory", "inotify", "disk", "ports"})


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"  # something does not work, or may not, but the course can be taken
    MISSING = "missing"  # the course cannot be taken without it


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        name: the check: key `doctor.NAME` in text/ja/labels.yaml says what was looked at.
        state: how it came out.
        code: key in text/ja/errors.yaml that says what is missing and the command that fixes it, "" where nothing is.
        facts: values that both sentences name.
    """

    name: str
    state: State = State.OK
    code: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is amiss."""
        return self.state is State.OK

    @property
    def needed(self) -> bool:
        """Whether the course cannot be taken without what is amiss."""
        return self.state is State.MISSING


def check_python(version: Sequence[int]) -> Finding:
    """Python 3.11 or newer."""
    facts = {"version": ".".join(map(str, version[:3])), "needed": ".".join(map(str, PYTHON))}
    good = tuple(version[:2]) >= PYTHON
    return Finding("python", facts=facts) if good else Finding("python", State.MISSING, "python-old", facts)


def check_kubectl(version: str, missing: ToolMissing | None = None) -> Finding:
    """A kubectl of 1.33 or newer; `version` as its client reports it, "v1.37.0", "" where there is none."""
    facts = {"version": version or "-", "needed": ".".join(map(str, KUBECTL))}
    if missing is not None:
        return Finding("kubectl", State.MISSING, missing.code, {**facts, **missing.facts})
    return _at_least("kubectl", version, KUBECTL, State.MISSING, "kubectl-old", facts)


def check_system(system: System) -> Finding:
    """A Linux, WSL 2 or macOS; a folder on a disk of Windows is slow."""
    facts = {"name": system.name, "version": system.version, "architecture": system.architecture}
    if system.name == "WSL1":
        return Finding("system", State.WARN, "wsl-old", facts)
    if system.windows_disk:
        return Finding("system", State.WARN, "wsl-windows-disk", facts)
    return Finding("system", facts=facts)


def check_docker(engine: Engine | None, error: EnvironmentError_ | None = None) -> Finding:
    """A Docker engine that answers: needed for kind only; one without root needs cgroups of version 2.

    Source: https://kind.sigs.k8s.io/docs/user/rootless/.
    """
    if engine is None:
        code, told = (error.code, error.facts) if error else ("docker-missing", {})
        return Finding("docker", State.WARN, code, {"version": "-", **told})
    mode = "(rootless)" if engine.rootless else ""
    facts = {"version": engine.version + mode, "cgroups": engine.cgroups}
    if engine.rootless and engine.cgroups != "2":
        return Finding("docker", State.WARN, "docker-rootless", facts)
    return Finding("docker", facts=facts)


def list_kind_clusters(names: Sequence[str]) -> Finding:
    """Name the kind clusters that exist, which share memory and ports with a new one."""
    return Finding("kind-clusters", facts={"names": ", ".join(names) or "-"})


def works(findings: Sequence[Finding], running: str = "") -> tuple[Finding, Finding]:
    """Say first what can be used: the embedded cluster, and kind, which needs more.

    Args:
        findings: what was found of this machine.
        running: name of the current cluster, where it is ready.

    """
    amiss = {finding.name for finding in findings if finding.needed}
    lacking = {finding.name for finding in findings if not finding.ok and finding.name in FOR_KIND} | amiss
    facts = {"running": running, "missing": ", ".join(sorted(amiss)), "lacking": ", ".join(sorted(lacking))}
    first = "works-running" if running else "works-embedded"
    embedded = Finding("works-not", State.MISSING, facts=facts) if amiss else Finding(first, facts=facts)
    if lacking:
        return embedded, Finding("works-kind-not", State.WARN, facts=facts)
    return embedded, Finding("works-kind", facts=facts)


def check_kind(version: str) -> Finding:
    """A kind of the release that the node image is made for; "" where there is none."""
    facts = {"version": version or "-", "needed": ".".join(map(str, KIND))}
    if not version:
        return Finding("kind", State.WARN, "kind-missing", facts)
    return _at_least("kind", version, KIND, State.WARN, "kind-old", facts)


def check_memory(available: int, docker: int | None) -> Finding:
    """Memory for a kind cluster, in bytes: what is available here, and what Docker's machine has (None: no Docker)."""
    facts = {"free": f"{available / 1e9:.1f} GB" if available else "-", "needs": f"{MEMORY_BYTES / 1e9:.1f}"}
    has = min(size for size in (available or docker or 0, docker or 0) if size) if docker else MEMORY_BYTES
    if has < MEMORY_BYTES:
        return Finding("memory", State.WARN, "docker-memory", {**facts, "has": f"{has / 1e9:.1f}"})
    return Finding("memory", facts=facts)


def check_disk(free: int, folder: Path, *, kind: bool) -> Finding:
    """Free bytes on the disk of this user's state, and for kind also room for images."""
    needs = KIND_DISK_BYTES if kind else DISK_BYTES
    facts = {"free": f"{free / 1e9:.1f} GB", "needs": f"{needs / 1e9:g} GB", "folder": str(folder)}
    if free < DISK_BYTES:
        return Finding("disk", State.MISSING, "disk-full", facts)
    return Finding("disk", State.WARN, "disk-full", facts) if free < needs else Finding("disk", facts=facts)


def check_ports(address: str, ports: range, held: Holder | None) -> Finding:
    """Node ports on this machine: held by nobody but the current cluster, else by whom."""
    facts = {"address": address, "ports": f"{ports[0]}–{ports[-1]}"}
    if held is not None:
        return Finding("ports", State.WARN, held.code, {**facts, **held.facts})
    return Finding("ports", facts=facts)


def check_proxy(environment: Mapping[str, str]) -> Finding:
    """A proxy must not stand between this machine and itself."""
    lowered = {name.lower(): value for name, value in environment.items() if value}
    proxy = lowered.get("https_proxy") or lowered.get("http_proxy") or lowered.get("all_proxy") or ""
    if not proxy:
        return Finding("proxy", facts={"proxy": "-"})
    exempt = {part.strip() for part in lowered.get("no_proxy", "").split(",")}
    facts = {"proxy": re.sub(r"//[^@/]*@", "//", proxy), "no_proxy": lowered.get("no_proxy", "") or "-"}
    good = "*" in exempt or bool(exempt & {"127.0.0.1", "127.0.0.0/8"})
    return Finding("proxy", facts=facts) if good else Finding("proxy", State.WARN, "proxy-loopback", facts)


def check_inotify(limits: Mapping[str, int]) -> Finding:
    """Linux' limits on watching files, which three nodes share; an empty mapping where the system has none."""
    low = {name: value for name, value in limits.items() if value < INOTIFY.get(name, 0)}
    facts = {"limits": ", ".join(f"{name}={value}" for name, value in limits.items()) or "-"}
    if low:
        wanted = " ".join(f"fs.inotify.{name}={INOTIFY[name]}" for name in low)
        return Finding("inotify", State.WARN, "inotify-low", {**facts, "wanted": wanted})
    return Finding("inotify", facts=facts)


def examine(name: str) -> tuple[Finding, ...]:
    """Look at this machine and run every check that applies: what works, what the course needs, what kind needs.

    Args:
        name: the cluster that commands use; there may be none of this name.
    """
    environment = dict(os.environ)
    findings = [check_python(tuple(sys.version_info[:3])), _see_kubectl(), check_proxy(environment)]
    findings.insert(0, check_system(see_system()))
    docker = Docker()
    engine: Engine | None = None
    unusable: EnvironmentError_ | None = None
    try:
        engine = see_engine(docker, ANSWER_SECONDS)
    except EnvironmentError_ as error:
        unusable = error
    root = state_root()
    existing = next(place for place in (root, *root.parents) if place.exists())
    findings.append(check_disk(shutil.disk_usage(existing).free, existing, kind=engine is not None))
    findings.append(_see_ports(parse({}, environment), name))
    findings.append(check_docker(engine, unusable))
    if engine is not None:
        findings += [check_kind(_output(["kind", "version"])), list_kind_clusters(engine.kind_clusters)]
        findings += [check_memory(_available_memory(), engine.memory), check_inotify(_inotify_limits())]
    return (*works(findings, _ready_cluster(name)), *findings)


def _ready_cluster(name: str) -> str:
    """Give the name of a cluster, "" where there is none of it or it cannot be used now."""
    try:
        info = load(name)
        return info.name if provider_of(info).status(info.name).ready else ""
    except CourseError:
        return ""


def _at_least(
    name: str, version: str, wanted: tuple[int, int], otherwise: State, code: str, facts: Mapping[str, str]
) -> Finding:
    found = re.search(r"v?(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) >= wanted:
        return Finding(name, facts={**facts, "version": re.sub(r"^\D*", "", version).split()[0]})
    return Finding(name, otherwise, code, facts)


def _see_kubectl() -> Finding:
    try:
        command = kubectl.find()
    except ToolMissing as missing:
        return check_kubectl("", missing)
    try:
        version = json.loads(_output([str(command), "version", "--client", "-o", "json"]))["clientVersion"][
            "gitVersion"
        ]
    except (ValueError, KeyError):
        return check_kubectl("")
    return check_kubectl(str(version))


def _see_ports(wished: KindOptions, name: str) -> Finding:
    own = own_ports(name)
    used = taken(wished.listen_address, [port for port in wished.node_ports if port not in own])
    held = holder(used[0], wished.listen_address) if used else None
    return check_ports(wished.listen_address, wished.node_ports, held)


def _output(command: Sequence[str]) -> str:
    """What a program printed, "" where there is none or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _available_memory() -> int:
    """Memory that is available on Linux, all memory elsewhere, in bytes; 0 where the system does not tell."""
    table = Path("/proc/meminfo")
    if table.is_file():
        found = re.search(r"MemAvailable:\s+(\d+) kB", table.read_text(encoding="ascii", errors="replace"))
        return int(found[1]) * 1024 if found else 0
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _inotify_limits() -> dict[str, int]:
    place = Path("/proc/sys/fs/inotify")
    files = (place / name for name in INOTIFY)
    return {file.name: int(file.read_text(encoding="ascii")) for file in files if file.is_file()}
