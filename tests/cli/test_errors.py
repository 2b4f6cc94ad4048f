"""Bad input: each a clear Japanese message, no traceback, and an exit status that says whose turn it is."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cluster.info import ClusterInfo, Provider
from grader.workflow.session.crash import unexpected
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("strat", "clusterip"), 2, "grader start のことでしょうか"),
        (("nonsense",), 2, "nonsense というコマンドはありません"),
        (("reset",), 2, "EXERCISE が指定されていません"),
        (("check", "clusterip", "--jsno"), 2, "--json のことでしょうか"),
        (("check", "clusterip", "--deadline", "soon"), 2, "--deadline の値が使えません"),
        (("check", "clusterip", "more"), 2, "コマンドの指定のしかたが違います"),
        (("check", "clustrip"), 2, "clusterip のことでしょうか"),
        (("check", "xyzzy"), 2, "xyzzy という演習はありません"),
        (("hint", "clustrip"), 2, "clusterip のことでしょうか"),
        (("check", "clusterip"), 4, "grader cluster up で用意しましょう"),
        (("start", "clusterip"), 4, "grader cluster up で用意しましょう"),
        (("cluster", "status"), 4, "grader cluster up で用意しましょう"),
        (("check",), 4, "grader cluster up で用意しましょう"),
        (("env",), 4, "grader cluster up で用意しましょう"),
        (("check", "clusterip", "--apply"), 2, "grader start clusterip で演習を始める"),
        (("check", "clusterip", "-f", "nowhere.yaml"), 2, "nowhere.yaml にはファイルがありません"),
        (("cluster", "up", "--set", "nonsense"), 2, "名前=値"),
        (("cluster", "up", "--embedded", "--set", "node-image=x"), 2, "node-image という設定はありません"),
        (("cluster", "up", "--kind", "--context", "x"), 2, "どれか1つだけ"),
        (("cluster", "up", "--context", "no-such-context"), 4, "no-such-context"),
        (("verify", "--compare", "a.json", "b.json"), 2, "a.json"),
        (("verify", "--attacks", "--renewed"), 2, "--attacks --renewed"),
        (("autograde", "no-such-folder", "-o", "results"), 2, "no-such-folder"),
    ],
)
def test_bad_input_is_told_in_japanese(run: Run, arguments: tuple[str, ...], status: int, words: str) -> None:
    done = run(*arguments)
    assert done.exit_code == status
    joined = "".join(line.strip() for line in done.stderr.splitlines())
    assert words.replace(" ", "") in joined.replace(" ", "")
    assert all(part in done.stderr for part in ("何が", "どこで", "次に"))
    assert "Traceback" not in done.output


@pytest.mark.parametrize("kubeconfig", ["", "{", "- list", "apiVersion: v1\nkind: Config\n"])
def test_a_broken_kubeconfig_is_an_environment_error(run: Run, home: Path, kubeconfig: str) -> None:
    path = home / "kubeconfig"
    path.write_text(kubeconfig, encoding="utf-8")
    ClusterInfo("services-course", Provider.EMBEDDED, path, "v1.36.3").save()
    done = run("start", "clusterip")
    assert done.exit_code == 4
    assert "kubeconfig" in done.stderr and "Traceback" not in done.output


def dead_cluster(home: Path) -> None:
    path = home / "kubeconfig"
    path.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: c, user: {token: t}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: c}}]\n",
        encoding="utf-8",
    )
    ClusterInfo("services-course", Provider.EMBEDDED, path, "v1.36.3").save()


@pytest.mark.parametrize("command", ["start", "check", "reset", "submit"])
def test_a_dead_cluster_is_an_environment_error(run: Run, home: Path, command: str) -> None:
    dead_cluster(home)
    done = run(command, "clusterip")
    assert done.exit_code == 4
    assert "127.0.0.1:1" in done.output and "Traceback" not in done.output


def test_a_dead_cluster_is_never_scored(run: Run, home: Path) -> None:
    dead_cluster(home)
    done = run("check", "clusterip", "--json")
    data = json.loads(done.stdout)
    assert data["exit_status"] == done.exit_code == 4
    assert "0 / " not in run("check", "clusterip", "--brief").stdout
    assert not (home / "home" / "progress.json").exists()


def test_docker_that_does_not_run_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/no-docker.sock")
    done = run("cluster", "up", "--kind")
    assert done.exit_code == 4
    assert "ocker" in done.stderr and "次に" in done.stderr and "Traceback" not in done.output


def test_an_error_is_json_where_json_was_asked_for(run: Run) -> None:
    done = run("check", "clusterip", "--json")
    assert json.loads(done.stdout)["error"]["code"] == "cluster-missing"
    assert done.stderr == ""


def test_an_error_goes_into_the_junit_file_too(run: Run, home: Path) -> None:
    assert run("check", "clusterip", "--junit", str(home / "r.xml")).exit_code == 4
    assert 'type="cluster-missing"' in (home / "r.xml").read_text(encoding="utf-8")


def test_a_mistake_of_ours_is_a_message_and_a_file(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, learner: str | None = None) -> None:
        raise ZeroDivisionError("by mistake")

    monkeypatch.setattr("grader.workflow.session.find.exercise", broken)
    done = run("hint", "clusterip")
    assert done.exit_code == 4
    assert "ZeroDivisionError: by mistake" in done.stderr and "Traceback" not in done.output
    saved = list((home / "home" / "crash").iterdir())
    assert len(saved) == 1
    assert "ZeroDivisionError: by mistake" in saved[0].read_text(encoding="utf-8")


def test_a_home_that_cannot_be_written_is_told(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("GRADER_HOME", str(home / "file" / "below"))
    done = run("hint", "clusterip")
    assert done.exit_code == 4
    assert "Traceback" not in done.output and "次に" in done.stderr


def test_ctrl_c_is_told_and_leaves_with_130(home: Path) -> None:
    (home / "work").mkdir()
    code = (
        "import grader.cli.check as c, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have started us without it
        "from grader.workflow.session import find\n"
        "def slow(name, learner=None):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "find.exercise = slow\n"
        "from grader.cli import main\n"
        "sys.argv = ['grader', 'check', 'clusterip']\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    with process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        error = process.stderr.read()
        assert process.wait(timeout=10) == 130
    assert "中断しました" in error and "Traceback" not in error


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_home_that_cannot_be_written_is_told_with_the_variable_that_helps(
    home: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_HOME", str(home / "state" / "course"))
    for file in (home / "state", home / "state" / "course" / "progress.json"):
        assert unexpected(OSError(number, "no", str(file))).code == "home-read-only"
    assert unexpected(OSError(number, "no", str(home / "work" / "x.yaml"))).code == "permission-denied"
