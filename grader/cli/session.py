"""What a command line shares with its commands: where to write, in colour or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from grader.cluster.info import ClusterInfo
    from grader.model.exercise import Exercise
    from grader.render.terminal import Terminal


@dataclass
class Session:
    """One run of the command line.

    Attributes:
        color: False after --no-color, None to find out.
        json: whether an error, too, must be told as JSON on standard output.
        cluster_name: the cluster that was named for this command alone, "" where none was.

    """

    color: bool | None = None
    json: bool = False
    cluster_name: str = ""

    @property
    def program(self) -> str:
        """What starts the next command, on the same cluster, in the shell that this one was started from."""
        from shlex import quote

        from grader.paths import program

        return f"{program()} --cluster {quote(self.cluster_name)}" if self.cluster_name else program()

    @property
    def is_named(self) -> bool:
        """Whether a cluster was named: for this command by --cluster, or for this shell by GRADER_CLUSTER."""
        import os

        return bool(self.cluster_name or os.environ.get("GRADER_CLUSTER"))

    @property
    def target(self) -> str:
        """The name of the cluster that commands use, whether it was brought up or not."""
        from grader.cluster.info import current_name

        return self.cluster_name or current_name()

    @property
    def inherited(self) -> dict[str, str]:
        """What the environment of a child that runs `grader` says beside ours, so that it uses the same cluster."""
        return {"GRADER_CLUSTER": self.cluster_name} if self.cluster_name else {}

    @property
    def colored(self) -> bool:
        """Whether colours are shown on a terminal."""
        import os

        return self.color is not False and not os.environ.get("NO_COLOR")

    def out(self) -> Terminal:
        """Open standard output."""
        from grader.render.terminal import console

        return console(color=self.color, program=self.program)

    def err(self) -> Terminal:
        """Open standard error, for progress and for errors."""
        import sys

        from grader.render.terminal import console

        return console(color=self.color, file=sys.stderr, program=self.program)

    def cluster(self) -> ClusterInfo:
        """Find the cluster that commands use. Raises ClusterMissing where none was brought up."""
        from grader.cluster.info import load

        return load(self.target)

    def prepare(self, text: str) -> None:
        """Print what must come before a kubectl of this text, where kubectl in this shell means another cluster."""
        from grader.cluster.shell import context_of, speaks_to
        from grader.errors import ClusterMissing
        from grader.text import labels

        try:
            cluster = self.cluster() if "kubectl " in text else None
        except ClusterMissing:
            return
        if cluster is None or speaks_to(cluster):
            return
        table, context = labels(), context_of()
        out = self.out()
        out.print("  " + table["shell.prepare"])
        out.print("  " + table["shell.elsewhere" if context else "shell.nowhere"].format(context=context), style="dim")


class ExerciseName(click.types.StringParamType):
    """The id of an exercise; a shell completes it."""

    name = "exercise"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Give the ids that begin like this."""
        from grader.exercises import ids

        return [CompletionItem(item) for item in ids() if item.startswith(incomplete)]


EXERCISE = ExerciseName()


def named(session: Session, name: str | None) -> Exercise:
    """Read an exercise; without a name that which this shell is in, else the one that was begun last.

    Raises as `exercise`; UsageError ("exercise-none-begun") where none was begun, ClusterMissing.
    """
    from grader.workflow.session.current import current

    return exercise(name or current(session.cluster()))


def exercise(name: str, learner: str | None = None) -> Exercise:
    """Read an exercise, with the values of a learner (None: of whoever is learning here).

    Raises UsageError, with the nearest name, for an unknown one, ContentError, OSError.
    """
    from grader.workflow.session.find import exercise as find

    return find(name, learner)
