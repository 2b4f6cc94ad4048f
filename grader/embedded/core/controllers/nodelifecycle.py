"""Taints nodes that take no new Pods.

Source: k8s.io/kubernetes/pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass. The nodes
of this cluster are always ready, so that only cordoning is left of it.
"""

from __future__ import annotations

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.scheduler import UNSCHEDULABLE
from grader.embedded.core.store import Change, timestamp


class NodeLifecycleController(Controller):
    """Keeps the taint of each node that is cordoned."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.queue: WorkQueue[str] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A node changed."""
        if change.resource == "nodes":
            self.queue.add(change.obj["metadata"]["name"])

    def sync(self, name: str) -> None:
        """Look at one node."""
        node = self.store.get("nodes", "", name)
        if node is None:
            return
        taints = node["spec"].get("taints") or []
        others = [taint for taint in taints if taint["key"] != UNSCHEDULABLE["key"]]
        cordoned = bool(node["spec"].get("unschedulable"))
        if cordoned == (len(others) < len(taints)):
            return
        if cordoned:
            others.append({**UNSCHEDULABLE, "timeAdded": timestamp(self.context.now())})
        spec = {key: value for key, value in node["spec"].items() if key != "taints"}
        self.store.update("nodes", {**node, "spec": {**spec, "taints": others} if others else spec})
