"""Where the API server keeps objects of a kind: the path of a resource, from its plural name or from an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Resource:
    """One resource of the API.

    Attributes:
        group_version: "v1", "apps/v1".
        plural: name in paths, "services".
        kind: "Service".
        namespaced: whether its objects live in a Namespace.
    """

    group_version: str
    plural: str
    kind: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Path of a collection or an object; without a namespace, of the collection across all of them.

        Layout: k8s.io/apiserver/pkg/endpoints/installer.go (`/api/v1` for the core group, `/apis/GROUP/VERSION` else).
        """
        root = "/api/" if "/" not in self.group_version else "/apis/"
        scope = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        item = f"/{quote(name, safe='')}" if name else ""
        return f"{root}{self.group_version}{scope}/{self.plural}{item}"


KNOWN = (
    Resource("v1", "namespaces", "Namespace", namespaced=False),
    Resource("v1", "nodes", "Node", namespaced=False),
    Resource("v1", "pods", "Pod"),
    Resource("v1", "services", "Service"),
    Resource("v1", "endpoints", "Endpoints"),
    Resource("v1", "events", "Event"),
    Resource("v1", "configmaps", "ConfigMap"),
    Resource("v1", "secrets", "Secret"),
    Resource("v1", "serviceaccounts", "ServiceAccount"),
    Resource("apps/v1", "deployments", "Deployment"),
    Resource("apps/v1", "replicasets", "ReplicaSet"),
    Resource("apps/v1", "statefulsets", "StatefulSet"),
    Resource("apps/v1", "daemonsets", "DaemonSet"),
    Resource("discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
    Resource("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    Resource("networking.k8s.io/v1", "ingresses", "Ingress"),
    Resource("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Resource("v1", "resourcequotas", "ResourceQuota"),
    Resource("v1", "limitranges", "LimitRange"),
    Resource("batch/v1", "jobs", "Job"),
    Resource("coordination.k8s.io/v1", "leases", "Lease"),
    Resource("metallb.io/v1beta1", "ipaddresspools", "IPAddressPool"),
    Resource("metallb.io/v1beta1", "l2advertisements", "L2Advertisement"),
)

_BY_PLURAL = {resource.plural: resource for resource in KNOWN}
_BY_KIND = {(resource.group_version, resource.kind): resource for resource in KNOWN}


def by_plural(plural: str) -> Resource:
    """A resource that the course uses, by plural name. Raises KeyError for others."""
    return _BY_PLURAL[plural]


def known(group_version: str, kind: str) -> Resource | None:
    """A resource that the course uses, by what an object says of itself; None where discovery must be asked."""
    return _BY_KIND.get((group_version, kind))


def discovered(document: Mapping[str, Any], kind: str) -> Resource | None:
    """The resource of a kind in an APIResourceList (k8s.io/apimachinery/pkg/apis/meta/v1/types.go), if there."""
    for entry in document.get("resources") or ():
        if entry.get("kind") == kind and "/" not in entry.get("name", ""):
            return Resource(document["groupVersion"], entry["name"], kind, bool(entry.get("namespaced")))
    return None
