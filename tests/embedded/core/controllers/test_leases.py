"""Who lives tells so, and an idle cluster writes nothing for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.embedded.core.api.http.messages import Request, Response
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.leases import renewed
from grader.embedded.core.objects import parse_time
from grader.embedded.core.store import Obj

PATH = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
NODES = [f"services-course-{name}" for name in ("control-plane", "worker", "worker2")]
LEADERS = ["kube-controller-manager", "kube-scheduler"]


def read(cluster: Any, namespace: str) -> list[Obj]:
    answer = ApiServer(cluster.store).handle(Request("GET", PATH.format(namespace)))
    assert isinstance(answer, Response)
    found: list[Obj] = json.loads(answer.body)["items"]
    return found


@pytest.mark.parametrize(
    ("namespace", "names", "duration", "period"),
    [("kube-system", LEADERS, 15, 2), ("kube-node-lease", NODES, 40, 10)],
)
def test_a_lease_is_never_late_when_it_is_read_and_written_only_then(
    cluster: Any, namespace: str, names: list[str], duration: int, period: int
) -> None:
    for seconds in (0.5, 1.25, 3, 3600):
        before = cluster.store.resource_version
        cluster.settle(seconds)
        assert cluster.store.resource_version == before
        found = read(cluster, namespace)
        assert [lease["metadata"]["name"] for lease in found] == names
        for lease in found:
            assert lease["spec"]["leaseDurationSeconds"] == duration
            assert 0 <= cluster.clock.now() - parse_time(lease["spec"]["renewTime"]) < period + 0.001
        written = cluster.store.resource_version
        assert read(cluster, namespace) == found
        assert cluster.store.resource_version == written


def test_a_node_is_owner_and_holder_of_its_lease(cluster: Any) -> None:
    for lease in read(cluster, "kube-node-lease"):
        assert lease["spec"]["holderIdentity"] == lease["metadata"]["name"]
        assert [owner["name"] for owner in lease["metadata"]["ownerReferences"]] == [lease["metadata"]["name"]]


def test_a_lease_that_was_deleted_is_taken_again(cluster: Any) -> None:
    for namespace, name in (("kube-system", "kube-scheduler"), ("kube-node-lease", NODES[1])):
        cluster.store.delete("leases", namespace, name)
        cluster.settle(11)
        assert name in [lease["metadata"]["name"] for lease in read(cluster, namespace)]


def test_leases_of_others_are_left_alone(cluster: Any) -> None:
    own = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "mine", "namespace": "default"},
        "spec": {"renewTime": "2020-01-01T00:00:00.000000Z"},
    }
    assert renewed(own, cluster.clock.now()) is own
    assert read(cluster, "default") == []
