"""The configuration of CoreDNS and kube-proxy can be read and changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from grader.embedded.core.api.http.messages import Request, Response
from grader.embedded.core.api.server import ApiServer

PATH = "/api/v1/namespaces/kube-system/configmaps/"


def ask(cluster: Any, method: str, name: str, body: Any = None) -> dict[str, Any]:
    headers = {"content-type": "application/merge-patch+json"}
    data = json.dumps(body).encode() if body else b""
    answer = ApiServer(cluster.store).handle(Request(method, PATH + name, [], headers, data))
    assert isinstance(answer, Response)
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)["data"]
    return found


@pytest.mark.parametrize(("name", "key"), [("coredns", "Corefile"), ("kube-proxy", "config.conf")])
def test_an_edit_is_seen(cluster: Any, name: str, key: str) -> None:
    assert ask(cluster, "GET", name)[key]
    ask(cluster, "PATCH", name, {"data": {key: "changed"}})
    assert ask(cluster, "GET", name)[key] == "changed"


def test_the_configuration_is_that_of_the_cluster(cluster: Any) -> None:
    data = ask(cluster, "GET", "kube-proxy")
    config, kubeconfig = (yaml.safe_load(data[key]) for key in ("config.conf", "kubeconfig.conf"))
    assert (config["kind"], config["mode"], config["clusterCIDR"]) == (
        "KubeProxyConfiguration",
        "iptables",
        "10.244.0.0/16",
    )
    assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://services-course-control-plane:6443"
    assert "kubernetes cluster.local in-addr.arpa ip6.arpa" in ask(cluster, "GET", "coredns")["Corefile"]
