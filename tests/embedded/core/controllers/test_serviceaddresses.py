"""The IPAddress of each ClusterIP."""

from __future__ import annotations

from typing import Any


def test_an_address_comes_and_goes_with_its_service(cluster: Any) -> None:
    ip = cluster.service("web", {"app": "web"})
    cluster.settle()
    address = cluster.store.get("ipaddresses", "", ip)
    assert address["spec"] == {"parentRef": {"resource": "services", "namespace": "default", "name": "web"}}
    cluster.store.delete("services", "default", "web")
    cluster.service("other", {"app": "web"}, clusterIP=ip, clusterIPs=[ip])
    cluster.settle()
    assert cluster.store.get("ipaddresses", "", ip)["spec"]["parentRef"]["name"] == "other"
    cluster.store.delete("services", "default", "other")
    cluster.settle()
    assert cluster.store.get("ipaddresses", "", ip) is None


def test_the_range_of_addresses_is_an_object(cluster: Any) -> None:
    assert cluster.store.get("servicecidrs", "", "kubernetes")["spec"] == {"cidrs": ["10.96.0.0/16"]}
    assert cluster.store.get("ipaddresses", "", "10.96.0.1")["spec"]["parentRef"]["name"] == "kubernetes"
