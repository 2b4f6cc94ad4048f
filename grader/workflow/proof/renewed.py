"""Whether a pass lasts: every Pod of the ground is made anew after it, and the verdict must still be a pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from grader.causes.owners import WORKLOADS
from grader.cluster.info import ClusterInfo
from grader.cluster.provider import Progress
from grader.kube.client import KubeApi
from grader.kube.client import Object as Live
from grader.model.exercise import Exercise
from grader.model.kubernetes import is_ready, is_terminating, name_of, uid_of, workload_of
from grader.model.report import Report, Verdict
from grader.model.vantage import PROBE_POD
from grader.workflow.check import check_with_evidence
from grader.workflow.ground.instruments import ensure_probe
from grader.workflow.ground.laying import wait_until
from grader.workflow.proof.attacks.cluster import worker
from grader.workflow.proof.attacks.hands import Hands, drop, edit_at, put, resource_of
from grader.workflow.proof.attacks.site import Site
from grader.workflow.proof.together import Shock, Standing, Struck, Way, together
from grader.workflow.proof.verify import Attempt, Task, VerifyResult, solve

RENEWED = "renewed"
DRAINED = "node-drained"
SECONDS, PAUSE = 60.0, 0.05


def renewals(exercise: Exercise) -> tuple[Task, ...]:
    """List every answer as an attempt that must outlive all Pods; none of an exercise that is exempt."""
    if exercise.renewed_exempt:
        return ()
    return tuple(
        Task(RENEWED, answer.name, answer.text, "pass", answer.form, run=_outlived) for answer in exercise.answers
    )


def _outlived(api: KubeApi, exercise: Exercise, cluster: ClusterInfo, task: Task, deadline: float) -> Attempt:
    """Solve an exercise, make its Pods anew, and judge again."""
    begun = time.monotonic()
    report, ran = solve(api, exercise, cluster, task, deadline)
    got = report.verdict.value
    if report.verdict is Verdict.PASS:
        renew(api, exercise)
        report, _ = check_with_evidence(exercise, cluster, deadline=deadline, api=api)
        got = report.verdict.value if report.verdict is Verdict.PASS else f"pass, then {report.verdict.value}"
    seconds = round(time.monotonic() - begun, 3)
    return Attempt(exercise.id, RENEWED, task.name, "pass", got, got == "pass", seconds, report, ran.output)


def renew(api: KubeApi, exercise: Exercise) -> None:
    """Delete every Pod of a workload in the exercise's Namespaces, and the probe, and wait until all is as it was.

    Raises EnvironmentError_ ("given-not-ready"), ClusterUnreachable.
    """
    stood = _counts(api, exercise)
    old = _delete(api, exercise, lambda pod: True)
    ensure_probe(api, exercise.namespace)
    _until(api, exercise, lambda: _gone(api, exercise, old) and _counts(api, exercise) == stood)


def _delete(api: KubeApi, exercise: Exercise, chosen: Callable[[Live], bool]) -> set[str]:
    """Delete Pods of workloads, and the probe where it is among the chosen; return their UIDs."""
    old = set()
    for namespace in exercise.all_namespaces:
        for pod in api.list("pods", namespace):
            if chosen(pod) and (pod["metadata"].get("ownerReferences") or name_of(pod) == PROBE_POD):
                api.delete("pods", name_of(pod), namespace, grace_seconds=0)
                old.add(uid_of(pod))
    return old


def _counts(api: KubeApi, exercise: Exercise) -> dict[str, tuple[int, int, int]]:
    """Tell of every workload how many Pods there are, how many it knows of, and how many are ready."""
    found = {}
    for namespace in exercise.all_namespaces:
        pods = [pod for pod in api.list("pods", namespace) if not is_terminating(pod)]
        for plural in WORKLOADS.values():
            for item in api.list(plural, namespace):
                own = [pod for pod in pods if workload_of(pod) == (item["kind"], name_of(item))]
                status = item.get("status", {})
                known = status.get("currentNumberScheduled" if plural == "daemonsets" else "replicas", 0)
                found[uid_of(item)] = (len(own), int(known), sum(map(is_ready, own)))
        found[namespace] = (0, 0, sum(is_ready(pod) for pod in pods if name_of(pod) == PROBE_POD))
    return found


def _gone(api: KubeApi, exercise: Exercise, old: set[str]) -> bool:
    return not any(uid_of(pod) in old for namespace in exercise.all_namespaces for pod in api.list("pods", namespace))


def _until(api: KubeApi, exercise: Exercise, holds: Callable[[], bool]) -> None:
    wait_until(api, holds, SECONDS, PAUSE, exercise=exercise.id, namespace=exercise.namespace)


# -- a node is drained ------------------------------------------------------------------------------------------------


def drain(
    exercises: Sequence[Exercise],
    cluster: ClusterInfo,
    progress: Progress | None = None,
    *,
    only: Sequence[str] = (),
    deadline: float = 60.0,
    parallel: int | None = None,
    way: Way | None = None,
) -> VerifyResult:
    """Drain a node under the reference answers of all exercises, and take it back. Arguments and errors: `together`."""

    def stand(api: KubeApi, exercise: Exercise, where: ClusterInfo) -> None:
        Hands(api, where, Site(exercise)).answer()
        check_with_evidence(exercise, where, deadline=deadline, api=api)

    standing = [exercise for exercise in exercises if not exercise.renewed_exempt]
    shocks = (Shock(DRAINED, _drained, _told),)
    return together(
        standing, cluster, shocks, stand, progress, only=only, deadline=deadline, parallel=parallel, way=way
    )


def _drained(api: KubeApi, grounds: Sequence[Standing]) -> Struck:
    node = name_of(worker(api))
    path = resource_of("Node").path(name=node)
    stood = [_counts(api, ground.exercise) for ground in grounds]
    edit_at(api, path, put(("spec", "unschedulable"), True))
    try:
        olds = [_delete(api, ground.exercise, lambda pod: pod["spec"].get("nodeName") == node) for ground in grounds]
        for ground, old, before in zip(grounds, olds, stood, strict=True):
            ensure_probe(api, ground.exercise.namespace)
            _until(api, ground.exercise, partial(_replaced, api, ground.exercise, old, before))
    finally:
        edit_at(api, path, drop(("spec", "unschedulable")))
    for ground, before in zip(grounds, stood, strict=True):
        _until(api, ground.exercise, partial(_same, api, ground.exercise, before))
    return Struck(lambda: None, (node,))


def _replaced(api: KubeApi, exercise: Exercise, old: set[str], before: dict[str, tuple[int, int, int]]) -> bool:
    """Tell whether there is a Pod in the place of each that was deleted, ready or not."""
    now = _counts(api, exercise)
    return _gone(api, exercise, old) and all(now[key][0] == counts[0] for key, counts in before.items())


def _same(api: KubeApi, exercise: Exercise, before: dict[str, tuple[int, int, int]]) -> bool:
    return _counts(api, exercise) == before


def _told(exercise: Exercise, report: Report, _struck: Struck, seconds: float) -> Attempt:
    got = report.verdict.value
    return Attempt(exercise.id, RENEWED, DRAINED, "pass", got, got == "pass", round(seconds, 3), report)
