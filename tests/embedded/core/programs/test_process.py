from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kernel import Task
from grader.embedded.core.programs import small
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.process import BROKEN
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network


def test_output_before_the_first_listener_is_kept(network: Network, probe: FakeHost) -> None:
    spec = images.find("busybox")
    assert spec is not None
    process = images.run(probe, spec, ["echo", "hi"])
    network.kernel.run()
    got: list[tuple[int, bytes]] = []
    process.on_output(lambda fd, data: got.append((fd, data)))
    assert got == [(1, b"hi\n")]
    assert process.exit_code == 0


def test_exit_is_told_once_and_to_late_comers_too(network: Network, probe: FakeHost) -> None:
    spec = images.find("busybox")
    assert spec is not None
    codes: list[int] = []
    process = images.run(probe, spec, ["false"])
    process.on_exit(codes.append)
    network.kernel.run()
    process.on_exit(codes.append)
    assert codes == [1, 1]


def test_a_defect_of_a_program_ends_its_process_and_is_reported(
    network: Network, probe: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(context: ProgramContext) -> int:
        raise ZeroDivisionError

    failed: list[str] = []

    def note(task: Task[Any], error: Exception) -> None:
        failed.append(type(error).__name__)

    network.kernel.on_error = note
    monkeypatch.setattr(small, "nproc", broken)
    spec = images.find("busybox")
    assert spec is not None
    process = images.run(probe, spec, ["nproc"])
    network.kernel.run()
    assert (process.exit_code, failed) == (BROKEN, ["ZeroDivisionError"])


def test_input_that_was_not_asked_for_is_at_its_end(probe: FakeHost) -> None:
    assert probe.run("busybox", "cat").out == ""
    assert probe.run("busybox", "cat", stdin="x").out == "x"


def test_environment_is_the_runtimes_the_images_and_the_containers(probe: FakeHost) -> None:
    probe.env["WEB_SERVICE_HOST"] = "10.96.1.1"
    lines = probe.run(AGNHOST, "env").out.splitlines()
    assert "HOSTNAME=probe" in lines
    assert "HOME=/root" in lines
    assert "WEB_SERVICE_HOST=10.96.1.1" in lines
