"""A child that dies is one line, whatever it died of, and nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from grader.classroom.forking import Cause, Ended, ForkServer
from grader.classroom.limits import Limits

LIMITS = Limits(memory=200_000_000, cpu=1, seconds=60.0, output=100_000)


def work(job: str) -> bytes:
    return {
        "well": lambda: b"done",
        "pid": lambda: str(os.getpid()).encode(),
        "grow": lambda: b"x" * len("y" * 1_000_000_000),
        "spin": lambda: bytes(spin()),
        "crash": lambda: bytes(os.kill(os.getpid(), signal.SIGSEGV) or 0),
        "raise": lambda: bytes(fail()),
        "flood": lambda: b"x" * 1_000_000,
        "fork": lambda: str(os.fork()).encode(),
        "write": lambda: str(Path(f"/tmp/written-{os.getpid()}").write_text("x" * 10)).encode(),
        "wait": lambda: bytes(time.sleep(600) or 0),
    }[job]()


def spin() -> int:
    while True:
        pass


def fail() -> int:
    raise KeyError("something of ours")


def prepare(job: str) -> None:
    if job == "unprepared":
        raise ValueError("no ground")


def run(*jobs: str, limits: Limits = LIMITS, during: Callable[[], object] = lambda: None) -> dict[str, Ended]:
    with ForkServer(work, prepare, parallel=4, limits=limits) as server:
        for number, job in enumerate(jobs):
            server.submit(number, job)
        during()
        ended = [server.ended() for _ in jobs]
    return {jobs[item.number]: item for item in ended}


def test_each_death_has_its_cause_and_the_others_go_on() -> None:
    found = run("grow", "spin", "crash", "raise", "flood", "unprepared", "well")
    assert {job: item.cause for job, item in found.items()} == {
        "grow": Cause.MEMORY,
        "spin": Cause.CPU,
        "crash": Cause.CRASHED,
        "raise": Cause.CRASHED,
        "flood": Cause.OUTPUT,
        "unprepared": Cause.UNPREPARED,
        "well": Cause.DONE,
    }
    assert found["well"].data == b"done"
    assert b"something of ours" in found["raise"].data
    assert found["grow"].memory < 2 * LIMITS.memory


def test_what_waits_is_ended_by_the_clock() -> None:
    assert run("wait", limits=Limits(seconds=0.1))["wait"].cause is Cause.TIME


def test_a_child_writes_no_file() -> None:
    assert run("write")["write"].cause is Cause.CRASHED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may start any number of processes")
def test_a_child_starts_no_process() -> None:
    assert run("fork")["fork"].cause is Cause.CRASHED


SCRIPT = """
import sys
from tests.classroom.test_forking import work, prepare, ForkServer, Limits
if __name__ == "__main__":
    with ForkServer(work, prepare, parallel=2, limits=Limits()) as server:
        server.submit(0, "pid")
        server.ended()
        server.submit(1, "wait")
        server.submit(2, "spin")
        print("ready", flush=True)
        server.ended()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_outlives_whoever_asked(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        family = psutil.Process(started.pid)
        while len(kin := family.children(recursive=True)) < 3:  # the server and two children at least
            time.sleep(0.01)
        started.send_signal(number)
    _, alive = psutil.wait_procs(kin, timeout=10)
    assert alive == []
