import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from grader.workflow.session import progress
from tests.render.samples import ENVIRONMENT, FAILED, PASSED, WAITING


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    return tmp_path


def test_a_new_learner_has_done_nothing() -> None:
    assert progress.load().passed == frozenset()
    assert progress.load().of("clusterip") == progress.ExerciseProgress()


def test_a_pass_is_kept_with_its_time_whatever_comes_later() -> None:
    progress.record(PASSED)
    progress.record(replace(PASSED, taken_at="2030-01-01T00:00:00+00:00"))
    progress.record(FAILED)
    known = progress.load().of("clusterip")
    assert known.passed_at == PASSED.taken_at
    assert (known.last, known.checks, known.points) == ("fail", 3, 6)


def test_waiting_counts_as_a_check_and_not_as_a_pass() -> None:
    progress.record(WAITING)
    assert progress.load().passed == frozenset() and progress.load().of("clusterip").checks == 1


def test_an_environment_error_leaves_no_trace(home: Path) -> None:
    progress.record(ENVIRONMENT)
    assert list(home.iterdir()) == []


def test_hints_once_open_stay_open_until_a_reset() -> None:
    progress.open_hints("clusterip", 2)
    progress.open_hints("clusterip", 1)
    assert progress.load().of("clusterip").hints == 2
    progress.record(PASSED)
    progress.forget("clusterip")
    assert progress.load().of("clusterip").hints == 0
    assert progress.load().passed == {"clusterip"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"exercises": {"a": {"new": 1}}}', b"\xff\xfe"])
def test_a_file_that_is_no_progress_is_moved_aside_and_kept(content: bytes) -> None:
    progress.path().write_bytes(content)
    known = progress.load()
    assert known.set_aside is not None and known.set_aside.read_bytes() == content
    progress.record(PASSED)
    assert progress.load().passed == {"clusterip"}


def test_writers_at_the_same_time_lose_nothing() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: progress.open_hints(f"e{number % 4}", number), range(40)))
    assert {name: progress.load().of(name).hints for name in ("e0", "e1", "e2", "e3")} == {
        "e0": 36, "e1": 37, "e2": 38, "e3": 39,
    }  # fmt: skip


def test_a_kill_at_any_moment_leaves_a_readable_file() -> None:
    progress.record(PASSED)
    code = (
        "from grader.workflow import progress\n"
        "print('ready', flush=True)\n"
        "for number in range(10**9): progress.open_hints('nodeport', number)\n"
    )
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ})
        with process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            process.send_signal(signal.SIGKILL)
        known = progress.load()
        assert known.set_aside is None and known.passed == {"clusterip"}
        json.loads(progress.path().read_text(encoding="utf-8"))


def test_what_another_place_knows_is_merged_and_nothing_becomes_less() -> None:
    progress.record(PASSED)
    progress.open_hints("clusterip", 2)
    exported = progress.written(progress.load().exercises)
    assert progress.load().of("clusterip").proof
    earlier = progress.ExerciseProgress(passed_at="2020-01-01T00:00:00+09:00", checks=9, points=1.0, last="fail")
    new = progress.ExerciseProgress(passed_at="2021-01-01T00:00:00Z", points=8.0, proof="証拠")
    assert progress.merge({"clusterip": earlier, "nodeport": new}) == ("nodeport",)
    known = progress.load().of("clusterip")
    assert (known.passed_at, known.checks, known.hints, known.points) == (earlier.passed_at, 9, 2, 6)
    assert known.last == "pass" and known.proof and progress.load().of("nodeport") == new
    before = progress.load()
    assert progress.merge(progress.read(exported)) == () and progress.load() == before
    assert progress.merge({"clusterip": progress.ExerciseProgress()}) == () and progress.load() == before


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "no",
        '{"schema": 2, "exercises": {}}',
        '{"exercises": {"a": {"points": NaN}}}',
        '{"exercises": {"a": {"points": 1e9}}}',
        '{"exercises": {"a": {"passed_at": "yesterday"}}}',
        '{"exercises": {"a": {"hints": -1}}}',
        '{"exercises": {"a": {"hints": "1"}}}',
    ],
)
def test_what_is_no_progress_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        progress.read(text)
