"""Attempts are judged inside of processes as on a cluster that listens; what needs kubectl is counted."""

from __future__ import annotations

import sys
import threading
import types

import pytest

from grader import exercises
from grader.cluster.inprocess import Inside
from grader.model.exercise import Form
from grader.model.report import Verdict
from grader.workflow.check import check_with_evidence
from grader.workflow.ground.record import record_clusters_own
from grader.workflow.proof import inprocess
from grader.workflow.proof.attacks.cluster import SHOCKS, attack_cluster
from grader.workflow.proof.attacks.run import attack_tasks
from grader.workflow.proof.handing import handing_in
from grader.workflow.proof.inprocess import shaken_in_process, verify_in_process
from grader.workflow.proof.renewed import DRAINED, drain, renewals
from grader.workflow.proof.verify import VerifyResult, standing, tasks

CHOSEN = ("nodeport", "debug-extra-slice")


def test_manifests_come_out_as_expected_and_scripts_are_left_out() -> None:
    chosen = [exercises.load(name) for name in CHOSEN]
    told: list[str] = []
    only = [task.name for exercise in chosen for task in tasks(exercise)[:8]]
    result, left_out = verify_in_process(
        chosen, lambda _, facts: told.append(facts["sound"]), make=tasks, only=only, parallel=2
    )
    every = [task for exercise in chosen for task in tasks(exercise) if task.name in only]
    scripts = [task for task in every if task.text is not None and task.form is Form.SCRIPT]
    assert left_out == len(scripts) > 0
    assert len(result.attempts) == len(every) - len(scripts) == len(told)
    assert [(item.exercise, item.name, item.got) for item in result.attempts if not item.sound] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere libraries may not bear a fork")
@pytest.mark.parametrize(("threads", "loaded"), [(1, True), (2, False)])
def test_workers_have_what_is_loaded_unless_a_thread_forbids_to_fork(
    threads: int, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    monkeypatch.setitem(sys.modules, LOADED, types.ModuleType(LOADED))
    with inprocess._processes(1) as pool:
        assert pool.submit(is_loaded).result() is loaded


LOADED = "loaded_here_only"


def is_loaded() -> bool:
    return LOADED in sys.modules


EXPORTED = """\
apiVersion: v1
kind: Service
metadata:
  creationTimestamp: "2026-11-29T09:00:00Z"
  name: backend-service
  resourceVersion: "777"
  uid: 6a1f5f0e-0000-4000-8000-000000000777
spec:
  clusterIP: 10.96.77.7
  clusterIPs: [10.96.77.7]
  internalTrafficPolicy: Cluster
  ipFamilies: [IPv4]
  ipFamilyPolicy: SingleStack
  ports: [{port: 80, protocol: TCP, targetPort: 8080}]
  selector: {app: backend}
  sessionAffinity: None
  type: ClusterIP
status: {loadBalancer: {}}
"""


@pytest.mark.parametrize("hostile", [False, True])
def test_what_kubectl_get_wrote_is_judged_as_what_it_says(hostile: bool) -> None:
    # kubectl creates without the resourceVersion; a server that is given one answers 500, as a broken one does
    inside, exercise = Inside("exported"), exercises.load("clusterip")
    with inside.api() as api, standing(api, exercise) as anew:
        record_clusters_own(api, inside.info)
        anew()
        report, _ = check_with_evidence(exercise, inside.info, text=EXPORTED, hostile=hostile, api=api)
    assert (report.verdict, report.points) == (Verdict.PASS, exercise.points)


def unsound(result: VerifyResult) -> list[tuple[str, str, str]]:
    return [(item.exercise, item.name, item.got) for item in result.attempts if not item.sound]


def test_answers_are_attacked_handed_in_and_outlive_their_pods() -> None:
    chosen = [exercises.load("clusterip")]
    attacked, _ = verify_in_process(
        chosen, make=attack_tasks, only=["service-going", "stray", "labels-added"], parallel=1
    )
    assert {item.kind for item in attacked.attempts} == {"attack", "harmless"}
    handed, _ = verify_in_process(chosen, make=handing_in, parallel=1)
    renewed, _ = verify_in_process(chosen, make=renewals, parallel=1)
    assert len(handed.attempts) == len(renewed.attempts) == len(chosen[0].answers)
    assert [unsound(result) for result in (attacked, handed, renewed)] == [[], [], []]


def test_exercises_stand_on_one_cluster_while_something_happens_to_it_but_those_whose_answer_is_a_script() -> None:
    chosen = [exercises.load(name) for name in ("clusterip", "external-endpoints", "debug-named-port")]
    assert {item.form for item in chosen[1].answers} == {Form.SCRIPT}
    shaken = shaken_in_process(chosen, shake=attack_cluster, only=["node-cordoned", "corefile-rewritten"], parallel=1)
    drained = shaken_in_process(chosen, shake=drain, parallel=1)
    assert (
        {item.name for item in shaken.attempts}
        == {"node-cordoned", "corefile-rewritten"}
        < {shock.name for shock in SHOCKS}
    )
    assert [(item.exercise, item.name) for item in drained.attempts] == [
        ("clusterip", DRAINED),
        ("debug-named-port", DRAINED),
    ]
    assert [unsound(result) for result in (shaken, drained)] == [[], []]
