"""Prints all that a busy cluster holds and says: the same for every PYTHONHASHSEED (test_inprocess.py)."""

from __future__ import annotations

import json
from typing import Any

from grader.embedded.inprocess import Cluster

BEGUN = 1_790_000_000.0
PODS = "/api/v1/namespaces/default/pods"
LISTED = (
    "v1/pods v1/services v1/endpoints v1/events v1/nodes v1/namespaces v1/configmaps v1/serviceaccounts "
    "apps/v1/replicasets apps/v1/deployments apps/v1/daemonsets apps/v1/statefulsets batch/v1/jobs "
    "discovery.k8s.io/v1/endpointslices networking.k8s.io/v1/ipaddresses policy/v1/poddisruptionbudgets"
).split()


def made(api: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def workload(name: str, image: str, **more: Any) -> dict[str, Any]:
    labels = {"app": name, "tier": "web", "track": "stable"}
    container = {"name": "web", "image": image, "ports": [{"containerPort": 80, "name": "http"}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"selector": {"matchLabels": labels}, "template": template, **more}


def ports(*numbers: int) -> list[dict[str, Any]]:
    return [{"name": f"p{number}", "port": number, "targetPort": 80} for number in numbers]


OBJECTS = (
    ("apps/v1", "deployments", made("apps/v1", "Deployment", "shop", workload("shop", "nginx:1.29", replicas=5))),
    ("apps/v1", "deployments", made("apps/v1", "Deployment", "old", workload("old", "httpd:2.4", replicas=3))),
    ("apps/v1", "daemonsets", made("apps/v1", "DaemonSet", "each", workload("each", "nginx:1.29"))),
    ("apps/v1", "statefulsets", made("apps/v1", "StatefulSet", "data",
                                     workload("data", "redis:8", replicas=2, serviceName="data"))),
    ("v1", "services", made("v1", "Service", "shop", {"type": "LoadBalancer", "selector": {"tier": "web"},
                                                      "ports": ports(80, 81)})),
    ("v1", "services", made("v1", "Service", "each", {"type": "NodePort", "selector": {"app": "each"},
                                                      "ports": ports(80, 8080)})),
    ("policy/v1", "poddisruptionbudgets", made("policy/v1", "PodDisruptionBudget", "shop",
                                               {"minAvailable": 2, "selector": {"matchLabels": {"app": "shop"}}})),
)  # fmt: skip
SCRIPT = "env; id; ls -l / /etc; for i in 1 2 3 4; do curl -s http://shop/; done; dig +search shop; ps; set; kill -l"


def path(group: str, namespaced: str = "") -> str:
    version, _, plural = group.rpartition("/")
    return f"/{'api' if version == 'v1' else 'apis'}/{version}/{namespaced}{plural}"


def main() -> None:
    with Cluster(seed=7, begun=BEGUN) as cluster:
        for version, plural, obj in OBJECTS:
            cluster.request("POST", path(f"{version}/{plural}", "namespaces/default/"), body=json.dumps(obj).encode())
        cluster.pass_time(20)
        cluster.request("DELETE", path("apps/v1/deployments", "namespaces/default/") + "/old")
        cluster.pass_time(60)
        for each in LISTED:
            print(each, *cluster.request("GET", path(each)))
        pods = json.loads(cluster.request("GET", PODS)[1])["items"]
        for pod in pods[:2]:
            print(cluster.logs("default", pod["metadata"]["name"]))
        print(cluster.exec("default", pods[-1]["metadata"]["name"], ["sh", "-c", SCRIPT]))
        print(cluster.request("GET", "/apis"), cluster.request("GET", "/openapi/v3"))


if __name__ == "__main__":
    main()
