"""A container with what runs in it, as its kubelet holds it."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.kernel import Task
from grader.embedded.core.kubelet.logs import LogView
from grader.embedded.core.kubelet.machine import ContainerHost
from grader.embedded.core.kubelet.status import ContainerState
from grader.embedded.core.programs.images.specs import ImageSpec
from grader.embedded.core.programs.images.users import ROOT
from grader.embedded.core.programs.process import Process

FIRST_BACKOFF = 10.0
"""Seconds before the second restart; doubled each time (kubelet.go backOffPeriod)."""


class Container(ContainerState):
    """What the status tells, and what is behind it.

    Attributes:
        image: the image, once it was pulled.
        user: who its processes run as.
        host: the machine as the container sees it, once it was created.
        process: its main process, None while it does not run.
        log: the log of the present or last run.
        told: what it may leave as its last words.
        previous_log: the log of the run before.
        tasks: what keeps it running.
        backoff: seconds of the last wait before a restart.
        began: seconds since the epoch when the present or last run began.
        up_since: the same in the kernel's monotonic time.
    """

    def __init__(self, spec: dict[str, Any], kind: Any) -> None:
        super().__init__(spec, kind)
        self.image: ImageSpec | None = None
        self.user = ROOT
        self.host: ContainerHost | None = None
        self.process: Process | None = None
        self.log: LogView | None = None
        self.previous_log: LogView | None = None
        self.told: dict[str, bytes] = {}
        self.tasks: list[Task[Any]] = []
        self.backoff = FIRST_BACKOFF
        self.began = 0.0
        self.up_since = 0.0
