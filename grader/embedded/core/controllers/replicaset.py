"""ReplicaSets: as many Pods of a template as asked for.

Source: k8s.io/kubernetes/pkg/controller/replicaset/replica_set.go, replica_set_utils.go; the order in which Pods are
given up is pkg/controller/controller_utils.go ActivePodsWithRanks.
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.claiming import candidates, claim, owned_pods, queue_owners
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.controllers.pacing import Pace
from grader.embedded.core.controllers.podtemplate import PodRefused, create_pod, pod_from_template
from grader.embedded.core.objects import (
    Key,
    condition,
    is_deleting,
    is_pod_active,
    is_pod_finished,
    is_pod_ready,
    key_of,
    labels_of,
    parse_time,
    safe_random,
)
from grader.embedded.core.store import Change, Obj, timestamp

COMPONENT = "replicaset-controller"
BURST = 500  # Pods made or given up in one pass (replica_set.go BurstReplicas)


class ReplicaSetController(Controller):
    """Keeps each ReplicaSet's number of Pods, and its status."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._pace = Pace(context.kernel)

    def on_change(self, change: Change) -> None:
        """A ReplicaSet changed, or a Pod of one, or a Pod that one may adopt."""
        if change.resource == "replicasets":
            self.queue.add(key_of(change.obj))
        elif change.resource == "pods":
            queue_owners(self.queue, self.store, change, "ReplicaSet", "replicasets")

    def sync(self, key: Key) -> None:
        """Bring one ReplicaSet to what is asked for. Raises PodRefused for a Pod that is not let in."""
        replica_set = self.store.get("replicasets", *key)
        if replica_set is None:
            return
        if not is_deleting(replica_set):
            claim(self.context, replica_set, filter(is_pod_active, candidates(self.index, replica_set)))
        pods = owned_pods(self.index, replica_set)
        failure = ""
        if not is_deleting(replica_set):
            failure = self._manage(replica_set, [pod for pod in pods if is_pod_active(pod)])
        self._write_status(replica_set, failure)
        if failure:
            raise PodRefused(failure)

    def _manage(self, replica_set: Obj, active: list[Obj]) -> str:
        """Create or delete Pods; returns why a Pod could not be created, "" where all went well."""
        wanted = replica_set["spec"].get("replicas", 1)
        if len(active) < wanted:
            for _ in range(min(BURST, wanted - len(active))):
                if seconds := self._pace.take():
                    self.queue.add_after(key_of(replica_set), seconds)
                    break
                if reason := self._create(replica_set):
                    return reason
        elif len(active) > wanted:
            on_node: dict[str, int] = {}
            for pod in active:
                node = pod["spec"].get("nodeName") or ""
                on_node[node] = on_node.get(node, 0) + 1
            ranked = sorted(active, key=lambda pod: _keep_rank(pod, on_node))
            for pod in ranked[: len(active) - wanted]:
                delete_in_background(self.context, "pods", pod)
                message = f"Deleted pod: {pod['metadata']['name']}"
                self.context.recorder.event(replica_set, "Normal", "SuccessfulDelete", message, COMPONENT)
        return ""

    def _create(self, replica_set: Obj) -> str:
        namespace, name = key_of(replica_set)
        prefix = f"{name}-"
        pod_name = prefix[:58] + safe_random(self.context.random)
        while self.store.get("pods", namespace, pod_name) is not None:
            pod_name = prefix[:58] + safe_random(self.context.random)
        try:
            create_pod(self.store, pod_from_template(replica_set, pod_name), named=False)
        except PodRefused as refusal:
            message = f"Error creating: {refusal}"
            self.context.recorder.event(replica_set, "Warning", "FailedCreate", message, COMPONENT)
            return str(refusal)
        self.context.recorder.event(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {pod_name}", COMPONENT)
        return ""

    def _write_status(self, replica_set: Obj, failure: str) -> None:
        """replica_set_utils.go calculateStatus."""
        spec, now = replica_set["spec"], self.context.now()
        pods = owned_pods(self.index, replica_set)
        active = [pod for pod in pods if is_pod_active(pod)]
        template_labels = ((spec["template"].get("metadata") or {}).get("labels")) or {}
        fully = [p for p in active if all(labels_of(p).get(k) == v for k, v in template_labels.items())]
        ready = [pod for pod in active if is_pod_ready(pod)]
        waiting = int(spec.get("minReadySeconds") or 0)
        available = []
        for pod in ready:
            since = parse_time((condition(pod, "Ready") or {})["lastTransitionTime"])
            if now - since >= waiting:
                available.append(pod)
            else:
                self.queue.add_after(key_of(replica_set), since + waiting - now + 0.001)
        status: dict[str, Any] = {
            "replicas": len(active),
            "observedGeneration": replica_set["metadata"].get("generation", 1),
            "terminatingReplicas": sum(1 for pod in pods if is_deleting(pod) and not is_pod_finished(pod)),
        }
        for field, held in (
            ("fullyLabeledReplicas", fully),
            ("readyReplicas", ready),
            ("availableReplicas", available),
        ):
            if held:
                status[field] = len(held)
        if failure:  # the first one is told, until all goes well
            told = {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": failure,
                "lastTransitionTime": timestamp(now),
            }
            status["conditions"] = [condition(replica_set, "ReplicaFailure") or told]
        self.context.update_status("replicasets", replica_set, status)


def _keep_rank(pod: Obj, on_node: dict[str, int]) -> tuple[Any, ...]:
    """The lower, the sooner the Pod is given up: unassigned, pending, not ready, doubled on a node, youngest."""
    status = pod.get("status") or {}
    node = pod["spec"].get("nodeName") or ""
    phase = {"Pending": 0, "Unknown": 1, "Running": 2}.get(status.get("phase") or "Pending", 2)
    statuses = status.get("containerStatuses") or ()
    restarts = max((item.get("restartCount", 0) for item in statuses), default=0)
    ready = condition(pod, "Ready")
    since = parse_time(ready["lastTransitionTime"]) if ready and ready["status"] == "True" else 0.0
    created = parse_time(pod["metadata"]["creationTimestamp"])
    cost = (pod["metadata"].get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost", "0")
    deletion_cost = int(cost) if cost.lstrip("-").isdigit() else 0
    return (bool(node), phase, is_pod_ready(pod), deletion_cost, -on_node.get(node, 0), -since, -restarts, -created)
