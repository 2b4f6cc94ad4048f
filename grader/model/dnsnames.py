"""Names of the cluster's DNS, and how a Pod's search list completes them (resolv.conf of a Pod)."""

from __future__ import annotations

CLUSTER_DOMAIN = "cluster.local"


def full_name(name: str, namespace: str) -> str:
    """Expand a name to what the search list must make of it first, with a trailing dot (resolv.conf of a Pod)."""
    if name.endswith("."):
        return name
    parts = name.split(".")
    if len(parts) == 1:
        parts.append(namespace)
    if len(parts) == 2:
        parts.append("svc")
    if parts[-1] == "svc":
        parts.append(CLUSTER_DOMAIN)
    return ".".join(parts) + "."


def leaves_cluster(name: str) -> bool:
    """Tell whether a name with a trailing dot lies outside of the cluster's domain: another server's to answer."""
    return name.endswith(".") and not f".{name}".lower().endswith(f".{CLUSTER_DOMAIN}.")
