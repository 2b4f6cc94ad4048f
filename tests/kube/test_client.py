from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.errors import ClusterUnreachable
from grader.kube.client import ApiRefused, KubeApi, ProbeUnreachable
from tests.kube.fake_api import FakeApi, kubeconfig, serving, status

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "backend"}}


@pytest.fixture
def server() -> FakeApi:
    return FakeApi()


@pytest.fixture
def api(server: FakeApi, tmp_path: Path) -> Iterator[KubeApi]:
    with serving(server, tmp_path) as path, KubeApi(path) as client:
        yield client


def test_items_of_a_list_know_what_they_are(api: KubeApi, server: FakeApi) -> None:
    server.put("/apis/discovery.k8s.io/v1/namespaces/n/endpointslices/a", {"metadata": {"name": "a"}})
    assert api.list("endpointslices", "n", labels="x=y") == [
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "a"}}
    ]
    assert server.requests[-1][2] == {"labelSelector": ["x=y"]}


def test_an_object_that_does_not_exist_is_none(api: KubeApi) -> None:
    assert api.read("services", "backend", "n") is None
    assert api.delete("services", "backend", "n") is None


def test_what_was_created_can_be_read_and_deleted(api: KubeApi, server: FakeApi) -> None:
    api.create(SERVICE, namespace="n")
    assert api.read("services", "backend", "n") == SERVICE
    assert api.delete("services", "backend", "n") == SERVICE
    assert not server.objects


def test_apply_is_server_side_strict_and_in_the_grader_s_name(api: KubeApi, server: FakeApi) -> None:
    api.apply(SERVICE, namespace="n", dry_run=True)
    method, path, query, _ = server.requests[-1]
    assert (method, path) == ("PATCH", "/api/v1/namespaces/n/services/backend")
    assert query == {"fieldManager": ["grader"], "fieldValidation": ["Strict"], "force": ["true"], "dryRun": ["All"]}


def test_a_manifest_s_own_namespace_wins(api: KubeApi, server: FakeApi) -> None:
    api.apply({**SERVICE, "metadata": {"name": "backend", "namespace": "own"}}, namespace="other")
    assert server.methods("PATCH") == ["/api/v1/namespaces/own/services/backend"]


def test_a_kind_that_the_course_does_not_know_is_discovered_once(api: KubeApi, server: FakeApi) -> None:
    resources = [{"name": "things", "kind": "Thing", "namespaced": False}]
    server.put("/apis/a.example/v1", {"groupVersion": "a.example/v1", "resources": resources})
    thing = {"apiVersion": "a.example/v1", "kind": "Thing", "metadata": {"name": "t"}}
    api.apply(thing)
    api.apply(thing)
    assert server.methods("GET") == ["/apis/a.example/v1"]
    assert server.methods("PATCH") == ["/apis/a.example/v1/things/t"] * 2


def test_a_kind_that_nobody_knows_is_refused(api: KubeApi, server: FakeApi) -> None:
    server.put("/apis/a.example/v1", {"groupVersion": "a.example/v1", "resources": []})
    with pytest.raises(ApiRefused) as refusal:
        api.apply({"apiVersion": "a.example/v1", "kind": "Thing", "metadata": {"name": "t"}})
    assert refusal.value.reason == "NotFound"


def test_a_refusal_carries_the_server_s_causes(api: KubeApi, server: FakeApi) -> None:
    causes = [{"field": "spec.ports", "reason": "FieldValueRequired", "message": "Required value"}]
    server.replies["/api/v1/namespaces/n/services"] = (422, status("Invalid", 'Service "x" is invalid', causes))
    with pytest.raises(ApiRefused) as refusal:
        api.create(SERVICE, namespace="n")
    assert (refusal.value.reason, refusal.value.http_status) == ("Invalid", 422)
    assert refusal.value.causes == tuple(causes)
    assert refusal.value.exit_status == 1


@pytest.mark.parametrize(
    ("http_status", "code"),
    [(401, "api-unauthorized"), (429, "api-failing"), (500, "api-failing"), (503, "api-failing")],
)
def test_a_server_that_cannot_do_its_part_is_no_refusal(
    api: KubeApi, server: FakeApi, http_status: int, code: str
) -> None:
    server.replies["/version"] = (http_status, b"not even JSON")
    with pytest.raises(ClusterUnreachable) as error:
        api.version()
    assert error.value.code == code


def test_a_server_that_is_not_kubernetes_is_said_so(api: KubeApi, server: FakeApi) -> None:
    server.replies["/version"] = (200, b"<html>")
    with pytest.raises(ClusterUnreachable) as error:
        api.version()
    assert error.value.code == "api-not-kubernetes"


def test_a_probe_s_answer_is_carried_as_it_is(api: KubeApi, server: FakeApi) -> None:
    server.replies["/api/v1/namespaces/n/pods/p:8080/proxy/shell"] = (200, b'{"output":"1\\n"}')
    assert api.pod_get("n", "p", "/shell", {"cmd": "echo 1"}) == b'{"output":"1\\n"}'
    assert server.requests[-1][2] == {"cmd": ["echo 1"]}


@pytest.mark.parametrize(
    ("http_status", "body", "reason"),
    [
        (404, status("NotFound", 'pods "p" not found'), 'pods "p" not found'),
        (503, b"dial tcp: refused\n", "dial tcp: refused"),
    ],
)
def test_a_probe_that_does_not_answer_is_the_environment_s_fault(
    api: KubeApi, server: FakeApi, http_status: int, body: bytes, reason: str
) -> None:
    server.replies["/api/v1/namespaces/n/pods/p:8080/proxy/hostname"] = (http_status, body)
    with pytest.raises(ProbeUnreachable) as error:
        api.pod_get("n", "p", "hostname")
    assert error.value.facts["reason"] == reason
    assert error.value.exit_status == 4


def test_a_port_where_nobody_listens_is_unreachable_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        path = tmp_path / "k"
        path.write_text(kubeconfig(f"http://127.0.0.1:{unused.getsockname()[1]}"))
    with pytest.raises(ClusterUnreachable) as error:
        KubeApi(path).version()
    assert error.value.code == "api-unreachable"


def test_a_server_that_keeps_silent_is_given_up_after_the_time_given(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = tmp_path / "k"
        path.write_text(kubeconfig(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with pytest.raises(ClusterUnreachable) as error:
            KubeApi(path).version(timeout=0.05)
    assert (error.value.code, error.value.facts["seconds"]) == ("api-timeout", "0.05")


def test_a_connection_that_the_server_closed_is_opened_again(api: KubeApi, server: FakeApi) -> None:
    server.replies["/version"] = (200, b'{"gitVersion": "v1.36.3"}')
    server.closing = True
    assert [api.version() for _ in range(3)] == ["v1.36.3"] * 3


def test_a_change_is_not_sent_into_a_connection_that_the_server_closed(api: KubeApi, server: FakeApi) -> None:
    server.closing = True
    for name in ("a", "b", "c"):
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        assert server.closed.acquire(timeout=5)
    assert server.methods("POST") == ["/api/v1/namespaces"] * 3


def test_threads_share_one_client(api: KubeApi, server: FakeApi) -> None:
    server.replies["/version"] = (200, b'{"gitVersion": "v1.36.3"}')
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: api.version(), range(40))) == {"v1.36.3"}
    assert len(server.requests) == 40


def test_a_proxy_is_never_asked_for_the_loopback(
    api: KubeApi, server: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    server.replies["/version"] = (200, b'{"gitVersion": "v1.36.3"}')
    assert api.version() == "v1.36.3"
