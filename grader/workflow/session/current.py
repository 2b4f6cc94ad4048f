"""The exercise that a person is at: what a command without a name means, and the Namespace of plain kubectl."""

from __future__ import annotations

import os
from collections.abc import Mapping

from grader import exercises
from grader.cluster import info, shell
from grader.cluster.info import ClusterInfo
from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.paths import write_atomically

_LAST = "current-exercise"


def enter(exercise: Exercise, cluster: ClusterInfo, environment: Mapping[str, str] = os.environ) -> None:
    """Remember that an exercise was begun; plain kubectl in the shell that began it means its Namespace from now on.

    Raises ClusterUnreachable where the cluster's kubeconfig cannot be read, OSError.
    """
    write_atomically(info.folder(cluster.name) / _LAST, exercise.id + "\n")
    if own := shell.own(cluster, environment):
        shell.enter(own, cluster, exercise.namespace)


def last(cluster: ClusterInfo) -> str:
    """Name the exercise that was begun last on a cluster, in whatever shell; "" where none was."""
    try:
        name = (info.folder(cluster.name) / _LAST).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if name in exercises.ids() else ""


def current(cluster: ClusterInfo, environment: Mapping[str, str] = os.environ) -> str:
    """Name the exercise that the shell is in, else the one that was begun last.

    Raises UsageError ("exercise-none-begun") where there is none.
    """
    own = shell.own(cluster, environment)
    here = shell.namespace_of(own) if own else ""
    name = here if here in exercises.ids() else last(cluster)
    if not name:
        raise UsageError("exercise-none-begun")
    return name
