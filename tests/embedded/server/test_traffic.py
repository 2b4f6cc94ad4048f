from __future__ import annotations

import json
import socket
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from grader.cluster.info import ClusterInfo
from grader.kube.client import KubeApi

if TYPE_CHECKING:
    from tests.embedded.server.kubectl import Kubectl

MANIFESTS = Path(__file__).with_name("manifests")
BACKEND = (MANIFESTS / "backend.yaml").read_text()
NODE_PORT = (MANIFESTS / "nodeport.yaml").read_text()
SERVICE = (MANIFESTS / "service.yaml").read_text()


@pytest.fixture
def backend(kubectl: Kubectl) -> Kubectl:
    kubectl("apply", "-f", "-", stdin=f"{BACKEND}---\n{SERVICE}---\n{NODE_PORT}")
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
    return kubectl


def host_ports(info: ClusterInfo) -> dict[str, str]:
    with KubeApi(info.kubeconfig) as api:
        return {str(key): str(value) for key, value in api.get(info.host_ports_path).items()}


def outside(info: ClusterInfo, path: str) -> str:
    with KubeApi(info.kubeconfig) as api:
        return api.raw_get(info.outside.removeprefix("api:") + path).decode()


def node_port(kubectl: Kubectl, name: str = "outside") -> int:
    return int(kubectl("get", "svc", name, "-o", "jsonpath={.spec.ports[0].nodePort}"))


def test_a_node_port_is_open_on_the_learners_host(backend: Kubectl, cluster: ClusterInfo) -> None:
    address = host_ports(cluster)[str(node_port(backend))]
    answers = set()
    for _ in range(30):
        with urllib.request.urlopen(f"http://{address}/hostname", timeout=5) as answer:
            answers.add(answer.read().decode())

    names = backend("get", "pods", "-l", "app=backend", "-o", "jsonpath={.items[*].metadata.name}").split()
    assert answers == set(names)


def test_a_taken_port_is_served_on_another_one(backend: Kubectl, cluster: ClusterInfo) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for port in range(32000, 32700):
            try:
                other.bind(("127.0.0.1", port))
                break
            except OSError:
                continue
        other.listen()
        patch = json.dumps({"spec": {"ports": [{"port": 80, "nodePort": port, "targetPort": "http"}]}})
        backend("patch", "svc", "outside", "--type=merge", "-p", patch)
        address = host_ports(cluster)[str(port)]
        assert address != f"127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://{address}/hostname", timeout=5) as answer:
            assert answer.status == 200


def test_a_deleted_service_closes_its_port(backend: Kubectl, cluster: ClusterInfo) -> None:
    port = node_port(backend)
    host, _, number = host_ports(cluster)[str(port)].rpartition(":")
    backend("delete", "svc", "outside")

    assert str(port) not in host_ports(cluster)
    with pytest.raises(OSError):
        socket.create_connection((host, int(number)), timeout=2).close()


def test_a_node_port_without_endpoints_breaks_off(kubectl: Kubectl, cluster: ClusterInfo) -> None:
    kubectl("apply", "-f", "-", stdin=NODE_PORT)
    address = host_ports(cluster)[str(node_port(kubectl))]
    before = time.monotonic()

    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://{address}/hostname", timeout=5).close()
    assert time.monotonic() - before < 2


def test_the_outside_client_reaches_a_load_balancer(backend: Kubectl, cluster: ClusterInfo) -> None:
    backend("patch", "svc", "outside", "-p", '{"spec":{"type":"LoadBalancer"}}')
    backend("wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}", "svc/outside", "--timeout=10s")
    ip = backend("get", "svc", "outside", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")

    told = json.loads(outside(cluster, f"/dial?host={ip}&port=80&protocol=http&request=hostname&tries=20"))

    assert len(set(told["responses"])) == 3
    assert "errors" not in told


def test_the_probe_pods_take_commands(backend: Kubectl, cluster: ClusterInfo) -> None:
    base = "/api/v1/namespaces/course-probe/pods"
    ip = backend("get", "svc", "backend", "-o", "jsonpath={.spec.clusterIP}")
    for node in ("services-course-control-plane", "services-course-worker", "services-course-worker2"):
        told = backend("get", "--raw", f"{base}/probe-{node}:8080/proxy/shell?cmd=curl%20-s%20http://{ip}/hostname")
        assert json.loads(told)["output"].startswith("backend-")


def test_a_client_that_gives_up_does_not_hold_the_probe_up(backend: Kubectl, cluster: ClusterInfo) -> None:
    base = "/api/v1/namespaces/course-probe/pods/probe-services-course-worker:8080/proxy/shell?cmd="
    slow = backend.start("get", "--raw", f"{base}sleep%20600", "--request-timeout=1s")
    slow.communicate(timeout=20)

    assert slow.returncode != 0
    assert "control-plane" not in backend("get", "--raw", f"{base}hostname")


def test_dns_answers_on_a_port_of_the_host(backend: Kubectl, cluster: ClusterInfo) -> None:
    import dns.message
    import dns.query
    import dns.rcode

    facts = json.loads((cluster.kubeconfig.parent / "endpoint.json").read_text())
    host, _, port = facts["dns"].rpartition(":")
    name = f"backend.{backend.namespace}.svc.cluster.local."
    for ask in (dns.query.udp, dns.query.tcp):
        answer = ask(dns.message.make_query(name, "A"), host, port=int(port), timeout=5)
        assert answer.answer[0][0].to_text() == backend("get", "svc", "backend", "-o", "jsonpath={.spec.clusterIP}")
    missing = dns.query.udp(dns.message.make_query(f"no-{name}", "A"), host, port=int(port), timeout=5)
    assert missing.rcode() == dns.rcode.NXDOMAIN


def test_from_apply_to_endpoints_is_quick(kubectl: Kubectl, cluster: ClusterInfo) -> None:
    kubectl("apply", "-f", "-", stdin=BACKEND)
    kubectl("rollout", "status", "deployment/backend", "--timeout=20s")
    with KubeApi(cluster.kubeconfig) as api:
        before = time.monotonic()
        api.apply(yaml.safe_load(SERVICE), namespace=kubectl.namespace)
        while not any(len(item["endpoints"] or ()) == 3 for item in api.list("endpointslices", kubectl.namespace)):
            assert time.monotonic() - before < 2  # some milliseconds, where the machine is not busy
