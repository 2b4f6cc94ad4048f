"""The Pods of Jobs: how they are made, and what they count for.

Source: k8s.io/kubernetes/pkg/controller/job/job_controller.go (getNewFinishedPods, manageJob,
pastBackoffLimitOnFailure), tracking_utils.go, indexed_job_utils.go, backoff_utils.go.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from grader.embedded.core.controllers.podtemplate import pod_from_template
from grader.embedded.core.index import Index
from grader.embedded.core.objects import (
    Key,
    controller_of,
    is_deleting,
    is_pod_finished,
    labels_of,
    parse_time,
    safe_random,
)
from grader.embedded.core.store import Obj

FINALIZER = "batch.kubernetes.io/job-tracking"
"""Held by each Pod until it is counted."""
INDEX = "batch.kubernetes.io/job-completion-index"
FIRST_DELAY, LAST_DELAY = 10.0, 600.0
"""Seconds from a failure to the next Pod, doubled for each further failure."""


def is_tracked(pod: Obj) -> bool:
    """Whether the Pod has not been counted yet."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def without_finalizer(pod: Obj) -> Obj:
    """The Pod as one that has been counted."""
    rest = [name for name in pod["metadata"].get("finalizers") or () if name != FINALIZER]
    metadata = {key: value for key, value in pod["metadata"].items() if key != "finalizers"}
    return {**pod, "metadata": {**metadata, "finalizers": rest} if rest else metadata}


def may_go(pod: Obj) -> bool:
    """Whether nothing runs any more of a Pod that is being deleted."""
    return is_pod_finished(pod) or not pod["metadata"].get("deletionGracePeriodSeconds")


def orphans(index: Index, job: Key) -> list[Obj]:
    """Pods that wait to be counted for a Job of that name that is gone (syncOrphanPod)."""
    found = []
    for pod in index.pods(job[0]):
        reference = controller_of(pod)
        if reference is not None and (reference["kind"], reference["name"]) == ("Job", job[1]) and is_tracked(pod):
            found.append(pod)
    return found


def is_indexed(job: Obj) -> bool:
    """Whether each completion has a number of its own."""
    return bool(job["spec"].get("completionMode") == "Indexed")


@dataclass(frozen=True)
class Count:
    """What has come of a Job's Pods so far.

    Attributes:
        succeeded: how many have done their work.
        failed: how many have not.
        indexes: which completions are done, where they have numbers.
        new: the Pods that were not counted before.
    """

    succeeded: int
    failed: int
    indexes: frozenset[int]
    new: tuple[Obj, ...]

    @classmethod
    def of(cls, job: Obj, pods: list[Obj]) -> Count:
        """Count (trackJobStatusAndRemoveFinalizers)."""
        status = job.get("status") or {}
        replaced_late = job["spec"].get("podReplacementPolicy") == "Failed"
        succeeded, failed = [], []
        for pod in filter(is_tracked, pods):
            phase = (pod.get("status") or {}).get("phase")
            if phase == "Succeeded":
                succeeded.append(pod)
            elif phase == "Failed" or (is_deleting(pod) and not replaced_late):
                failed.append(pod)
        done = status.get("succeeded", 0) + len(succeeded)
        indexes = frozenset[int]()
        if is_indexed(job):
            new = {int(labels_of(pod)[INDEX]) for pod in succeeded if INDEX in labels_of(pod)}
            indexes = numbers(status.get("completedIndexes") or "") | new
            done = len(indexes)
        return cls(done, status.get("failed", 0) + len(failed), indexes, (*succeeded, *failed))

    def wanted(self, job: Obj, active: int) -> int:
        """How many Pods should run (manageJob)."""
        spec = job["spec"]
        parallelism = 0 if spec.get("suspend") else int(spec.get("parallelism", 1))
        if spec.get("completions") is None:
            return min(active, parallelism) if self.succeeded else parallelism
        return max(0, min(parallelism, int(spec["completions"]) - self.succeeded))

    def reaches(self, job: Obj) -> bool:
        """Whether that is enough, once nothing runs any more."""
        completions = job["spec"].get("completions")
        return self.succeeded > 0 if completions is None else self.succeeded >= int(completions)


def restarts(job: Obj, pods: list[Obj]) -> int:
    """How often containers were started again, where that counts as failing (pastBackoffLimitOnFailure)."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return 0
    held = [pod.get("status") or {} for pod in pods if not is_pod_finished(pod)]
    lists = (status.get(name) or () for status in held for name in ("initContainerStatuses", "containerStatuses"))
    return sum(container.get("restartCount", 0) for containers in lists for container in containers)


def backoff(pods: list[Obj], now: float) -> float:
    """Seconds until the next Pod may be made, after failures since the last success (getRemainingTime)."""
    ended: dict[str, list[float]] = {"Succeeded": [], "Failed": []}
    for pod in pods:
        status = pod.get("status") or {}
        states = [(held.get("state") or {}).get("terminated") or {} for held in status.get("containerStatuses") or ()]
        times = [parse_time(state["finishedAt"]) for state in states if state.get("finishedAt")]
        if times and status.get("phase") in ended:
            ended[status["phase"]].append(max(times))
    failures = [time for time in ended["Failed"] if time > max(ended["Succeeded"], default=0.0)]
    if not failures:
        return 0.0
    delay: float = min(LAST_DELAY, FIRST_DELAY * 2 ** (len(failures) - 1))
    return delay - (now - max(failures))


def next_indexes(job: Obj, active: list[Obj], done: frozenset[int], count: int) -> Sequence[int | None]:
    """The numbers of the next Pods (firstPendingIndexes); None where a Pod has none."""
    if not is_indexed(job):
        return [None] * count
    taken = done | {int(labels_of(pod)[INDEX]) for pod in active if INDEX in labels_of(pod)}
    return list(islice((number for number in range(job["spec"]["completions"]) if number not in taken), count))


def pod_of(job: Obj, index: int | None, random_: random.Random) -> Obj:
    """A Pod of the Job, not yet admitted."""
    prefix = f"{job['metadata']['name']}-" if index is None else f"{job['metadata']['name']}-{index}-"
    pod = pod_from_template(job, prefix[:58] + safe_random(random_))
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["generateName"] = prefix
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), FINALIZER]
    if index is not None:
        metadata["labels"][INDEX] = str(index)
        metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: str(index)}
        spec["hostname"] = f"{job['metadata']['name']}-{index}"
        for container in [*(spec.get("initContainers") or ()), *spec.get("containers", ())]:
            _tell_index(container)
    return pod


def _tell_index(container: dict[str, Any]) -> None:
    """Name the variable that has the Pod's number (addCompletionIndexEnvVariable)."""
    env = container.setdefault("env", [])
    if all(variable["name"] != "JOB_COMPLETION_INDEX" for variable in env):
        source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
        env.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": source})


def ranges(indexes: frozenset[int]) -> str:
    """Numbers as a status has them: "0-2,5" (orderedIntervals.String)."""
    spans: list[list[int]] = []
    for number in sorted(indexes):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    # two in a row are written "0,1", only more of them with a dash
    texts = (str(a) if a == b else f"{a},{b}" if b == a + 1 else f"{a}-{b}" for a, b in spans)
    return ",".join(texts)


def numbers(text: str) -> frozenset[int]:
    """What `ranges` has written."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
