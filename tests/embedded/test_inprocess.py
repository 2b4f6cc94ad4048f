"""A cluster inside of this process: requests are answered, time passes only when it is told to, nothing listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from grader.embedded import HOST_PORTS, OUTSIDE
from grader.embedded.inprocess import Cluster, Completed, Refused

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


def test_a_watch_tells_what_happens_as_time_passes() -> None:
    with Cluster() as cluster:
        events = cluster.watch(f"{PODS}?fieldSelector=metadata.name=one", limit=60)
        make(cluster, PODS, pod("one", readinessProbe={"httpGet": {"port": 8080}, "initialDelaySeconds": 20}))
        begun = cluster.now

        told = []
        for event in events:
            told.append((event["type"], event["object"]["status"]["phase"]))
            if any(item["ready"] for item in event["object"]["status"].get("containerStatuses", ())):
                break

        assert (told[0], told[-1]) == (("ADDED", "Pending"), ("MODIFIED", "Running"))
        assert 0 < cluster.now - begun < 60


def test_a_watch_ends_with_its_time_or_where_nothing_comes() -> None:
    with Cluster() as cluster:
        shown = cluster.now
        assert list(cluster.watch(f"{PODS}?timeoutSeconds=30")) == []
        assert cluster.now == shown + 30
        assert list(cluster.watch(PODS, limit=5)) == []
        assert cluster.now == shown + 35
        bookmark = next(cluster.watch(f"{PODS}?allowWatchBookmarks=true"))
        assert (bookmark["type"], cluster.now) == ("BOOKMARK", shown + 95)


def test_a_watch_that_is_refused_says_why() -> None:
    with Cluster() as cluster, pytest.raises(Refused, match="could not find the requested resource") as refused:
        cluster.watch("/api/v1/nothing")
    assert refused.value.status == 404


def test_logs_are_read_and_refused_as_over_a_socket() -> None:
    with Cluster() as cluster:
        make(cluster, PODS, pod("one"))
        with pytest.raises(Refused, match="previous terminated container"):
            cluster.logs("default", "one", previous=True)
        cluster.wait(lambda: got(cluster, f"{PODS}/one")["status"]["phase"] == "Running", limit=60)

        assert b"Started HTTP server on port 8080" in cluster.logs("default", "one")
        assert cluster.request("GET", f"{PODS}/one/log?limitBytes=3")[1] == cluster.logs("default", "one")[:3]
        with pytest.raises(ValueError, match="stream"):
            cluster.request("GET", f"{PODS}/one/log?follow=true")


def test_a_command_runs_to_its_end_on_the_clusters_clock() -> None:
    with Cluster() as cluster:
        make(cluster, PODS, pod("one"))
        cluster.wait(lambda: got(cluster, f"{PODS}/one")["status"]["phase"] == "Running", limit=60)
        begun, shown = time.monotonic(), cluster.now

        done = cluster.exec("default", "one", ["sh", "-c", "cat; echo oops >&2; sleep 600; exit 3"], stdin=b"in")

        assert done == Completed(3, b"in", b"oops\n")
        assert cluster.now - shown >= 600
        assert time.monotonic() - begun < 60
        with pytest.raises(TimeoutError, match="sleep has not ended within 5 s"):
            cluster.exec("default", "one", ["sleep", "60"], limit=5)


def test_what_never_holds_is_waited_for_as_long_as_was_said() -> None:
    with Cluster() as cluster:
        shown = cluster.now
        with pytest.raises(TimeoutError, match="does not hold after 40 s"):
            cluster.wait(lambda: False, limit=40)
        assert cluster.now == shown + 40


def test_the_same_seed_gives_the_same_cluster_whatever_python_makes_of_hashes() -> None:
    program = [sys.executable, "-m", "tests.embedded.hashed"]
    seeds = ({**os.environ, "PYTHONHASHSEED": seed} for seed in ("1", "2"))
    one, other = (subprocess.run(program, env=env, capture_output=True, check=True).stdout for env in seeds)
    assert one.count(b"\n") > 10
    assert one == other
