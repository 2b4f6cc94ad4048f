"""StatefulSets and DaemonSets through the real kubectl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.embedded.server.kubectl import Kubectl

PEERS = Path(__file__).with_name("manifests").joinpath("peers.yaml").read_text()
AGENT = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: web, image: 'nginx:1.29'}]
"""
ROLLED_OUT = "--timeout=20s"


def names(kubectl: Kubectl, kind: str = "pods") -> list[str]:
    return kubectl("get", kind, "-o", "jsonpath={.items[*].metadata.name}").split()


def test_a_stateful_set_is_rolled_out_scaled_and_healed(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=PEERS)
    kubectl("rollout", "status", "statefulset/peer", ROLLED_OUT)
    assert names(kubectl) == ["peer-0", "peer-1"]
    before = kubectl("get", "pod", "peer-0", "-o", "jsonpath={.metadata.uid}")
    kubectl("delete", "pod", "peer-0")
    kubectl("rollout", "status", "sts/peer", ROLLED_OUT)
    assert kubectl("get", "pod", "peer-0", "-o", "jsonpath={.metadata.uid}") != before
    kubectl("scale", "sts", "peer", "--replicas=1")
    kubectl("wait", "pod", "peer-1", "--for=delete", ROLLED_OUT)
    assert kubectl("get", "sts", "peer", "-o", "jsonpath={.status.readyReplicas}") == "1"
    row = kubectl("get", "sts", "-o", "wide").splitlines()[1].split()
    assert (row[:2], row[3]) == (["peer", "1/1"], "web")


def test_a_pod_of_a_stateful_set_is_called_by_its_name(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=PEERS)
    kubectl("rollout", "status", "statefulset/peer", ROLLED_OUT)
    assert kubectl("exec", "peer-1", "--", "curl", "-s", "peer-0.peers:8080/hostname") == "peer-0"
    targets = kubectl("exec", "peer-1", "--", "dig", "+search", "+short", "SRV", "_http._tcp.peers")
    domain = f"peers.{kubectl.namespace}.svc.cluster.local."
    assert sorted(targets.splitlines()) == [f"0 50 8080 peer-0.{domain}", f"0 50 8080 peer-1.{domain}"]
    listed = kubectl("get", "endpointslices", "-o", "jsonpath={.items[*].endpoints[*].hostname}")
    assert listed.split() == ["peer-0", "peer-1"]


def test_the_history_of_a_stateful_set_leads_back(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=PEERS)
    kubectl("rollout", "status", "sts/peer", ROLLED_OUT)
    kubectl("set", "env", "sts/peer", "STAGE=two")
    kubectl("rollout", "status", "sts/peer", ROLLED_OUT)
    assert "STAGE" in kubectl("rollout", "history", "sts/peer", "--revision=2")
    kubectl("rollout", "undo", "sts/peer")
    kubectl("rollout", "status", "sts/peer", ROLLED_OUT)
    assert "STAGE" not in kubectl("get", "pod", "peer-0", "-o", "yaml")
    described = kubectl("describe", "sts", "peer")
    assert "Pods Status:" in described
    assert "2 Running / 0 Waiting / 0 Succeeded / 0 Failed" in described
    assert kubectl.fails("expose", "sts", "peer", "--port=80") == "error: cannot expose a StatefulSet.apps\n"


def test_a_daemon_set_is_rolled_out_restarted_and_undone(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=AGENT)
    kubectl("rollout", "status", "daemonset/agent", ROLLED_OUT)
    nodes = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}").split()
    assert sorted(nodes) == ["services-course-worker", "services-course-worker2"]
    before = set(names(kubectl))
    kubectl("rollout", "restart", "ds/agent")
    kubectl("rollout", "status", "ds/agent", ROLLED_OUT)
    assert not before & set(names(kubectl))
    kubectl("rollout", "undo", "ds/agent")
    kubectl("rollout", "status", "ds/agent", ROLLED_OUT)
    assert names(kubectl, "controllerrevisions") != []
    described = kubectl("describe", "ds", "agent")
    assert "Desired Number of Nodes Scheduled: 2" in described
    assert "Pods Status:  2 Running / 0 Waiting / 0 Succeeded / 0 Failed" in described
    assert kubectl("get", "ds").splitlines()[1].split()[:6] == ["agent", "2", "2", "2", "2", "2"]
