"""The Leases by which nodes and the control plane tell that they live.

A Lease is renewed when somebody reads it, to the time at which its holder would have renewed it last: an idle cluster
writes nothing, and nobody ever sees one that is late while the cluster runs.

Sources: k8s.io/client-go/tools/leaderelection (LeaderElectionRecordToLeaseSpec; component-base/config/v1alpha1
RecommendedDefaultLeaderElectionConfiguration: 15 s, tried again each 2 s), k8s.io/kubernetes/pkg/kubelet/kubelet.go
(nodeLeaseRenewIntervalFraction 0.25 of 40 s), k8s.io/component-helpers/apimachinery/lease/controller.go.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from grader.embedded.core.objects import parse_time
from grader.embedded.core.store import Obj, Store

LEADERS = ("kube-controller-manager", "kube-scheduler")
LEADER_NAMESPACE, NODE_NAMESPACE = "kube-system", "kube-node-lease"
LEADER_DURATION, LEADER_PERIOD = 15, 2.0
NODE_DURATION, NODE_PERIOD = 40, 10.0


def micro_timestamp(seconds: float) -> str:
    """A metav1.MicroTime: RFC 3339 in UTC with six digits of a second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leader(name: str, host: str, uid: str, now: float) -> Obj:
    """The Lease of a component of which one instance works at a time; the holder is called after its host."""
    spec = {
        "acquireTime": micro_timestamp(now),
        "holderIdentity": f"{host}_{uid}",
        "leaseDurationSeconds": LEADER_DURATION,
        "leaseTransitions": 0,
        "renewTime": micro_timestamp(now),
    }
    return _lease({"name": name, "namespace": LEADER_NAMESPACE}, spec)


def heartbeat(node: Obj, now: float) -> Obj:
    """The Lease of a kubelet, which goes when its Node does (pkg/kubelet/util/nodelease.go)."""
    name = node["metadata"]["name"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    spec = {
        "holderIdentity": name,
        "leaseDurationSeconds": NODE_DURATION,
        "renewTime": micro_timestamp(now),
    }
    return _lease({"name": name, "namespace": NODE_NAMESPACE, "ownerReferences": [owner]}, spec)


def _lease(metadata: dict[str, Any], spec: dict[str, Any]) -> Obj:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def period_of(lease: Obj) -> float | None:
    """Seconds between two renewals of a Lease, None for one that is nobody's here."""
    metadata = lease["metadata"]
    if metadata["namespace"] == LEADER_NAMESPACE and metadata["name"] in LEADERS:
        return LEADER_PERIOD
    owners = metadata.get("ownerReferences") or ()
    if metadata["namespace"] == NODE_NAMESPACE and any(owner["kind"] == "Node" for owner in owners):
        return NODE_PERIOD
    return None


def renewed(lease: Obj, now: float) -> Obj:
    """A Lease as its holder has renewed it by now; the same where it is not due, or nobody's here."""
    period, spec = period_of(lease), lease.get("spec") or {}
    if period is None:
        return lease
    since = parse_time(spec["renewTime"]) if spec.get("renewTime") else now - period
    periods = (now - since) // period
    if periods < 1:
        return lease
    return {**lease, "spec": {**spec, "renewTime": micro_timestamp(since + periods * period)}}


def renew(store: Store) -> None:
    """Renew all Leases that are due."""
    now = store.now()
    for lease in store.list("leases"):
        if (fresh := renewed(lease, now)) is not lease:
            store.update("leases", fresh)
