"""Ports of Pods in their node's network: defaults and validation; texts seen on kind."""

from __future__ import annotations

from typing import Any

from tests.embedded.core.api.api_client import DEPLOYMENTS, PODS, Api, deployment, pod

MATCH = "must match `containerPort` when `hostNetwork` is true"


def with_ports(obj: Any, *ports: Any) -> Any:
    spec = obj["spec"].get("template", obj)["spec"]
    spec["hostNetwork"] = True
    spec["containers"][0]["ports"] = list(ports)
    return obj


def test_a_host_port_of_a_pod_in_its_nodes_network_must_be_the_containers(api: Api) -> None:
    wrong = {"containerPort": 80, "hostPort": 8189}
    for path, obj, where in ((PODS, pod(), "spec"), (DEPLOYMENTS, deployment(), "spec.template.spec")):
        code, answer = api.call("POST", path, with_ports(obj, wrong))
        assert code == 422
        field = f"{where}.containers[0].ports[0].hostPort"
        assert answer["details"]["causes"] == [
            {"reason": "FieldValueInvalid", "message": f"Invalid value: 8189: {MATCH}", "field": field}
        ]


def test_only_pods_get_the_host_port_by_default(api: Api) -> None:
    made = api.create(PODS, with_ports(pod(), {"containerPort": 80}))
    assert made["spec"]["containers"][0]["ports"][0]["hostPort"] == 80
    template = api.create(DEPLOYMENTS, with_ports(deployment(), {"containerPort": 80}))["spec"]["template"]
    assert "hostPort" not in template["spec"]["containers"][0]["ports"][0]


def test_a_host_port_is_asked_for_once(api: Api) -> None:
    twice = pod()
    twice["spec"]["containers"][0]["ports"] = [{"containerPort": n, "hostPort": 8189} for n in (80, 81)]
    code, answer = api.call("POST", PODS, twice)
    assert (code, answer["details"]["causes"][0]["message"]) == (422, 'Duplicate value: "TCP//8189"')
