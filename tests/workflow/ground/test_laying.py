"""What was laid is remembered; what was changed of it comes back, and a hand-in tells what did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.kube.client import KubeApi
from grader.kube.ground import read_record, record_name
from grader.model.exercise import Exercise
from grader.model.ground import Given, Ground, GroundRule
from grader.model.report import Hop, Report, Verdict
from grader.workflow.check import check, check_with_evidence
from grader.workflow.ground.laying import wait_ready
from grader.workflow.ground.record import digest, known
from grader.workflow.handin.handed import read
from grader.workflow.handin.reproduce import reproduce
from grader.workflow.handin.submit import submit
from grader.workflow.proof import script
from grader.workflow.session.reset import reset
from grader.workflow.session.start import start

GIVEN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: backend}
spec:
  replicas: 1
  selector: {matchLabels: {app: backend}}
  template:
    metadata: {labels: {app: backend}}
    spec:
      containers:
        - name: server
          image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
          args: [netexec, --http-port=8080]
          ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec: {selector: {app: backend}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: mine}
spec: {selector: {app: nobody}, ports: [{port: 80, targetPort: 8080}]}
"""
BACKEND, PLAIN, MINE = (
    Given("laid", kind, name) for kind, name in (("Deployment", "backend"), ("Service", "plain"), ("Service", "mine"))
)
EXERCISE = replace(
    exercises.load("clusterip"),
    id="laid",
    namespace="laid",
    namespaces=(),
    given=GIVEN,
    ground=GroundRule(may_differ={MINE: ("spec",)}),
    may_change=("Service",),
)
RENAME = json.dumps([{"op": "replace", "path": "/spec/template/spec/containers/0/ports/0/name", "value": "renamed"}])
RENAMED = f"kubectl patch deployment backend --type=json -p '{RENAME}'"


@pytest.fixture
def api(cluster: ClusterInfo) -> Iterator[KubeApi]:
    with KubeApi(cluster.kubeconfig) as made:
        yield made


@pytest.fixture(autouse=True)
def ground(cluster: ClusterInfo, api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_LEARNER", "taro")
    reset(EXERCISE, cluster, tmp_path)
    wait_ready(api, EXERCISE)


def run(commands: str, cluster: ClusterInfo, exercise: Exercise = EXERCISE) -> None:
    ran = script.run(commands, exercise.namespace, cluster, strict=True)
    assert ran.status == 0, ran.output


def recorded(api: KubeApi) -> Ground:
    found = read_record(api, record_name(EXERCISE.id))
    assert found is not None
    return found


def one(api: KubeApi, plural: str, name: str) -> Mapping[str, Any]:
    found = api.read(plural, name, EXERCISE.namespace)
    assert found is not None
    return found


def port_name(api: KubeApi) -> str:
    return str(one(api, "deployments", "backend")["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"])


def test_what_was_laid_is_remembered_with_what_the_cluster_chose(api: KubeApi) -> None:
    record = recorded(api)
    laid = {item.what: item for item in record.laid}
    assert set(laid) == {BACKEND, PLAIN, MINE}
    assert record.given == digest(EXERCISE)
    assert laid[BACKEND].uid == one(api, "deployments", "backend")["metadata"]["uid"]
    assert laid[BACKEND].content["spec"]["replicas"] == 1
    assert (laid[BACKEND].allocated, "spec.clusterIP" in laid[PLAIN].allocated) == ((), True)


def test_a_second_start_remembers_what_was_laid_and_not_what_a_learner_made_of_it(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    before = recorded(api)
    run('kubectl patch service mine -p \'{"spec": {"selector": {"app": "backend"}}}\'', cluster)
    start(EXERCISE, cluster, tmp_path)
    assert recorded(api) == before
    run("kubectl delete service mine", cluster)
    start(EXERCISE, cluster, tmp_path)
    assert recorded(api) == before
    assert api.read("services", "mine", "laid") is None  # the learner's to make anew


def test_a_start_without_a_record_remembers_what_was_given_though_it_was_changed_before(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    api.delete("configmaps", record_name(EXERCISE.id), "course-probe")
    run('kubectl patch service mine -p \'{"spec": {"selector": {"app": "backend"}}}\'', cluster)
    assert known(api, EXERCISE) is None
    start(EXERCISE, cluster, tmp_path)
    laid = {item.what: item for item in recorded(api).laid}
    assert laid[MINE].content["spec"]["selector"] == {"app": "nobody"}


def test_what_was_laid_of_another_given_workload_is_not_known(api: KubeApi) -> None:
    assert known(api, EXERCISE) == recorded(api)
    assert known(api, replace(EXERCISE, given=f"{GIVEN}---\n# other values\n")) is None


def test_a_start_makes_a_changed_ground_as_it_was_given(cluster: ClusterInfo, api: KubeApi, tmp_path: Path) -> None:
    run(RENAMED, cluster)
    assert port_name(api) == "renamed"
    start(EXERCISE, cluster, tmp_path)
    wait_ready(api, EXERCISE)
    assert port_name(api) == "http"
    run("kubectl delete service plain", cluster)
    start(EXERCISE, cluster, tmp_path)
    laid = {item.what: item for item in recorded(api).laid}
    assert laid[PLAIN].uid == one(api, "services", "plain")["metadata"]["uid"]


def test_a_reset_takes_finalizers_off_what_goes_and_off_what_is_going(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    held = '{"metadata": {"finalizers": ["example.com/held"]}}'
    run(
        f"""
        kubectl create configmap kept --from-literal=a=b
        kubectl create service clusterip going --tcp=80
        kubectl patch configmap kept -p '{held}'
        kubectl patch service going -p '{held}'
        kubectl patch service plain -p '{held}'
        kubectl delete service going --wait=false
        kubectl delete service plain --wait=false
        """,
        cluster,
    )
    assert one(api, "services", "going")["metadata"]["deletionTimestamp"]
    removed = reset(EXERCISE, cluster, tmp_path).removed
    assert {"ConfigMap/kept", "Service/going"} <= set(removed)
    assert api.read("configmaps", "kept", "laid") is None
    assert api.read("services", "going", "laid") is None
    plain = one(api, "services", "plain")["metadata"]
    assert "deletionTimestamp" not in plain and not plain.get("finalizers")


def test_a_reset_names_what_a_command_without_a_namespace_made_in_default(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path
) -> None:
    run(
        """
        kubectl -n default create service clusterip backend-service --tcp=80
        kubectl -n default create service clusterip unrelated --tcp=80
        """,
        cluster,
    )
    try:
        assert reset(EXERCISE, cluster, tmp_path).left == ("Service/backend-service",)
        assert api.read("services", "backend-service", "default") is not None  # named, not touched
    finally:
        run("kubectl -n default delete service backend-service unrelated", cluster)
    assert reset(EXERCISE, cluster, tmp_path).left == ()


def told(report: Report) -> tuple[Verdict, Hop | None, float, str, dict[str, str]]:
    return report.verdict, report.broken, report.points, report.finding.diagnosis, dict(report.finding.facts)


@pytest.mark.parametrize("beside", ["true", "kubectl create service clusterip backend-service --tcp=80:8080"])
def test_a_hand_in_tells_elsewhere_what_a_check_told_of_a_changed_ground(
    cluster: ClusterInfo, api: KubeApi, tmp_path: Path, beside: str
) -> None:
    run(f"{beside}; kubectl scale deployment backend --replicas=2", cluster)
    here = told(check(EXERCISE, cluster))
    assert here[:4] == (Verdict.FAIL, Hop.GROUND, 0.0, "ground-changed")
    text = submit(EXERCISE, cluster, tmp_path).path.read_text(encoding="utf-8")
    assert [(item.what, item.field) for item in read(text).ground] == [(BACKEND, "spec.replicas")]
    reset(EXERCISE, cluster, tmp_path)
    wait_ready(api, EXERCISE)
    report, _ = check_with_evidence(
        EXERCISE,
        cluster,
        text=text,
        hostile=True,
        applying=lambda: reproduce(text, EXERCISE, cluster),
        told=read(text).ground,
    )
    assert told(report) == here


def test_a_ground_that_is_as_laid_is_told_of_by_no_hand_in(cluster: ClusterInfo, tmp_path: Path) -> None:
    run(
        "kubectl create service clusterip backend-service --tcp=80:8080; kubectl rollout restart deployment backend",
        cluster,
    )
    assert read(submit(EXERCISE, cluster, tmp_path).path.read_text(encoding="utf-8")).ground == ()
