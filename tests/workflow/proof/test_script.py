"""An answer that is a script is run as a person would type it, and what it leaves in the cluster is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.errors import EnvironmentError_
from grader.kube.client import KubeApi
from grader.kube.kubectl import in_namespace
from grader.model.exercise import Answer, Exercise, Form, WrongAnswer
from grader.workflow.proof import script
from grader.workflow.proof.handing import handing_in, handing_in_wrong
from grader.workflow.proof.verify import VerifyResult, verify

EXPOSE = "kubectl expose deployment backend --name=backend-service --port=80 --target-port=8080\n"


def ran(text: str, cluster: ClusterInfo, *, strict: bool = False, seconds: float = 30.0) -> script.Ran:
    return script.run(text, "default", cluster, strict=strict, seconds=seconds)


def with_scripts(answer: str = EXPOSE, wrong: str = "true") -> Exercise:
    exercise = exercises.load("clusterip")
    return replace(
        exercise,
        answers=(Answer("by-hand", answer, Form.SCRIPT),),
        wrong=(WrongAnswer("not-by-hand", wrong, "service", "service-missing", Form.SCRIPT),),
    )


def tried(exercise: Exercise, cluster: ClusterInfo) -> VerifyResult:
    return verify([exercise], cluster, only=("by-hand", "not-by-hand"), deadline=30.0)


def test_a_script_works_in_the_exercises_namespace_with_the_courses_kubectl(
    cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    found = ran("kubectl config view --minify --output 'jsonpath={..namespace}'; pwd; ls -A; cat", cluster)
    namespace_and_folder = found.output.split("\n")
    assert found.status == 0
    assert namespace_and_folder[0].startswith("default/")
    assert namespace_and_folder[1:] == [""]
    assert not Path(namespace_and_folder[0].removeprefix("default")).exists()


def test_standard_output_and_errors_are_kept_as_they_came(cluster: ClusterInfo) -> None:
    assert ran("echo one; echo two >&2; exit 3", cluster) == script.Ran(3, "one\ntwo\n")


@pytest.mark.parametrize(("strict", "status"), [(True, 1), (False, 0)])
def test_only_a_strict_run_stops_at_the_first_failure(cluster: ClusterInfo, strict: bool, status: int) -> None:
    assert ran("false | true\ntrue\n", cluster, strict=strict).status == status


def test_a_script_that_does_not_end_is_ended_with_what_it_started(cluster: ClusterInfo, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(EnvironmentError_) as caught:
        ran(f"echo waiting; sleep 600 & echo $! > {pid}; wait", cluster, seconds=1.0)
    assert caught.value.code == "script-timeout"
    assert caught.value.facts["output"] == "waiting"
    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_machine_without_bash_is_an_error_of_the_environment(
    cluster: ClusterInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.workflow.proof.script.shutil.which", lambda name: None)
    with pytest.raises(EnvironmentError_) as caught:
        ran("true", cluster)
    assert caught.value.code == "script-unstartable"


def test_an_answer_passes_and_a_wrong_answer_whose_command_is_refused_fails_with_its_diagnosis(
    cluster: ClusterInfo,
) -> None:
    result = tried(with_scripts(wrong="kubectl expose deployment nobody --port=80"), cluster)
    assert [(item.got, item.sound) for item in result.attempts] == [
        ("pass", True),
        ("fail service service-missing", True),
    ]
    assert "service/backend-service exposed" in result.attempts[0].output
    assert "NotFound" in result.attempts[1].output
    assert VerifyResult.from_json(result.to_json() | {"attempts": []}).cluster == result.cluster


def test_an_answer_whose_command_fails_is_unsound_even_where_the_verdict_is_a_pass(cluster: ClusterInfo) -> None:
    attempt = tried(with_scripts(answer=f"{EXPOSE}kubectl get service nothing\n"), cluster).attempts[0]
    assert (attempt.got, attempt.sound) == ("script exit 1", False)
    assert 'services "nothing" not found' in attempt.output


def test_what_a_script_leaves_in_the_default_namespace_is_swept_away(cluster: ClusterInfo) -> None:
    result = tried(with_scripts(wrong="kubectl -n default create service clusterip backend-service --tcp=80"), cluster)
    assert "created" in result.attempts[1].output
    with KubeApi(cluster.kubeconfig) as api:
        assert [item["metadata"]["name"] for item in api.list("services", "default")] == ["kubernetes"]


def test_a_kubeconfig_keeps_its_files_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "one",
                "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}, {"name": "two", "context": {}}],
                "clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority": "ca.crt"}}],
                "users": [{"name": "u", "user": {"client-key": "/keys/key", "tokenFile": "token"}}],
            }
        ),
        encoding="utf-8",
    )
    found = yaml.safe_load(in_namespace(file, "shop"))
    assert [item["context"].get("namespace") for item in found["contexts"]] == ["shop", None]
    assert found["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")
    assert found["users"][0]["user"] == {"client-key": "/keys/key", "tokenFile": str(tmp_path / "token")}


def test_every_answer_is_handed_in_and_one_that_cannot_be_is_told(cluster: ClusterInfo) -> None:
    exercise = with_scripts()
    narrow = replace(exercise, answers=(*exercise.answers, replace(exercise.answers[0], name="again")), wrong=())
    found = verify([narrow], cluster, make=handing_in, deadline=30.0)
    assert [(item.kind, item.name, item.got) for item in found.attempts] == [
        ("handed-in", "by-hand", "pass"),
        ("handed-in", "again", "pass"),
    ]
    idle = WrongAnswer("idle", "true", "service", "service-missing", Form.SCRIPT)
    other = replace(exercise, answers=(), wrong=(idle,))
    assert [item.got for item in verify([other], cluster, make=handing_in_wrong).attempts] == ["nothing-to-submit"]
