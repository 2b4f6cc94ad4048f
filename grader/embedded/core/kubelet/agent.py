"""The kubelet of one node: takes the Pods that are bound to it, and removes those that have ended."""

from __future__ import annotations

import ipaddress
from collections import deque
from functools import partial

from grader.embedded.core.controllers.base import Context, Controller, WorkQueue
from grader.embedded.core.hostports import TAKEN, fits, host_ports
from grader.embedded.core.kubelet.machine import Nameserver
from grader.embedded.core.kubelet.pod import PodWorker
from grader.embedded.core.network import Network, Node
from grader.embedded.core.objects import Key, is_deleting, is_pod_finished, key_of, uid_of, with_metadata
from grader.embedded.core.store import Change, Obj, timestamp

REFRESH = 1.0
"""Seconds until a changed ConfigMap is seen in the volumes that mount it; a real kubelet takes up to a minute."""


class Addresses:
    """A node's Pod addresses, given out in order; one that was given back comes again last.

    Rule: CNI host-local takes the next free one after the last.
    """

    def __init__(self, cidr: str) -> None:
        network = ipaddress.ip_network(cidr)
        self._free = deque(str(ip) for ip in list(network)[2:-1])

    def take(self, wanted: str = "") -> str:
        """An address that nobody has: the one wanted, where it is free."""
        if wanted in self._free:
            self._free.remove(wanted)
            return wanted
        return self._free.popleft()

    def release(self, ip: str) -> None:
        """Give an address back."""
        self._free.append(ip)


class Kubelet:
    """What runs the Pods of one node.

    Attributes:
        context: the cluster.
        node: the node's name.
        ip: the node's address.
        machine: the node's network namespace.
        pod_cidr: the addresses of its Pods.
        host_ports: where the node's host ports lead.
        workers: the Pods by namespace and name.
        disk: its own files, for what Pods keep on it: paths without a leading slash, and contents.

    """

    def __init__(self, context: Context, network: Network, nameserver: Nameserver, node: Node) -> None:
        self.context = context
        self.network = network
        self.nameserver = nameserver
        self.node = node.name
        self.machine = node.machine
        self.pod_cidr, self.host_ports = node.pod_cidr, node.host_ports
        self.ip = node.machine.ip
        self.addresses = Addresses(node.pod_cidr)
        self.workers: dict[Key, PodWorker] = {}
        self.disk: dict[str, bytes] = {}

    def erase(self, path: str) -> None:
        """Remove a folder of the node."""
        below = path.strip("/") + "/"
        for name in [name for name in self.disk if name.startswith(below)]:
            del self.disk[name]

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

    def remove(self, pod: Obj) -> None:
        """The Pod has ended: take it out of the store, unless a finalizer holds it."""
        key = key_of(pod)
        if pod["metadata"].get("finalizers"):
            if pod["metadata"].get("deletionGracePeriodSeconds"):
                self.context.store.update("pods", with_metadata(pod, deletionGracePeriodSeconds=0))
            return
        self.context.store.delete("pods", *key)


class Kubelets(Controller):
    """All kubelets, and which of them a Pod's change concerns."""

    def __init__(self, context: Context) -> None:
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
