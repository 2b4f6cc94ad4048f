"""DaemonSets: one Pod on each node that takes it.

Source: k8s.io/kubernetes/pkg/controller/daemon (daemon_controller.go, update.go). The back-off with which failed Pods
are replaced is left out: a Pod of a DaemonSet is restarted where it is, and no kubelet here rejects one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from grader.embedded.core.controllers import revisions
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.claiming import candidates, claim, owned_pods, queue_owners
from grader.embedded.core.controllers.daemonset_pods import belongs_on, is_updated, new_pod, target_node
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.controllers.podtemplate import PodRefused, create_pod, template_hash
from grader.embedded.core.controllers.rollout import resolve
from grader.embedded.core.objects import (
    Key,
    available_after,
    is_deleting,
    is_pod_available,
    is_pod_finished,
    is_pod_ready,
    key_of,
    labels_of,
    safe_random,
)
from grader.embedded.core.store import Change, Obj, StoreError

COMPONENT = "daemonset-controller"


@dataclass
class _Work:
    """One look at a DaemonSet.

    Attributes:
        daemon_set: the DaemonSet.
        digest: the hash of its present template's revision.
        nodes: all nodes.
        pods: its Pods by the node that they are on or meant for.
        now: seconds since the epoch.
        start: names of nodes on which a Pod is to be created.
        end: Pods to be deleted.

    """

    daemon_set: Obj
    digest: str
    nodes: list[Obj]
    pods: dict[str, list[Obj]]
    now: float
    start: list[str] = field(default_factory=list)
    end: list[Obj] = field(default_factory=list)

    def is_available(self, pod: Obj) -> bool:
        """Whether the Pod has been ready for long enough."""
        return is_pod_available(pod, self.daemon_set["spec"].get("minReadySeconds") or 0, self.now)

    def limits(self) -> tuple[int, int, int]:
        """How many Pods there should be, how many may be unavailable, and how many more there may be."""
        wanted = sum(belongs_on(self.daemon_set, node)[0] for node in self.nodes)
        strategy = self.daemon_set["spec"].get("updateStrategy") or {}
        rolling = (strategy.get("rollingUpdate") or {}) if strategy.get("type") == "RollingUpdate" else {}
        unavailable = resolve(rolling.get("maxUnavailable", 0), wanted, up=True)
        surge = resolve(rolling.get("maxSurge", 0), wanted, up=True)
        return wanted, 1 if wanted and not unavailable and not surge else unavailable, surge

    def old_and_new(self, node: str) -> tuple[list[Obj], list[Obj]]:
        """The Pods of a node that are to stay, those of another template and those of the present one."""
        old: list[Obj] = []
        new: list[Obj] = []
        for pod in self.pods.get(node, ()):
            if not is_deleting(pod):
                (new if is_updated(self.daemon_set, pod, self.digest) else old).append(pod)
        return old, new


class DaemonSetController(Controller):
    """Keeps each DaemonSet's Pods, its revisions and its status."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A DaemonSet changed, a node's labels or taints, a Pod of a DaemonSet, or a Pod that one may adopt."""
        if change.resource == "daemonsets":
            self.queue.add(key_of(change.obj))
        elif change.resource == "nodes":
            before, after = (
                (_labels_and_taints(node) if node is not None else None) for node in (change.old, change.obj)
            )
            if before != after:
                for daemon_set in self.store.list("daemonsets"):
                    self.queue.add(key_of(daemon_set))
        elif change.resource == "pods":
            queue_owners(self.queue, self.store, change, "DaemonSet", "daemonsets")

    def sync(self, key: Key) -> None:
        """Bring one DaemonSet forward. Raises StoreError where it must be tried again."""
        found = self.store.get("daemonsets", *key)
        if found is None or is_deleting(found):
            return
        known = revisions.revisions_of(self.context, found)
        collisions = (found.get("status") or {}).get("collisionCount") or 0
        current, collisions = revisions.latest(
            self.context, found, known, collisions, label=revisions.POD_LABEL,
            digest=lambda data, number: template_hash(found["spec"]["template"], number),
        )  # fmt: skip
        digest = labels_of(current).get(revisions.POD_LABEL, "")
        claim(self.context, found, candidates(self.index, found))
        failure: StoreError | None = None
        try:
            self._update(found, digest)
        except StoreError as error:
            failure = error
        else:
            live = {labels_of(pod).get(revisions.POD_LABEL) for pod in owned_pods(self.index, found)}
            old = [item for item in known if item["metadata"]["name"] != current["metadata"]["name"]]
            unused = [item for item in old if labels_of(item).get(revisions.POD_LABEL) not in live]
            revisions.truncate(self.context, unused, len(old) - found["spec"].get("revisionHistoryLimit", 10))
        self._write_status(self._look(found, digest), collisions)
        if failure is not None:
            raise failure

    def _look(self, daemon_set: Obj, digest: str) -> _Work:
        pods: dict[str, list[Obj]] = {}
        for pod in owned_pods(self.index, daemon_set):
            node = target_node(pod)
            if node and not (is_pod_finished(pod) and is_deleting(pod)):
                pods.setdefault(node, []).append(pod)
        for held in pods.values():
            held.sort(key=_age_order)
        return _Work(daemon_set, digest, self.store.list("nodes"), pods, self.context.now())

    def _update(self, daemon_set: Obj, digest: str) -> None:
        """First what there should be on each node, and only where that is so, an update. Raises StoreError."""
        work = self._look(daemon_set, digest)
        for node in work.nodes:
            self._settle_node(work, node)
        names = {node["metadata"]["name"] for node in work.nodes}
        for name, pods in work.pods.items():
            if name not in names:
                work.end += [pod for pod in pods if not pod["spec"].get("nodeName")]
        if not work.start and not work.end:
            if (daemon_set["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
                _, unavailable, surge = work.limits()
                if surge:
                    _roll_by_surge(work)
                else:
                    _roll(work, unavailable)
        self._carry_out(work)

    def _settle_node(self, work: _Work, node: Obj) -> None:
        """Which Pods a node lacks, and which it has too many (podsShouldBeOnNode)."""
        name = node["metadata"]["name"]
        starts, stays = belongs_on(work.daemon_set, node)
        if starts and name not in work.pods:
            work.start.append(name)
        elif not stays:
            work.end += [pod for pod in work.pods.get(name, ()) if not is_deleting(pod)]
        else:
            running = []
            for pod in work.pods.get(name, ()):
                if not is_deleting(pod) and is_pod_finished(pod):
                    self._tell_finished(work.daemon_set, pod, name)
                    work.end.append(pod)
                elif not is_deleting(pod):
                    running.append(pod)
            if work.limits()[2]:
                _settle_surge(work, name, running, starts)
            else:
                work.end += running[1:]

    def _tell_finished(self, daemon_set: Obj, pod: Obj, node: str) -> None:
        namespace, name = key_of(pod)
        phase = pod["status"]["phase"].lower()
        type_, verb = ("Warning", "kill") if phase == "failed" else ("Normal", "delete")
        message = f"Found {phase} daemon pod {namespace}/{name} on node {node}, will try to {verb} it"
        self.context.recorder.event(daemon_set, type_, f"{phase.title()}DaemonPod", message, COMPONENT)

    def _carry_out(self, work: _Work) -> None:
        """Create and delete (syncNodes). Raises StoreError for what could not be created."""
        namespace, name = key_of(work.daemon_set)
        failure: StoreError | None = None
        for node in work.start:
            pod_name = f"{name}-"[:58] + safe_random(self.context.random)
            while self.store.get("pods", namespace, pod_name) is not None:
                pod_name = f"{name}-"[:58] + safe_random(self.context.random)
            try:
                create_pod(self.store, new_pod(work.daemon_set, pod_name, node, work.digest), named=False)
            except PodRefused as refusal:
                message = f"Error creating: {refusal}"
                self.context.recorder.event(work.daemon_set, "Warning", "FailedCreate", message, COMPONENT)
                failure = refusal
                break
            self._event(work.daemon_set, "SuccessfulCreate", f"Created pod: {pod_name}")
        for pod in work.end:
            delete_in_background(self.context, "pods", pod)
            self._event(work.daemon_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        if failure is not None:
            raise failure

    def _event(self, daemon_set: Obj, reason: str, message: str) -> None:
        self.context.recorder.event(daemon_set, "Normal", reason, message, COMPONENT)

    def _write_status(self, work: _Work, collisions: int) -> None:
        """UpdateDaemonSetStatus; look again when a Pod becomes available."""
        daemon_set = work.daemon_set
        wanted = [node["metadata"]["name"] for node in work.nodes if belongs_on(daemon_set, node)[0]]
        oldest = [work.pods[name][0] for name in wanted if work.pods.get(name)]
        ready = [pod for pod in oldest if is_pod_ready(pod)]
        available = sum(map(work.is_available, ready))
        misplaced = sum(node["metadata"]["name"] in work.pods for node in work.nodes) - len(oldest)
        optional = {
            "updatedNumberScheduled": sum(is_updated(daemon_set, pod, work.digest) for pod in oldest),
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
            "collisionCount": collisions,
        }
        status: dict[str, Any] = {
            "currentNumberScheduled": len(oldest),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": misplaced,
            "numberReady": len(ready),
            "observedGeneration": daemon_set["metadata"].get("generation", 1),
            **{name: count for name, count in optional.items() if count},
        }
        self.context.update_status("daemonsets", daemon_set, status)
        waiting = int(daemon_set["spec"].get("minReadySeconds") or 0)
        if pending := [left for pod in ready if (left := available_after(pod, waiting, work.now)) > 0]:
            self.queue.add_after(key_of(daemon_set), min(pending) + 0.001)


def _labels_and_taints(node: Obj) -> tuple[Any, Any]:
    return labels_of(node), node["spec"].get("taints")


def _age_order(pod: Obj) -> tuple[bool, str, str]:
    """Scheduled Pods first, then the oldest (podByCreationTimestampAndPhase)."""
    metadata = pod["metadata"]
    return not pod["spec"].get("nodeName"), metadata["creationTimestamp"], metadata["name"]


def _settle_surge(work: _Work, node: str, running: list[Obj], starts: bool) -> None:
    """Two Pods on a node only while the old one is ready and the new one is not yet."""
    if not running and starts:
        work.start.append(node)
    if len(running) <= 1:
        return
    new = [pod for pod in running if labels_of(pod).get(revisions.POD_LABEL) == work.digest]
    old = [pod for pod in running if labels_of(pod).get(revisions.POD_LABEL) != work.digest]
    work.end += [*new[1:], *old[1:]]
    if new and old and (not is_pod_ready(old[0]) or work.is_available(new[0])):
        work.end.append(old[0])


def _roll(work: _Work, max_unavailable: int) -> None:
    """End old Pods, as many as may be unavailable (update.go rollingUpdate without surge)."""
    wanted = {node["metadata"]["name"] for node in work.nodes if belongs_on(work.daemon_set, node)[0]}
    unavailable = 0
    replaced: list[Obj] = []
    others: list[Obj] = []
    for node in sorted({*work.pods, *wanted}):
        old, new = work.old_and_new(node)
        if len(old) + len(new) != 1:
            unavailable += 1  # what is missing or too much is settled by the next look
        elif new:
            unavailable += not work.is_available(new[0])
        elif not work.is_available(old[0]):
            replaced.append(old[0])
            unavailable += 1
        elif unavailable < max_unavailable:
            others.append(old[0])
    work.end += [*replaced, *others[: max(0, max_unavailable - unavailable)]]


def _roll_by_surge(work: _Work) -> None:
    """Start new Pods beside old ones, and end the old when those are available (update.go rollingUpdate with surge)."""
    desired, _, surge = work.limits()
    nodes = {node["metadata"]["name"]: node for node in work.nodes}
    surging = available = 0
    at_once: list[str] = []
    others: list[str] = []
    misplaced: list[Obj] = []
    for name in sorted(work.pods):
        old, new = work.old_and_new(name)
        if len(old) > 1 or len(new) > 1:
            surging += 1
            continue
        available += bool(old or new) and work.is_available((old or new)[0])
        if not old:
            continue
        belongs = name in nodes and belongs_on(work.daemon_set, nodes[name])[0]
        if new and not work.is_available(new[0]):
            surging += 1
        elif new:
            work.end.append(old[0])
        elif work.is_available(old[0]):
            if not belongs:
                misplaced.append(old[0])
            elif surging < surge:
                others.append(name)
        elif belongs:
            at_once.append(name)
        else:
            work.end.append(old[0])
    work.end += misplaced[: max(0, available - desired)]
    work.start += [*at_once, *others[: max(0, surge - surging)]]
