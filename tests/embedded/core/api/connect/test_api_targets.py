from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.api.connect import targets
from grader.embedded.core.api.http.messages import Connect, Request
from grader.embedded.core.api.http.status import ApiError
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.store import Store


def store(*objects: tuple[str, dict[str, Any]]) -> Store:
    made = Store(lambda: 1_767_225_600.0)
    for resource, obj in objects:
        made.create(resource, obj)
    return made


def pod(node: str = "worker", ip: str = "10.244.1.2", ports: tuple[int, ...] = (), **state: Any) -> dict[str, Any]:
    container = {"name": "web", "ports": [{"containerPort": port} for port in ports]}
    return {
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"podIP": ip, "containerStatuses": [{"name": "web", **state}]},
    }


def connect(kind: Any, name: str = "p", resource: str = "pods", port: str = "") -> Connect:
    return Connect(kind, resource, "n", name, (), port=port, container="web")


def refused(code: int, call: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **keywords)
    assert caught.value.code == code
    return caught.value.message


def test_a_pod_without_a_node_cannot_be_connected_to() -> None:
    held = store(("pods", pod(node="")))

    assert refused(400, targets.pod_of, held, connect("exec")) == "pod p does not have a host assigned"
    assert targets.pod_of(held, connect("log"))["metadata"]["name"] == "p"


@pytest.mark.parametrize(
    ("state", "previous", "told"),
    [
        ({"state": {"waiting": {"reason": "ErrImagePull"}}}, False, "is waiting to start: image can't be pulled"),
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
            False,
            "is waiting to start: trying and failing to pull image",
        ),
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, False, "is waiting to start: ContainerCreating"),
        ({"state": {"waiting": {}}}, False, "is waiting to start - no logs yet"),
        ({"state": {"terminated": {}}}, False, "is terminated"),
        ({"state": {"running": {}}}, True, 'previous terminated container "web" in pod "p" not found'),
    ],
)
def test_a_log_that_is_not_there_says_why(state: dict[str, Any], previous: bool, told: str) -> None:
    assert told in refused(400, targets.check_loggable, pod(**state), "web", previous=previous)


def test_a_crashed_container_still_has_its_log() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    crashed = pod(state=waiting, lastState={"terminated": {"containerID": "containerd://1"}})

    targets.check_loggable(crashed, "web", previous=False)
    targets.check_loggable(crashed, "web", previous=True)


def test_a_pod_proxy_without_a_port_takes_the_first_that_is_declared() -> None:
    assert targets.proxied_pod(store(("pods", pod(ports=(8080, 9090)))), connect("proxy")) == ("10.244.1.2", 8080)
    assert targets.proxied_pod(store(("pods", pod())), connect("proxy")) == ("10.244.1.2", 80)
    assert targets.proxied_pod(store(("pods", pod())), connect("proxy", port="81")) == ("10.244.1.2", 81)


def test_a_pod_without_an_address_is_no_target() -> None:
    assert refused(400, targets.proxied_pod, store(("pods", pod(ip=""))), connect("proxy")) == "address not allowed"


def service(*subsets: dict[str, Any]) -> Store:
    meta = {"name": "s", "namespace": "n"}
    return store(
        ("services", {"metadata": meta, "spec": {"ports": [{"name": "web", "port": 80}]}}),
        ("endpoints", {"metadata": meta, "subsets": list(subsets)}),
    )


def address(ip: str, kind: str = "Pod") -> dict[str, Any]:
    return {"ip": ip, "targetRef": {"kind": kind}}


def test_a_service_proxy_goes_to_an_endpoint_by_port_number_or_name() -> None:
    held = service({"addresses": [address("10.244.1.2")], "ports": [{"name": "web", "port": 8080}]})

    for port in ("80", "web"):
        assert targets.proxied_service(held, connect("proxy", "s", "services", port)) == ("10.244.1.2", 8080)


def test_a_service_proxy_without_endpoints_is_unavailable() -> None:
    asked = connect("proxy", "s", "services", "80")

    assert refused(503, targets.proxied_service, service(), asked) == 'no endpoints available for service "s"'
    unready = {"notReadyAddresses": [address("10.244.1.2")], "ports": [{"name": "web", "port": 8080}]}
    assert "no endpoints available" in refused(503, targets.proxied_service, service(unready), asked)
    other = connect("proxy", "s", "services", "81")
    assert refused(503, targets.proxied_service, service(), other) == 'no service port 81 found for service "s"'


def test_a_service_proxy_skips_endpoints_that_are_no_pods() -> None:
    manual = {"addresses": [{"ip": "192.0.2.1"}], "ports": [{"name": "web", "port": 8080}]}
    asked = connect("proxy", "s", "services", "80")

    assert "no endpoints" in refused(503, targets.proxied_service, service(manual), asked)


def test_a_node_proxy_says_that_kubelets_have_no_api_here() -> None:
    held = store(("nodes", {"metadata": {"name": "worker"}}))
    told = refused(503, targets.proxied, held, connect("proxy", "worker", "nodes", "10250"))
    assert told.endswith("embedded cluster: the kubelet of worker has no API")


def test_a_pod_proxy_by_https_takes_its_port_without_one() -> None:
    asked = Connect("proxy", "pods", "n", "p", (), scheme="https")
    assert targets.proxied_pod(store(("pods", pod())), asked) == ("10.244.1.2", 443)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("p", ("http", "p", "")),
        ("p:80", ("http", "p", "80")),
        ("http:80", ("http", "http", "80")),
        ("https:p:", ("https", "p", "")),
        (":p:web", ("http", "p", "web")),
    ],
)
def test_a_proxied_name_is_split_as_upstream_splits_it(name: str, meant: tuple[str, str, str]) -> None:
    held = store(*(("pods", {"metadata": {"name": one, "namespace": "n"}}) for one in ("p", "http")))
    path = f"/api/v1/namespaces/n/pods/{name}/proxy/"
    answer = ApiServer(held).handle(Request("GET", path, [], {}, b""))
    assert isinstance(answer, Connect)
    assert (answer.scheme, answer.name, answer.port) == meant
