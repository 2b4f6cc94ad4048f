"""StatefulSets: Pods with names that stay, started in order and ended in the reverse of it.

Source: k8s.io/kubernetes/pkg/controller/statefulset (stateful_set.go, stateful_set_control.go,
stateful_pod_control.go).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grader.embedded.core.controllers import revisions, statefulset_claims
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.claiming import candidates, claim, queue_owners
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.controllers.podtemplate import PodRefused, create_pod
from grader.embedded.core.controllers.statefulset_pods import (
    has_identity,
    identity,
    is_created,
    is_member,
    is_running_and_ready,
    is_unavailable,
    new_pod,
    ordinal_of,
    ordinals,
    revision_of,
)
from grader.embedded.core.objects import (
    Key,
    available_after,
    is_deleting,
    is_pod_available,
    is_pod_finished,
    key_of,
    labels_of,
)
from grader.embedded.core.store import Change, Obj, StoreError

COMPONENT = "statefulset-controller"
CLAIM_RETRY = 1.0
"""Seconds until a Pod whose claim is being deleted is tried again."""


@dataclass
class _Work:
    """One look at a StatefulSet.

    Attributes:
        stateful_set: the StatefulSet.
        current: the revision that is being left; the same as `update` where no update is under way.
        update: the revision of the present template.
        replicas: a Pod for each ordinal that there should be; one that is not stored yet has no status.
        condemned: Pods beyond those ordinals, the highest first.
        first_unavailable: the lowest Pod that is not available.
        now: seconds since the epoch.

    """

    stateful_set: Obj
    current: Obj
    update: Obj
    replicas: list[Obj]
    condemned: list[Obj]
    first_unavailable: Obj | None
    now: float

    @property
    def in_order(self) -> bool:
        """Whether one Pod waits for the other (allowsBurst)."""
        return bool(self.stateful_set["spec"].get("podManagementPolicy") != "Parallel")


class StatefulSetController(Controller):
    """Keeps each StatefulSet's Pods, its revisions and its status."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A StatefulSet changed, or a Pod of one, or a Pod that one may adopt."""
        if change.resource == "statefulsets":
            self.queue.add(key_of(change.obj))
        elif change.resource == "pods":
            queue_owners(self.queue, self.store, change, "StatefulSet", "statefulsets")

    def sync(self, key: Key) -> None:
        """Bring one StatefulSet forward. Raises StoreError where it must be tried again."""
        found = self.store.get("statefulsets", *key)
        if found is None:
            return
        known = revisions.revisions_of(self.context, found)
        pods = claim(self.context, found, candidates(self.index, found), lambda pod: is_member(found, pod))
        state = found.get("status") or {}
        update, collisions = revisions.latest(self.context, found, known, state.get("collisionCount") or 0)
        name = state.get("currentRevision")
        current = next((revision for revision in known if revision["metadata"]["name"] == name), update)
        work = _look(found, current, update, pods, self.context.now())
        failure: StoreError | None = None
        ended = 0
        try:
            ended = self._manage(work)
        except StoreError as error:
            failure = error
        self._write_status(work, collisions, ended)
        live = {current["metadata"]["name"], update["metadata"]["name"], *map(revision_of, pods)}
        unused = [revision for revision in known if revision["metadata"]["name"] not in live]
        if (limit := found["spec"].get("revisionHistoryLimit", 10)) >= 0:
            revisions.truncate(self.context, unused, len(unused) - limit)
        if failure is not None:
            raise failure

    # --- Pods

    def _manage(self, work: _Work) -> int:
        """Create, mend and delete Pods; returns how many were ended for an update. Raises StoreError."""
        if is_deleting(work.stateful_set):
            return 0
        if self._for_each(work, work.replicas, self._keep) or self._for_each(work, work.condemned, self._condemn):
            return 0
        strategy = work.stateful_set["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return 0
        return self._roll(work, int((strategy.get("rollingUpdate") or {}).get("partition") or 0))

    def _for_each(self, work: _Work, pods: list[Obj], act: Callable[[_Work, Obj], bool]) -> bool:
        """Act on each Pod; in order, stop at the first that must be waited for, and say so (runForAll)."""
        if work.in_order:
            return any(act(work, pod) for pod in pods)
        left, size = list(pods), 1
        while left:
            batch, left = left[:size], left[size:]
            failures = []
            for pod in batch:
                try:
                    act(work, pod)
                except StoreError as error:
                    failures.append(error)
            if failures:
                raise failures[0]
            size *= 2
        return False

    def _keep(self, work: _Work, pod: Obj) -> bool:
        """Create or mend a Pod that there should be; returns whether to wait for it (processReplica)."""
        stateful_set = work.stateful_set
        if is_pod_finished(pod):
            if not is_deleting(pod):
                self._delete(stateful_set, pod)
            return True
        if not is_created(pod):
            if not statefulset_claims.keep(self.context, stateful_set, pod):
                self.queue.add_after(key_of(stateful_set), CLAIM_RETRY)
                return True
            self._create(stateful_set, pod)
            if work.in_order:
                return True
        elif stateful_set["spec"].get("volumeClaimTemplates"):
            statefulset_claims.keep(self.context, stateful_set, pod)
        waits = is_deleting(pod) or not is_running_and_ready(pod) or is_unavailable(stateful_set, pod, work.now)
        if waits and work.in_order:
            return True
        if is_created(pod) and not has_identity(stateful_set, pod):
            labels = {**labels_of(pod), **identity(stateful_set, ordinal_of(pod))}
            self.store.update("pods", {**pod, "metadata": {**pod["metadata"], "labels": labels}})
            self._event(stateful_set, "update", pod)
        return False

    def _condemn(self, work: _Work, pod: Obj) -> bool:
        """End a Pod beyond the ordinals; returns whether others must wait (processCondemned)."""
        if is_deleting(pod):
            return True
        if is_unavailable(work.stateful_set, pod, work.now) and work.in_order and pod is not work.first_unavailable:
            return True
        statefulset_claims.condemn(self.context, work.stateful_set, pod)
        self._delete(work.stateful_set, pod)
        return True

    def _roll(self, work: _Work, partition: int) -> int:
        """End the highest Pod of another revision, once all above it are available again."""
        update = work.update["metadata"]["name"]
        for pod in reversed(work.replicas[partition:]):
            if revision_of(pod) != update and not is_deleting(pod):
                self._delete(work.stateful_set, pod)
                return 1
            if is_unavailable(work.stateful_set, pod, work.now):
                return 0
        return 0

    def _create(self, stateful_set: Obj, pod: Obj) -> None:
        """Create a Pod, without a word where its name is taken. Raises StoreError."""
        try:
            create_pod(self.store, {**pod, "metadata": dict(pod["metadata"])})
        except PodRefused as refusal:
            self._event(stateful_set, "create", pod, str(refusal))
            raise
        self._event(stateful_set, "create", pod)

    def _delete(self, stateful_set: Obj, pod: Obj) -> None:
        delete_in_background(self.context, "pods", pod)
        self._event(stateful_set, "delete", pod)

    def _event(self, stateful_set: Obj, verb: str, pod: Obj, error: str = "") -> None:
        """Stateful_pod_control.go recordPodEvent."""
        result = f"failed error: {error}" if error else "successful"
        name = stateful_set["metadata"]["name"]
        message = f"{verb.title()} Pod {pod['metadata']['name']} in StatefulSet {name} {result}"
        type_, reason = ("Warning", "Failed") if error else ("Normal", "Successful")
        self.context.recorder.event(stateful_set, type_, f"{reason}{verb.title()}", message, COMPONENT)

    # --- status

    def _write_status(self, work: _Work, collisions: int, ended: int) -> None:
        """Stateful_set_control.go updateStatus, completeRollingUpdate; look again when a Pod becomes available."""
        stateful_set = work.stateful_set
        spec = stateful_set["spec"]
        waiting = int(spec.get("minReadySeconds") or 0)
        current, update = work.current["metadata"]["name"], work.update["metadata"]["name"]
        created = [pod for pod in (*work.replicas, *work.condemned) if is_created(pod)]
        ready = [pod for pod in created if is_running_and_ready(pod)]
        staying = [revision_of(pod) for pod in created if not is_deleting(pod)]
        wanted = spec.get("replicas", 1)
        counts = {
            "readyReplicas": len(ready),
            "currentReplicas": staying.count(current) - ended,
            "updatedReplicas": staying.count(update),
        }
        rolling = (spec.get("updateStrategy") or {}).get("type") == "RollingUpdate"
        if rolling and counts["updatedReplicas"] == counts["readyReplicas"] == len(created) == wanted:
            counts["currentReplicas"], current = counts["updatedReplicas"], update
        status: dict[str, Any] = {
            "observedGeneration": stateful_set["metadata"].get("generation", 1),
            "replicas": len(created),
            "availableReplicas": sum(is_pod_available(pod, waiting, work.now) for pod in ready),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": collisions,
            **{field: count for field, count in counts.items() if count},
        }
        self.context.update_status("statefulsets", stateful_set, status)
        if pending := [left for pod in ready if (left := available_after(pod, waiting, work.now)) > 0]:
            self.queue.add_after(key_of(stateful_set), min(pending) + 0.001)


def _look(stateful_set: Obj, current: Obj, update: Obj, pods: list[Obj], now: float) -> _Work:
    """Sort the Pods into those that there should be and those beyond (updateStatefulSet, its first half)."""
    wanted = ordinals(stateful_set)
    held = {ordinal_of(pod): pod for pod in pods}
    replicas = [held.get(number) or new_pod(stateful_set, current, update, number) for number in wanted]
    beyond = sorted((number for number in held if number >= 0 and number not in wanted), reverse=True)
    condemned = [held[number] for number in beyond]
    in_order = [*replicas, *reversed(condemned)]
    first = next((pod for pod in in_order if is_unavailable(stateful_set, pod, now)), None)
    return _Work(stateful_set, current, update, replicas, condemned, first, now)
