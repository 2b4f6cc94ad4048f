"""EndpointSlices and the old Endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.embedded.core.controllers import sliceplan
from grader.embedded.core.controllers.endpoints import repacked
from grader.embedded.core.controllers.podendpoints import slice_labels
from grader.embedded.core.controllers.sliceplan import plan, ports_json
from grader.embedded.core.store import Obj

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def test_a_slice_has_the_shape_of_upstreams(cluster: Any) -> None:
    cluster.pod("web", labels={"app": "web"}, node="services-course-worker")
    cluster.service("web", {"app": "web"}, ports=[{"name": "http", "port": 80, "targetPort": 8080}])
    cluster.settle()
    (slice_,) = cluster.slices("web")
    pod = cluster.store.get("pods", "default", "web")
    service = cluster.store.get("services", "default", "web")
    metadata = slice_["metadata"]
    assert metadata["generateName"] == "web-"
    assert len(metadata["name"]) == len("web-") + 5
    assert metadata["labels"] == {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": "web",
            "uid": service["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert "endpoints.kubernetes.io/last-change-trigger-time" in metadata["annotations"]
    assert slice_["addressType"] == "IPv4"
    assert slice_["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert slice_["endpoints"] == [
        {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": "services-course-worker",
            "targetRef": {"kind": "Pod", "name": "web", "namespace": "default", "uid": pod["metadata"]["uid"]},
        }
    ]


def test_a_service_without_pods_has_an_empty_slice(cluster: Any) -> None:
    cluster.service("web", {"app": "nobody"})
    cluster.settle()
    (slice_,) = cluster.slices("web")
    assert (slice_["endpoints"], slice_["ports"]) == (None, None)


def test_an_unknown_port_name_leaves_the_pod_without_ports(cluster: Any) -> None:
    cluster.pod("web", labels={"app": "web"})
    cluster.service("web", {"app": "web"}, ports=[{"port": 80, "targetPort": "nosuch"}])
    cluster.settle()
    (slice_,) = cluster.slices("web")
    assert slice_["ports"] is None
    assert len(slice_["endpoints"]) == 1


def test_pods_that_name_a_port_differently_get_slices_of_their_own(cluster: Any) -> None:
    for name, port in (("a", 8080), ("b", 9090)):
        container = {"name": "web", "image": AGNHOST, "args": ["netexec", f"--http-port={port}", "--udp-port=-1"]}
        container["ports"] = [{"name": "http", "containerPort": port, "protocol": "TCP"}]
        cluster.pod(name, labels={"app": "web"}, containers=[container])
    ip = cluster.service("web", {"app": "web"}, ports=[{"port": 80, "targetPort": "http"}])
    cluster.settle()
    assert sorted(slice_["ports"][0]["port"] for slice_ in cluster.slices("web")) == [8080, 9090]
    assert cluster.responders(cluster.probe(), ip) == {"a", "b"}


@pytest.mark.parametrize("publish", [False, True])
def test_readiness_gates_unless_unready_addresses_are_published(cluster: Any, publish: bool) -> None:
    probe = {"httpGet": {"path": "/", "port": 9999}, "periodSeconds": 1}
    container = {
        "name": "web",
        "image": AGNHOST,
        "args": ["netexec", "--http-port=8080", "--udp-port=-1"],
        "readinessProbe": probe,
    }
    cluster.pod("web", labels={"app": "web"}, containers=[container])
    ip = cluster.service("web", {"app": "web"}, publishNotReadyAddresses=publish)
    cluster.settle(5)
    (slice_,) = cluster.slices("web")
    assert slice_["endpoints"][0]["conditions"] == {"ready": publish, "serving": False, "terminating": False}
    assert cluster.get(cluster.probe(), ip) == ("web" if publish else "REFUSED")


def test_the_labels_of_the_service_are_mirrored(cluster: Any) -> None:
    cluster.service("web", {"app": "web"})
    cluster.settle()
    name = cluster.slices("web")[0]["metadata"]["name"]
    service = cluster.store.get("services", "default", "web")
    cluster.store.update("services", {**service, "metadata": {**service["metadata"], "labels": {"team": "a"}}})
    cluster.settle()
    (slice_,) = cluster.slices("web")
    assert slice_["metadata"]["name"] == name
    assert slice_["metadata"]["labels"]["team"] == "a"


def test_a_deleted_slice_is_made_again(cluster: Any) -> None:
    cluster.pod("web", labels={"app": "web"})
    cluster.service("web", {"app": "web"})
    cluster.settle()
    name = cluster.slices("web")[0]["metadata"]["name"]
    cluster.store.delete("endpointslices", "default", name)
    cluster.settle()
    (slice_,) = cluster.slices("web")
    assert slice_["metadata"]["name"] != name
    assert len(slice_["endpoints"]) == 1


def test_slices_of_somebody_else_are_used_and_left_alone(cluster: Any) -> None:
    cluster.pod("web", labels={"app": "other"})
    cluster.settle()
    ip = cluster.service("web", None)
    address = cluster.store.get("pods", "default", "web")["status"]["podIP"]
    own = {"kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "staff"}
    cluster.store.create(
        "endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "web-1", "namespace": "default", "labels": own},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address]}],
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        },
    )
    cluster.settle()
    assert [slice_["metadata"]["name"] for slice_ in cluster.slices("web")] == ["web-1"]
    assert cluster.get(cluster.probe(), ip) == "web"


def test_the_old_endpoints_are_kept_too(cluster: Any) -> None:
    cluster.deployment("web", 2)
    cluster.service("web", {"app": "web"}, ports=[{"name": "http", "port": 80, "targetPort": 8080}])
    cluster.settle()
    (subset,) = cluster.store.get("endpoints", "default", "web")["subsets"]
    assert {a["targetRef"]["name"] for a in subset["addresses"]} == cluster.names("web")
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


# --- filling slices: the rule as a property

SERVICE: Obj = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default", "uid": "service-uid"},
    "spec": {"clusterIP": "10.96.0.9", "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}


def _pod(number: int, port: int) -> Obj:
    address = f"10.244.{number // 250}.{number % 250 + 2}"
    conditions = [{"type": "Ready", "status": "True"}]
    ports = [{"name": "http", "containerPort": port, "protocol": "TCP"}]
    return {
        "metadata": {"name": f"web-{number}", "namespace": "default", "uid": f"uid-{number}"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "ports": ports}]},
        "status": {"podIP": address, "conditions": conditions},
    }


def _carry_out(todo: Any, existing: list[Obj], new_name: Callable[[], str]) -> list[Obj]:
    gone = {s["metadata"]["name"] for s in todo.delete}
    changed = {s["metadata"]["name"]: s for s in todo.update}
    kept = [changed.get(s["metadata"]["name"], s) for s in existing if s["metadata"]["name"] not in gone]
    for ports, endpoints in todo.create:
        references = [{"uid": "service-uid", "controller": True}]
        metadata = {"name": new_name(), "labels": slice_labels(SERVICE), "ownerReferences": references}
        kept.append(
            {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints or None, "ports": ports_json(ports)}
        )
    return kept


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([80, 81])), max_size=40), max_size=4))
def test_slices_always_hold_exactly_the_pods_however_they_changed(steps: list[list[tuple[int, int]]]) -> None:
    with patch.object(sliceplan, "MAX_ENDPOINTS", 10):
        _check(steps)


def _check(steps: list[list[tuple[int, int]]]) -> None:
    names = iter(f"web-{number}" for number in range(10_000))
    slices: list[Obj] = []
    for step in steps:
        pods = [_pod(number, port) for number, port in dict(step).items()]
        slices = _carry_out(plan(SERVICE, pods, slices, {"n": ""}), slices, lambda: next(names))
        held = [
            (endpoint["targetRef"]["uid"], port["port"])
            for slice_ in slices
            for endpoint in slice_["endpoints"] or ()
            for port in slice_["ports"] or ()
        ]
        wanted = {(f"uid-{number}", port) for number, port in dict(step).items()}
        assert len(held) == len(set(held))
        assert set(held) == wanted
        assert all(len(slice_["endpoints"] or ()) <= sliceplan.MAX_ENDPOINTS for slice_ in slices)
        assert slices
        again = plan(SERVICE, pods, slices, {"n": ""})
        assert not (again.create or again.update or again.delete)


def test_endpoints_written_by_hand_are_mirrored(cluster: Any) -> None:
    cluster.pod("db", labels={"app": "db"})
    cluster.settle()
    address = cluster.store.get("pods", "default", "db")["status"]["podIP"]
    ip = cluster.service("legacy", None)
    body = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "legacy", "namespace": "default"},
        "subsets": [{"addresses": [{"ip": address}], "ports": [{"port": 8080, "protocol": "TCP"}]}],
    }
    stored = cluster.store.create("endpoints", body)
    cluster.settle()
    (slice_,) = cluster.slices("legacy")
    managed_by = slice_["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
    assert managed_by == "endpointslicemirroring-controller.k8s.io"
    assert cluster.get(cluster.probe(), ip) == "db"
    cluster.store.update("endpoints", {**stored, "subsets": []})
    cluster.settle()
    assert cluster.slices("legacy") == []


def test_a_port_has_one_subset_with_all_its_addresses_and_ports_of_the_same_addresses_share_it() -> None:
    old = {"addresses": [{"ip": "10.244.1.9"}], "ports": [{"name": "http", "port": 8080}, {"name": "talk", "port": 9}]}
    new = {"addresses": [{"ip": "10.244.1.10"}], "ports": [{"name": "http", "port": 9090}, {"name": "talk", "port": 9}]}
    packed = [
        ([port["port"] for port in subset["ports"]], [address["ip"] for address in subset["addresses"]])
        for subset in repacked([old, new])
    ]
    assert packed == [([8080], ["10.244.1.9"]), ([9090], ["10.244.1.10"]), ([9], ["10.244.1.10", "10.244.1.9"])]
    twice = {"ports": [{"port": 1}, {"port": 2}]}
    ends = repacked([{**twice, "addresses": [{"ip": "a"}]}, {**twice, "notReadyAddresses": [{"ip": "a"}]}])
    assert ends == [{"notReadyAddresses": [{"ip": "a"}], "ports": [{"port": 1}, {"port": 2}]}]


def test_subsets_with_the_same_ports_are_mirrored_to_one_slice_which_keeps_its_name(cluster: Any) -> None:
    cluster.service("legacy", None)
    http, metrics = [{"name": "http", "port": 8080}], [{"name": "metrics", "port": 9090}]
    first = {"addresses": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}], "ports": http}
    body = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "legacy", "namespace": "default"}}
    stored = cluster.store.create(
        "endpoints", {**body, "subsets": [first, {**first, "addresses": [{"ip": "192.0.2.2"}]}]}
    )
    cluster.settle()
    names = {slice_["addressType"]: slice_["metadata"]["name"] for slice_ in cluster.slices("legacy")}
    assert sorted(names) == ["IPv4", "IPv6"]
    cluster.store.update("endpoints", {**stored, "subsets": [{**first, "ports": metrics}]})
    cluster.settle()
    slices = cluster.slices("legacy")
    assert {slice_["addressType"]: slice_["metadata"]["name"] for slice_ in slices} == names
    assert {slice_["ports"][0]["name"] for slice_ in slices} == {"metrics"}
