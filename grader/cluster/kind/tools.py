"""The programs docker and kind, as a process's edge: everything that touches them goes through here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import EnvironmentError_, ToolMissing

ANSWER_SECONDS = 30.0
LABEL_CLUSTER = "io.x-k8s.kind.cluster"  # sigs.k8s.io/kind/pkg/cluster/constants and internal/providers/docker
LABEL_POOL = "services-course.pool"
LABEL_OUTSIDE = "services-course.outside-of"
NETWORK = "kind"


@dataclass(frozen=True)
class Container:
    """One container.

    Attributes:
        name: its name.
        running: whether it runs.
        started: when it was started, RFC 3339, by the clock of the machine that Docker runs on.
        image: the image reference it was made from.
        labels: its labels.
        ports: what is published: "30080/tcp" → "127.0.0.1:30080".
        networks: names of the networks it is attached to.
        paused: whether it is frozen, which Docker calls running too.
    """

    name: str
    running: bool
    started: str
    image: str
    labels: dict[str, str]
    ports: dict[str, str]
    networks: tuple[str, ...]
    paused: bool = False


@dataclass(frozen=True)
class Network:
    """Docker's `kind` network: its subnets, and the addresses in use with the gateway's."""

    subnets: tuple[str, ...]
    addresses: tuple[str, ...]


class Docker:
    """The docker command. Every method raises ToolMissing where there is none or its engine does not run."""

    def run(self, *arguments: str, timeout: float = ANSWER_SECONDS) -> str:
        """Run `docker …` and return what it printed.

        Raises EnvironmentError_ ("docker-failed", "docker-timeout"), ToolMissing.
        """
        try:
            done = subprocess.run(
                ["docker", *arguments], capture_output=True, text=True, errors="replace", timeout=timeout, check=False
            )
        except FileNotFoundError as error:
            raise ToolMissing("docker-missing") from error
        except subprocess.TimeoutExpired as error:
            raise EnvironmentError_("docker-timeout", command=arguments[0], seconds=f"{timeout:g}") from error
        if done.returncode:
            raise _docker_error(arguments, done.stderr.strip())
        return done.stdout

    def containers(self, *filters: str, exited: bool = True) -> tuple[Container, ...]:
        """All containers that match filters of `docker ps`, sorted by name."""
        wanted = [part for text in filters for part in ("--filter", text)]
        ids = self.run("ps", *(["-a"] if exited else []), "-q", "--no-trunc", *wanted).split()
        if not ids:
            return ()
        found = (_container(item) for item in json.loads(self.run("inspect", "--type=container", *ids)))
        return tuple(sorted(found, key=lambda container: container.name))

    def network(self, name: str = NETWORK) -> Network | None:
        """A network, None where there is none."""
        try:
            data = json.loads(self.run("network", "inspect", name))[0]
        except ToolMissing:
            raise
        except EnvironmentError_ as error:
            words = error.facts.get("reason", "").lower()
            if "no such network" in words or "not found" in words:
                return None
            raise
        configurations = (data.get("IPAM") or {}).get("Config") or []
        used = [item["IPv4Address"].split("/")[0] for item in (data.get("Containers") or {}).values()]
        gateways = [item["Gateway"] for item in configurations if item.get("Gateway")]
        return Network(
            tuple(item["Subnet"] for item in configurations if item.get("Subnet")),
            tuple(address for address in used + gateways if address),
        )

    def has_image(self, image: str) -> bool:
        """Whether the image is at hand, without asking a registry."""
        try:
            self.run("image", "inspect", "--format", "{{.Id}}", image)
        except ToolMissing:
            raise
        except EnvironmentError_:
            return False
        return True

    def node_images(self, node: str) -> frozenset[str]:
        """The image references that a node's container runtime has."""
        return frozenset(self.run("exec", node, "ctr", "--namespace=k8s.io", "images", "ls", "-q").split())

    def memory(self) -> int:
        """Memory of the machine that Docker runs on, in bytes."""
        return int(self.run("info", "--format", "{{.MemTotal}}").strip() or 0)

    def remove(self, names: Sequence[str]) -> None:
        """Remove containers with their anonymous volumes, running or not."""
        if names:
            self.run("rm", "-f", "-v", *names, timeout=120.0)


class Kind:
    """The kind command."""

    def __init__(self, folder: Path, started: Callable[[int], None], said: Callable[[str], None]) -> None:
        """Prepare.

        Args:
            folder: where its log is kept.
            started: told the process id of a creation that begins, to be found again should this process be killed.
            said: told each line that a creation says.
        """
        self._log = folder / "kind.log"
        self._started, self._said = started, said

    def version(self) -> str:
        """What `kind version` says. Raises ToolMissing ("kind-missing")."""
        return self._run("version")

    def kubeconfig(self, name: str, *, internal: bool) -> str:
        """The cluster's kubeconfig. Raises EnvironmentError_ ("kind-failed")."""
        return self._run("get", "kubeconfig", "--name", name, *(["--internal"] if internal else []))

    def load(self, name: str, images: Sequence[str]) -> None:
        """Copy images of the local engine into the nodes. Raises EnvironmentError_ ("kind-failed")."""
        self._run("load", "docker-image", "--name", name, *images, timeout=600.0)

    def create(self, name: str, config: Path, image: str, kubeconfig: Path) -> None:
        """Make the cluster, without waiting for it to be ready.

        kind runs in a process group of its own, which is ended should this process be interrupted: what it leaves
        half-made is for the next `up` or `down`.

        Raises EnvironmentError_ ("kind-failed"), ToolMissing.
        """
        command = ["kind", "create", "cluster", "--name", name, "--image", image, "--config", str(config)]
        command += ["--kubeconfig", str(kubeconfig), "--wait", "0s"]
        lines: list[str] = []
        with open(self._log, "a", encoding="utf-8") as log:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                    env=_environment(),
                )
            except FileNotFoundError as error:
                raise ToolMissing("kind-missing") from error
            try:
                self._started(process.pid)
                assert process.stdout is not None
                with process.stdout:
                    for line in process.stdout:
                        log.write(line)
                        log.flush()
                        lines.append(line.rstrip())
                        self._said(line)
                status = process.wait()
            except BaseException:
                end_group(process.pid)
                process.wait()
                raise
        if status:
            raise EnvironmentError_("kind-failed", command="create", reason=_reason(lines), log=self._log)

    def _run(self, *arguments: str, timeout: float = ANSWER_SECONDS) -> str:
        try:
            done = subprocess.run(
                ["kind", *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                env=_environment(),
            )
        except FileNotFoundError as error:
            raise ToolMissing("kind-missing") from error
        except subprocess.TimeoutExpired as error:
            raise EnvironmentError_("docker-timeout", command="kind", seconds=f"{timeout:g}") from error
        if done.returncode:
            reason = _reason(done.stderr.splitlines())
            raise EnvironmentError_("kind-failed", command=arguments[0], reason=reason, log=self._log)
        return done.stdout


def command_of(pid: int) -> str:
    """The command line of a process, "" where there is none."""
    if pid <= 0:
        return ""
    listed = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return listed.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    done = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def end_group(pid: int) -> None:
    """End a process group that this code started, at once; nothing happens where it is gone."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment() -> dict[str, str]:
    """The environment for kind: Docker is meant, whatever else it could be told to use."""
    return {**os.environ, "KIND_EXPERIMENTAL_PROVIDER": "docker", "KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK}


def _container(item: dict[str, Any]) -> Container:
    ports = (item.get("HostConfig") or {}).get("PortBindings") or {}
    state = item.get("State") or {}
    return Container(
        name=str(item.get("Name") or "").lstrip("/"),
        running=bool(state.get("Running")),
        started=str(state.get("StartedAt") or ""),
        image=str((item.get("Config") or {}).get("Image") or ""),
        labels=dict((item.get("Config") or {}).get("Labels") or {}),
        ports={port: f"{bound[0]['HostIp']}:{bound[0]['HostPort']}" for port, bound in ports.items() if bound},
        networks=tuple(((item.get("NetworkSettings") or {}).get("Networks") or {}).keys()),
        paused=bool(state.get("Paused")),
    )


def _docker_error(arguments: Sequence[str], words: str) -> EnvironmentError_:
    """Why docker failed, as far as its English words tell."""
    lowered = words.lower()
    if "permission denied" in lowered and "docker" in lowered and "sock" in lowered:
        return ToolMissing("docker-forbidden", reason=words)
    if any(
        sign in lowered for sign in ("cannot connect to the docker", "is the docker daemon running", "failed to conn")
    ):
        return ToolMissing("docker-stopped", reason=words)
    return EnvironmentError_("docker-failed", command=" ".join(arguments[:2]), reason=words)


def _reason(lines: Sequence[str]) -> str:
    """The sentence in which kind says what went wrong: its last ERROR line, else its last line."""
    wanted = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line.strip()]
    return wanted[-1] if wanted else "-"
