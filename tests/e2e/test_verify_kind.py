"""On a real kind cluster every exercise is sound, and evidence that was saved is judged again alike.

Uses the kind cluster that is current (`grader cluster up --kind`; GRADER_CLUSTER names another).
"""

from __future__ import annotations

import json
import time

import pytest

from grader import exercises
from grader.cluster import info
from grader.cluster.info import ClusterInfo, Provider
from grader.judge import judge
from grader.kube.client import KubeApi
from grader.model.evidence import Evidence
from grader.model.exercise import Exercise, Form
from grader.model.report import Verdict
from grader.workflow import script
from grader.workflow.check import check_with_evidence
from grader.workflow.ground import given_ready
from grader.workflow.reset import reset
from grader.workflow.verify import verify

pytestmark = pytest.mark.kind
EXERCISES = exercises.all_exercises()


@pytest.fixture(scope="module")
def cluster() -> ClusterInfo:
    found = info.load()
    assert found.provider is Provider.KIND, f"{found.name} is not a kind cluster"
    return found


@pytest.mark.parametrize("exercise", EXERCISES, ids=[item.id for item in EXERCISES])
def test_every_answer_passes_and_every_wrong_one_fails_with_its_own_diagnosis(
    exercise: Exercise, cluster: ClusterInfo
) -> None:
    result = verify([exercise], cluster)
    assert [(item.name, item.expected, item.got) for item in result.attempts if not item.sound] == []
    assert len(result.attempts) == 2 + len(exercise.answers) + len(exercise.wrong)


@pytest.mark.parametrize("exercise", EXERCISES, ids=[item.id for item in EXERCISES])
def test_a_check_of_what_has_long_converged_is_quick_and_its_evidence_is_judged_again_alike(
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
    used = time.process_time()
    report, evidence = check_with_evidence(exercise, cluster)
    assert report.verdict is Verdict.PASS
    assert time.process_time() - used < 0.5  # the aim is 0.1 s; see benchmarks for figures
    assert judge(exercise, Evidence.from_json(json.loads(json.dumps(evidence.to_json())))) == report
    reset(exercise, cluster, tmp_path_factory.mktemp("work"))
