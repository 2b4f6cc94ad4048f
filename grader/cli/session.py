"""What a command line shares with its commands: where to write, in colour or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from grader.cluster.info import ClusterInfo
    from grader.model.exercise import Exercise


@dataclass
class Session:
    """One run of the command line.

    Attributes:
        color: False after --no-color, None to find out.
        json: whether an error, too, must be told as JSON on standard output.

    """

    color: bool | None = None
    json: bool = False

    def out(self) -> Console:
        """Open standard output."""
        from grader.render.terminal import console

        return console(color=self.color)

    def err(self) -> Console:
        """Open standard error, for progress and for errors."""
        import sys

        from grader.render.terminal import console

        return console(color=self.color, file=sys.stderr)

    def cluster(self) -> ClusterInfo:
        """Find the cluster that commands use. Raises ClusterMissing where none was brought up."""
        from grader.cluster.info import load

        return load()


def exercise(name: str, learner: str | None = None) -> Exercise:
    """Read an exercise, with the values of a learner (None: of whoever is learning here).

    Raises UsageError, with the nearest name, for an unknown one, ContentError, OSError.
    """
    from grader.workflow.find import exercise as find

    return find(name, learner)
