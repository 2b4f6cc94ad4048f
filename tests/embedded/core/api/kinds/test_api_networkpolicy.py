"""What is refused of a NetworkPolicy (pkg/apis/networking/validation/validation.go)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import Api

PATH = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
EXISTS = {"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["x"]}]}


def body(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec}


def rule(**fields: Any) -> dict[str, Any]:
    return {"ingress": [fields]}


def block(cidr: str, *exceptions: str) -> dict[str, Any]:
    return rule(**{"from": [{"ipBlock": {"cidr": cidr, "except": list(exceptions)}}]})


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (rule(**{"from": [{}]}), "spec.ingress[0].from[0]", "must specify a peer"),
        ({"egress": [{"to": [{}]}]}, "spec.egress[0].to[0]", "must specify a peer"),
        (
            rule(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}),
            "spec.ingress[0].from[0]",
            "may not specify both ipBlock and another peer",
        ),
        (block(""), "spec.ingress[0].from[0].ipBlock.cidr", "Required value"),
        (block("10.0.0.0"), "spec.ingress[0].from[0].ipBlock.cidr", "must be a valid CIDR value"),
        (block("10.0.0.1/8"), "spec.ingress[0].from[0].ipBlock.cidr", "must not have bits set"),
        (block("10.0.0.0/8", "10.0.0.0/8"), "spec.ingress[0].from[0].ipBlock.except[0]", "must be a strict subset"),
        (block("10.0.0.0/8", "11.0.0.0/16"), "spec.ingress[0].from[0].ipBlock.except[0]", "must be a strict subset"),
        (rule(ports=[{"port": 0}]), "spec.ingress[0].ports[0].port", "must be between 1 and 65535"),
        (rule(ports=[{"port": "80"}]), "spec.ingress[0].ports[0].port", "must contain at least one letter"),
        (rule(ports=[{"port": 80, "endPort": 79}]), "spec.ingress[0].ports[0].endPort", "greater than or equal to"),
        (rule(ports=[{"port": "web", "endPort": 80}]), "spec.ingress[0].ports[0].endPort", "`port` is non-numeric"),
        (rule(ports=[{"endPort": 80}]), "spec.ingress[0].ports[0].endPort", "`port` is not specified"),
        (rule(ports=[{"protocol": "ICMP"}]), "spec.ingress[0].ports[0].protocol", "Unsupported value"),
        ({"policyTypes": ["Both"]}, "spec.policyTypes[0]", "Unsupported value"),
        ({"policyTypes": ["Egress", "Ingress", "Egress"]}, "spec.policyTypes", "may not specify more than two"),
        ({"podSelector": EXISTS}, "spec.podSelector.matchExpressions[0].values", "may not be specified when"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(spec: dict[str, Any], field: str, words: str) -> None:
    code, answer = Api().call("POST", PATH, body(**{"podSelector": {}, **spec}))
    assert code == 422
    causes = {(cause["field"], cause["message"]) for cause in answer["details"]["causes"]}
    assert [message for where, message in causes if where == field and words in message], causes


def test_what_is_left_out_is_filled_in_and_a_policy_can_be_changed() -> None:
    api = Api()
    made = api.create(PATH, body(egress=[{"ports": [{"port": 53}]}]))
    assert made["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
    }
    made["spec"]["policyTypes"] = ["Egress"]
    code, changed = api.call("PUT", f"{PATH}/p", made)
    assert (code, changed["metadata"]["generation"]) == (200, 2)
