from __future__ import annotations

from grader.cluster.probes import PROBE_IMAGE, namespace, probe


def test_a_probe_is_pinned_to_its_node_and_stays_there() -> None:
    spec = probe("worker")["spec"]
    assert spec["nodeName"] == "worker"
    assert {"operator": "Exists"} in spec["tolerations"]
    assert spec["containers"][0]["image"] == PROBE_IMAGE


def test_a_probe_satisfies_the_restricted_standard_that_its_namespace_enforces() -> None:
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    assert namespace()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    spec = probe("worker")["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    container = spec["containers"][0]["securityContext"]
    assert container == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_a_probe_carries_no_credential() -> None:
    assert probe("worker")["spec"]["automountServiceAccountToken"] is False
