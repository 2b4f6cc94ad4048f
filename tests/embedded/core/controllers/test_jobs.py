"""Jobs: Pods until enough have succeeded, or too many have failed."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.kinds.strategy import HookContext
from grader.embedded.core.api.kinds.workloads import JobStrategy
from grader.embedded.core.controllers.jobpods import FINALIZER, numbers, ranges
from grader.embedded.core.objects import condition_is_true, with_metadata

Obj = dict[str, Any]
BUSYBOX = "docker.io/library/busybox:1.37"
DONE = ("Completed", "Job completed")


def job(cluster: Any, *command: str, policy: str = "Never", **spec: Any) -> None:
    strategy = JobStrategy()
    new: Obj = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work", "namespace": "default"},
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": policy,
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "main", "image": BUSYBOX, "command": list(command)}],
                }
            },
            **spec,
        },
    }
    strategy.default(new)
    strategy.begin_create(new, HookContext(cluster.store))
    strategy.prepare_create(new, HookContext(cluster.store))
    cluster.store.create("jobs", new)


def status(cluster: Any) -> Obj:
    found: Obj = cluster.store.get("jobs", "default", "work")["status"]
    return found


def pods(cluster: Any) -> list[Obj]:
    return [pod for pod in cluster.store.list("pods", "default") if "job-name" in pod["metadata"].get("labels", {})]


def ends(cluster: Any) -> list[tuple[str, str]]:
    return [(item["type"], item["reason"]) for item in status(cluster).get("conditions", ())]


def test_a_job_of_very_many_pods_begins_with_as_many_as_its_controller_may_ask_for(cluster: Any) -> None:
    job(cluster, "sleep", "600", completions=1_000_000_000, parallelism=100_000, completionMode="Indexed")
    cluster.settle(1)
    pods = cluster.store.list("pods", "default")
    assert 30 <= len(pods) <= 51
    assert {pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in pods} == {
        str(number) for number in range(len(pods))
    }


def test_a_job_is_complete_when_its_pod_has_succeeded_and_keeps_it(cluster: Any) -> None:
    job(cluster, "true")
    cluster.settle()
    assert ends(cluster) == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    assert {k: status(cluster).get(k) for k in ("active", "ready", "terminating", "succeeded", "failed")} == {
        "active": None,
        "ready": 0,
        "terminating": 0,
        "succeeded": 1,
        "failed": None,
    }
    (pod,) = pods(cluster)
    assert FINALIZER not in pod["metadata"].get("finalizers", ())
    assert pod["status"]["phase"] == "Succeeded"
    assert {("SuccessfulCreate", f"Created pod: {pod['metadata']['name']}"), DONE} <= set(cluster.events("work"))


def test_a_job_is_failed_after_more_failures_than_its_limit_each_later_than_the_last(cluster: Any) -> None:
    job(cluster, "false", backoffLimit=2)
    cluster.settle(5)
    assert status(cluster)["failed"] == 1
    cluster.settle(10)
    assert status(cluster)["failed"] == 2
    cluster.settle(15)
    assert ends(cluster) == []
    cluster.settle(10)
    assert ends(cluster) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert len(pods(cluster)) == 3


def test_an_indexed_job_does_each_number_once_and_no_more_at_a_time_than_allowed(cluster: Any) -> None:
    job(cluster, "sleep", "2", completions=3, parallelism=2, completionMode="Indexed")
    cluster.settle(1)
    assert status(cluster)["active"] == 2
    cluster.settle(6)
    assert status(cluster)["completedIndexes"] == "0-2"
    assert condition_is_true({"status": status(cluster)}, "Complete")
    assert sorted(pod["spec"]["hostname"] for pod in pods(cluster)) == ["work-0", "work-1", "work-2"]


def test_a_job_that_takes_too_long_loses_its_pods(cluster: Any) -> None:
    job(cluster, "sleep", "1000", activeDeadlineSeconds=3)
    cluster.settle(2)
    assert status(cluster)["active"] == 1
    cluster.settle(3)
    assert ends(cluster)[-1] == ("Failed", "DeadlineExceeded")
    assert pods(cluster) == []


def test_with_a_job_its_pods_go_also_those_that_are_not_counted_yet(cluster: Any) -> None:
    job(cluster, "sleep", "1000")
    cluster.settle()
    cluster.store.delete("jobs", "default", "work")
    cluster.settle()
    assert pods(cluster) == []


def test_a_deleted_pod_of_a_job_counts_as_a_failure(cluster: Any) -> None:
    job(cluster, "sleep", "1000")
    cluster.settle()
    (pod,) = pods(cluster)
    cluster.store.update("pods", with_metadata(pod, deletionTimestamp="2026-01-01T00:00:00Z"))
    cluster.settle()
    assert status(cluster)["failed"] == 1


def test_a_job_that_is_over_can_be_deleted_after_its_time(cluster: Any) -> None:
    job(cluster, "true", ttlSecondsAfterFinished=5)
    cluster.settle(3)
    assert cluster.store.get("jobs", "default", "work") is not None
    cluster.settle(6)
    assert cluster.store.get("jobs", "default", "work") is None
    assert pods(cluster) == []


def test_a_suspended_job_has_no_pods_until_it_goes_on(cluster: Any) -> None:
    job(cluster, "true", suspend=True)
    cluster.settle()
    assert (pods(cluster), ends(cluster)) == ([], [("Suspended", "JobSuspended")])
    cluster.change("jobs", "work", suspend=False)
    cluster.settle()
    assert [type_ for type_, _ in ends(cluster)] == ["Suspended", "SuccessCriteriaMet", "Complete"]


def test_numbers_are_written_as_ranges() -> None:
    for held, text in (({0}, "0"), ({0, 1}, "0,1"), ({0, 1, 2, 5}, "0-2,5")):
        assert ranges(frozenset(held)) == text
        assert numbers(text) == held
