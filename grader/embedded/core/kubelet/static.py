"""Static Pods: a kubelet runs them from files, and shows each by a mirror Pod that it makes again when it is deleted.

Source: k8s.io/kubernetes/pkg/kubelet/kubelet.go (SyncPod, "Create Mirror Pod for Static Pod if it doesn't already
exist"; not while the Node is missing), pkg/kubelet/pod/mirror_client.go. Here it is the mirror Pod that runs, so that
its containers begin anew with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from grader.embedded.core.addons import mirror
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.objects import Key, key_of
from grader.embedded.core.store import Change, Obj

SEEN_AFTER = 1.0
"""Seconds until a kubelet misses a mirror Pod; a real one looks when the Pod is synced next."""


class StaticPods(Controller):
    """Keeps the mirror Pods of the static Pods of all nodes.

    Args:
        context: the cluster.
        pods: the static Pods, each with its `nodeName`.

    """

    def __init__(self, context: ControllerContext, pods: Iterable[Obj]) -> None:
        super().__init__(context)
        self.queue: WorkQueue[Key] = WorkQueue(context.kernel, self.sync)
        self._pods = {key_of(pod): pod for pod in pods}

    def on_change(self, change: Change) -> None:
        """A node has registered, or a mirror Pod is gone."""
        if change.resource == "nodes" and change.type == "ADDED":
            for key, pod in self._pods.items():
                if pod["spec"]["nodeName"] == change.obj["metadata"]["name"]:
                    self.queue.add(key)
        elif change.resource == "pods" and change.type == "DELETED" and (key := key_of(change.obj)) in self._pods:
            self.queue.add_after(key, SEEN_AFTER)

    def sync(self, key: Key) -> None:
        """Make one mirror Pod, where it is missing."""
        pod = self._pods[key]
        node = self.store.get("nodes", "", pod["spec"]["nodeName"])
        if node is not None and self.store.get("pods", *key) is None:
            self.store.create("pods", mirror(pod, node, self.context.now()))
