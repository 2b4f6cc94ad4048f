"""A Docker engine for tests: containers and networks in memory, behind the words of the docker command."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from grader.cluster.kind.tools import LABEL_CLUSTER, Docker
from grader.errors import EnvironmentError_

STARTED = "2026-01-02T03:04:05Z"


@dataclass
class Engine(Docker):
    """`containers_` by name, as `docker inspect` shows them; `calls` are the commands that were given."""

    containers_: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: dict[str, list[str]] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    in_nodes: tuple[str, ...] = ()
    bytes_of_memory: int = 8 * 10**9
    failing: dict[str, EnvironmentError_] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *arguments: str, timeout: float = 30.0) -> str:
        self.calls.append(arguments)
        if arguments[0] in self.failing:
            raise self.failing[arguments[0]]
        match arguments:
            case ("ps", *rest):
                return "\n".join(name for name in self.containers_ if all(self._matches(name, text) for text in rest))
            case ("inspect", "--type=container", *names):
                return json.dumps([self.containers_[name] for name in names])
            case ("network", "inspect", name) if name not in self.networks:
                reason = f"Error response from daemon: network {name} not found"
                raise EnvironmentError_("docker-failed", command="network inspect", reason=reason)
            case ("network", "inspect", name):
                configuration = [{"Subnet": subnet} for subnet in self.networks[name]]
                return json.dumps([{"IPAM": {"Config": configuration}, "Containers": {}}])
            case ("network", "rm", name):
                del self.networks[name]
            case ("rm", "-f", "-v", *names):
                for name in names:
                    del self.containers_[name]
            case ("start", *names):
                for name in names:
                    self.containers_[name]["State"]["Running"] = True
            case ("unpause", *names):
                for name in names:
                    self.containers_[name]["State"]["Paused"] = False
            case ("run", "-d", *rest):
                self._run(rest)
            case ("image", "inspect", *_, image):
                if image not in self.images:
                    raise EnvironmentError_("docker-failed", command="image inspect", reason="no such image")
            case ("pull", "-q", image):
                self.images.add(image)
            case ("info", *_):
                return str(self.bytes_of_memory)
            case ("exec", _, "ctr", *_):
                return "\n".join(self.in_nodes)
            case ("exec", *_):
                return ""
            case _:
                raise AssertionError(arguments)
        return ""

    def add(self, name: str, *, running: bool = True, **more: Any) -> None:
        """Add a container; `more` may give image, labels, ports and network."""
        bindings = {}
        for port, bound in more.get("ports", {}).items():
            address, number = bound.rsplit(":", 1)
            bindings[port] = [{"HostIp": address, "HostPort": number}]
        self.containers_[name] = {
            "Name": f"/{name}",
            "State": {"Running": running, "StartedAt": STARTED},
            "Config": {"Image": more.get("image", "i"), "Labels": more.get("labels", {})},
            "HostConfig": {"PortBindings": bindings},
            "NetworkSettings": {"Networks": {more.get("network", "kind"): {}}},
        }

    def add_kind_cluster(self, name: str, *, ports: dict[str, str] | None = None, running: bool = True) -> None:
        """Add the containers of a kind cluster of ours."""
        self.networks.setdefault("kind", ["fc00::/64", "172.18.0.0/16"])
        published = {"30080/tcp": "127.0.0.1:30080", "6443/tcp": "127.0.0.1:6443"} if ports is None else ports
        for role in ("control-plane", "worker", "worker2"):
            labels = {LABEL_CLUSTER: name}
            given = published if role == "control-plane" else {}
            self.add(f"{name}-{role}", labels=labels, ports=given, running=running, image="kindest/node:test")

    def _matches(self, name: str, text: str) -> bool:
        container = self.containers_[name]
        kind, _, wanted = text.partition("=")
        labels = container["Config"]["Labels"]
        if kind == "label":
            key, _, value = wanted.partition("=")
            return key in labels and (not value or labels[key] == value)
        if kind == "network":
            return wanted in container["NetworkSettings"]["Networks"]
        if kind == "name":
            return name == wanted.strip("^/?$")
        return True

    def _run(self, rest: list[str]) -> None:
        assert "--init" in rest  # process 1 has to reap what commands leave behind
        flags = [part.removeprefix("--").split("=", 1) for part in rest if part.startswith("--") and "=" in part]
        values = {key: value for key, value in flags if key != "label"}
        labels = dict(value.split("=", 1) for key, value in flags if key == "label")
        image = next(part for part in rest if not part.startswith("--"))
        self.add(values["name"], labels=labels, network=values["network"], image=image)
