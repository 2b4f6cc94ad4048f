"""Cells of a learner's notebook, run in a shell in this process against a real embedded cluster."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from grader import exercises
from grader.notebook.extension import with_body
from grader.workflow.session import progress
from tests.exercises.test_vary import vary
from tests.render.samples import PASSED

ANSWER = Path(__file__).parents[2] / "exercises" / "clusterip" / "answers" / "reference.yaml"
Cell = Callable[[str], list[dict[str, Any]]]
TOUCHED = ("KUBECONFIG", "PATH", "NO_PROXY", "no_proxy")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in TOUCHED:
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that what a kernel changes is put back
    monkeypatch.delenv("GRADER_CLUSTER", raising=False)
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRADER_WORK", str(tmp_path / "work"))
    return monkeypatch


@pytest.fixture
def cell(environment: pytest.MonkeyPatch) -> Iterator[Cell]:
    """Run a cell and give what it displays, as the last state of each output."""
    environment.setenv("IPYTHONDIR", os.environ["GRADER_HOME"])
    shell = InteractiveShell.instance()

    def run(source: str) -> list[dict[str, Any]]:
        with capture_output() as captured:
            result = shell.run_cell(source)
        assert result.error_before_exec is None and result.error_in_exec is None
        assert captured.stderr == ""
        return [output.data for output in captured.outputs]

    run("%load_ext grader")
    yield run
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def learner(environment: pytest.MonkeyPatch, cluster_home: Path, cell: Cell) -> Cell:
    environment.setenv("GRADER_HOME", str(cluster_home))
    return cell


def last(outputs: list[dict[str, Any]]) -> str:
    return str(outputs[-1]["text/plain"])


def test_without_a_cluster_every_cell_says_how_to_get_one(cell: Cell) -> None:
    for source in ('check("clusterip")', 'start("clusterip")', "%%apply clusterip\nkind: Service"):
        assert "grader cluster up" in last(cell(source))


def test_without_a_cluster_kubectl_does_not_find_the_learners_own(cell: Cell, tmp_path: Path) -> None:
    assert os.environ["KUBECONFIG"].startswith(str(tmp_path))


def test_a_card_has_html_and_plain_text(learner: Cell) -> None:
    data = learner('check("clusterip")')[-1]
    assert "gsc-card" in data["text/html"]
    assert data["text/plain"].startswith(("✗ 不合格", "✓ 合格", "! 環境エラー"))


def test_a_learners_whole_way(learner: Cell, tmp_path: Path) -> None:
    assert "始めましょう" in last(learner('start("clusterip")'))
    assert "不合格" in last(learner('check("clusterip")'))
    applied = last(learner(f"%%apply clusterip\n{ANSWER.read_text(encoding='utf-8')}"))
    assert "適用しました" in applied and 'check("clusterip")' in applied
    assert (tmp_path / "work" / "clusterip.yaml").read_text(encoding="utf-8").strip() == ANSWER.read_text(
        encoding="utf-8"
    ).strip()
    passed = learner('check("clusterip")')
    assert "✓ 合格" in last(passed) and 'start("clusterip-named-port")' in last(passed)
    progress.record(replace(PASSED, exercise="clusterip-named-port"))
    assert '<a href="04-nodeport.ipynb">' in str(learner('check("clusterip")')[-1]["text/html"])
    assert "2 / 2" in last(learner("progress()"))
    progress.path().unlink()


def test_kubectl_in_a_cell_speaks_to_the_course_cluster(learner: Cell) -> None:
    learner('check("clusterip")')
    shown = subprocess.run(["kubectl", "get", "nodes", "-o", "name"], capture_output=True, text=True, check=True)
    assert "node/services-course-worker2" in shown.stdout


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("%%apply clusterip", "マニフェストが空です"),
        ("%%apply clusterip\n\n", "マニフェストが空です"),
        ("%%apply\nkind: [", "YAMLとして読めません"),
        ("%%apply clustrip\nkind: Service", "clusterip のことでしょうか"),
        ("%%apply a b\nkind: Service", "%%apply の後の書き方が違います"),
        ("%%apply 'a\nkind: Service", "%%apply の後の書き方が違います"),
        (
            "%%apply -n default\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 0}]}",
            "1〜65535",
        ),
        ('check("clustrip")', "clusterip のことでしょうか"),
        ('hint("xyzzy")', "xyzzy という演習はありません"),
    ],
)
def test_bad_input_is_a_card_and_never_a_traceback(learner: Cell, source: str, words: str) -> None:
    shown = "".join(line.strip() for line in last(learner(source)).splitlines())
    assert words.replace(" ", "") in shown.replace(" ", "")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("%%apply -n default\napiVersion: v1\nkind: [", "4行"),
        ("%%apply -n default\nkind: Service\nkind: Pod", "3行"),
        ("%%apply -n default\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}", "2行目から"),
    ],
)
def test_lines_of_errors_are_those_of_the_cell(learner: Cell, source: str, line: str) -> None:
    assert line in last(learner(source)).replace(" ", "")


def test_an_empty_cell_does_not_wipe_the_work_file(learner: Cell, tmp_path: Path) -> None:
    file = tmp_path / "work" / "clusterip.yaml"
    file.parent.mkdir()
    file.write_text("kept", encoding="utf-8")
    learner("%%apply clusterip")
    assert file.read_text(encoding="utf-8") == "kept"


def test_a_cell_that_takes_the_place_of_a_file_says_where_that_is_kept(learner: Cell, tmp_path: Path) -> None:
    file = tmp_path / "work" / "clusterip.yaml"
    file.parent.mkdir()
    file.write_text("made: in the terminal\n", encoding="utf-8")
    shown = last(learner(f"%%apply clusterip\n{ANSWER.read_text(encoding='utf-8')}"))
    kept = file.parent / ".history" / "clusterip" / "0001.yaml"
    assert kept.read_text(encoding="utf-8") == "made: in the terminal\n"
    assert "0001.yaml" in shown and "0001.yaml" in last(learner('history("clusterip")'))
    assert "made: in the terminal" in last(learner('history("clusterip", 1)'))


def test_a_refusal_is_explained_with_the_servers_words(learner: Cell) -> None:
    shown = last(learner("%%apply -n default\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}"))
    assert "ポートが1つも書かれていません" in shown and "spec.ports: Required value" in shown


def test_advice_is_written_as_a_cell(learner: Cell) -> None:
    learner('reset("clusterip")')
    wrong = ANSWER.read_text(encoding="utf-8").replace("app: backend", "app: backned")
    learner(f"%%apply clusterip\n{wrong}")
    assert "!kubectl get pods -n clusterip --show-labels" in last(learner('check("clusterip")'))
    hint = learner('hint("clusterip")')[-1]["text/markdown"]
    assert "```bash\n%%bash\nkubectl get pods -n clusterip" in hint
    progress.path().unlink(missing_ok=True)
    assert 'hint("clusterip")' in last(learner('solution("clusterip")'))


def test_plain_kubectl_means_the_exercise_that_the_notebook_began(learner: Cell, cluster_home: Path) -> None:
    own = cluster_home / "clusters" / "services-course" / "kubeconfig"
    before = own.read_bytes()
    learner('start("clusterip")')
    command = ["kubectl", "get", "deployments", "-o", "name"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "deployment.apps/backend" in shown.stdout.split()
    assert own.read_bytes() == before


def test_a_mistake_of_ours_is_a_card_and_a_file(
    learner: Cell, environment: pytest.MonkeyPatch, cluster_home: Path
) -> None:
    def broken(name: str) -> None:
        raise ZeroDivisionError("by mistake")

    environment.setattr("grader.notebook.work.find", broken)
    assert "ZeroDivisionError" in last(learner('check("clusterip")'))
    assert any((cluster_home / "crash").iterdir())


def test_hints_are_markdown(learner: Cell) -> None:
    data = learner('hint("clusterip")')[-1]
    assert data["text/markdown"] == data["text/plain"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["%%apply clusterip\n"], ["%%apply clusterip\n", "\n"]),
        (["%%apply\n"], ["%%apply\n", "\n"]),
        (["%%apply x\n", "kind: Service\n"], ["%%apply x\n", "kind: Service\n"]),
        (["%%apply_other\n"], ["%%apply_other\n"]),
        (["\n"], ["\n"]),
        ([], []),
    ],
)
def test_only_a_bare_apply_gets_a_body(lines: list[str], expected: list[str]) -> None:
    assert with_body(lines) == expected


def test_the_solution_is_shown_after_a_pass_or_on_request(learner: Cell) -> None:
    progress.path().unlink(missing_ok=True)
    assert "yes=True" in last(learner('solution("clusterip")'))
    assert "targetPort" in learner('solution("clusterip", yes=True)')[-1]["text/markdown"]
    learner('start("clusterip")')
    learner(f"%%apply clusterip\n{ANSWER.read_text(encoding='utf-8')}")
    assert 'solution("clusterip")' in last(learner('check("clusterip")'))
    assert "targetPort" in learner('solution("clusterip")')[-1]["text/markdown"]


def test_an_exercise_that_varies_shows_the_learners_own_task(
    learner: Cell, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "content" / "exercises" / "clusterip"
    shutil.copytree(ANSWER.parents[1], folder)
    vary(folder)
    environment.setenv("GRADER_CONTENT", str(tmp_path / "content"))
    environment.setenv("GRADER_LEARNER", "student-1")
    own = exercises.load("clusterip", "student-1")
    assert own.values["PORT"] != "80"
    learner('check("clusterip")')
    subprocess.run(["kubectl", "-n", "clusterip", "delete", "service", "--all"], capture_output=True, check=True)
    shown = learner('start("clusterip")')[-1]["text/markdown"]
    assert own.task.strip() in shown and f"# learner: student-1\n{own.starter.rstrip()}" in shown
    assert (tmp_path / "work" / "clusterip.yaml").read_text(encoding="utf-8").startswith("# learner: student-1\n")
    assert "あなたの演習の値ではありません" in last(
        learner(f"%%apply clusterip\n{exercises.load('clusterip').starter}")
    )
    learner(f"%%apply clusterip\n{own.answers[0].text}")
    assert "✓ 合格" in last(learner('check("clusterip")'))
    notebook = {"cells": [{"cell_type": "code", "source": ["%%apply clusterip\n", "# learner: student-1\n"]}]}
    (tmp_path / "laid.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    environment.setenv("JPY_SESSION_NAME", str(tmp_path / "laid.ipynb"))
    assert "始めましょう" in last(learner('start("clusterip")'))  # and no other task than the notebook's
    environment.setenv("GRADER_LEARNER", "")
    assert "✗ 不合格" in last(learner('check("clusterip")'))
