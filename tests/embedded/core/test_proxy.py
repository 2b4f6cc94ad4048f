"""kube-proxy's rules as properties, over all mixtures of endpoints and policies."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.embedded.core.proxy import (
    Affinity,
    Endpoint,
    Entry,
    Source,
    categorize,
    chooser,
    decide,
    endpoints_of,
    is_proxied,
)
from grader.embedded.core.store import Obj

NODES = ("a", "b")
PORT = {"name": "", "port": 80, "nodePort": 30080, "protocol": "TCP"}

endpoints = st.lists(
    st.builds(
        lambda number, ready, serving, terminating, node: Endpoint(
            f"10.244.0.{number}", 8080, ready and not terminating, serving, terminating, node
        ),
        st.integers(1, 250),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.sampled_from(NODES),
    ),
    max_size=6,
    unique_by=lambda endpoint: endpoint.ip,
)
policies = st.sampled_from(["Cluster", "Local"])
sources = st.sampled_from(
    [Source("10.244.0.9", is_pod=True), Source("172.18.0.2", is_node=True), Source("172.18.0.100")]
)
entries: st.SearchStrategy[Entry] = st.sampled_from(["cluster-ip", "node-port", "load-balancer", "external-ip"])


def service(internal: str, external: str, **spec: object) -> Obj:
    body = {"internalTrafficPolicy": internal, "externalTrafficPolicy": external, "ports": [PORT], **spec}
    return {"metadata": {"name": "web", "namespace": "d", "uid": "u"}, "spec": {"clusterIP": "10.96.0.9", **body}}


@settings(deadline=None)
@given(endpoints, policies, policies, sources, entries)
def test_a_connection_goes_only_where_the_policies_let_it(
    held: list[Endpoint], internal: str, external: str, source: Source, entry: Entry
) -> None:
    ready = [endpoint for endpoint in held if endpoint.ready]
    usable = ready or [endpoint for endpoint in held if endpoint.serving and endpoint.terminating]
    obj = service(internal, external)
    categories = categorize(held, obj, "a")
    choose = chooser(obj, PORT, source.ip, Affinity(), 0.0, random.Random(1))
    verdict = decide(obj, PORT, entry, source, categories, choose)
    is_local = (internal if entry == "cluster-ip" else external) == "Local"
    if entry != "cluster-ip" and (source.is_pod or source.is_node):
        is_local = False
    if not usable:
        assert verdict.action == "reject"
    elif is_local and not any(e.node == "a" and (e.ready or (e.serving and e.terminating)) for e in held):
        assert verdict.action == "drop"
    else:
        assert verdict.action == "forward"
        assert verdict.endpoint is not None
        if is_local:
            assert verdict.endpoint.node == "a"
        else:
            assert verdict.endpoint in usable
    if verdict.action == "forward" and entry != "cluster-ip" and external == "Cluster":
        assert verdict.masquerade
    if verdict.action == "forward" and is_local and entry != "cluster-ip":
        assert not verdict.masquerade


@settings(deadline=None)
@given(endpoints.filter(lambda held: any(e.ready for e in held)), st.integers(1, 100), st.integers(0, 200))
def test_affinity_lasts_exactly_its_timeout(held: list[Endpoint], timeout: int, later: int) -> None:
    config = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": timeout}}}
    obj = service("Cluster", "Cluster", **config)
    pool = categorize(held, obj, "a").cluster
    table = Affinity()
    first = chooser(obj, PORT, "1.2.3.4", table, 0.0, random.Random(1))(pool)
    again = {
        chooser(obj, PORT, "1.2.3.4", Affinity(dict(table.seen)), float(later), random.Random(seed))(pool)
        for seed in range(40)
    }
    assert first in again
    if later < timeout or len(pool) == 1:
        assert again == {first}
    else:
        assert len(again) > 1


def test_endpoints_of_a_port_come_from_all_slices_without_duplicates() -> None:
    def slice_(port: int, *ips: str) -> Obj:
        ports = [{"name": "", "port": port, "protocol": "TCP"}]
        return {"metadata": {}, "addressType": "IPv4", "endpoints": [{"addresses": [ip]} for ip in ips], "ports": ports}

    found = endpoints_of(
        [slice_(80, "10.0.0.1", "10.0.0.2"), slice_(80, "10.0.0.2"), slice_(81, "10.0.0.3")], "", "TCP"
    )
    assert [(e.ip, e.port) for e in found] == [("10.0.0.1", 80), ("10.0.0.2", 80), ("10.0.0.3", 81)]


def test_services_for_another_proxy_and_headless_ones_are_not_proxied() -> None:
    labelled = service("Cluster", "Cluster")
    labelled["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "other"}
    assert not is_proxied(labelled)
    assert not is_proxied(service("Cluster", "Cluster", clusterIP="None"))
    assert is_proxied(service("Cluster", "Cluster"))
