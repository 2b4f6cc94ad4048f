"""`grader lessons start`: what a lesson begins with, made in one line."""

from __future__ import annotations

import subprocess

import pytest

from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_, UsageError
from grader.kube.kubectl import environment
from grader.workflow.session import lesson

LEAST = 16  # a Namespace and one Pod


def test_a_lesson_is_begun_and_begun_again(cluster: ClusterInfo) -> None:
    for _ in range(2):
        lesson.start(LEAST, cluster)
    command = ["kubectl", "get", "pods", "-n", "lesson-complete-example", "-o", "name"]
    shown = subprocess.run(
        command, env=environment(cluster.kubeconfig), capture_output=True, text=True, check=True
    ).stdout
    assert shown == "pod/client\n"


def test_a_command_that_fails_stops_the_set_up_and_is_told(
    cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, "setup", lambda number: "false | cat\ntouch /nowhere/never\n")
    with pytest.raises(EnvironmentError_, match="lesson-setup-failed"):
        lesson.start(LEAST, cluster)


def test_a_lesson_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="lesson-unknown"):
        lesson.setup(19)
