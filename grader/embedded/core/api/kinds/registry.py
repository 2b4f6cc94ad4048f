"""The registry of served resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from grader.embedded.core.api.kinds import daemon, simple, stateful, storage, workloads
from grader.embedded.core.api.kinds.budget import BudgetStrategy
from grader.embedded.core.api.kinds.endpointslice import EndpointSliceStrategy
from grader.embedded.core.api.kinds.ingress import IngressStrategy
from grader.embedded.core.api.kinds.networkpolicy import NetworkPolicyStrategy
from grader.embedded.core.api.kinds.pod import PodStrategy
from grader.embedded.core.api.kinds.priority import PriorityClassStrategy
from grader.embedded.core.api.kinds.quotas import LimitRangeStrategy, ResourceQuotaStrategy
from grader.embedded.core.api.kinds.service import ServiceStrategy
from grader.embedded.core.api.kinds.serviceip import IPAddressStrategy, ServiceCIDRStrategy
from grader.embedded.core.api.kinds.strategy import Strategy
from grader.embedded.core.api.schema.types import definition_of

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One resource of one group and version.

    Attributes:
        plural: name in paths and in the store.
        kind: kind of its objects.
        group: API group, "" for core.
        version: API version.
        strategy: hooks of its kind.
        short: short names for kubectl.
        categories: such as `all`.
        subresources: served subresources with the kind of each, such as {"status": "Pod"}.
        verbs: served verbs.
        stored: plural under which the objects are stored, where another group's view of the same objects.
        singular: singular name.
    """

    plural: str
    kind: str
    group: str
    version: str
    strategy: Strategy
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[tuple[str, str], ...] = ()
    verbs: tuple[str, ...] = VERBS
    stored: str = ""

    @property
    def namespaced(self) -> bool:
        """Whether objects live in namespaces."""
        return self.strategy.namespaced

    @property
    def singular(self) -> str:
        """Singular name."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """Group and version as objects carry them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def store_name(self) -> str:
        """Resource name in the store."""
        return self.stored or self.plural

    @cached_property
    def definition(self) -> str:
        """Name of the OpenAPI definition."""
        return definition_of(self.group, self.version, self.kind)


_STATUS = "status"
_POD_SUBRESOURCES = (
    ("attach", "PodAttachOptions"),
    ("binding", "Binding"),
    ("ephemeralcontainers", "Pod"),
    ("eviction", "Eviction"),
    ("exec", "PodExecOptions"),
    ("log", "Pod"),
    ("portforward", "PodPortForwardOptions"),
    ("proxy", "PodProxyOptions"),
    ("resize", "Pod"),
    ("status", "Pod"),
)


def _scaled(kind: str) -> tuple[tuple[str, str], ...]:
    return (("scale", "Scale"), ("status", kind))


_all = ("all",)
_plain = simple.Plain
REGISTRY: tuple[Resource, ...] = (
    Resource("bindings", "Binding", "", "v1", _plain(), verbs=("create",)),
    Resource("componentstatuses", "ComponentStatus", "", "v1", simple.ClusterScoped(), ("cs",), verbs=("get", "list")),
    Resource("configmaps", "ConfigMap", "", "v1", simple.ConfigMapStrategy(), ("cm",)),
    Resource("endpoints", "Endpoints", "", "v1", simple.EndpointsStrategy(), ("ep",)),
    Resource("events", "Event", "", "v1", simple.EventStrategy(), ("ev",)),
    Resource("limitranges", "LimitRange", "", "v1", LimitRangeStrategy(), ("limits",)),
    Resource(
        "namespaces", "Namespace", "", "v1", simple.NamespaceStrategy(), ("ns",),
        subresources=(("finalize", "Namespace"), ("status", "Namespace")),
        verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
    ),
    Resource(
        "nodes", "Node", "", "v1", simple.NodeStrategy(), ("no",),
        subresources=(("proxy", "NodeProxyOptions"), ("status", "Node")),
    ),
    Resource(
        "persistentvolumeclaims", "PersistentVolumeClaim", "", "v1", storage.ClaimStrategy(), ("pvc",), (),
        ((_STATUS, "PersistentVolumeClaim"),),
    ),
    Resource(
        "persistentvolumes", "PersistentVolume", "", "v1", storage.VolumeStrategy(), ("pv",), (),
        ((_STATUS, "PersistentVolume"),),
    ),
    Resource("pods", "Pod", "", "v1", PodStrategy(), ("po",), _all, _POD_SUBRESOURCES),
    Resource(
        "replicationcontrollers", "ReplicationController", "", "v1", workloads.ReplicationControllerStrategy(), ("rc",),
        _all, _scaled("ReplicationController"),
    ),
    Resource(
        "resourcequotas", "ResourceQuota", "", "v1", ResourceQuotaStrategy(), ("quota",), (),
        ((_STATUS, "ResourceQuota"),),
    ),
    Resource("secrets", "Secret", "", "v1", simple.SecretStrategy()),
    Resource(
        "serviceaccounts", "ServiceAccount", "", "v1", simple.ServiceAccountStrategy(), ("sa",), (),
        (("token", "TokenRequest"),),
    ),
    Resource(
        "services", "Service", "", "v1", ServiceStrategy(), ("svc",), _all,
        (("proxy", "ServiceProxyOptions"), ("status", "Service")),
    ),
    Resource("controllerrevisions", "ControllerRevision", "apps", "v1", stateful.ControllerRevisionStrategy()),
    Resource(
        "daemonsets", "DaemonSet", "apps", "v1", daemon.DaemonSetStrategy(), ("ds",), _all, ((_STATUS, "DaemonSet"),)
    ),
    Resource(
        "deployments", "Deployment", "apps", "v1", workloads.DeploymentStrategy(), ("deploy",), _all,
        _scaled("Deployment"),
    ),
    Resource(
        "replicasets", "ReplicaSet", "apps", "v1", workloads.ReplicaSetStrategy(), ("rs",), _all, _scaled("ReplicaSet")
    ),
    Resource(
        "statefulsets", "StatefulSet", "apps", "v1", stateful.StatefulSetStrategy(), ("sts",), _all,
        _scaled("StatefulSet"),
    ),
    Resource(
        "selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io", "v1", simple.ClusterScoped(),
        verbs=("create",),
    ),
    Resource(
        "selfsubjectaccessreviews", "SelfSubjectAccessReview", "authorization.k8s.io", "v1", simple.ClusterScoped(),
        verbs=("create",),
    ),
    Resource(
        "selfsubjectrulesreviews", "SelfSubjectRulesReview", "authorization.k8s.io", "v1", simple.ClusterScoped(),
        verbs=("create",),
    ),
    Resource(
        "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v2", workloads.AutoscalerStrategy(),
        ("hpa",), _all,
        ((_STATUS, "HorizontalPodAutoscaler"),),
    ),
    Resource(
        "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v1", workloads.AutoscalerStrategy(),
        ("hpa",), _all,
        ((_STATUS, "HorizontalPodAutoscaler"),),
    ),
    Resource("cronjobs", "CronJob", "batch", "v1", workloads.CronJobStrategy(), ("cj",), _all, ((_STATUS, "CronJob"),)),
    Resource("jobs", "Job", "batch", "v1", workloads.JobStrategy(), (), _all, ((_STATUS, "Job"),)),
    Resource("leases", "Lease", "coordination.k8s.io", "v1", simple.LeaseStrategy()),
    Resource("endpointslices", "EndpointSlice", "discovery.k8s.io", "v1", EndpointSliceStrategy()),
    Resource("events", "Event", "events.k8s.io", "v1", simple.EventStrategy(), ("ev",)),
    Resource("ingressclasses", "IngressClass", "networking.k8s.io", "v1", simple.ClusterScoped()),
    Resource(
        "ingresses", "Ingress", "networking.k8s.io", "v1", IngressStrategy(), ("ing",), (), ((_STATUS, "Ingress"),)
    ),
    Resource("ipaddresses", "IPAddress", "networking.k8s.io", "v1", IPAddressStrategy(), ("ip",)),
    Resource("networkpolicies", "NetworkPolicy", "networking.k8s.io", "v1", NetworkPolicyStrategy(), ("netpol",)),
    Resource(
        "servicecidrs", "ServiceCIDR", "networking.k8s.io", "v1", ServiceCIDRStrategy(), (), (),
        ((_STATUS, "ServiceCIDR"),),
    ),
    Resource(
        "poddisruptionbudgets", "PodDisruptionBudget", "policy", "v1", BudgetStrategy(), ("pdb",), (),
        ((_STATUS, "PodDisruptionBudget"),),
    ),
    Resource("priorityclasses", "PriorityClass", "scheduling.k8s.io", "v1", PriorityClassStrategy(), ("pc",)),
    Resource("storageclasses", "StorageClass", "storage.k8s.io", "v1", storage.ClassStrategy(), ("sc",)),
)  # fmt: skip

NOT_SERVED: Mapping[str, tuple[str, ...]] = {
    "": ("PodTemplate",),
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "authentication.k8s.io": ("TokenReview",),
    "authorization.k8s.io": ("LocalSubjectAccessReview", "SubjectAccessReview"),
    "certificates.k8s.io": ("CertificateSigningRequest",),
    "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
    "node.k8s.io": ("RuntimeClass",),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "resource.k8s.io": ("DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"),
    "storage.k8s.io": ("CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment", "VolumeAttributesClass"),
}  # fmt: skip
"""Kinds by group that Kubernetes 1.36.3 serves on kind (`kubectl api-resources`) and that are not served here.

A request for one is answered as by an API server without it (404).
"""

BY_PATH = {(resource.group, resource.version, resource.plural): resource for resource in REGISTRY}
STORED = {resource.plural: resource for resource in reversed(REGISTRY)}
"""By plural name, the view that objects are stored in (the first of the registry)."""

GROUP_VERSIONS: tuple[tuple[str, str], ...] = tuple(dict.fromkeys((entry.group, entry.version) for entry in REGISTRY))


def in_group(group: str, version: str) -> Iterable[Resource]:
    """The resources of a group and version."""
    return (entry for entry in REGISTRY if (entry.group, entry.version) == (group, version))
