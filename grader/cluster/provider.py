"""What every way of having a cluster can do: the one protocol behind kind, embedded and an existing context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from grader.cluster.info import ClusterInfo

Progress = Callable[[str, Mapping[str, str]], None]
"""Called as work goes on, with the code of a step (`text/ja/progress.yaml`) and the facts its sentence names."""


def silent(code: str, facts: Mapping[str, str]) -> None:
    """Take a progress report and show nothing."""


@dataclass(frozen=True)
class NodeStatus:
    """One node, as the API server tells.

    Attributes:
        name: the Node's name.
        ready: whether its Ready condition is True.
        address: its InternalIP, "" where it has none.
        version: kubelet version, "v1.36.3".
    """

    name: str
    ready: bool
    address: str = ""
    version: str = ""


@dataclass(frozen=True)
class Status:
    """What is known of a cluster at this moment.

    Attributes:
        running: the machinery exists and runs (process, containers; for a context: its API server answers).
        ready: an exercise could start now.
        detail: code of the sentence about it: "ready", "not-created", "stopped", "unreachable", "nodes-not-ready".
        facts: values that the sentence names.
        nodes: the nodes, empty where the API server does not answer.
    """

    running: bool
    ready: bool
    detail: str
    facts: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[NodeStatus, ...] = ()


class ClusterProvider(Protocol):
    """A way of having a cluster. The name alone is enough to find one, so a record that was lost can be made again."""

    def up(self, name: str, options: Mapping[str, str], progress: Progress) -> ClusterInfo:
        """Bring the cluster up, repair it, or do nothing where it is ready; save and return its record.

        Args:
            name: the cluster's name.
            options: provider-specific settings by name, such as kind's "node-image" or a context's "context".
            progress: told about each step.

        Raises EnvironmentError_ where the machine cannot do it, UsageError for an option that does not exist.
        """

    def down(self, name: str, progress: Progress) -> None:
        """Take away everything that `up` made, half-made things too; nothing happens where there is nothing.

        Raises EnvironmentError_ where something cannot be taken away.
        """

    def status(self, name: str) -> Status:
        """Look at the cluster, changing nothing. Never raises for a cluster that is missing or broken."""
