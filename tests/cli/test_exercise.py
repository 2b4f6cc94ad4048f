"""A learner's way through an exercise in a terminal, on a real embedded cluster."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from grader.workflow.session import progress
from tests.cli.conftest import Run

ANSWER = Path(__file__).parents[2] / "exercises" / "clusterip" / "answers" / "reference.yaml"


@pytest.fixture
def learner(run: Run, home: Path, cluster_home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    progress.path().unlink(missing_ok=True)
    return run


def test_start_lays_the_file_and_tells_the_next_commands(learner: Run, home: Path) -> None:
    done = learner("start", "clusterip")
    assert done.exit_code == 0, done.output
    assert (home / "work" / "clusterip.yaml").is_file()
    assert "kubectl apply -n clusterip -f" in done.stdout and "grader check clusterip" in done.stdout


def test_unsolved_fails_then_the_answer_passes(learner: Run, home: Path) -> None:
    learner("reset", "clusterip")
    unsolved = learner("check", "clusterip")
    assert unsolved.exit_code == 1 and "✗ 不合格" in unsolved.stdout
    (home / "work" / "clusterip.yaml").write_text(ANSWER.read_text(encoding="utf-8"), encoding="utf-8")
    solved = learner("check", "clusterip", "--apply")
    assert solved.exit_code == 0, solved.output
    assert "✓ 合格" in solved.stdout
    assert "clusterip" in progress.load().passed
    assert "1 / " in learner("progress").stdout


def test_what_was_solved_can_be_submitted_and_passes_again(learner: Run, home: Path) -> None:
    learner("reset", "clusterip")
    assert learner("check", "clusterip", "-f", str(ANSWER)).exit_code == 0
    assert learner("submit", "clusterip", "-o", str(home / "out")).exit_code == 0
    exported = home / "out" / "clusterip.yaml"
    manifest = yaml.safe_load(exported.read_text(encoding="utf-8"))
    assert manifest["kind"] == "Service"
    assert "status" not in manifest and "clusterIP" not in manifest["spec"] and "uid" not in manifest["metadata"]
    learner("reset", "clusterip")
    assert learner("check", "clusterip", "-f", str(exported)).exit_code == 0


def test_a_reset_and_a_hint_are_told_as_json(learner: Run, home: Path) -> None:
    done = json.loads(learner("reset", "clusterip", "--json").stdout)
    assert done["exit_status"] == 0 and done["namespace"] == "clusterip"
    assert done["starter"] == (home / "work" / "clusterip.yaml").read_text(encoding="utf-8")
    assert json.loads(learner("hint", "clusterip", "--all", "--json").stdout)["number"] == 0
    first = json.loads(learner("hint", "clusterip", "--json").stdout)
    assert (first["number"], first["new"]) == (1, True) and first["text"]


def test_nothing_to_submit_is_told(learner: Run) -> None:
    learner("reset", "clusterip")
    done = learner("submit", "clusterip")
    assert done.exit_code == 2 and "kubectl apply" in done.stderr


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("kind: [\n", "YAMLとして読めません"),
        ("", "適用するものが1つも書かれていません"),
        ("# only a comment\n", "適用するものが1つも書かれていません"),
        ("apiVersion: v1\nkind: Servise\nmetadata: {name: a}\n", "Servise という種類のオブジェクトはありません"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: backend-service}\n"
            "spec: {ports: [{port: 80, nodePort: 30080}]}\n",
            "nodePort は、タイプがClusterIPのServiceには書けません",
        ),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "backend-service"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
            "backend-service",
        ),
    ],
    ids=["yaml-error", "empty", "comment", "unknown-kind", "refused", "wrong-kind", "two-documents"],
)
def test_a_bad_manifest_fails_and_says_why(learner: Run, home: Path, manifest: str, words: str) -> None:
    learner("reset", "clusterip")
    (home / "bad.yaml").write_text(manifest, encoding="utf-8")
    done = learner("check", "clusterip", "-f", str(home / "bad.yaml"))
    assert done.exit_code == 1, done.output
    joined = "".join(line.strip() for line in done.stdout.splitlines())
    assert words.replace(" ", "") in joined.replace(" ", "")
    assert "Traceback" not in done.output


def test_every_reset_keeps_what_was_written(learner: Run, home: Path) -> None:
    file = home / "work" / "clusterip.yaml"
    file.parent.mkdir()
    for number, text in enumerate(("first: 1\n", "second: 2\n"), start=1):
        file.write_text(text, encoding="utf-8")
        assert f"000{number}.yaml" in learner("reset", "clusterip").stdout
        assert learner("history", "clusterip", str(number)).stdout == text
    file.write_text("third: 3\n", encoding="utf-8")
    restored = learner("history", "clusterip", "1", "--restore")
    assert file.read_text(encoding="utf-8") == "first: 1\n" and "0003.yaml" in restored.stdout
    assert "0003.yaml" in learner("history", "clusterip").stdout
    assert learner("history", "clusterip", "9").exit_code == 2


def test_an_answer_that_commands_made_is_kept_by_reset(learner: Run, home: Path) -> None:
    learner("reset", "clusterip")
    shutil.rmtree(home / "work" / ".history", ignore_errors=True)
    assert learner("check", "clusterip", "-f", str(ANSWER)).exit_code == 0
    assert "0001.yaml" in learner("reset", "clusterip").stdout
    assert "backend-service" in learner("history", "clusterip", "1").stdout


def test_two_documents_may_hold_the_answer(learner: Run, home: Path) -> None:
    learner("reset", "clusterip")
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\n---\n"
    (home / "two.yaml").write_text(other + ANSWER.read_text(encoding="utf-8"), encoding="utf-8")
    assert learner("check", "clusterip", "-f", str(home / "two.yaml")).exit_code == 0


def test_json_and_junit_say_the_same(learner: Run, home: Path) -> None:
    learner("reset", "clusterip")
    done = learner("check", "clusterip", "--json", "--junit", str(home / "r.xml"))
    data = json.loads(done.stdout)
    assert data["report"]["verdict"] == "fail" and data["exit_status"] == done.exit_code == 1
    assert f'type="{data["report"]["finding"]["diagnosis"]}"' in (home / "r.xml").read_text(encoding="utf-8")


def test_hints_open_one_after_another(learner: Run) -> None:
    first, second = learner("hint", "clusterip").stdout, learner("hint", "clusterip").stdout
    assert "ヒント 1 /" in first and "ヒント 2 /" in second
    again = learner("hint", "clusterip", "--all").stdout
    assert "ヒント 1 /" in again and "ヒント 2 /" in again and "ヒント 3 /" not in again


def test_list_shows_every_exercise(learner: Run) -> None:
    done = learner("list")
    assert all(name in done.stdout for name in ("clusterip", "nodeport", "loadbalancer"))


def test_without_a_name_and_nothing_begun_it_is_told_how_to_begin(learner: Run, cluster_home: Path) -> None:
    (cluster_home / "clusters" / "services-course" / "current-exercise").unlink(missing_ok=True)
    done = learner("check")
    assert done.exit_code == 2 and "grader start" in done.stderr


def test_status_of_a_cluster_that_runs(learner: Run) -> None:
    done = learner("cluster", "status")
    assert done.exit_code == 0 and "services-course-worker2" in done.stdout


def test_status_can_be_read_by_a_program(learner: Run, cluster_home: Path) -> None:
    told = json.loads(learner("cluster", "status", "--json").stdout)
    assert told["ready"] and told["provider"] == "embedded" and told["dns"].startswith("127.0.0.1:")
    assert told["kubeconfig"] == str(cluster_home / "clusters" / "services-course" / "kubeconfig")
    assert "services-course-worker2" in {node["name"] for node in told["nodes"]}


def test_a_cluster_of_another_kind_under_the_same_name_is_not_touched(learner: Run) -> None:
    done = learner("--cluster", "services-course", "cluster", "up", "--kind")
    assert done.exit_code == 2 and "別の種類" in done.stderr
    assert learner("cluster", "status").exit_code == 0


def test_the_solution_is_shown_after_a_pass_and_before_it_only_on_request(learner: Run) -> None:
    learner("reset", "clusterip")
    closed = learner("solution", "clusterip")
    assert closed.exit_code == 2 and "grader solution clusterip --yes" in closed.stderr
    assert "targetPort" in learner("solution", "clusterip", "--yes").stdout
    solved = learner("check", "clusterip", "-f", str(ANSWER))
    assert "grader solution clusterip" in solved.stdout
    assert learner("solution", "clusterip").stdout.startswith("# 解説")


@pytest.mark.parametrize(("answer", "shown"), [("y\n", True), ("n\n", False)])
def test_on_a_terminal_the_question_is_asked(
    learner: Run, monkeypatch: pytest.MonkeyPatch, answer: str, shown: bool
) -> None:
    from click.testing import CliRunner

    from grader.cli.root import root

    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    done = CliRunner().invoke(root, ["solution", "clusterip"], input=answer)
    assert done.exit_code == 0
    assert ("targetPort" in done.stdout) is shown


def test_the_set_up_of_a_lesson_is_shown_on_request(run: Run) -> None:
    shown = run("lessons", "start", "8", "--show")
    assert shown.exit_code == 0
    assert shown.output.startswith("kubectl delete namespace lesson-discovery") and "kind: Deployment" in shown.output
    unknown = run("lessons", "start", "19")
    assert unknown.exit_code == 2 and "レッスン19はありません" in unknown.output


def test_the_notebook_of_a_lesson_is_laid_anew_with_mine_kept(run: Run, home: Path) -> None:
    mine = home / "work" / "lessons" / "08-discovery.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    shown = run("lessons", "reset", "8")
    assert shown.exit_code == 0 and "0001.ipynb" in shown.output
    assert (mine.parent / ".history" / "08-discovery" / "0001.ipynb").read_text(encoding="utf-8") == "mine"
    assert '"cells"' in mine.read_text(encoding="utf-8")
