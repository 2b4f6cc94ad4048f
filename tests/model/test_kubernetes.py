"""The EndpointSlices that must result, against the rules of k8s.io/endpointslice."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model.kubernetes import (
    actual_slices,
    expected_slices,
    find_port,
    hostname_of,
    is_finished,
    labels_of,
    routed,
    selects,
    slices_settled,
)
from tests.judge.world import Raw, endpoint_of, slice_of

LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2)


@st.composite
def pods(draw: st.DrawFn) -> list[Raw]:
    made = []
    for number in range(draw(st.integers(0, 5))):
        ports = [{"name": draw(st.sampled_from(["http", "web"])), "containerPort": draw(st.integers(8080, 8082))}]
        metadata: Raw = {"name": f"pod-{number}", "uid": f"uid-{number}", "labels": draw(LABELS)}
        if draw(st.booleans()):
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        ips = [{"ip": f"10.0.0.{number}"}] if draw(st.booleans()) else []
        made.append(
            {
                "metadata": metadata,
                "spec": {"nodeName": "n", "containers": [{"name": "c", "ports": ports}]},
                "status": {
                    "phase": draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed"])),
                    "podIPs": [*ips, {"ip": "fd00::1"}],
                    "conditions": [{"type": "Ready", "status": draw(st.sampled_from(["True", "False"]))}],
                },
            }
        )
    return made


@st.composite
def services(draw: st.DrawFn) -> Raw:
    targets = st.one_of(st.integers(8080, 8081), st.sampled_from(["http", "none"]))
    ports = [
        {"name": f"p{number}", "port": 80 + number, "protocol": "TCP", "targetPort": draw(targets)}
        for number in range(draw(st.integers(0, 3)))
    ]
    spec: Raw = {"type": draw(st.sampled_from(["ClusterIP", "ExternalName"])), "selector": draw(LABELS), "ports": ports}
    if draw(st.booleans()):
        spec["publishNotReadyAddresses"] = True
    return {"metadata": {"name": "svc", "uid": "u"}, "spec": spec}


@settings(deadline=None)
@given(services(), pods(), st.randoms(use_true_random=False))
def test_slices_cut_in_any_way_and_repeated_read_back_as_what_was_expected(
    service: Raw, made: list[Raw], shuffle: random.Random
) -> None:
    expected = sorted(expected_slices(service, made))
    pieces = [
        slice_of(service, (item.port_name, item.port, item.protocol), [endpoint_of(item)], number)
        for number, item in enumerate(expected)
    ]
    pieces += pieces[:2]
    shuffle.shuffle(pieces)
    assert actual_slices(service, json.loads(json.dumps(pieces))) == frozenset(expected)
    assert slices_settled(service, made, pieces)
    if expected:
        assert not slices_settled(service, made, [])


@settings(deadline=None)
@given(services(), pods())
def test_each_endpoint_is_a_selected_living_pod_with_an_address_and_honest_conditions(
    service: Raw, made: list[Raw]
) -> None:
    by_uid = {item["metadata"]["uid"]: item for item in made}
    for endpoint in expected_slices(service, made):
        pod = by_uid[endpoint.pod]
        assert selects(service["spec"]["selector"], labels_of(pod))
        assert not is_finished(pod)
        assert endpoint.terminating is ("deletionTimestamp" in pod["metadata"])
        if service["spec"].get("publishNotReadyAddresses"):
            assert endpoint.ready
        else:
            assert endpoint.ready == (endpoint.serving and not endpoint.terminating)


@settings(deadline=None)
@given(services(), pods())
def test_a_service_without_selector_or_of_type_external_name_has_no_slices(service: Raw, made: list[Raw]) -> None:
    for change in ({"selector": {}}, {"selector": None}, {"type": "ExternalName"}):
        assert expected_slices({**service, "spec": {**service["spec"], **change}}, made) == frozenset()


@settings(deadline=None)
@given(services(), pods())
def test_traffic_goes_to_ready_endpoints_and_to_terminating_ones_only_where_none_is_ready(
    service: Raw, made: list[Raw]
) -> None:
    every = expected_slices(service, made)
    chosen = routed(every)
    assert chosen <= every
    if any(item.ready and item.port is not None for item in every):
        assert all(item.ready for item in chosen)
    else:
        assert all(item.serving and item.terminating for item in chosen)


def test_two_pods_that_expose_one_name_on_different_numbers_resolve_each_to_its_own() -> None:
    def pod(port: int) -> dict[str, Any]:
        return {"spec": {"containers": [{"ports": [{"name": "http", "containerPort": port}]}]}}

    port = {"port": 80, "targetPort": "http"}
    assert (find_port(pod(8080), port), find_port(pod(9090), port)) == (8080, 9090)
    assert find_port(pod(8080), {"port": 80, "targetPort": "http", "protocol": "UDP"}) is None
    assert find_port(pod(8080), {"port": 80}) == 80


def test_a_named_port_may_be_a_sidecars() -> None:
    sidecar = {"restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 1}]}
    once = {"ports": [{"name": "http", "containerPort": 2}]}
    port = {"port": 80, "targetPort": "http"}
    assert find_port({"spec": {"containers": [{}], "initContainers": [once, sidecar]}}, port) == 1


def test_a_long_pod_name_is_cut_as_the_kubelet_does() -> None:
    assert hostname_of({"metadata": {"name": "a" * 62 + "-bc"}, "spec": {}}) == "a" * 62
    assert hostname_of({"metadata": {"name": "pod"}, "spec": {"hostname": "web-0"}}) == "web-0"
