"""The kind cluster as a provider: looks at what is there, and adds what is missing, until nothing is.

Each step can be repeated, so `up` after an interruption, a removed container or a deleted Pod is the same code as the
first `up`. Only kind's own creation cannot be resumed: while it runs, the folder says so, and what is found in that
state is removed and made anew.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grader.cluster.holders import holder
from grader.cluster.info import ClusterInfo, Provider, folder
from grader.cluster.kind import config, metallb, state
from grader.cluster.kind.converge import Converger
from grader.cluster.kind.options import COURSE_IMAGES, NODE_PORT_RANGE, KindOptions, parse
from grader.cluster.kind.outside import outside_name
from grader.cluster.kind.tools import (
    LABEL_CLUSTER,
    LABEL_OUTSIDE,
    NETWORK,
    Container,
    Docker,
    Kind,
    command_of,
    end_group,
)
from grader.cluster.ports import taken
from grader.cluster.provider import Progress, Status, silent
from grader.cluster.readiness import lacks, node_status
from grader.errors import ClusterUnreachable, CourseError, EnvironmentError_
from grader.paths import write_atomically
from grader.text import message

MEMORY_BYTES = 2_500_000_000  # three nodes with nothing of the learner's in them take 2 GB


class KindProvider:
    """Brings kind clusters up and down; implements ClusterProvider."""

    def __init__(self, docker: Docker | None = None) -> None:
        self._docker = docker or Docker()

    def up(self, name: str, options: Mapping[str, str], progress: Progress) -> ClusterInfo:
        """Make the cluster, or add what it lacks; a complete one is left alone."""
        wished = parse(options, os.environ)
        place = folder(name)
        with state.locked(place, name, progress):
            nodes = self._usable_nodes(name, place, progress)
            if nodes:
                _same_as(nodes, wished, name)
                nodes = self._started(nodes, name, wished, progress)
            else:
                nodes = self._create(name, place, wished, progress)
            if wished.reach == "network":
                self._join(nodes[0].networks[0])
            kubeconfig = place / "kubeconfig"
            kind = self._kind(place, progress)
            if not _leads_to(kubeconfig, nodes, wished):
                _write_kubeconfig(kind, name, kubeconfig, wished)
            if not state.load(place).images_taken:
                self._take_images_along(kind, name, wished, progress)
                replace(state.load(place), images_taken=True).save(place)
            try:
                with Converger(self._docker, name, nodes, wished, kubeconfig, progress) as work:
                    version = work.run()
            except ClusterUnreachable as error:
                if error.code == "api-failing":
                    raise
                # The file may be of an earlier cluster of this name; what kind says now is what counts.
                _write_kubeconfig(kind, name, kubeconfig, wished)
                with Converger(self._docker, name, nodes, wished, kubeconfig, progress) as work:
                    version = work.run()
            info = ClusterInfo(
                name=name,
                provider=Provider.KIND,
                kubeconfig=kubeconfig,
                version=version,
                outside=f"docker:{outside_name(name)}",
                host_ports=_host_ports(nodes, wished.reach),
            )
            info.save()
        progress("kind-ready", {"name": name, "version": version})
        return info

    def down(self, name: str, progress: Progress) -> None:
        """Remove nodes, outside client, the `kind` network where this cluster brought it, and the folder."""
        place = folder(name)
        known = state.load(place).phase != ""
        try:
            nodes = self._nodes(name)
        except EnvironmentError_:
            if known:
                raise
            return
        if not place.exists() and not nodes and not self._outside(name):
            return
        with state.locked(place, name, progress):
            remembered = state.load(place)
            _end_creation(remembered, name)
            nodes = self._nodes(name)
            if nodes and not remembered.phase and not _looks_ours(nodes, name):
                raise EnvironmentError_("kind-foreign", name=name)
            progress("kind-removing", {"name": name})
            self._docker.remove([container.name for container in (*self._outside(name), *nodes)])
            if remembered.network_made:
                self._remove_network()
            try:
                shutil.rmtree(place)
            except OSError as error:
                raise EnvironmentError_("cluster-folder-stays", path=place, error=error) from error

    def status(self, name: str) -> Status:
        """Look at containers, then at what the API server tells."""
        place = folder(name)
        try:
            nodes = self._nodes(name)
            if not nodes:
                return Status(running=False, ready=False, detail="not-created")
            if state.load(place).phase == state.CREATING:
                return Status(running=True, ready=False, detail="half-made")
            stopped = [container.name for container in nodes if not container.running or container.paused]
            if stopped:
                return Status(running=False, ready=False, detail="stopped", facts={"nodes": ", ".join(stopped)})
            wished = parse({}, os.environ)
            with Converger(self._docker, name, nodes, wished, place / "kubeconfig", silent) as work:
                view = work.view()
                statuses = tuple(node_status(node) for node in view.nodes)
                missing = lacks(view, config.node_names(name)) or work.parts_missing()
        except ClusterUnreachable as error:
            return Status(running=True, ready=False, detail="unreachable", facts=dict(error.facts))
        except CourseError as error:
            reason = str(message("errors", error.code, error.facts).what)
            return Status(running=False, ready=False, detail="unknown", facts={"reason": reason})
        if not missing:
            return Status(running=True, ready=True, detail="ready", nodes=statuses)
        detail = "nodes-not-ready" if missing[0].what == "node" else "incomplete"
        return Status(running=True, ready=False, detail=detail, facts={"missing": str(missing[0])}, nodes=statuses)

    def mend_outside(self, name: str) -> bool:
        """Have the outside client run, and nothing else; tell whether something was done.

        Raises EnvironmentError_, ClusterUnreachable, ApiRefused.
        """
        nodes, wished = self._nodes(name), parse({}, os.environ)
        with Converger(self._docker, name, nodes, wished, folder(name) / "kubeconfig", silent) as work:
            return work.mend_outside()

    # -- parts ------------------------------------------------------------------------------------------------------

    def _nodes(self, name: str) -> tuple[Container, ...]:
        return self._docker.containers(f"label={LABEL_CLUSTER}={name}")

    def _outside(self, name: str) -> tuple[Container, ...]:
        return self._docker.containers(f"label={LABEL_OUTSIDE}={name}")

    def _kind(self, place: Path, progress: Progress) -> Kind:
        def started(pid: int) -> None:
            replace(state.load(place), pid=pid).save(place)

        def said(line: str) -> None:
            if code := config.step(line):
                progress(code, {})

        return Kind(place, started, said)

    def _usable_nodes(self, name: str, place: Path, progress: Progress) -> tuple[Container, ...]:
        """The cluster's nodes; what cannot be made whole again is removed, and none are left.

        Raises EnvironmentError_ ("kind-foreign") where a kind cluster of this name is somebody else's.
        """
        remembered = state.load(place)
        _end_creation(remembered, name)
        nodes = self._nodes(name)
        if not nodes:
            return ()
        if remembered.phase != state.CREATING and sorted(node.name for node in nodes) == sorted(
            config.node_names(name)
        ):
            if not remembered.phase and not _looks_ours(nodes, name):
                raise EnvironmentError_("kind-foreign", name=name)
            if not remembered.phase:
                state.KindState(state.CREATED, images_taken=True).save(place)
            return nodes
        if not remembered.phase:
            raise EnvironmentError_("kind-foreign", name=name)
        progress("kind-removing-half", {"name": name})
        self._docker.remove([node.name for node in nodes])
        return ()

    def _create(self, name: str, place: Path, wished: KindOptions, progress: Progress) -> tuple[Container, ...]:
        """Make the cluster's nodes. Raises EnvironmentError_ where memory, ports or kind do not allow it."""
        kind = self._kind(place, progress)
        kind.version()
        _metallb_images(wished)  # found out now rather than after a minute
        memory = self._docker.memory()
        if memory < MEMORY_BYTES:
            raise EnvironmentError_("docker-memory", has=f"{memory / 1e9:.1f}", needs=f"{MEMORY_BYTES / 1e9:.1f}")
        if wished.reach == "host" and (used := taken(wished.listen_address, wished.node_ports)):
            raise _taken(used[0], wished)
        earlier = state.load(place).network_made
        state.KindState(state.CREATING, network_made=earlier or self._docker.network() is None).save(place)
        kubeconfig = place / "kubeconfig"
        for stale in (kubeconfig, place / "kubeconfig.lock", place / "cluster.json"):
            stale.unlink(missing_ok=True)
        write_atomically(place / "kind.yaml", config.render(wished))
        progress("kind-creating", {"name": name, "image": wished.node_image})
        try:
            kind.create(name, place / "kind.yaml", wished.node_image, kubeconfig)
        except EnvironmentError_ as error:
            self._docker.remove([node.name for node in self._nodes(name)])
            if port := config.taken_port((place / "kind.log").read_text(encoding="utf-8")[-4000:]):
                raise _taken(int(port), wished) from error
            raise
        if wished.reach == "network":
            _write_kubeconfig(kind, name, kubeconfig, wished)
        nodes = self._nodes(name)
        if not nodes:
            raise EnvironmentError_("kind-failed", command="create", reason="no nodes", log=place / "kind.log")
        replace(state.load(place), phase=state.CREATED, pid=0).save(place)
        return nodes

    def _take_images_along(self, kind: Kind, name: str, wished: KindOptions, progress: Progress) -> None:
        """Copy images that the machine has into the nodes: quicker than downloads, and enough without internet."""
        wanted = [wished.probe_image, *COURSE_IMAGES, *_metallb_images(wished)]
        carried = [self._docker.node_images(node.name) for node in self._nodes(name)]
        lacking = [image for image in wanted if not all(image in images for images in carried)]
        here = [image for image in lacking if self._docker.has_image(image)]
        if not here:
            return
        progress("kind-images", {"images": ", ".join(here)})
        try:
            kind.load(name, here)
        except EnvironmentError_ as error:
            # Nodes download what they lack; some image stores cannot export what they hold.
            progress("kind-images-not-copied", {"reason": error.facts.get("reason", "")})

    def _started(
        self, nodes: tuple[Container, ...], name: str, wished: KindOptions, progress: Progress
    ) -> tuple[Container, ...]:
        """The nodes, with those that were stopped or frozen started again, the control plane first."""
        if frozen := [node.name for node in nodes if node.paused]:
            self._docker.run("unpause", *frozen)
        stopped = [node.name for node in nodes if not node.running]
        if not stopped:
            return nodes
        progress("kind-starting", {"nodes": ", ".join(stopped)})
        try:
            self._docker.run("start", *stopped, timeout=120.0)
        except EnvironmentError_ as error:
            if port := config.taken_port(error.facts.get("reason", "")):
                raise _taken(int(port), wished) from error
            raise
        return self._nodes(name)

    def _join(self, network: str) -> None:
        """Attach the container that this process runs in to the nodes' network."""
        own = socket.gethostname()
        attached = self._docker.run("inspect", "--format", "{{json .NetworkSettings.Networks}}", own)
        if f'"{network}"' not in attached:
            self._docker.run("network", "connect", network, own)

    def _remove_network(self) -> None:
        """Remove the `kind` network, unless containers of others use it by now, running or not."""
        if self._docker.network() is not None and not self._docker.containers(f"network={NETWORK}"):
            self._docker.run("network", "rm", NETWORK)


def _end_creation(remembered: state.KindState, name: str) -> None:
    """End a kind that still creates this cluster for a command that was killed."""
    words = command_of(remembered.pid)
    if "create cluster" in words and f"--name {name} " in f"{words} ":
        end_group(remembered.pid)


def _looks_ours(nodes: tuple[Container, ...], name: str) -> bool:
    """Whether a cluster without a record has our shape: our nodes, and a control plane that publishes NodePorts."""
    if sorted(node.name for node in nodes) != sorted(config.node_names(name)):
        return False
    return any(int(port.split("/")[0]) in NODE_PORT_RANGE for node in nodes for port in node.ports)


def _same_as(nodes: tuple[Container, ...], wished: KindOptions, name: str) -> None:
    """Raise EnvironmentError_ ("kind-differs") where the existing cluster was made with another value of an option."""
    front = next(node for node in nodes if node.name == config.node_names(name)[0])
    published = {f"{port}/tcp": f"{wished.listen_address}:{port}" for port in wished.node_ports}
    differing = {
        "node-image": front.image != wished.node_image,
        "listen-address": not all(front.ports.get(port) == at for port, at in published.items() if port in front.ports),
        "node-ports": not set(published) <= set(front.ports),
    }
    for option in sorted(wished.chosen):
        if differing.get(option):
            raise EnvironmentError_("kind-differs", name=name, option=option)


def _taken(port: int, wished: KindOptions) -> EnvironmentError_:
    """Say who holds a port that the cluster needs."""
    found = holder(port, wished.listen_address)
    return EnvironmentError_(found.code, **found.facts)


def _host_ports(nodes: tuple[Container, ...], reach: str) -> dict[int, str]:
    """How this process reaches each published NodePort."""
    found: dict[int, str] = {}
    for node in nodes:
        for port, bound in node.ports.items():
            number = int(port.split("/")[0])
            if number in NODE_PORT_RANGE:
                direct = bound.replace("0.0.0.0:", "127.0.0.1:")
                found[number] = f"{node.name}:{number}" if reach == "network" else direct
    return dict(sorted(found.items()))


def _leads_to(kubeconfig: Path, nodes: tuple[Container, ...], wished: KindOptions) -> bool:
    """Whether a kubeconfig file names the address at which the control plane is published, or its name."""
    try:
        text = kubeconfig.read_text(encoding="utf-8")
    except OSError:
        return False
    servers = [f"https://{node.name}:6443" for node in nodes]
    if wished.reach == "host":
        servers = [f"https://{bound}" for node in nodes for port, bound in node.ports.items() if port == "6443/tcp"]
    return any(f"server: {server}\n" in text for server in servers)


def _metallb_images(wished: KindOptions) -> tuple[str, ...]:
    return metallb.images(metallb.documents(metallb.manifest(wished.metallb_manifest)))


def _write_kubeconfig(kind: Kind, name: str, path: Path, wished: KindOptions) -> None:
    write_atomically(path, kind.kubeconfig(name, internal=wished.reach == "network"), mode=0o600)
