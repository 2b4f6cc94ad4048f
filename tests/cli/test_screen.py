"""`grader watch` on a terminal of 80×24: keys in, screens out, on a real embedded cluster."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.cells import cell_len

from grader import exercises
from grader.cli.screen import Screen
from grader.cluster.info import ClusterInfo, load
from grader.kube.client import KubeApi
from grader.model.exercise import Exercise
from grader.workflow.ground.manifests import read_documents

ALL = exercises.all_exercises()
CLUSTERIP = next(item for item in ALL if item.id == "clusterip")
PATIENCE = 60.0  # seconds: a test that fails ends then


class Terminal(DummyOutput):
    """A terminal of a size that can be changed."""

    def __init__(self) -> None:
        self.rows, self.columns = 24, 80

    def get_size(self) -> Size:
        return Size(rows=self.rows, columns=self.columns)


class Learner:
    """Types, and looks at the screen."""

    def __init__(self, keyboard: PipeInput, terminal: Terminal, work: Path) -> None:
        self.keyboard, self.terminal, self.work = keyboard, terminal, work
        self._screens: queue.Queue[str] = queue.Queue()
        self.application: Application[None] | None = None

    def rendered(self, application: Application[Any]) -> None:
        self.application = application
        screen = application.renderer.last_rendered_screen
        if screen is None:
            return
        lines = []
        for row in range(self.terminal.rows):
            cells = screen.data_buffer[row]
            width = max(cells, default=-1) + 1
            lines.append("".join(cells[column].char for column in range(width)).rstrip())
        self._screens.put("\n".join(lines))

    def until(self, *texts: str, without: str = "") -> str:
        """Wait for a screen that shows all of these texts."""
        last = ""
        while True:
            try:
                last = self._screens.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"never seen: {texts}; last:\n{last}") from None
            if all(text in last for text in texts) and not (without and without in last):
                return last

    def press(self, keys: str) -> None:
        self.keyboard.send_text(keys)

    def resize(self, rows: int, columns: int) -> None:
        self.terminal.rows, self.terminal.columns = rows, columns
        assert self.application is not None
        assert self.application.loop is not None
        self.application.loop.call_soon_threadsafe(self.application._on_resize)

    def save(self, exercise: Exercise, text: str) -> None:
        file = self.work / f"{exercise.id}.yaml"
        draft = file.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)


@pytest.fixture
def cluster(cluster_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterInfo]:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    monkeypatch.setenv("GRADER_WORK", str(tmp_path / "work"))
    for name in ("GRADER_CLUSTER", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    (cluster_home / "progress.json").unlink(missing_ok=True)
    yield load()
    with KubeApi(load().kubeconfig) as api:
        for exercise in ALL[:4]:
            api.delete("services", "backend-service", exercise.namespace)


Script = Callable[[Learner], None]


def played(cluster: ClusterInfo, tmp_path: Path, first: Exercise, script: Script) -> None:
    """Run the screen here, and the script of a learner beside it; leave with q at its end."""
    failed: list[BaseException] = []
    with create_pipe_input() as keyboard:
        terminal = Terminal()
        learner = Learner(keyboard, terminal, tmp_path / "work")
        screen = Screen(cluster, ALL, deadline=30, program="grader", color=True, input=keyboard, output=terminal)
        screen.application.after_render += learner.rendered

        def play() -> None:
            try:
                script(learner)
            except BaseException as error:
                failed.append(error)
            learner.press("q")

        player = threading.Thread(target=play)
        player.start()
        screen.run(first)
        player.join()
    if failed:
        raise failed[0]


def test_a_session_from_a_failure_over_a_pass_to_the_next_exercise(cluster: ClusterInfo, tmp_path: Path) -> None:
    following = ALL[ALL.index(CLUSTERIP) + 1]

    def script(learner: Learner) -> None:
        learner.until("✗ 不合格", "条件", "0 / ")  # the task, under the verdict
        learner.press("n")
        learner.until("まだ合格していません")
        wrong = next(item for item in CLUSTERIP.wrong if item.name == "selector-typo")
        learner.save(CLUSTERIP, wrong.text)
        seen = learner.until("✗ 不合格", "何が", "EndpointSlice ✗", "次に")
        assert "n 次へ" in seen.splitlines()[-1]
        learner.save(CLUSTERIP, CLUSTERIP.answers[0].text)
        seen = learner.until("✓ 合格", "応答 ✓", "1 / ", "n を押すと")
        assert all(cell_len(line) < 80 for line in seen.splitlines())
        assert len(seen.splitlines()) == 24
        learner.press("n")
        learner.until(following.title, following.id, without="✓ 合格")

    played(cluster, tmp_path, CLUSTERIP, script)


def test_a_change_in_the_cluster_is_judged_although_the_file_stays(cluster: ClusterInfo, tmp_path: Path) -> None:
    def script(learner: Learner) -> None:
        learner.until("✗ 不合格", "条件")
        with KubeApi(cluster.kubeconfig) as api:
            for document in read_documents(CLUSTERIP.answers[0].text):
                api.create(document.content, namespace=CLUSTERIP.namespace)
            learner.until("✓ 合格", "n を押すと")
            api.delete("services", "backend-service", CLUSTERIP.namespace)
            learner.until("✗ 不合格")

    played(cluster, tmp_path, CLUSTERIP, script)


def test_panes_keys_and_another_size(cluster: ClusterInfo, tmp_path: Path) -> None:
    def script(learner: Learner) -> None:
        learner.until("✗ 不合格", "条件")
        learner.press("h")
        learner.until("✗ 不合格", "ヒント 1 / ")
        learner.press("s")
        learner.until("s をもう一度")
        learner.press("s")
        learner.until("✗ 不合格", "kind: Service", without="s をもう一度")
        learner.press("l")
        listed = learner.until("> ・ clusterip")
        assert "Enter その演習を始める" in listed
        learner.press("\x1b")
        learner.until("何が")
        learner.resize(12, 60)
        small = learner.until("↓ あと")
        assert len(small.splitlines()) == 12
        assert all(cell_len(line) < 60 for line in small.splitlines())
        learner.resize(24, 80)
        learner.press("l")
        learner.press("\x1b[B\r")  # down, enter
        learner.until(ALL[ALL.index(CLUSTERIP) + 1].id, "条件")
        learner.press("r")
        learner.until("r をもう一度")
        learner.press("r")
        learner.until("戻しています")
        learner.until("✗ 不合格")

    played(cluster, tmp_path, CLUSTERIP, script)


def test_the_terminal_is_given_back_as_it_was_and_keys_are_not_echoed(
    cluster: ClusterInfo, tmp_path: Path, cluster_home: Path
) -> None:
    child = pexpect.spawn(
        _grader(), ["watch", "clusterip"], dimensions=(24, 80), encoding="utf-8", timeout=PATIENCE, cwd=str(tmp_path)
    )
    child.expect_exact("\x1b[?1049h")
    child.expect_exact("不合格")
    child.send("zzz")
    child.send("q")
    child.expect_exact("\x1b[?1049l")
    child.expect(pexpect.EOF)
    assert "zzz" not in (child.before or "")
    child.close()
    assert child.exitstatus == 0


def test_piped_it_prints_plain_lines_and_ends_after_the_last_exercise(cluster: ClusterInfo, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "clusterip.yaml").write_text(CLUSTERIP.answers[0].text, encoding="utf-8")
    content = tmp_path / "content"
    shutil.copytree(CLUSTERIP.folder, content / "exercises" / "clusterip")
    done = subprocess.run(
        [_grader(), "watch"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "GRADER_CONTENT": str(content)},
        check=True,
    )
    assert "✓ 合格" in done.stdout
    assert "見る演習がなくなりました" in done.stdout
    assert "\x1b" not in done.stdout


def _grader() -> str:
    return str(Path(sys.executable).with_name("grader"))
