"""JupyterLab as the course starts it: it says in Japanese where it is and how to stop it, and asks nothing at the end.

`python -m grader.workflow.labserver` takes JupyterLab's own options.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from grader.lessons import formats  # noqa: F401  before what imports jsonschema

# isort: split
from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp

from grader.cluster.info import DEFAULT_NAME
from grader.paths import program
from grader.text import labels
from grader.text.commands import in_terminal


class _Said(logging.Filter):
    """Leaves out what is said in Japanese instead: the announcement, which names the URL."""

    def __init__(self, server: ServerApp) -> None:
        super().__init__()
        self._server = server

    def filter(self, record: logging.LogRecord) -> bool:
        return self._server.connect_url not in record.getMessage()


class CourseServer(ServerApp):
    """A server that a learner starts and stops."""

    def start_app(self) -> None:
        """Begin to serve, and say where."""
        self.log.addFilter(_Said(self))
        super().start_app()
        _say("lab.ready", url=self.local_url)

    def _confirm_exit(self) -> None:
        """Stop at the first Ctrl-C: cells and files are saved, and the cluster goes on running."""
        self._stop_quietly()

    def _signal_stop(self, sig: Any, frame: Any) -> None:
        self._stop_quietly()

    def _stop_quietly(self) -> None:
        _say("lab.stopped")
        self.stop(from_signal=True)


class CourseLab(LabApp):  # type: ignore[misc]  # jupyterlab brings no types
    """JupyterLab on that server."""

    serverapp_class = CourseServer


def _say(key: str, **facts: str) -> None:
    cluster = os.environ.get("GRADER_CLUSTER", DEFAULT_NAME)
    sentence = labels()[key].format(cluster=cluster, **facts)
    print(in_terminal(sentence, os.environ.get("GRADER_PROGRAM") or program()), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(CourseLab.launch_instance())
