"""The kubelet of one node: takes the Pods that are bound to it, and removes those that have ended."""

from __future__ import annotations

from functools import partial

from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.hostports import TAKEN, fits, host_ports
from grader.embedded.core.kubelet.machine import Nameserver
from grader.embedded.core.kubelet.node import NodeState
from grader.embedded.core.kubelet.pod import PodWorker
from grader.embedded.core.network import Network, Node
from grader.embedded.core.objects import Key, is_deleting, is_pod_finished, key_of, uid_of
from grader.embedded.core.store import Change, Obj, timestamp

REFRESH = 1.0
"""Seconds until a changed ConfigMap is seen in the volumes that mount it; a real kubelet takes up to a minute."""


class Kubelet(NodeState):
    """What runs the Pods of one node.

    Attributes:
        workers: the Pods by namespace and name.

    """

    def __init__(self, context: ControllerContext, network: Network, nameserver: Nameserver, node: Node) -> None:
        super().__init__(context, network, nameserver, node)
        self.workers: dict[Key, PodWorker] = {}

    def take(self, pod: Obj) -> None:
        """A Pod of this node is new or has changed."""
        key = key_of(pod)
        worker = self.workers.get(key)
        if worker is not None and uid_of(worker.pod) != uid_of(pod):
            worker.forget()
            worker = None
        if worker is None and self._rejects(pod):
            return
        if worker is None:
            status = pod.get("status") or {}
            if status.get("phase") in ("Succeeded", "Failed"):
                if is_deleting(pod):
                    self.remove(pod)
                return
            worker = self.workers[key] = PodWorker(self, pod)
        worker.update(pod)

    def _rejects(self, pod: Obj) -> bool:
        """Fail a Pod that wants a port which is taken, as one may that no scheduler has placed.

        Rule: pkg/kubelet/lifecycle/predicate.go (generalFilter), kubelet.go rejectPod; texts seen on kind.
        """
        wanted, status = host_ports(pod), pod.get("status") or {}
        if not wanted or status.get("podIP") or is_pod_finished(pod) or is_deleting(pod):
            return False
        if fits(wanted, (worker.pod for worker in self.workers.values() if not is_pod_finished(worker.pod))):
            return False
        message = f"Predicate NodePorts failed: {TAKEN}"
        self.context.recorder.event(pod, "Warning", "NodePorts", message, "kubelet", host=self.node)
        failed = {
            "phase": "Failed",
            "reason": "NodePorts",
            "message": f"Pod was rejected: {message}",
            "observedGeneration": pod["metadata"].get("generation", 1),
            "startTime": timestamp(self.context.now()),
        }
        self.context.update_status("pods", pod, {**status, **failed})
        return True

    def drop(self, key: Key) -> None:
        """A Pod is no longer stored."""
        worker = self.workers.pop(key, None)
        if worker is not None:
            worker.forget()


class Kubelets(Controller):
    """All kubelets, and which of them a Pod's change concerns."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.by_node: dict[str, Kubelet] = {}
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._held_by: dict[Key, Kubelet] = {}

    def add(self, kubelet: Kubelet) -> None:
        """A node joins."""
        self.by_node[kubelet.node] = kubelet

    def on_change(self, change: Change) -> None:
        """A Pod changed, or a ConfigMap or Secret that Pods mount."""
        if change.resource == "pods":
            self.queue.add(key_of(change.obj))
        elif change.resource in ("configmaps", "secrets") and change.type == "MODIFIED":
            namespace = change.obj["metadata"]["namespace"]
            for key, kubelet in self._held_by.items():
                worker = kubelet.workers.get(key)
                if key[0] == namespace and worker is not None:
                    self.context.kernel.call_later(REFRESH, partial(_refresh, worker))

    def sync(self, key: Key) -> None:
        """Hand a Pod to its kubelet."""
        pod = self.index.pod(key)
        holder = self._held_by.get(key)
        if pod is None:
            if holder is not None:
                del self._held_by[key]
                holder.drop(key)
            return
        node = pod["spec"].get("nodeName")
        kubelet = self.by_node.get(node) if node else None
        if kubelet is None:
            if is_deleting(pod) and not pod["metadata"].get("finalizers"):
                self.store.delete("pods", *key)
            return
        self._held_by[key] = kubelet
        kubelet.take(pod)

    def worker(self, key: Key) -> PodWorker | None:
        """What runs a Pod."""
        holder = self._held_by.get(key)
        return holder.workers.get(key) if holder is not None else None


def _refresh(worker: PodWorker) -> None:
    worker.volumes.refresh(worker.pod)
