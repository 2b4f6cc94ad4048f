"""Observation Pods that somebody deleted are made again by the next check (tests/embedded/cases/probe-deleted.sh)."""

from __future__ import annotations

from pathlib import Path

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.kube.client import KubeApi
from grader.model.report import Verdict
from grader.workflow.check import check
from grader.workflow.session.start import start

PROBES = "course-probe"


def test_a_check_passes_after_the_observation_pods_were_deleted(cluster: ClusterInfo, tmp_path: Path) -> None:
    exercise = exercises.load("clusterip")
    start(exercise, cluster, tmp_path)
    answer = tmp_path / "right-answer.yaml"
    answer.write_text(exercise.answers[0].text, encoding="utf-8")
    assert check(exercise, cluster, manifest=answer, deadline=30.0).verdict is Verdict.PASS
    with KubeApi(cluster.kubeconfig) as api:
        names = {pod["metadata"]["name"] for pod in api.list("pods", PROBES)}
        for name in names:
            api.request("DELETE", f"/api/v1/namespaces/{PROBES}/pods/{name}", {"gracePeriodSeconds": "0"})
        assert check(exercise, cluster, deadline=30.0).verdict is Verdict.PASS
        assert {pod["metadata"]["name"] for pod in api.list("pods", PROBES)} == names
