"""JupyterLab as the course starts it: quiet, in Japanese, and without a question at the end."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grader.workflow.session import lab

labserver = pytest.importorskip("grader.workflow.session.labserver")


class Server(SimpleNamespace):
    """What of a server is used."""

    stopped = False
    connect_url = "http://localhost:8888/lab?token=secret"
    local_url = "http://127.0.0.1:8888/lab/tree/lessons/01.ipynb?token=..."

    def stop(self, *, from_signal: bool) -> None:
        self.stopped = from_signal

    def _stop_quietly(self) -> None:
        labserver.CourseServer._stop_quietly(cast(Any, self))


def test_the_first_ctrl_c_stops_it_and_the_cluster_is_said_to_run_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_CLUSTER", "mine")
    monkeypatch.setenv("GRADER_PROGRAM", ".venv/bin/grader")
    server = Server()
    labserver.CourseServer._confirm_exit(cast(Any, server))
    assert server.stopped
    told = capsys.readouterr().err
    assert "クラスター mine は動いたままです" in told
    assert ".venv/bin/grader --cluster mine cluster down" in told


def test_the_english_announcement_is_left_out_and_another_message_is_not() -> None:
    said = labserver._Said(cast(Any, Server()))

    def record(text: str) -> logging.LogRecord:
        return logging.LogRecord("s", logging.CRITICAL, "", 0, text, None, None)

    assert not said.filter(record(f"To access the server, copy and paste one of these URLs:\n    {Server.connect_url}"))
    assert said.filter(record("ERROR: the Jupyter server could not be started because port 8888 is not available."))


def test_kernels_are_encrypted_and_logs_are_quiet() -> None:
    command = lab.command(Path("work"), Path("work/lessons/03.ipynb"), (), browser=False)
    assert command[1:3] == ["-m", "grader.workflow.session.labserver"]
    assert "--KernelManager.transport_encryption=auto" in command
    assert {"--ServerApp.log_level=ERROR", "--LabApp.log_level=ERROR"} <= set(command)
