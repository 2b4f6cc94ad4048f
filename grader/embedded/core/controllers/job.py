"""Jobs: Pods until enough of them have succeeded, or too many have failed.

Source: k8s.io/kubernetes/pkg/controller/job/job_controller.go (syncJob, manageJob), tracking_utils.go,
indexed_job_utils.go, backoff_utils.go, and pkg/controller/ttlafterfinished. Left out: pod failure policies, success
policies and back-off limits of single indexes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grader.embedded.core.controllers import jobpods
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.claiming import owned_pods, queue_owners
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.controllers.pacing import Pace
from grader.embedded.core.controllers.podtemplate import PodRefused, create_pod
from grader.embedded.core.objects import (
    Key,
    condition,
    condition_is_true,
    is_deleting,
    is_pod_active,
    is_pod_finished,
    is_pod_ready,
    key_of,
    parse_time,
    set_condition,
)
from grader.embedded.core.store import Change, Obj, timestamp

COMPONENT = "job-controller"
BURST = 500  # job_controller.go MaxPodCreateDeletePerSync
REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
TOO_OFTEN = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LONG = ("DeadlineExceeded", "Job was active longer than specified deadline")
ENDS = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}
"""What a Job is called when its end is settled, and once its last Pod is gone."""


class JobController(Controller):
    """Runs each Job to its end, and counts."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._pace = Pace(context.kernel)

    def on_change(self, change: Change) -> None:
        """A Job changed, or a Pod of one."""
        if change.resource == "jobs":
            self.queue.add(key_of(change.obj))
        elif change.resource == "pods":
            queue_owners(self.queue, self.store, change, "Job", "jobs")

    def sync(self, key: Key) -> None:
        """Bring one Job on."""
        job = self.store.get("jobs", *key)
        if job is None:
            self._let_go(jobpods.orphans(self.index, key))
        elif any(condition_is_true(job, end) for end in ENDS.values()):
            self._expire(job)
        else:
            self._advance(job)

    def _advance(self, job: Obj) -> None:
        pods = owned_pods(self.index, job)
        counted = jobpods.Count.of(job, pods)
        status: dict[str, Any] = dict(job.get("status") or {})
        if not job["spec"].get("suspend"):
            status.setdefault("startTime", timestamp(self.context.now()))
        target = next((name for name in ENDS if condition_is_true(job, name)), "")
        because = self._failure(job, pods, counted, status)
        if not target and because:
            target = "FailureTarget"
            self._settle(status, target, because)
        if target:
            self._delete(pod for pod in pods if is_pod_active(pod))
        elif not is_deleting(job):
            self._manage(job, pods, counted, status)
        pods = owned_pods(self.index, job)
        active = [pod for pod in pods if is_pod_active(pod)]
        terminating = sum(1 for pod in pods if is_deleting(pod) and not is_pod_finished(pod))
        if not target and not active and counted.reaches(job):
            target = "SuccessCriteriaMet"
            self._settle(status, target, REACHED)
        if target and not active and not terminating:
            self._end(job, status, target)
        status |= {"ready": sum(map(is_pod_ready, active)), "terminating": terminating, "uncountedTerminatedPods": {}}
        numbers = {"active": len(active), "succeeded": counted.succeeded, "failed": counted.failed}
        status = {name: value for name, value in status.items() if name not in numbers}
        status |= {name: number for name, number in numbers.items() if number}
        if counted.indexes:
            status["completedIndexes"] = jobpods.ranges(counted.indexes)
        self.context.update_status("jobs", job, status)
        self._let_go(counted.new)

    def _failure(
        self, job: Obj, pods: list[Obj], counted: jobpods.Count, status: dict[str, Any]
    ) -> tuple[str, str] | None:
        """Why the Job has failed, None while it has not."""
        spec, limit = job["spec"], job["spec"].get("backoffLimit", 6)
        restarts = jobpods.restarts(job, pods)
        if counted.failed > limit or restarts >= max(1, limit):
            return TOO_OFTEN
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None and "startTime" in status:
            left = parse_time(status["startTime"]) + deadline - self.context.now()
            if left <= 0:
                return TOO_LONG
            self.queue.add_after(key_of(job), left)
        return None

    def _manage(self, job: Obj, pods: list[Obj], counted: jobpods.Count, status: dict[str, Any]) -> None:
        """Create or delete Pods, so that as many run as are wanted (manageJob)."""
        active = [pod for pod in pods if is_pod_active(pod)]
        self._suspend(job, status)
        wanted = counted.wanted(job, len(active))
        if len(active) > wanted:
            youngest = sorted(active, key=lambda pod: parse_time(pod["metadata"]["creationTimestamp"]), reverse=True)
            self._delete(youngest[: len(active) - wanted])
        elif len(active) < wanted:
            delay = jobpods.backoff(pods, self.context.now())
            if delay > 0:
                self.queue.add_after(key_of(job), delay)
                return
            count = min(BURST, wanted - len(active))
            for index in jobpods.next_indexes(job, active, counted.indexes, count):
                if seconds := self._pace.take():
                    self.queue.add_after(key_of(job), seconds)
                    return
                self._create(job, index)

    def _suspend(self, job: Obj, status: dict[str, Any]) -> None:
        """Say that the Job is suspended, or goes on again."""
        suspended = bool(job["spec"].get("suspend"))
        if suspended == condition_is_true(job, "Suspended") or (not suspended and condition(job, "Suspended") is None):
            return
        word = "Suspended" if suspended else "Resumed"
        new = {"type": "Suspended", "status": str(suspended), "reason": f"Job{word}", "message": f"Job {word.lower()}"}
        self._add_condition(status, new)
        if suspended:
            status.pop("startTime", None)
        else:
            status["startTime"] = timestamp(self.context.now())
        self.context.recorder.event(job, "Normal", word, f"Job {word.lower()}", COMPONENT)

    def _settle(self, status: dict[str, Any], type_: str, because: tuple[str, str]) -> None:
        self._add_condition(status, {"type": type_, "status": "True", "reason": because[0], "message": because[1]})

    def _add_condition(self, status: dict[str, Any], new: dict[str, Any]) -> None:
        now = self.context.now()
        new = {**new, "lastProbeTime": timestamp(now)}
        status["conditions"] = set_condition(status.get("conditions") or [], new, now)

    def _end(self, job: Obj, status: dict[str, Any], target: str) -> None:
        """Every Pod has ended: the Job is over (enactJobFinished, recordJobFinished)."""
        settled = condition({"status": status}, target)
        assert settled is not None
        self._settle(status, ENDS[target], (settled["reason"], settled["message"]))
        if target == "FailureTarget":
            self.context.recorder.event(job, "Warning", settled["reason"], settled["message"], COMPONENT)
        else:
            status["completionTime"] = timestamp(self.context.now())
            self.context.recorder.event(job, "Normal", "Completed", "Job completed", COMPONENT)

    def _create(self, job: Obj, index: int | None) -> None:
        try:
            pod = create_pod(self.store, jobpods.pod_of(job, index, self.context.random), named=False)
        except PodRefused as refusal:
            self.context.recorder.event(job, "Warning", "FailedCreate", f"Error creating: {refusal}", COMPONENT)
            raise
        message = f"Created pod: {pod['metadata']['name']}"
        self.context.recorder.event(job, "Normal", "SuccessfulCreate", message, COMPONENT)

    def _delete(self, pods: Iterable[Obj]) -> None:
        for pod in pods:
            delete_in_background(self.context, "pods", pod)

    def _let_go(self, pods: Iterable[Obj]) -> None:
        """Take the finalizer off Pods that are counted."""
        for held in pods:
            pod = self.index.pod(key_of(held))
            if pod is None:
                continue
            free = jobpods.without_finalizer(pod)
            if free["metadata"].get("finalizers") or not is_deleting(pod) or not jobpods.may_go(pod):
                self.store.update("pods", free)
            else:
                self.store.delete("pods", *key_of(pod))

    def _expire(self, job: Obj) -> None:
        """Delete a Job that is over and says for how long it stays (ttlafterfinished_controller.go)."""
        self._let_go(pod for pod in owned_pods(self.index, job) if jobpods.is_tracked(pod))
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None or is_deleting(job):
            return
        ended = next(found for end in ENDS.values() if (found := condition(job, end)) is not None)
        left = parse_time(ended["lastTransitionTime"]) + seconds - self.context.now()
        if left > 0:
            self.queue.add_after(key_of(job), left)
        else:
            delete_in_background(self.context, "jobs", job)
