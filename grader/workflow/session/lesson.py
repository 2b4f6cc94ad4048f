"""Begin a lesson: run the commands that make what it begins with, on the course's cluster."""

from __future__ import annotations

import subprocess

from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_
from grader.kube.kubectl import environment
from grader.lessons.outline import lessons_root
from grader.lessons.source import read_lesson
from grader.workflow.session.notebooks import lesson


def setup(number: int) -> str:
    """Give the commands of a lesson's set-up. Raises UsageError ("lesson-unknown"), ContentError."""
    return read_lesson(lessons_root() / f"{lesson(number).slug}.md").setup


def start(number: int, cluster: ClusterInfo) -> None:
    """Run a lesson's set-up; what it prints goes where this process prints. A second time makes everything anew.

    Raises UsageError ("lesson-unknown"), ContentError, EnvironmentError_ ("lesson-setup-failed").
    """
    command = ["bash", "-e", "-o", "pipefail", "-c", setup(number)]
    status = subprocess.run(command, env=environment(cluster.kubeconfig), check=False).returncode
    if status:
        raise EnvironmentError_("lesson-setup-failed", number=number, status=status, cluster=cluster.name)
