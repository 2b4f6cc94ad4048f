"""Deletes the Pods of nodes that are gone.

Source: k8s.io/kubernetes/pkg/controller/podgc/gc_controller.go gcOrphaned, markFailedAndDeletePodWithCondition: it
looks every 20 s (gcCheckPeriod), and lets a node be missing for 40 s (quarantineTime) before it asks whether it is. Of
the controller's other duties none arises here: no node is out of service, and 12 500 Pods that have ended do not fit.
"""

from __future__ import annotations

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.objects import is_pod_finished, key_of, set_condition
from grader.embedded.core.store import Change

MISSED_AFTER = 60.0
"""Seconds from a node's end to that of its Pods: the quarantine, and half a period before and after it."""


class PodGarbageCollector(Controller):
    """Deletes orphaned Pods by force."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[str] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A node is gone, or a Pod is bound to one that is not there."""
        if change.resource == "nodes" and change.type == "DELETED":
            self.queue.add_after(change.obj["metadata"]["name"], MISSED_AFTER)
        elif change.resource == "pods" and change.type == "ADDED":
            node = change.obj["spec"].get("nodeName")
            if node and self.store.get("nodes", "", node) is None:
                self.queue.add_after(node, MISSED_AFTER)

    def sync(self, node: str) -> None:
        """Delete the Pods of a node, where it is still missing."""
        if self.store.get("nodes", "", node) is not None:
            return
        for pod in list(self.index.pods_on(node)):
            status = pod.get("status") or {}
            told = {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "DeletionByPodGC",
                "message": "PodGC: node no longer exists",
                "observedGeneration": pod["metadata"].get("generation", 1),
            }
            if not is_pod_finished(pod):
                conditions = set_condition(status.get("conditions") or [], told, self.context.now())
                self.context.update_status("pods", pod, {**status, "phase": "Failed", "conditions": conditions})
            if not pod["metadata"].get("finalizers"):
                self.store.delete("pods", *key_of(pod))
