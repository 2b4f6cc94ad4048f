"""Namespaces and what every one of them has.

Source: k8s.io/kubernetes/pkg/controller/namespace/deletion/namespaced_resources_deleter.go,
pkg/controller/serviceaccount/serviceaccounts_controller.go,
pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from grader.embedded.core.api.kinds.registry import STORED
from grader.embedded.core.controllers.base import Controller, ControllerContext, WorkQueue
from grader.embedded.core.controllers.deletion import delete_in_background
from grader.embedded.core.objects import is_deleting, set_condition
from grader.embedded.core.store import Change, Obj

ROOT_CA = "kube-root-ca.crt"


class NamespaceController(Controller):
    """Gives each namespace its ServiceAccount and root CA; empties and removes one that is being deleted."""

    def __init__(self, context: ControllerContext, root_ca: str) -> None:
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
        self._tell(name)
        if not self.index.contents(name):
            remaining = [f for f in namespace["metadata"].get("finalizers") or () if f != "kubernetes"]
            if not remaining:
                self.store.delete("namespaces", "", name)

    def _tell(self, name: str) -> None:
        """Say in the status what still keeps a Namespace from ending."""
        namespace = self.store.get("namespaces", "", name)
        if namespace is None:
            return
        left = [
            (resource, self.store.get(resource, where, item) or {"metadata": {}})
            for resource, where, item in self.index.contents(name)
        ]
        status = namespace["status"]
        conditions = status.get("conditions") or []
        for condition in remaining(left):
            conditions = set_condition(conditions, condition, self.context.now())
        if conditions != (status.get("conditions") or []):
            self.store.update("namespaces", {**namespace, "status": {**status, "conditions": conditions}})


_FINE = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}


def remaining(left: Iterable[tuple[str, Obj]]) -> list[Obj]:
    """The conditions of a terminating Namespace (pkg/controller/namespace/deletion/status_condition_utils.go, v1.36.3).

    Args:
        left: plural resource and object of everything that is still in it.
    """
    kinds: Counter[str] = Counter()
    finalizers: Counter[str] = Counter()
    for resource, obj in left:
        kinds[f"{resource}.{STORED[resource].group}"] += 1
        finalizers.update(obj["metadata"].get("finalizers") or ())
    told = dict(_FINE)
    if kinds:
        counted = ", ".join(sorted(f"{kind} has {count} resource instances" for kind, count in kinds.items()))
        told["NamespaceContentRemaining"] = ("SomeResourcesRemain", f"Some resources are remaining: {counted}")
    if finalizers:
        counted = ", ".join(sorted(f"{name} in {count} resource instances" for name, count in finalizers.items()))
        text = f"Some content in the namespace has finalizers remaining: {counted}"
        told["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", text)
    return [
        {
            "type": kind,
            "status": "False" if (reason, text) == _FINE[kind] else "True",
            "reason": reason,
            "message": text,
        }
        for kind, (reason, text) in told.items()
    ]


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
