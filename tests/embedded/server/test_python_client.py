from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.embedded.server.kubectl import Kubectl

MANIFESTS = Path(__file__).with_name("manifests")
OBJECTS = "---\n".join((MANIFESTS / f"{name}.yaml").read_text() for name in ("backend", "service", "client"))


@pytest.fixture
def backend(kubectl: Kubectl) -> Kubectl:
    kubectl("apply", "-f", "-", stdin=OBJECTS)
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
    kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=20s")
    return kubectl


@pytest.fixture
def client(kubectl: Kubectl) -> Any:
    """The official client, which validates each answer against its models."""
    from kubernetes import client, config

    api = config.new_client_from_config(str(kubectl.kubeconfig))
    yield client.CoreV1Api(api)
    api.close()
    with warnings.catch_warnings():  # the official client leaves its sockets to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        del api
        gc.collect()


def test_every_kind_that_the_course_uses_is_valid(backend: Kubectl, client: Any) -> None:
    from kubernetes.client import AppsV1Api, DiscoveryV1Api, VersionApi

    namespace = backend.namespace
    assert len(client.list_node().items) == 3
    assert len(client.list_namespaced_pod(namespace).items) == 4
    assert len(client.list_pod_for_all_namespaces().items) > 4
    assert client.list_service_for_all_namespaces().items
    assert client.list_namespaced_event(namespace).items
    assert client.list_namespaced_config_map(namespace).items
    assert client.list_namespaced_service_account(namespace).items
    assert client.list_namespaced_endpoints(namespace).items
    assert any(item.metadata.name == namespace for item in client.list_namespace().items)
    slices = DiscoveryV1Api(client.api_client).list_namespaced_endpoint_slice(namespace).items
    assert [len(item.endpoints) for item in slices] == [3]
    apps = AppsV1Api(client.api_client)
    assert apps.read_namespaced_deployment("backend", namespace).status.ready_replicas == 3
    assert len(apps.list_namespaced_replica_set(namespace).items) == 1
    assert VersionApi(client.api_client).get_code().git_version.startswith("v1.36")


def test_a_service_is_created_patched_and_deleted(kubectl: Kubectl, client: Any) -> None:
    from kubernetes.client import V1ObjectMeta, V1Service, V1ServicePort, V1ServiceSpec
    from kubernetes.client.rest import ApiException

    spec = V1ServiceSpec(selector={"app": "x"}, ports=[V1ServicePort(port=80)])
    made = client.create_namespaced_service(kubectl.namespace, V1Service(metadata=V1ObjectMeta(name="made"), spec=spec))
    assert made.spec.cluster_ip.startswith("10.96.")
    patched = client.patch_namespaced_service("made", kubectl.namespace, {"metadata": {"labels": {"a": "b"}}})
    assert patched.metadata.labels == {"a": "b"}
    client.delete_namespaced_service("made", kubectl.namespace)
    with pytest.raises(ApiException) as caught:
        client.read_namespaced_service("made", kubectl.namespace)
    assert caught.value.status == 404


def test_watch_tells_additions_from_where_the_list_ended(kubectl: Kubectl, client: Any) -> None:
    from kubernetes import watch

    version = client.list_namespaced_service(kubectl.namespace).metadata.resource_version
    kubectl("create", "service", "clusterip", "seen", "--tcp=80")
    watching = watch.Watch()
    for event in watching.stream(
        client.list_namespaced_service, kubectl.namespace, resource_version=version, timeout_seconds=10
    ):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "seen")
        watching.stop()


def test_exec_gives_output_and_exit_code(backend: Kubectl, client: Any) -> None:
    from kubernetes.stream import stream

    command = ["sh", "-c", "cat; echo err >&2; exit 4"]
    running = stream(
        client.connect_get_namespaced_pod_exec,
        "client",
        backend.namespace,
        command=command,
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    running.write_stdin("hello\n")
    assert running.readline_stdout(timeout=5) == "hello"
    running.close_channel(0)
    running.run_forever(timeout=5)
    running.close()
    assert running.read_stderr() == "err\n"
    assert running.returncode == 4


def test_port_forward_carries_a_request(backend: Kubectl, client: Any) -> None:
    from kubernetes.stream import portforward

    pod = backend("get", "pods", "-l", "app=backend", "-o", "jsonpath={.items[0].metadata.name}")
    forwarding = portforward(client.connect_get_namespaced_pod_portforward, pod, backend.namespace, ports="8080")
    connection = forwarding.socket(8080)
    connection.setblocking(True)
    connection.settimeout(5)
    connection.sendall(b"GET /hostname HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = b""
    while data := connection.recv(4096):
        answer += data
    connection.close()

    assert answer.endswith(pod.encode())
    assert forwarding.error(8080) is None


def test_logs_are_read(backend: Kubectl, client: Any) -> None:
    pod = backend("get", "pods", "-l", "app=backend", "-o", "jsonpath={.items[0].metadata.name}")

    assert isinstance(client.read_namespaced_pod_log(pod, backend.namespace), str)
