"""A URL called from every place: the same question, and an answer or none."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli.root import root
from grader.cluster.info import ClusterInfo, Provider, load
from grader.errors import EnvironmentError_, UsageError
from grader.kube.client import KubeApi
from grader.observe.carriers import CarrierError
from grader.workflow.session import call as module
from grader.workflow.session.call import call

SHOP = "call-shop"
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
OBJECTS = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": SHOP, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": IMAGE, "args": ["netexec"]}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": SHOP},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    },
)


@pytest.fixture(scope="module")
def shop(cluster_home: Path) -> Iterator[dict[str, str]]:
    """A Pod behind a Service: its addresses."""
    with KubeApi(cluster_home / "clusters" / "services-course" / "kubeconfig") as api:
        for item in OBJECTS:
            api.create(item)
        for _ in range(1000):
            if api.list("endpointslices", SHOP) and api.list("endpointslices", SHOP)[0].get("endpoints"):
                break
        service = api.read("services", "web", SHOP)
        assert service is not None
        node = api.list("nodes")[0]
        yield {
            "ip": service["spec"]["clusterIP"],
            "port": str(service["spec"]["ports"][0]["nodePort"]),
            "node": node["metadata"]["name"],
            "address": node["status"]["addresses"][0]["address"],
        }
        api.delete("namespaces", SHOP)


@pytest.fixture
def cluster(cluster_home: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterInfo:
    monkeypatch.setenv("GRADER_HOME", str(cluster_home))
    monkeypatch.delenv("GRADER_CLUSTER", raising=False)
    return load()


def test_from_outside_a_node_port_answers_and_a_cluster_ip_does_not(
    cluster: ClusterInfo, shop: Mapping[str, str]
) -> None:
    assert call(cluster, f"http://{shop['address']}:{shop['port']}/hostname") == ["web"]
    assert call(cluster, f"http://{shop['ip']}/hostname") == [None]


def test_from_a_node_and_from_a_pod_a_cluster_ip_answers(cluster: ClusterInfo, shop: Mapping[str, str]) -> None:
    assert call(cluster, f"http://{shop['ip']}/hostname", source=shop["node"], times=3) == ["web"] * 3
    assert call(cluster, f"http://web.{SHOP}/hostname", source="web", namespace=SHOP) == ["web"]


def test_from_here_localhost_means_the_cluster_s_node_port(cluster: ClusterInfo, shop: Mapping[str, str]) -> None:
    assert call(cluster, f"http://localhost:{shop['port']}/hostname", source="here") == ["web"]
    with pytest.raises(UsageError) as error:
        call(cluster, "http://localhost:1/hostname", source="here")
    assert error.value.code == "host-port-unmapped"


def test_through_a_port_forward(cluster: ClusterInfo, shop: Mapping[str, str]) -> None:
    assert call(cluster, "http://web/hostname", source="port-forward", namespace=SHOP, times=2) == ["web", "web"]
    with pytest.raises(EnvironmentError_) as error:
        call(cluster, "http://nobody/hostname", source="port-forward", namespace=SHOP)
    assert "nobody" in error.value.facts["reason"]


def test_the_command_prints_a_line_an_answer_and_silence_is_one(cluster: ClusterInfo, shop: Mapping[str, str]) -> None:
    done = CliRunner().invoke(
        root, ["call", f"http://web.{SHOP}/hostname", "--from", "web", "-n", SHOP, "--times", "2"]
    )
    assert (done.exit_code, done.stdout) == (0, "web\nweb\n")
    done = CliRunner().invoke(root, ["call", f"http://{shop['ip']}/hostname"])
    assert (done.exit_code, done.stdout) == (0, "応答なし\n")


def test_an_unknown_place_and_another_scheme_are_told(cluster: ClusterInfo) -> None:
    for url, source, code in (("http://a", "nobody", "call-from-unknown"), ("https://a", "outside", "call-url")):
        with pytest.raises(UsageError) as error:
            call(cluster, url, source=source, namespace="default")
        assert error.value.code == code


class Dialer:
    """Stands for the outside client's netexec in a container."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self.answer = answer
        self.closed = False
        self.asked: list[Mapping[str, str]] = []

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        self.asked.append(query)
        return json.dumps(self.answer()).encode()

    def close(self) -> None:
        self.closed = True


KIND = ClusterInfo("small", Provider.KIND, Path("none"), "v1.36.3", "docker:client", {30081: "127.0.0.1:41081"})


def test_kind_s_outside_client_is_asked_to_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    dialer = Dialer(lambda: {"responses": ["pod-a"]})
    monkeypatch.setattr(module, "ContainerCarrier", lambda container: dialer)
    assert call(KIND, "http://172.18.255.200:8081/echo?msg=a") == ["pod-a"]
    query = dialer.asked[0]
    assert (query["host"], query["port"], query["request"]) == ("172.18.255.200", "8081", "echo?msg=a")
    assert dialer.closed


def test_a_client_that_cannot_be_asked_is_the_environment_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> object:
        raise CarrierError("outside-client-missing")

    monkeypatch.setattr(module, "ContainerCarrier", lambda container: Dialer(absent))
    with pytest.raises(EnvironmentError_) as error:
        call(KIND, "http://172.18.255.200/hostname")
    assert error.value.code == "call-from-silent"
    with pytest.raises(EnvironmentError_) as error:
        call(replace(KIND, outside=""), "http://172.18.255.200/hostname")
    assert error.value.code == "outside-client-absent"


def test_kind_s_node_ports_are_reached_where_docker_publishes_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
    silent = replace(KIND, host_ports={30081: f"127.0.0.1:{number}"})
    assert call(silent, "http://localhost:30081/hostname", source="here") == [None]
