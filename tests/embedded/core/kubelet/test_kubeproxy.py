"""What kube-proxy shows of itself: its log, its mode, its health; seen on kind."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.embedded.core.conftest import WORKER


def test_its_log_begins_with_the_mode_it_uses(cluster: Any) -> None:
    pods = cluster.store.list("pods", "kube-system")
    for pod in (pod for pod in pods if pod["metadata"]["labels"].get("k8s-app") == "kube-proxy"):
        lines = [line.text.decode() for line in cluster.world.logs("kube-system", pod["metadata"]["name"]).lines]
        assert any('] "Using iptables Proxier"\n' in line for line in lines)
        assert all(re.match(r"[IE]\d{4} \d\d:\d\d:\d\d\.\d{6}       1 \w+\.go:\d+\] ", line) for line in lines)


def test_its_mode_is_told_on_the_nodes_loopback_interface_only(cluster: Any) -> None:
    assert cluster.get(WORKER, "127.0.0.1", 10249, "/proxyMode") == "iptables"
    assert cluster.get(WORKER, cluster.world.node_ips[WORKER], 10249, "/proxyMode") == "REFUSED"


def test_every_node_tells_its_health_until_it_is_about_to_go(cluster: Any) -> None:
    for ip in cluster.world.node_ips.values():
        told = json.loads(cluster.get("outside", ip, 10256, "/healthz"))
        assert (told["healthy"], told["nodeEligible"]) == (True, True)
    taint = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    cluster.change("nodes", WORKER, "", taints=[taint])
    ip = cluster.world.node_ips[WORKER]
    assert cluster.get("outside", ip, 10256, "/healthz").startswith("HTTP/1.1 503")
    assert json.loads(cluster.get("outside", ip, 10256, "/livez"))["healthy"] is True
