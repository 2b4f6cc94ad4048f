"""Columns of `kubectl get`: pkg/printers/internalversion/printers.go (1.36)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: heading.
        type: `string` or `integer`.
        wide: shown by `-o wide` only.
        format: `name` for the column that names the object.
    """

    name: str
    type: str = "string"
    wide: bool = False
    format: str = ""


NAME = Column("Name", format="name")
AGE = Column("Age")


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def _numbers(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "integer") for name in names)


def _wide(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, wide=True) for name in names)


_TEMPLATE = _wide("Containers", "Images")
_SELECTED = (*_TEMPLATE, *_wide("Selector"))
_REPLICAS = (NAME, *_numbers("Desired", "Current", "Ready"), AGE, *_SELECTED)
_EVENTS = (
    *_text("Last Seen", "Type", "Reason", "Object"), *_wide("Subobject", "Source"), *_text("Message"),
    *_wide("First Seen", "Count"), Column("Name", wide=True, format="name"),
)  # fmt: skip

COLUMNS: dict[str, tuple[Column, ...]] = {
    "componentstatuses": (NAME, *_text("Status", "Message", "Error")),
    "configmaps": (NAME, *_text("Data"), AGE),
    "cronjobs": (
        NAME, *_text("Schedule", "Timezone"), Column("Suspend", "boolean"), *_numbers("Active"),
        *_text("Last Schedule"), AGE, *_SELECTED,
    ),
    "controllerrevisions": (NAME, *_text("Controller", "Revision"), AGE),
    "daemonsets": (
        NAME, *_numbers("Desired", "Current", "Ready", "Up-to-date", "Available"), *_text("Node Selector"), AGE,
        *_SELECTED,
    ),
    "deployments": (NAME, *_text("Ready", "Up-to-date", "Available"), AGE, *_SELECTED),
    "endpoints": (NAME, *_text("Endpoints"), AGE),
    "endpointslices": (NAME, *_text("AddressType", "Ports", "Endpoints"), AGE),
    "events": _EVENTS,
    "horizontalpodautoscalers": (NAME, *_text("Reference", "Targets", "MinPods", "MaxPods", "Replicas"), AGE),
    "ingressclasses": (NAME, *_text("Controller", "Parameters"), AGE),
    "ingresses": (NAME, *_text("Class", "Hosts", "Address", "Ports"), AGE),
    "ipaddresses": (NAME, *_text("ParentRef")),
    "jobs": (NAME, *_text("Status", "Completions", "Duration"), AGE, *_SELECTED),
    "leases": (NAME, *_text("Holder"), AGE),
    "limitranges": (NAME, Column("Created At", "date")),
    "namespaces": (NAME, *_text("Status"), AGE),
    "networkpolicies": (NAME, *_text("Pod-Selector"), AGE),
    "nodes": (
        NAME, *_text("Status", "Roles"), AGE, *_text("Version"),
        *_wide("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
    ),
    "persistentvolumeclaims": (
        NAME, *_text("Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass"), AGE,
        *_wide("VolumeMode"),
    ),
    "persistentvolumes": (
        NAME,
        *_text(
            "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass", "VolumeAttributesClass",
            "Reason",
        ),
        AGE, *_wide("VolumeMode"),
    ),
    "poddisruptionbudgets": (NAME, *_text("Min Available", "Max Unavailable"), *_numbers("Allowed Disruptions"), AGE),
    "pods": (
        NAME, *_text("Ready", "Status", "Restarts"), AGE,
        *_wide("IP", "Node", "Nominated Node", "Readiness Gates"),
    ),
    "priorityclasses": (
        NAME, *_numbers("Value"), Column("Global-Default", "boolean"), AGE, *_text("PreemptionPolicy"),
    ),
    "replicasets": _REPLICAS,
    "replicationcontrollers": _REPLICAS,
    "resourcequotas": (NAME, *_text("Request", "Limit"), AGE),
    "secrets": (NAME, *_text("Type", "Data"), AGE),
    "serviceaccounts": (NAME, AGE),
    "servicecidrs": (NAME, *_text("CIDRs"), AGE),
    "services": (NAME, *_text("Type", "Cluster-IP", "External-IP", "Port(s)"), AGE, *_wide("Selector")),
    "storageclasses": (
        NAME, *_text("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion"), AGE,
    ),
    "statefulsets": (NAME, *_text("Ready"), AGE, *_TEMPLATE),
}  # fmt: skip
DEFAULT = (NAME, AGE)
SCALE = (NAME, *_numbers("Desired", "Available"), AGE)
