"""A cluster inside of this process: requests are answered, time passes only when it is told to, nothing listens."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.inprocess import Cluster

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
PODS, SERVICES = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/services"
JSON = {"Content-Type": "application/json"}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "server", "image": IMAGE, "args": ["netexec"], "ports": [{"containerPort": 8080}], **spec}
    metadata = {"name": name, "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080, **spec.pop("port", {})}]
    spec = {"selector": {"app": "web"}, "ports": ports, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def make(cluster: Cluster, path: str, obj: dict[str, Any]) -> dict[str, Any]:
    status, body = cluster.request("POST", path, JSON, json.dumps(obj).encode())
    assert status == 201, body
    found: dict[str, Any] = json.loads(body)
    return found


def got(cluster: Cluster, path: str) -> Any:
    status, body = cluster.request("GET", path)
    assert status == 200, body
    return json.loads(body)


def test_what_is_made_lives_as_time_passes() -> None:
    with Cluster() as cluster:
        make(cluster, PODS, pod("one", readinessProbe={"httpGet": {"port": 8080}, "initialDelaySeconds": 20}))
        assert got(cluster, f"{PODS}/one")["spec"]["nodeName"]
        cluster.pass_time(10)
        ready = {item["type"]: item["status"] for item in got(cluster, f"{PODS}/one")["status"]["conditions"]}
        assert ready["Ready"] == "False"
        cluster.pass_time(30)
        ready = {item["type"]: item["status"] for item in got(cluster, f"{PODS}/one")["status"]["conditions"]}
        assert ready["Ready"] == "True"


def test_a_day_passes_in_no_time_and_not_by_itself() -> None:
    with Cluster() as cluster:
        shown, begun = cluster.now, time.monotonic()
        got(cluster, "/api/v1/nodes")
        assert cluster.now == shown
        cluster.pass_time(3600)
        assert cluster.now == shown + 3600
        assert time.monotonic() - begun < 30


def test_pods_services_and_node_ports_answer_from_inside_outside_and_the_host() -> None:
    with Cluster() as cluster:
        make(cluster, PODS, pod("one"))
        made = make(cluster, SERVICES, service(type="NodePort", port={"nodePort": 30080}))
        cluster.pass_time(2)
        assert cluster.request("GET", f"{PODS}/one:8080/proxy/hostname") == (200, b"one")
        dial = f"dial?host={made['spec']['clusterIP']}&port=80&request=hostname&protocol=http&tries=1"
        assert json.loads(cluster.request("GET", f"{PODS}/one:8080/proxy/{dial}")[1]) == {"responses": ["one"]}
        assert got(cluster, HOST_PORTS) == {"30080": "127.0.0.1:30080"}
        assert cluster.fetch_from_host(30080, "/hostname", 1.0) == b"one"
        node = got(cluster, "/api/v1/nodes")["items"][0]["status"]["addresses"][0]["address"]
        dial = f"dial?host={node}&port=30080&request=hostname&protocol=http&tries=1"
        assert json.loads(cluster.request("GET", f"{OUTSIDE}/{dial}")[1]) == {"responses": ["one"]}
        status, body = cluster.request("GET", f"{SERVICES}/web:80/proxy/hostname")
        assert (status, body) == (200, b"one")


def test_silence_takes_the_clusters_time_only() -> None:
    with Cluster() as cluster:
        make(cluster, PODS, pod("one"))
        cluster.pass_time(2)
        shown = cluster.now
        with pytest.raises(TimeoutError):
            cluster.request("GET", f"{PODS}/one:8080/proxy/shell?cmd=sleep+20", limit=5.0)
        assert cluster.now - shown == pytest.approx(5.0, abs=1.0)
        with pytest.raises(ConnectionResetError):
            cluster.fetch_from_host(31999, "/", 5.0)


def test_refusals_are_answers_and_streams_are_not() -> None:
    with Cluster() as cluster:
        status, body = cluster.request("GET", f"{PODS}/none")
        assert (status, json.loads(body)["reason"]) == (404, "NotFound")
        status, body = cluster.request("GET", f"{PODS}/none:8080/proxy/hostname")
        assert (status, json.loads(body)["reason"]) == (404, "NotFound")
        make(cluster, PODS, {**pod("one"), "spec": {**pod("one")["spec"], "nodeSelector": {"no": "where"}}})
        status, body = cluster.request("GET", f"{PODS}/one:8080/proxy/hostname")
        assert status in (400, 503)
        for path in (f"{PODS}?watch=true", f"{PODS}/one/log?follow=true"):
            with pytest.raises(ValueError, match="stream"):
                cluster.request("GET", path)


def test_the_same_seed_gives_the_same_cluster() -> None:
    def told(seed: int) -> str:
        with Cluster(seed=seed) as cluster:
            return str(make(cluster, SERVICES, service())["spec"]["clusterIP"])

    assert told(1) == told(1)
    assert len({told(seed) for seed in range(5)}) > 1
