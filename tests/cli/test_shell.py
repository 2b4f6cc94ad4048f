"""A learner's shell: what is printed can be pasted, plain kubectl means the exercise, no other cluster is touched."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
OTHER = """\
apiVersion: v1
kind: Config
current-context: prod
contexts: [{name: prod, context: {cluster: prod, user: prod, namespace: payments}}]
clusters: [{name: prod, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: prod, user: {token: secret}}]
"""
NAMESPACE = "kubectl config view --minify -o 'jsonpath={..namespace}'"


class Person:
    """Somebody with a cluster of their own, who works in a folder with a space in its name."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder / "my course"
        self.config = folder / ".kube" / "config"
        for place in (self.folder, self.config.parent):
            place.mkdir()
        self.config.write_text(OTHER, encoding="utf-8")
        (self.folder / "bin").symlink_to(BIN)
        source = str(Path(__file__).parents[2])
        self.environment = {
            "HOME": str(folder),
            "GRADER_HOME": str(home),
            "GRADER_LEARNER": "",
            "PATH": os.pathsep.join(("/usr/local/bin", "/usr/bin", "/bin")),
            "PYTHONPATH": source,
            "LC_ALL": "C.UTF-8",
        }

    def types(self, *lines: str) -> str:
        """Type lines into one new shell, and give what it printed; the program is `bin/grader` before `eval`."""
        done = subprocess.run(
            ["bash", "-c", "set -e -o pipefail\n" + "\n".join(lines)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def person(cluster_home: Path, tmp_path: Path) -> Person:
    return Person(cluster_home, tmp_path)


ENV = 'eval "$(bin/grader env)"'


def test_where_kubectl_means_another_cluster_the_printed_block_begins_with_eval_and_says_why(person: Person) -> None:
    block = person.types("bin/grader start clusterip").rsplit("\n\n", 1)[1]
    first, why, *_ = block.splitlines()
    assert first.strip().startswith("準備") and 'eval "$(bin/grader env)"' in first
    assert "prod" in why
    assert person.config.read_text(encoding="utf-8") == OTHER


def test_a_printed_block_works_when_it_is_pasted(person: Person) -> None:
    block = person.types("bin/grader reset clusterip").rsplit("\n\n", 1)[1]
    lines = re.findall(r"^ +\S+  ((?:eval|kubectl|bin/grader) .*)$", block, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["eval", "kubectl", "bin/grader", "bin/grader"]
    lines[1:1] = [f"cp {shlex.quote(str(Path(__file__).parents[2] / ANSWER))} work/clusterip.yaml"]
    assert "合格" in person.types(*lines)


ANSWER = "exercises/clusterip/answers/reference.yaml"


def test_a_kubectl_of_a_hint_or_a_verdict_says_how_it_finds_the_course(person: Person) -> None:
    person.types("bin/grader reset clusterip")
    wrong = person.folder / "wrong.yaml"
    right = (Path(__file__).parents[2] / ANSWER).read_text(encoding="utf-8")
    wrong.write_text(right.replace("app: backend", "app: backned"), encoding="utf-8")
    for command in ("bin/grader hint clusterip", "bin/grader check clusterip -f wrong.yaml || true"):
        shown = person.types(command)
        assert "kubectl get" in shown and 'eval "$(bin/grader env)"' in shown
        assert "eval" not in person.types(ENV, command)


def test_start_makes_plain_kubectl_mean_the_exercise_in_its_shell_alone(person: Person) -> None:
    here = person.types(ENV, "grader start nodeport >out", NAMESPACE, "echo; kubectl get deployments -o name")
    assert here.split() == ["nodeport", "deployment.apps/menu"] or here.startswith("nodeport\ndeployment.apps/")
    both = person.types(
        ENV, "first=$KUBECONFIG", "unset KUBECONFIG", 'eval "$(grader env)"', "grader start clusterip >out",
        NAMESPACE, "echo", "export KUBECONFIG=$first", NAMESPACE,
    )  # fmt: skip
    assert both.split() == ["clusterip", "nodeport"]


def test_env_again_keeps_the_shells_own_file(person: Person) -> None:
    shown = person.types(ENV, "echo $KUBECONFIG", 'eval "$(grader env)"', "echo $KUBECONFIG")
    assert len(set(shown.split())) == 1


def test_the_clusters_own_kubeconfig_stays_as_it_is(person: Person, cluster_home: Path) -> None:
    file = cluster_home / "clusters" / "services-course" / "kubeconfig"
    before = file.read_bytes()
    person.types(ENV, "grader start clusterip >out", "kubectl config set-context --current --namespace=other")
    assert file.read_bytes() == before


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_of_the_course_means_the_exercise(person: Person, shell: str) -> None:
    person.environment["SHELL"] = f"/bin/{shell}"
    script = f'{NAMESPACE}; echo; declare -f __grader_namespace >/dev/null && echo "<${{PS1@P}}>"; exit 0\n'
    (person.folder / "typed").write_text(script, encoding="utf-8")
    shown = person.types("bin/grader shell clusterip <typed 2>/dev/null").splitlines()
    assert "clusterip" in shown
    if shell == "bash":
        assert any(line.startswith("<(clusterip) ") for line in shown)


def test_without_a_name_the_exercise_of_the_shell_is_meant(person: Person) -> None:
    assert "nodeport" in person.types(ENV, "grader start nodeport >out", "grader start | grep '^演習'")
    (person.folder / "other").write_text(f"{ENV}\ngrader start clusterip >out\n", encoding="utf-8")
    shown = person.types(ENV, "grader start nodeport >out", "env -u KUBECONFIG bash other", "grader hint")
    assert "-n nodeport" in shown


def test_a_shell_completes_names_of_exercises(person: Person) -> None:
    words = {"COMP_WORDS": "grader start nodeport-a", "COMP_CWORD": "2", "_GRADER_COMPLETE": "bash_complete"}
    person.environment |= words
    assert person.types("bin/grader").split() == ["plain,nodeport-allocated"]


def test_a_terminal_without_our_characters_gets_others_in_their_place(person: Person) -> None:
    person.environment["PYTHONIOENCODING"] = "euc_jp"
    shown = person.types("bin/grader cluster status | iconv -f EUC-JP -t UTF-8")
    assert "使えます" in shown and shown.startswith("? ")


def test_a_program_on_the_path_is_called_by_its_name(person: Person) -> None:
    person.environment["PATH"] = os.pathsep.join((str(BIN), person.environment["PATH"]))
    assert "判定  grader check clusterip" in person.types("grader start clusterip")


def test_a_cluster_that_was_named_for_one_command_is_named_in_the_next(person: Person) -> None:
    shown = person.types("bin/grader --cluster services-course start clusterip")
    assert "bin/grader --cluster services-course check clusterip" in shown
