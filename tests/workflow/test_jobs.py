"""Start, apply, check, reset and verify on a whole cluster: the embedded one, over its real API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.judge import judge
from grader.kube.client import KubeApi
from grader.model.evidence import Action, Evidence
from grader.model.exercise import Exercise
from grader.model.ground import Given
from grader.model.kubernetes import name_of
from grader.model.report import Hop, Report, Verdict
from grader.workflow.check import check, check_with_evidence, observe_once
from grader.workflow.ground.apply import apply_manifests
from grader.workflow.ground.bounds import Bounds
from grader.workflow.ground.laying import given_ready
from grader.workflow.proof.differences import common, differences
from grader.workflow.proof.verify import VerifyResult, verify
from grader.workflow.session.reset import reset
from grader.workflow.session.start import start


@pytest.fixture
def exercise(cluster: ClusterInfo, tmp_path: Path) -> Exercise:
    chosen = exercises.load("clusterip")
    reset(chosen, cluster, tmp_path)
    with KubeApi(cluster.kubeconfig) as api:
        until(lambda: given_ready(api, chosen))
    return chosen


@pytest.fixture
def api(cluster: ClusterInfo) -> Iterator[KubeApi]:
    with KubeApi(cluster.kubeconfig) as made:
        yield made


def until(holds: Any) -> None:
    """Ask again until it holds; asking takes its own time."""
    assert any(holds() for _ in range(2000))


def reference(exercise: Exercise) -> str:
    return exercise.answers[0].text


def told(exercise: Exercise, cluster: ClusterInfo, text: str | None = None, **options: Any) -> Report:
    return check_with_evidence(exercise, cluster, text=text, deadline=options.pop("deadline", 30.0), **options)[0]


def test_from_nothing_to_a_pass_with_evidence_that_is_judged_again(exercise: Exercise, cluster: ClusterInfo) -> None:
    assert (told(exercise, cluster).finding.diagnosis, told(exercise, cluster).points) == ("service-missing", 0.0)
    report, evidence = check_with_evidence(exercise, cluster, text=reference(exercise), deadline=30.0)
    assert (report.verdict, report.points) == (Verdict.PASS, exercise.points)
    assert judge(exercise, Evidence.from_json(json.loads(json.dumps(evidence.to_json())))) == report
    assert judge(exercise, observe_once(exercise, cluster)).verdict is Verdict.PASS


def test_a_file_is_applied_and_judged(exercise: Exercise, cluster: ClusterInfo, tmp_path: Path) -> None:
    file = tmp_path / "answer.yaml"
    file.write_text(reference(exercise), encoding="utf-8")
    assert check(exercise, cluster, manifest=file, deadline=30.0).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "manifest-empty"),
        ("a: 1\n b: 2\n", "manifest-unreadable"),
        ("just text\n", "manifest-rejected"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "manifest-rejected"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "manifest-rejected"),
        ("apiVersion: v1\nkind: Servise\nmetadata: {name: a}\n", "manifest-rejected"),
        ("apiVersion: v2\nkind: Service\nmetadata: {name: a}\n", "manifest-rejected"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: A_B}\nspec: {ports: [{port: 80}]}\n", "manifest-rejected"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "wrong-kind"),
    ],
)
def test_bad_input_is_a_clear_failure(exercise: Exercise, cluster: ClusterInfo, text: str, code: str) -> None:
    report = told(exercise, cluster, text)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, code)
    assert (report.broken is Hop.MANIFEST) == code.startswith("manifest")


def test_several_documents_and_lists_are_applied_each(exercise: Exercise, cluster: ClusterInfo) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}, "data": {"a": "1"}}
    text = f"{reference(exercise)}\n---\n{json.dumps({'apiVersion': 'v1', 'kind': 'List', 'items': [config]})}\n"
    results = apply_manifests(text, exercise.namespace, cluster)
    assert [(item.kind, item.action) for item in results] == [
        ("Service", Action.CREATED),
        ("ConfigMap", Action.CREATED),
    ]
    again = apply_manifests(text, exercise.namespace, cluster)
    assert {item.action for item in again} == {Action.UNCHANGED}
    changed = apply_manifests(text.replace("targetPort: 8080", "targetPort: 8081"), exercise.namespace, cluster)
    assert [item.action for item in changed] == [Action.CONFIGURED, Action.UNCHANGED]


def test_a_hostile_manifest_touches_nothing_outside_its_namespace(
    exercise: Exercise, cluster: ClusterInfo, api: KubeApi
) -> None:
    elsewhere = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil, namespace: default}\n"
    wide = "apiVersion: v1\nkind: Namespace\nmetadata: {name: evil}\n"
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: evil}\nspec: {containers: [{name: a, image: busybox}]}\n"
    results = apply_manifests(
        f"{elsewhere}---\n{wide}---\n{pod}", exercise.namespace, cluster, bounds=Bounds(("Service", "ConfigMap"))
    )
    assert [item.status["reason"] for item in results] == ["ForeignNamespace", "KindNotAllowed", "KindNotAllowed"]
    results = apply_manifests(wide, exercise.namespace, cluster, bounds=Bounds())
    assert results[0].status["reason"] == "ClusterScoped"
    assert api.read("namespaces", "evil") is None
    assert api.read("configmaps", "evil", "default") is None
    assert told(exercise, cluster, pod, hostile=True).finding.diagnosis == "manifest-rejected"


def test_a_dead_cluster_is_an_environment_error(exercise: Exercise, cluster: ClusterInfo, tmp_path: Path) -> None:
    dead = tmp_path / "kubeconfig"
    text = cluster.kubeconfig.read_text(encoding="utf-8")
    server = next(line for line in text.splitlines() if "server:" in line or '"server"' in line)
    port = server.rsplit(":", 1)[1].strip(' ",/')
    dead.write_text(text.replace(port, "9"), encoding="utf-8")
    for manifest in (None, reference(exercise)):
        report = told(exercise, replace(cluster, kubeconfig=dead), manifest)
        assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "cluster-unreachable")
    missing = told(exercise, replace(cluster, kubeconfig=tmp_path / "nowhere"))
    assert missing.verdict is Verdict.ENVIRONMENT


def test_an_exercise_that_was_not_begun_says_so(exercise: Exercise, cluster: ClusterInfo) -> None:
    report = told(replace(exercise, namespace="never-begun"), cluster)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.ENVIRONMENT, "exercise-not-started")


def test_a_probe_pod_that_is_gone_comes_back_by_itself(exercise: Exercise, cluster: ClusterInfo, api: KubeApi) -> None:
    api.delete("pods", "grader-probe", exercise.namespace, grace_seconds=0)
    assert told(exercise, cluster, reference(exercise)).verdict is Verdict.PASS


def repairable(exercise: Exercise) -> Exercise:
    """The exercise, had it let a learner change the Deployments."""
    both = {Given(exercise.namespace, "Deployment", name): ("spec",) for name in ("backend", "batch")}
    return replace(exercise, ground=replace(exercise.ground, may_differ=both))


def test_pods_that_never_become_ready_fail_with_their_own_diagnosis(exercise: Exercise, cluster: ClusterInfo) -> None:
    exercise = repairable(exercise)
    broken = exercise.given.replace("agnhost:2.63.0", "nobody:0")
    apply_manifests(f"{broken}\n---\n{reference(exercise)}", exercise.namespace, cluster)
    with KubeApi(cluster.kubeconfig) as api:
        for pod in api.list("pods", exercise.namespace, labels="app=backend"):
            api.delete("pods", name_of(pod), exercise.namespace, grace_seconds=0)
    report = told(exercise, cluster)
    assert (report.verdict, report.finding.diagnosis) == (Verdict.FAIL, "pods-not-ready")


def test_pods_that_are_still_young_at_the_deadline_are_not_yet(exercise: Exercise, cluster: ClusterInfo) -> None:
    exercise = repairable(exercise)
    slow = exercise.given.replace("periodSeconds: 1", "periodSeconds: 1\n            initialDelaySeconds: 60")
    apply_manifests(f"{slow}\n---\n{reference(exercise)}", exercise.namespace, cluster)
    waited: list[str] = []
    report = told(exercise, cluster, deadline=0.3, progress=lambda code, facts: waited.append(facts["diagnosis"]))
    assert report.verdict is Verdict.NOT_YET
    assert report.finding.diagnosis in {"pods-moving", "rollout-moving"}
    assert report.verdict.exit_status == 3
    assert waited


def test_start_keeps_the_learners_work_and_reset_makes_everything_new(
    exercise: Exercise, cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    begun = start(exercise, cluster, tmp_path)
    begun.starter.write_text("my work\n", encoding="utf-8")
    assert not start(exercise, cluster, tmp_path).laid
    assert begun.starter.read_text(encoding="utf-8") == "my work\n"
    given = exercise.given.replace("replicas: 3", "replicas: 1").replace("periodSeconds: 1", "periodSeconds: 2")
    extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n"
    apply_manifests(f"{reference(exercise)}\n---\n{extra}---\n{given}", exercise.namespace, cluster)
    result = reset(exercise, cluster, tmp_path)
    assert result.laid
    assert {"Service/backend-service", "ConfigMap/mine"} <= set(result.removed)
    assert begun.starter.read_text(encoding="utf-8") == exercise.starter
    assert result.kept and result.kept.read_text(encoding="utf-8") == "my work\n"
    assert api.list("services", exercise.namespace) == []
    restored = api.read("deployments", "backend", exercise.namespace)
    assert restored is not None
    assert restored["spec"]["replicas"] == 3
    probe = restored["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    assert probe["periodSeconds"] == 1


def test_verify_compares_what_came_out_with_what_was_expected(exercise: Exercise, cluster: ClusterInfo) -> None:
    steps: list[str] = []
    only = ("unsolved", "starter", "reference", "selector-typo", "misspelt-field", "namespace-default")
    result = verify([exercise], cluster, lambda code, facts: steps.append(facts["name"]), only=only)
    assert [(item.name, item.got) for item in result.attempts if not item.sound] == []
    assert result.sound
    assert steps == [item.name for item in result.attempts]
    assert VerifyResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert differences(result, result) == ()
    with KubeApi(cluster.kubeconfig) as api:
        assert api.read("services", "backend-service", "default") is None


def test_verify_tells_an_answer_that_fails_and_a_wrong_one_that_passes(
    exercise: Exercise, cluster: ClusterInfo
) -> None:
    swapped = replace(
        exercise,
        answers=(replace(exercise.answers[0], text=exercise.wrong[-1].text),),
        wrong=(replace(exercise.wrong[0], text=reference(exercise)),),
    )
    only = (swapped.answers[0].name, swapped.wrong[0].name)
    result = verify([swapped], cluster, only=only)
    assert [(item.kind, item.sound) for item in result.attempts] == [("answer", False), ("wrong", False)]
    assert result.attempts[1].got == "pass"
    sound = verify([exercise], cluster, only=("reference",))
    assert any("reference verdict: pass != fail" in line for line in differences(sound, result))
    assert [key[2] for key in common(sound, result)] == ["reference"]


def test_verify_leaves_no_namespace_that_it_made_and_waits_for_one_that_is_going(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    exercise = exercises.load("loadbalancer")

    def standing() -> bool:
        live = api.read("namespaces", exercise.namespace)
        return live is not None and not live["metadata"].get("deletionTimestamp")

    assert not standing()
    assert verify([exercise], cluster, only=("unsolved",)).sound
    assert not standing()
    start(exercise, cluster, tmp_path)  # at once: the namespace may still be going
    assert standing()
    assert verify([exercise], cluster, only=("unsolved",)).sound
    assert standing()  # somebody is at work there
    api.delete("namespaces", exercise.namespace)
