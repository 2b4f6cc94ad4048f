"""Namespaces and what every one of them has.

Source: k8s.io/kubernetes/pkg/controller/namespace/deletion/namespaced_resources_deleter.go,
pkg/controller/serviceaccount/serviceaccounts_controller.go,
pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from grader.embedded.core.controllers.base import Context, Controller, WorkQueue
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.objects import is_deleting
from grader.embedded.core.store import Change, Obj

ROOT_CA = "kube-root-ca.crt"


class NamespaceController(Controller):
    """Gives each namespace its ServiceAccount and root CA; empties and removes one that is being deleted."""

    def __init__(self, context: Context, root_ca: str) -> None:
        super().__init__(context)
        self.root_ca = root_ca
        self.queue: WorkQueue[str] = WorkQueue(context.kernel, self.sync)

    def on_change(self, change: Change) -> None:
        """A namespace changed, or something in one that is being deleted, or lacks what every one has."""
        namespace = change.obj["metadata"].get("namespace")
        if change.resource == "namespaces":
            self.queue.add(change.obj["metadata"]["name"])
        elif namespace and change.type == "DELETED":
            self.queue.add(namespace)

    def sync(self, name: str) -> None:
        """Bring one namespace to what is asked for."""
        namespace = self.store.get("namespaces", "", name)
        if namespace is None:
            return
        if is_deleting(namespace):
            self._empty(namespace)
            return
        if self.store.get("serviceaccounts", name, "default") is None:
            self.store.create("serviceaccounts", service_account(name))
        if self.store.get("configmaps", name, ROOT_CA) is None:
            self.store.create("configmaps", root_ca_map(name, self.root_ca))

    def _empty(self, namespace: Obj) -> None:
        name = namespace["metadata"]["name"]
        status = namespace.get("status") or {}
        if status.get("phase") != "Terminating":
            namespace = self.store.update("namespaces", {**namespace, "status": {**status, "phase": "Terminating"}})
        for resource, where, item in self.index.contents(name):
            obj = self.store.get(resource, where, item)
            if obj is not None and not (resource == "pods" and is_deleting(obj)):
                delete_in_background(self.context, resource, obj)
        if not self.index.contents(name):
            remaining = [f for f in namespace["metadata"].get("finalizers") or () if f != "kubernetes"]
            if not remaining:
                self.store.delete("namespaces", "", name)


def service_account(namespace: str, name: str = "default") -> Obj:
    """The ServiceAccount that every namespace has."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def root_ca_map(namespace: str, certificate: str) -> Obj:
    """The ConfigMap with the API server's certificate authority."""
    description = (
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as "
        "the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
        "Kubernetes clusters."
    )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": ROOT_CA,
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": description},
        },
        "data": {"ca.crt": certificate},
    }
