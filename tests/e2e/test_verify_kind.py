"""On a real kind cluster every exercise is sound, and evidence that was saved is judged again alike.

Uses the kind cluster that is current (`grader cluster up --kind`; GRADER_CLUSTER names another).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from grader import exercises
from grader.cluster.info import ClusterInfo
from grader.judge import judge
from grader.kube.client import KubeApi
from grader.model.evidence import Evidence
from grader.model.exercise import Exercise, Form
from grader.model.report import Verdict
from grader.paths import write_atomically
from grader.workflow.check import check_with_evidence
from grader.workflow.ground.laying import given_ready
from grader.workflow.proof import script
from grader.workflow.proof.verify import verify
from grader.workflow.session.reset import reset
from tests.clusters import real
from tests.e2e.part import attempts, mine

pytestmark = pytest.mark.kind
REPORT = "GRADER_E2E_REPORT"
"""Names the file into which the results go, for `grader verify --compare`."""
EXERCISES = exercises.all_exercises()


@pytest.fixture(scope="module")
def cluster() -> ClusterInfo:
    return real()


def test_every_answer_passes_and_every_wrong_one_fails_with_its_own_diagnosis(cluster: ClusterInfo) -> None:
    result = verify(EXERCISES, cluster, make=attempts)
    if report := os.environ.get(REPORT):
        write_atomically(Path(report), json.dumps(result.to_json(), ensure_ascii=False, indent=1) + "\n")
    assert [(item.exercise, item.name, item.expected, item.got) for item in result.attempts if not item.sound] == []
    assert len(result.attempts) == sum(len(attempts(item)) for item in EXERCISES)


@pytest.mark.parametrize("exercise", mine(EXERCISES), ids=[item.id for item in mine(EXERCISES)])
def test_a_check_of_what_has_long_converged_is_a_pass_and_its_evidence_is_judged_again_alike(
    exercise: Exercise, cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    reset(exercise, cluster, tmp_path_factory.mktemp("work"))
    with KubeApi(cluster.kubeconfig) as api:
        begun = time.monotonic()
        while not given_ready(api, exercise):
            assert time.monotonic() - begun < 120
    reference = exercise.answers[0]
    if reference.form is Form.SCRIPT:
        assert script.run(reference.text, exercise.namespace, cluster, strict=True).status == 0
    text = reference.text if reference.form is Form.MANIFEST else None
    assert check_with_evidence(exercise, cluster, text=text)[0].verdict is Verdict.PASS
    report, evidence = check_with_evidence(exercise, cluster)
    assert report.verdict is Verdict.PASS
    assert judge(exercise, Evidence.from_json(json.loads(json.dumps(evidence.to_json())))) == report
    with KubeApi(cluster.kubeconfig) as api:  # the Pods of all exercises together are a load for those that follow
        for namespace in exercise.all_namespaces:
            api.delete("namespaces", namespace)
